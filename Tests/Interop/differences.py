"""Where two answers differ: those of a second implementation, and the library's."""


def differences(ours, theirs, where=""):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(set(ours) | set(theirs)):
            yield from differences(ours.get(key), theirs.get(key), where + "." + key)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, "%s[%d]" % (where, index))
    elif ours != theirs:
        yield "%s: second implementation %r, library %r" % (where, ours, theirs)
