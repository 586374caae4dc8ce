"""Runs the Python tests, each with a limit: `limits.py Tests/Daemon [test_sync.py]`. One that hangs is named, what it
has started is killed, and the others go on. TEST_LIMIT says how many seconds a test may take (120)."""

import faulthandler
import os
import pathlib
import signal
import sys
import unittest

LIMIT = int(os.environ.get("TEST_LIMIT", "120"))
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


class Limited(unittest.TextTestResult):
    """Also what is done between two tests, for a class or at the end, has the limit."""

    def startTestRun(self):
        signal.signal(signal.SIGALRM, self.interrupt)
        self.begin("before the first test")
        super().startTestRun()

    def startTest(self, test):
        self.begin(str(test))
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.begin("after " + str(test))

    def stopTestRun(self):
        super().stopTestRun()
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()

    def begin(self, what):
        self.what, self.before = what, descendants()
        signal.setitimer(signal.ITIMER_REAL, LIMIT, REST)
        faulthandler.dump_traceback_later(LIMIT + 3 * REST, exit=True)

    def interrupt(self, *_):
        print(f"\nHANGS for more than {LIMIT} s: {self.what}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback()
        for process in descendants() - self.before:
            try:
                os.kill(process, signal.SIGKILL)
            except OSError:
                pass  # It has ended.
        raise Hangs(self.what)


if __name__ == "__main__":
    folder, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "test*.py"
    tests = unittest.defaultTestLoader.discover(folder, pattern)
    result = unittest.TextTestRunner(verbosity=2, resultclass=Limited, warnings="default").run(tests)
    sys.exit(not result.wasSuccessful())
