"""timelinectl on a daemon of its own: what the tests of its commands stand on."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from daemon import BINARIES, ROOT, Daemon, Network

SHIPPED = str(ROOT / "data" / "us-dprk.jsonl")


class Ctl(Network, unittest.TestCase):
    """A daemon for the whole class; with the shipped events where `shipped` says so."""

    shipped = False

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon().start()
        cls.addClassCleanup(cls.daemon.remove)
        if cls.shipped:
            code, _, err = cls.ctl("import", SHIPPED)
            assert code == 0, err

    @classmethod
    def ctl(cls, *words, stdin=None, daemon=None, **environment):
        result = subprocess.run(
            [BINARIES / "timelinectl", *words], input=stdin.encode() if isinstance(stdin, str) else stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL, capture_output=True,
            env={**os.environ, "TIMELINE_SOCKET": (daemon or cls.daemon).socket, **environment})
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def done(self, *words, **more):
        code, out, err = self.ctl(*words, **more)
        self.assertEqual(code, 0, err)
        return out

    def fails(self, exit, *words, **more):
        """What is said on stderr; with --json, the error is on stdout too."""
        code, out, err = self.ctl(*words, **more)
        self.assertEqual(code, exit, (words, out, err))
        if "--json" in words:
            self.assertIn("error", json.loads(out), words)
        return err

    def json(self, *words, **more):
        return json.loads(self.done(*words, "--json", **more))

    def another(self):
        """One more daemon, empty."""
        daemon = Daemon().start()
        self.addCleanup(daemon.remove)
        return daemon

    def file(self, name, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)
