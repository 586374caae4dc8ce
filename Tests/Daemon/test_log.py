"""`log`, `watch`, `show` and `sync`: what is asked for, and what is said where there is nothing."""

import json
import subprocess
import unittest

from ctl import Ctl
from daemon import BINARIES, Daemon, event, shipped_events


class LogTests(Ctl):
    shipped = True

    def test_one_endless_word_does_not_widen_every_row(self):
        daemon = self.another()
        client = daemon.client()
        for number in range(50):
            client.append(title=f"event {number}")
        client.append(title="the long one", subtype="x" * 20_000)
        client.close()
        rows = self.done("log", daemon=daemon).splitlines()
        (long,) = [row for row in rows if "the long one" in row]
        self.assertIn("x" * 20_000, long)
        self.assertEqual(len(rows), 52)
        self.assertLess(max(len(row) for row in rows if row != long), 400)
        self.assertEqual(len({row.index("event ") for row in rows if "event " in row}), 1)

    def test_known_at_takes_a_day_a_time_and_a_position(self):
        status = self.json("status")
        replica, size = next(iter(status["position"].items()))
        for command in (("log", "--count"), ("state", "USA", "PRK", "--json")):
            answers = [
                self.done(*command, "--known-at", when)
                for when in (json.dumps({replica: size}), json.dumps({replica: 10}), "2001-01-01", "2001-01-01T00:00:00Z")]
            self.assertNotEqual(answers[0], answers[1])
            self.assertEqual(answers[2], answers[3])
        # The first two lines of the founder's log name its key and the timeline, and are no events.
        self.assertEqual(self.json("log", "--count", "--known-at", '{"%s":10}' % replica), {"count": 8})
        for command in (("log",), ("state", "USA", "PRK"), ("why", "USA", "PRK", "phase")):
            for when in ("yesterday", "{}x", '{"main":1}', "2017-02-30"):
                err = self.fails(2, *command, "--known-at", when, "--json")
                self.assertIn("--known-at: ", err)
                self.assertNotIn("known_at", err)

    def test_nothing_matched_says_which_part_of_the_filter_empties_it(self):
        events = shipped_events()
        tests = sum(event["type"] == "test" for event in events)
        japanese = sum("JPN" in event["actors"] for event in events)
        for form in ((), ("--json",), ("--csv",), ("--jsonl",), ("--count",)):
            code, out, err = self.ctl("log", "type=test", "actor=JPN", *form)
            self.assertEqual(code, 0)
            self.assertIn(f"the timeline has {len(events)} events from 1985-12-12 to ", err)
            self.assertIn(f"without type=test: {japanese} events", err)
            self.assertIn(f"without actor=JPN: {tests} events", err)
        err = self.ctl("log", "date>=2017", "date<2018", "--tag", "nosuch", "--known-at", "2001-01-01")[2]
        self.assertIn("without date>=2017 date<2018: 0 events", err)
        self.assertIn("without --known-at: 0 events", err)
        err = self.ctl("log", "--text", "solid fuel")[2]
        self.assertIn('"solid fuel" is looked for as one phrase', err)
        solid, fuel = (self.done("log", "--count", "--text", word).strip() for word in ("solid", "fuel"))
        self.assertNotEqual(solid, fuel)
        self.assertIn(f'"solid" {solid}, "fuel" {fuel}', err)
        self.assertIn('"solid" 0', self.ctl("log", "text~solid fuel", "type=aid")[2])
        self.assertIn("has no events: timelinectl import", self.ctl("log", daemon=self.another())[2])

    def test_no_lines_are_no_lines(self):
        self.assertEqual(self.done("log", "--jsonl", "text~nosuchword"), "")
        self.assertEqual(self.json("log", "text~nosuchword"), [])
        self.assertEqual(self.ctl("log", "--count", "--exit-code", "text~nosuchword")[:2], (3, "0\n"))
        tests = sum(event["type"] == "test" for event in shipped_events())
        code, out, err = self.ctl("log", "-n", "0", "type=test")
        self.assertEqual((code, out, err), (0, "", f"0 of {tests} events, -n N for more\n"))
        self.assertEqual(self.json("log", "-n", "0"), [])

    def test_a_flag_for_every_key(self):
        for flag, term in (
            ("--subtype=icbm", "subtype=icbm"), ("--party=JPN", "party=JPN"), ("--tag=team-spirit-89", "tag=team-spirit-89"),
            ("--author=nobody", "author=nobody"), ("--id=84ce6fd0", "id=84ce6fd0"),
        ):
            self.assertEqual(self.done("log", "--count", flag), self.done("log", "--count", term))
        err = self.fails(2, "log", "--type", "tests")
        self.assertIn("did you mean test?", err)
        self.assertNotIn("log.same", self.fails(2, "log", "type=xyzzy"))

    def test_options_stand_before_the_command_too(self):
        newest = self.done("log", "-n", "3", "type=test")
        for words in (("-n", "3", "log", "type=test"), ("--limit", "3", "log", "type=test"), ("-n3", "log", "type=test"),
                      ("log", "type=test", "-n3"), ("--type", "test", "log", "--limit=3")):
            self.assertEqual(self.done(*words), newest)

    def test_what_is_new_after_a_cursor(self):
        own = self.another()
        self.done("import", "-", stdin="".join(json.dumps(event("e%d" % n, id="e-%d" % n)) + "\n" for n in range(3)), daemon=own)
        code, out, err = self.ctl("log", "--show-cursor", daemon=own)
        cursor = err.strip().removeprefix("cursor: ")
        self.assertEqual(json.loads(cursor), self.json("status", daemon=own)["position"])
        code, out, err = self.ctl("log", "--after", cursor, "--json", daemon=own)
        self.assertEqual((code, json.loads(out), err), (0, [], "nothing new\n"))
        self.assertEqual(self.ctl("log", "--after", cursor, "--exit-code", daemon=own)[0], 3)
        self.done("add", "--type", "test", "--date", "2001", "--actors", "PRK", "--title", "new", "--unsourced", daemon=own)
        self.done("correct", "e-1", "--title", "better", "--reason", "r", daemon=own)
        self.done("retract", "e-2", "--reason", "r", daemon=own)
        titles = lambda *more: [e["title"] for e in self.json("log", "--after", cursor, *more, daemon=own)]
        self.assertEqual(titles(), ["new", "better"])
        self.assertEqual(titles("date>=2017"), ["better"])
        self.assertEqual(titles("-n1"), ["better"])
        unchanged = self.json("show", "e-0", daemon=own)["event"]["id"]
        self.assertEqual(titles("id=" + unchanged), [])
        self.assertEqual(titles("--id", self.json("show", "e-1", daemon=own)["event"]["id"][:8]), ["better"])
        self.assertEqual(self.done("log", "--after", cursor, "--count", daemon=own), "2\n")
        self.assertEqual(len(self.json("log", "--after", "{}", daemon=own)), 3)
        for wrong in ("soon", '{"x":1}'):
            self.assertIn("--after", self.fails(2, "log", "--after", wrong))

    def test_watch_ends_in_time(self):
        self.assertEqual(self.ctl("watch", "--timeout", "0")[0], 0)
        self.assertIn("0 of 1 event came within 0s", self.fails(8, "watch", "--until", "1", "--timeout", "0s", "--json"))
        for words in (("--until", "x"), ("--until", "0"), ("--timeout", "soon")):
            self.fails(2, "watch", *words, "--json")

    def test_watch_writes_json_lines(self):
        own = self.another()
        process = subprocess.Popen(
            [BINARIES / "timelinectl", "--socket", own.socket, "watch", "--until", "2", "--json"], stdout=subprocess.PIPE, text=True)
        client = own.client()
        # The watch may begin late: events are recorded until it has seen two.
        while process.poll() is None:
            client.append()
        titles = [json.loads(line)["title"] for line in process.stdout]
        process.stdout.close()
        client.close()
        self.assertEqual(titles, ["a test"] * 2)
        self.assertIn("JSON Lines", self.done("watch", "--help"))

    def test_names_that_look_like_ids(self):
        own = self.another()
        named = ["2004-02-02", "1001", "c-1", "deadbeef", "usdprk-x"]
        self.done("import", "-", stdin="".join(json.dumps(event(n, id=n)) + "\n" for n in named), daemon=own)
        for name in named:
            whole = self.json("show", name, daemon=own)["event"]
            self.assertEqual((whole["title"], whole["ref"]), (name, name))
            self.assertEqual(self.json("show", whole["id"][:9], daemon=own)["event"], whole)
        self.done("retract", "c-1", "--reason", "r", daemon=own)
        self.assertIn("retracted", self.done("show", "c-1", daemon=own))
        client = own.client()
        self.addCleanup(client.close)
        client.append(title="other", id="10010000-0000-4000-8000-000000000000")
        self.assertIn("is the name of one event and begins the id of another", self.fails(2, "show", "1001", daemon=own))
        self.assertEqual(self.json("show", "10010", daemon=own)["event"]["title"], "other")
        for wrong in ("usdprk-y", "2004-02-03", "abcd"):
            self.assertIn('no event is named "%s"' % wrong, self.fails(1, "show", wrong, daemon=own))
        self.assertIn("at least the first 4 characters", self.fails(2, "show", "c-2", daemon=own))

    def test_sync_waits_as_long_as_it_is_told(self):
        own = self.another()
        self.done("peer", "add", "tcp://localhost:1", daemon=own)
        self.assertEqual([p["address"] for p in self.json("peer", "list", daemon=own)], ["tcp://127.0.0.1:1"])
        # Nobody listens there, which takes a moment to be known.
        while not self.json("peer", "list", daemon=own)[0].get("error"):
            pass
        self.assertIn("not connected", self.fails(8, "sync", "--wait", "--timeout", "0s", "--json", daemon=own))
        self.fails(2, "sync", "--timeout", "soon", daemon=own)
        self.done("peer", "remove", "tcp://localhost:1", daemon=own)
        self.assertEqual(self.json("peer", "list", daemon=own), [])


if __name__ == "__main__":
    unittest.main()
