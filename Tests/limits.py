"""Runs tests with a limit, so that one that hangs is named: what it has started is killed, and the others go on.

    limits.py Tests/Daemon [test_sync.py]   the Python tests of a folder, each at most TEST_LIMIT seconds (120), or
                                            as many as the `limit` of its class says
    limits.py -- swift test                 Swift's, which run side by side: they end where nothing is said any more
                                            for SILENCE_LIMIT seconds (600), with the names of those that run
"""

import faulthandler
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import unittest

LIMIT = int(os.environ.get("TEST_LIMIT", "120"))
SILENCE = int(os.environ.get("SILENCE_LIMIT", "600"))
# For the end of a test that hangs; then it is interrupted again, and at last all ends.
REST = 30


class Hangs(BaseException):
    """Passes through what a test catches."""


def descendants():
    """The processes that this one has started, and those that they have."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # Behind the name, which may hold anything: the state, and the parent.
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            pass  # It has ended.
    found = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def kill(processes):
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except OSError:
            pass  # It has ended.


class Limited(unittest.TextTestResult):
    """Also what is done between two tests, for a class or at the end, has the limit."""

    def startTestRun(self):
        signal.signal(signal.SIGALRM, self.interrupt)
        self.begin("before the first test")
        super().startTestRun()

    def startTest(self, test):
        self.begin(str(test), Hangs, max(LIMIT, getattr(test, "limit", 0)))
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.begin("after " + str(test))

    def stopTestRun(self):
        super().stopTestRun()
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()

    def begin(self, what, error=TimeoutError, limit=LIMIT):
        self.what, self.error, self.limit, self.before = what, error, limit, descendants()
        signal.setitimer(signal.ITIMER_REAL, limit, REST)
        faulthandler.dump_traceback_later(limit + 3 * REST, exit=True)

    def interrupt(self, *_):
        print(f"\nHANGS for more than {self.limit} s: {self.what}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback()
        kill(descendants() - self.before)
        raise self.error(self.what)


def watch(command):
    """Passes on what swift test says; its exit code."""
    running = {}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    rest = b""
    while select.select([process.stdout], [], [], SILENCE)[0]:
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            return process.wait()
        sys.stdout.buffer.write(piece)
        sys.stdout.flush()
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            # `◇ Test "a name" started.`, and at its end `✔ Test "a name" passed after 0.1 seconds.`
            if said := re.search(r" Test (?!run |case )(.*) (started\.|(?:passed|failed|skipped)\b.*)$", line.decode(errors="replace")):
                name, word = said.groups()
                running[name] = running.get(name, 0) + (1 if word == "started." else -1)
    print(f"\nHANGS: nothing was said for {SILENCE} s; these run:", file=sys.stderr)
    for name in sorted(name for name, count in running.items() if count > 0):
        print("  " + name, file=sys.stderr)
    kill(descendants())
    process.wait()
    return 1


if __name__ == "__main__":
    if sys.argv[1] == "--":
        sys.exit(watch(sys.argv[2:]))
    folder, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "test*.py"
    tests = unittest.defaultTestLoader.discover(folder, pattern)
    result = unittest.TextTestRunner(verbosity=2, resultclass=Limited, warnings="default").run(tests)
    sys.exit(not result.wasSuccessful())
