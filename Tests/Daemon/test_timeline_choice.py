"""timelinectl timeline and --timeline against a daemon that only says what it was told to: which requests go out, and
what a person is told."""

import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import unittest

from daemon import BINARIES

ID = "1aae0a7c-91c1-8391-839f-a5001ca5f217"


class Told:
    """Answers each request by the first of its rules that the request begins with, and keeps all requests."""

    def __init__(self, rules):
        self.folder = tempfile.TemporaryDirectory()
        self.path = str(pathlib.Path(self.folder.name) / "sock")
        self.rules, self.requests = rules, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                request = line.decode().rstrip("\n")
                self.requests.append(request)
                said = next((said for start, said in self.rules if request.startswith(start)), "ERR internal what?")
                connection.sendall((said + "\n").encode())

    def close(self):
        self.listener.close()
        self.folder.cleanup()


ROWS = "\n".join("ROW " + json.dumps(row) for row in (
    {"name": "main", "timeline": ID, "replica": ID, "events": 12, "lines": 14},
    {"name": "old", "timeline": ID, "replica": ID, "archived": True},
    {"name": "taiwan", "timeline": ID, "replica": ID, "events": 3, "lines": 5})) + "\nEND {}"
OPENED = 'OK {"timeline":"%s","replica":"%s","position":{}}' % (ID, ID)
RULES = [
    ("OPEN nowhere", "ERR not-found no timeline is called nowhere"), ("OPEN ", OPENED), ("COUNT", 'OK {"count":3}'),
    ("TIMELINES", ROWS), ("TIMELINE create taken", "ERR exists there is a timeline taken here already"),
    ("TIMELINE follow tcp://127.0.0.1:9 {", 'OK {"name":"theirs","timeline":"%s","peer":"tcp://127.0.0.1:9"}' % ID),
    ("TIMELINE follow", "ERR exists there is a timeline main here already"),
    ("TIMELINE ", 'OK {"name":"new","timeline":"%s"}' % ID), ("SNAPSHOTS", "END {}"), ("PEERS", "END {}")]


class TimelineChoice(unittest.TestCase):
    def setUp(self):
        self.told = Told(RULES)
        self.addCleanup(self.told.close)

    def ctl(self, exit, *words, **environment):
        self.told.requests.clear()
        clean = {key: value for key, value in os.environ.items() if key != "TIMELINE"}
        result = subprocess.run(
            [BINARIES / "timelinectl", "--socket", self.told.path, *words], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, env={**clean, **environment})
        self.assertEqual(result.returncode, exit, (words, result.stdout, result.stderr))
        return result.stdout if exit == 0 else result.stderr

    def test_the_chosen_one_is_opened_first(self):
        for words, environment, opened in (
            ((), {}, []), (("--timeline", "taiwan"), {}, ["OPEN taiwan"]), ((), {"TIMELINE": "taiwan"}, ["OPEN taiwan"]),
            (("--timeline=taiwan",), {"TIMELINE": "main"}, ["OPEN taiwan"]), ((), {"TIMELINE": ""}, []),
        ):
            self.assertEqual(self.ctl(0, *words, "log", "--count", **environment), "3\n")
            self.assertEqual(self.told.requests[: len(opened)], opened)
            self.assertTrue(self.told.requests[len(opened)].startswith("COUNT"), self.told.requests)

    def test_one_that_is_not_there(self):
        for words, environment in ((("--timeline", "nowhere"), {}), ((), {"TIMELINE": "nowhere"})):
            err = self.ctl(1, *words, "log", "--count", **environment)
            self.assertIn("there is no timeline nowhere; there are: main, taiwan; "
                          "timelinectl timeline create nowhere makes one", err)
        for name in ("../x", "a b", "1", "x\nERASE {}", ""):
            self.assertIn("no name of a timeline", self.ctl(2, "--timeline", name, "log"))
            self.assertEqual(self.told.requests, [])
        self.assertIn("TIMELINE in the environment", self.ctl(2, "log", TIMELINE="a b"))

    def test_list(self):
        rows = self.ctl(0, "timeline", TIMELINE="nowhere").splitlines()
        self.assertEqual(rows[0].split(), ["NAME", "EVENTS", "ID"])
        self.assertEqual([row.split() for row in rows[1:]], [["main", "12", ID], ["old", ID, "archived"], ["taiwan", "3", ID]])
        self.assertEqual(self.told.requests, ["TIMELINES"])
        self.assertEqual([row["name"] for row in json.loads(self.ctl(0, "timeline", "list", "--json"))], ["main", "old", "taiwan"])

    def test_changes(self):
        for words in (("create", "new"), ("rename", "old", "new"), ("archive", "new"), ("restore", "new")):
            out = self.ctl(0, "timeline", *words)
            self.assertIn("new", out)
            self.assertEqual(self.told.requests, ["TIMELINE " + " ".join(words)])
            self.assertEqual(json.loads(self.ctl(0, "timeline", *words, "--json"))["timeline"], ID)
        self.assertIn("already", self.ctl(1, "timeline", "create", "taken"))
        for words in (("create",), ("create", "a b"), ("rename", "old"), ("frob",), ("list", "x"), ("follow",),
                      ("follow", "a b"), ("follow", "x", "--as", "1"), ("create", "new", "--as", "x")):
            self.ctl(2, "timeline", *words)
            self.assertEqual(self.told.requests, [])

    def test_follow(self):
        out = self.ctl(0, "timeline", "follow", "tcp://localhost:9", "--from", "main", "--as", "theirs")
        self.assertEqual(self.told.requests, ['TIMELINE follow tcp://127.0.0.1:9 {"from":"main","as":"theirs"}'])
        self.assertIn("timelinectl --timeline theirs sync", out)
        self.assertIn("--as NAME", self.ctl(1, "timeline", "follow", "tcp://127.0.0.1:9"))
        self.assertEqual(self.told.requests, ["TIMELINE follow tcp://127.0.0.1:9"])

    def test_what_to_type_next_keeps_the_choice(self):
        self.assertIn("timelinectl --timeline taiwan snapshot create", self.ctl(0, "--timeline", "taiwan", "snapshot", "list"))
        self.assertIn("timelinectl snapshot create", self.ctl(0, "snapshot", "list", TIMELINE="taiwan"))


if __name__ == "__main__":
    unittest.main()
