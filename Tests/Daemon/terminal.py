"""A terminal with somebody at it: a command in a session of its own, whose terminal it is, so that job control is what
it is for people. Text is read until it comes; keys are sent."""

import fcntl
import os
import pty
import re
import select
import struct
import termios

from daemon import BINARIES

# Nothing waits this long unless it hangs, and then it is a failure.
HANGS_AFTER = 60
SEQUENCES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]")


class Terminal:
    def __init__(self, daemon, *words, rows=24, columns=80, unset=(), **environment):
        gone = {"COLUMNS", "LINES", "NO_COLOR", "PAGER", "LESS", "TIMELINE_PAGER", "VISUAL", "EDITOR", *unset}
        kept = {key: value for key, value in os.environ.items() if key not in gone}
        self.shown = b""
        self.read = 0
        self.process, self.main = pty.fork()
        if self.process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            program = str(BINARIES / "timelinectl")
            os.execve(program, [program, "--socket", daemon.socket, *words], {**kept, "TERM": "xterm", **environment})

    def piece(self):
        """More of what is shown; nothing at the end."""
        if not select.select([self.main], [], [], HANGS_AFTER)[0]:
            raise AssertionError(f"it hangs after: {self.shown!r}")
        try:
            return os.read(self.main, 65536)
        except OSError:  # The other end is closed.
            return b""

    def until(self, text):
        """What is shown up to this text, from where the last call stopped."""
        wanted = text.encode()
        while (at := self.shown.find(wanted, self.read)) < 0:
            piece = self.piece()
            if not piece:
                raise AssertionError(f"it ended without {text!r}: {self.shown!r}")
            self.shown += piece
        start, self.read = self.read, at + len(wanted)
        return self.shown[start:self.read].decode()

    def send(self, keys):
        os.write(self.main, keys.encode())

    def end(self):
        """The exit code, and all that was shown."""
        while piece := self.piece():
            self.shown += piece
        os.close(self.main)
        _, status = os.waitpid(self.process, 0)
        return os.waitstatus_to_exitcode(status), self.shown.decode().replace("\r\n", "\n")


def plain(shown):
    """What is left to read once a terminal has obeyed its sequences."""
    return SEQUENCES.sub(b"", shown.encode()).decode()
