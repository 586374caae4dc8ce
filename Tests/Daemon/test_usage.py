"""Help, usage and exit codes: what a person wrote wrong is exit 2, and is said in a person's words."""

import json
import os
import subprocess
import unittest

from ctl import Ctl
from daemon import BINARIES, ROOT

COMMANDS = ("add", "import", "export", "log", "show", "correct", "retract", "erase", "conflicts", "resolve", "duplicates", "same", "apart", "lint", "state", "why", "what-if", "rules", "watch", "status", "actor", "snapshot", "timeline", "peer", "member", "relay", "sync", "verify", "repair", "keys", "prove", "verify-proof", "backup", "restore", "dates")


class UsageTests(Ctl):
    shipped = True

    def test_help_is_json_where_asked(self):
        whole = json.loads(self.done("help", "--json"))
        self.assertEqual(sorted(c["command"] for c in whole["commands"]), sorted(COMMANDS))
        for words in (("--json",), ("--help", "--json"), ("--json", "help")):
            self.assertEqual(json.loads(self.done(*words)), whole)
        for command in COMMANDS:
            one = json.loads(self.done(command, "--help", "--json"))
            self.assertEqual(one, json.loads(self.done("help", command, "--json")))
            self.assertEqual(one["command"], command)
            self.assertIn(one["summary"], " ".join(self.done("help", command).split()))
        self.assertEqual(json.loads(self.done("--version", "--json")), {"version": "0.1.0"})
        codes = json.loads(self.done("help", "exit-codes", "--json"))
        self.assertEqual([c["code"] for c in codes], [0, 1, 2, 3, 4, 5, 6, 7, 8, 130])
        self.assertEqual(whole["exit_codes"], codes)
        self.assertIn("  6  partly done", self.done("help", "exit-codes"))

    def test_what_is_mistyped(self):
        self.assertIn("did you mean log?", self.fails(2, "help", "lgo", "--json"))
        self.assertIn("did you mean log?", self.fails(2, "lgo"))
        self.fails(2, "--frob")
        for words in (("status", "foo"), ("state", "USA"), ("actor", "list", "korea"), ("sync", "now"),
                      ("show",), ("show", "a", "b"), ("why", "USA", "PRK"), ("import",), ("actor", "frob"), ("peer", "add")):
            err = self.fails(2, *words, "--json")
            self.assertIn(words[0], err)

    def test_wrong_input_is_exit_2(self):
        for words in (
            ("log", "actor=prk"), ("log", "actor=PKR"), ("log", "--actor", "PKR"), ("log", "-n", "-1"), ("log", "-n", "x"), ("state", "PKR", "USA"),
            ("state", "usaa", "PRK"), ("state", "USA", "USA"), ("state", "USA", "PRK", "--as-of", "2017-02-30"), ("why", "USA", "PRK", "nope"),
            ("peer", "add", "nowhere"), ("peer", "add", "tcp://192.0.2.1:7411"), ("import", "x", "--format", "xml"), ("log", "type=tset"),
        ):
            self.fails(2, *words, "--json")

    def test_nobody_has_to_know_the_protocol(self):
        wire = ("GET", "ACTORS", "PEERS", "PEER ", "STATUS", "QUERY", "known_at", "as_of", "{\"", "\"unsourced\"", "[\"")
        for exit, words, said in (
            (2, ("show", "abc"), "at least the first 4 characters"), (2, ("state", "QQQ", "USA"), "timelinectl actor list shows all"),
            (2, ("state", "PKR", "USA"), "did you mean PRK"), (2, ("state", "USA", "USA"), "two different parties"),
            (2, ("peer", "add"), "peer add ADDRESS"), (1, ("peer", "remove", "tcp://127.0.0.1:9"), "timelinectl peer list shows them"),
            (1, ("add", "--type", "test", "--date", "2017", "--actors", "PRK", "--title", "t"), "--unsourced"),
            (1, ("add", "--type", "test", "--date", "2017", "--title", "t", "--unsourced"), "--actors"),
            (2, ("add", "--no-input"), "give the event by options"),
        ):
            err = self.fails(exit, *words)
            self.assertIn(said, err)
            for word in wire:
                self.assertNotIn(word, err, words)

    def test_a_socket_that_is_another_s(self):
        own = self.another()
        os.chmod(own.path, 0)
        self.addCleanup(os.chmod, own.path, 0o700)
        # Root may do everything, so it asks as somebody else.
        other = {"user": 65534} if os.geteuid() == 0 else {}
        result = subprocess.run(
            [BINARIES / "timelinectl", "--socket", own.socket, "status", "--json"], capture_output=True, text=True, **other)
        self.assertEqual((result.returncode, json.loads(result.stdout)["error"]["code"]), (4, "denied"))
        self.assertIn("no permission for the socket", result.stderr)

    def test_comparisons_are_quoted_in_every_example(self):
        texts = [self.done("help"), *(self.done("help", c) for c in COMMANDS)]
        texts += [path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))]
        for line in "\n".join(texts).splitlines():
            if "timelinectl " in line:
                for word in line.split():
                    self.assertFalse(word.startswith(("date>", "date<")), line)


class StateTextTests(Ctl):
    shipped = True

    def test_what_a_person_reads_of_a_state(self):
        text = self.done("state", "USA", "PRK", "--as-of", "2017-11-30")
        state = self.json("state", "USA", "PRK", "--as-of", "2017-11-30")
        self.assertIn("last test   1 day ago: First Hwasong-15", text)
        self.assertIn("by rules 4, weights 3, windows 1 and interests 1", text)
        self.assertIn("open offers", text)
        offers = [o for o in state["offers"] if o["state"] == "open"]
        for offer in offers:
            self.assertIn("then " + offer["then"][0], text)
        self.assertIn(state["phase"]["events"][0][:8], text)
        self.assertIn("why PRK USA phase", text)
        self.assertNotIn("provisional", text)
        self.assertIn("last test   today", self.done("state", "USA", "PRK", "--as-of", "2017-11-29"))

    def test_nothing_between_them_is_said(self):
        text = self.done("state", "USA", "PRK", "--as-of", "1950-01-01")
        self.assertIn("nothing is recorded between the two by that day", text)
        self.assertNotIn("estranged", text)
        self.assertIn("no events are behind this figure", self.done("why", "USA", "PRK", "phase", "--as-of", "1950-01-01"))

    def test_contested_events_make_a_state_provisional(self):
        own = self.another()
        client = own.client()
        self.addCleanup(client.close)
        id = client.append(title="one", targets=["USA"])["id"]
        for title in ("two", "three"):
            client.ok("APPEND " + json.dumps({
                "type": "log.correct", "corrects": id, "supersedes": [id], "reason": "r",
                "body": {"type": "test", "date": "2017-11-29", "actors": ["PRK"], "title": title, "unsourced": True}}))
        text = self.done("state", "USA", "PRK", "--as-of", "2018-01-01", daemon=own)
        self.assertIn("provisional rests on 1 event of which people say different things: " + id[:8], text)

    def test_shares_only_where_there_are_any(self):
        self.assertTrue(self.done("why", "USA", "PRK", "climate", "--as-of", "2017-11-30").startswith("SHARE "))
        self.assertTrue(self.done("why", "USA", "PRK", "phase", "--as-of", "2018-06-13").startswith("DATE "))
        self.assertIn("figures are phase, climate", self.fails(2, "why", "USA", "PRK", "nope"))


if __name__ == "__main__":
    unittest.main()
