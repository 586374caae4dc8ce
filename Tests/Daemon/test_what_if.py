"""`what-if` and `state --since`: what would be different, what is, and that nothing of it is kept."""

import datetime
import hashlib
import json
import pathlib
import unittest

from ctl import Ctl
from daemon import ROOT, event

PACKAGE = str(ROOT / "data" / "what-if-package.jsonl")
PAIR = ("USA", "PRK")
LETTER = "usdprk-2002-11-03-message-written"
RELEASE = ("--type", "release", "--date", "2026-12-20", "--actors", "PRK", "--targets", "USA", "--title", "Home", "--unsourced")


def lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


class WhatIfTests(Ctl):
    shipped = True

    def log_files(self):
        """What the logs hold, and their signed heads aside, which are signed again now and then."""
        logs = pathlib.Path(self.daemon.data) / "timelines" / "main" / "logs"
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(logs.rglob("*.jsonl*"))}

    def if_lines(self, client, question, events):
        client.send("\n".join(["WHATIF %d %s" % (len(events), json.dumps(question))] + [
            event if isinstance(event, str) else json.dumps(event) for event in events]))
        return client.reply()

    def client(self, daemon=None):
        client = (daemon or self.daemon).client()
        self.addCleanup(client.close)
        return client

    def test_nothing_is_recorded(self):
        before = (self.json("status")["position"], self.log_files(), self.json("state", *PAIR))
        answer = self.json("what-if", *PAIR, PACKAGE, "--without", LETTER, "--as-of", "2027-04-02")
        self.assertGreater(len(answer["changes"]), 20)
        self.done("what-if", *PAIR, "--add", *RELEASE)
        self.assertEqual(before, (self.json("status")["position"], self.log_files(), self.json("state", *PAIR)))
        self.fails(1, "show", answer["events"][0])

    def test_it_is_what_recording_says(self):
        """The state after is that of a timeline that really has the events, whole and of a group."""
        own = self.another()
        self.done("import", str(ROOT / "data" / "us-dprk.jsonl"), daemon=own)
        for day in ("2027-02-05", "2027-06-01"):
            if_so = self.json("what-if", *PAIR, PACKAGE, "--as-of", day, daemon=own)
            self.assertEqual(if_so["before"], self.json("state", *PAIR, "--as-of", day, daemon=own))
            group = self.json("what-if", *PAIR, "KOR", PACKAGE, "--as-of", day, daemon=own)
            self.assertEqual([dyad["parties"] for dyad in group["dyads"]], [["KOR", "PRK"], ["KOR", "USA"], ["PRK", "USA"]])
            self.assertEqual(group["dyads"][2]["after"], if_so["after"])
        self.done("import", PACKAGE, daemon=own)
        self.assertEqual(if_so["after"], self.json("state", *PAIR, "--as-of", day, daemon=own))
        self.assertEqual(group["dyads"][0]["after"], self.json("state", "KOR", "PRK", "--as-of", day, daemon=own))
        self.assertEqual(if_so["events"], [e["id"] for e in self.json("log", "tag=what-if", daemon=own)])
        # What is there already changes nothing.
        again = self.json("what-if", *PAIR, PACKAGE, "--as-of", day, daemon=own)
        self.assertEqual((again["changes"], again["events"]), ([], if_so["events"]))
        # As the log stood before, it does.
        size = {replica: count - len(if_so["events"]) for replica, count in self.json("status", daemon=own)["position"].items()}
        then = self.json("what-if", *PAIR, PACKAGE, "--as-of", day, "--known-at", json.dumps(size), daemon=own)
        self.assertEqual((then["before"], then["after"]), (if_so["before"], if_so["after"]))
        # And leaving them out is as if they had never been recorded.
        words = [word for id in if_so["events"] for word in ("--without", id[:8])]
        without = self.json("what-if", *PAIR, *words, "--as-of", day, daemon=own)
        self.assertEqual((without["before"], without["after"]), (if_so["after"], if_so["before"]))
        # Retracted is out already.
        for id in if_so["events"]:
            self.done("retract", id, "--reason", "never was", daemon=own)
        self.assertEqual(self.json("what-if", *PAIR, *words, "--as-of", day, daemon=own)["changes"], [])

    def test_order_makes_no_difference(self):
        client = self.client()
        talks = {"type": "talks", "subtype": "official", "date": "2026-12-01", "actors": ["USA", "PRK"], "title": "t", "unsourced": True}
        events = [talks, {**talks, "date": "2026-12-03"}, talks, {**talks, "author": "bo", "date": "2026-12-03"}]
        answers = [json.loads(self.if_lines(client, {"parties": PAIR}, order).partition(" ")[2])
                   for order in (events, events[::-1], events)]
        self.assertEqual(answers[0], answers[2])
        self.assertEqual(answers[0]["after"], answers[1]["after"])
        self.assertEqual(answers[0]["changes"], answers[1]["changes"])
        # The same words twice are two events, each with an id of its own.
        self.assertEqual(len(set(answers[0]["events"])), 4)
        self.assertEqual(answers[0]["after"]["events"], answers[0]["before"]["events"] + 4)

    def test_the_readme_shows_what_it_says(self):
        """Of the shipped package, each line that README.md quotes; of the log, those of a summer."""
        readme = (ROOT / "README.md").read_text()
        said = self.done("what-if", *PAIR, PACKAGE, "--as-of", "2027-04-02") + self.done("watch", "--state", *PAIR, "--from", "2018-06-01", "--to", "2018-07-27")
        quoted = [line for piece in ("data/what-if-package.jsonl --as-of 2027-04-02\n", "--from 2018-06-01 --to 2018-07-27\n")
                  for line in readme.split(piece)[1].split("\n\n")[0].split("    $ ")[0].splitlines()]
        quoted = [line.strip() for line in quoted if line.strip() not in ("", "…")]
        self.assertGreater(len(quoted), 6)
        for line in quoted:
            self.assertIn(line, said.splitlines())

    def test_the_day(self):
        today = self.json("state", *PAIR)["day"]
        self.assertEqual(self.json("what-if", *PAIR, PACKAGE)["day"], max(today, "2027-04-02"))
        past = self.json("what-if", *PAIR, "--add", *RELEASE[:3], "2020-01-01", *RELEASE[4:])
        self.assertEqual(past["day"], today)
        self.assertEqual(self.json("what-if", *PAIR, PACKAGE, "--as-of", "2026-12-01")["after"]["offers"][-1]["state"], "open")
        self.done("snapshot", "create", "now")
        self.assertEqual(self.json("what-if", *PAIR, PACKAGE, "--at", "now")["day"], max(today, "2027-04-02"))
        cited = self.json("what-if", *PAIR, "--without", LETTER, "--at", "now")
        self.assertEqual(cited["snapshot"]["name"], "now")
        reply = self.if_lines(self.client(), {"parties": PAIR}, [event(date="2131-05-05"), event(date="2130", title="other")])
        self.assertEqual(json.loads(reply[3:])["day"], "2131-05-05")

    def test_by_options(self):
        offer = self.json("log", "id=8953fb19")[0]
        one = self.json("what-if", *PAIR, "--add", "--type", "message", "--date", "2026-12-01", "--actors", "USA", "--targets", "PRK",
                        "--title", "No word on that", "--unsourced", "--link", "accepts:8953fb19", "--add", *RELEASE,
                        "--as-of", "2026-12-20")
        self.assertEqual(len(one["events"]), 2)
        changed = next(change for change in one["changes"] if change.get("id") == offer["id"])
        self.assertEqual((changed["what"], changed["from"], changed["to"], changed["by"]), ("offer", "open", "accepted", one["events"][:1]))
        text = self.done("what-if", *PAIR, "--as-of", "2026-12-20", "--add", *RELEASE)
        self.assertIn("nothing is recorded", text)
        self.assertIn("2026-12-20  release  PRK → USA  %s  Home" % one["events"][1][:8], text)
        self.assertLess(text.index("neglect      %d → 0\n" % one["before"]["contact"]["neglect"]), text.index("IF IT WERE SO"))
        self.assertRegex(text, r"phase +\w+ +probing\n")
        without = self.done("what-if", *PAIR, "--without", LETTER, "--as-of", "2002-12-01")
        self.assertIn("0cee1b2b  A written personal message", without)
        self.assertIn("offer        gone, was open: A written personal", without)

    def test_files_of_all_kinds(self):
        whole = self.json("what-if", *PAIR, PACKAGE)
        text = pathlib.Path(PACKAGE).read_text()
        self.assertEqual(self.json("what-if", *PAIR, "-", stdin=text), whole)
        self.assertEqual(self.json("what-if", *PAIR, self.file("p.json", json.dumps(lines(PACKAGE)))), whole)
        half = text.splitlines(keepends=True)
        parts = [self.file("a.jsonl", "".join(half[:3])), self.file("b.jsonl", "".join(half[3:]))]
        self.assertEqual(self.json("what-if", *PAIR, *parts), whole)
        # A link may name an event of the log by the first characters of its id.
        short = text.replace("usdprk-2026-02-25-offer-coexistence", "8953fb19")
        self.assertEqual(self.json("what-if", *PAIR, self.file("short.jsonl", short)), whole)
        self.assertIn("short.jsonl:1: links: no event is named \"deadbeef\"", self.fails(
            1, "what-if", *PAIR, self.file("short.jsonl", text.replace("usdprk-2026-02-25-offer-coexistence", "deadbeef"))))
        # One that leads nowhere says nothing, and that is said.
        code, out, err = self.ctl("what-if", *PAIR, self.file("lost.jsonl", text.replace("usdprk-2026-02-25-offer-coexistence", "never-was")), "--json")
        self.assertEqual((code, json.loads(out)["changes"] == whole["changes"]), (0, False))
        self.assertIn("lost.jsonl:1: the link answers leads to an event that is neither here nor among these", err)
        self.assertEqual(err.count("\n"), 1)
        csv = "date,type,actors,targets,title,unsourced\n2026-12-20,release,PRK,USA,Home,true\n"
        self.assertEqual(len(self.json("what-if", *PAIR, self.file("x.csv", csv))["events"]), 1)

    def test_why_a_criterion_rose_or_fell(self):
        """The events that came to be for and against it: those that `why` has in the one state and not in the other."""
        day = "2027-04-02"
        own = self.another()
        self.done("import", str(ROOT / "data" / "us-dprk.jsonl"), daemon=own)
        answer = self.json("what-if", *PAIR, PACKAGE, "--without", "8953fb19", "--as-of", day, daemon=own)
        figures = {change["key"]: change for change in answer["changes"] if change["what"] == "criterion"}
        self.assertGreaterEqual(set(figures), {"rewards", "respect", "conducive", "joint_action"})
        reasons = {reason["key"]: reason for reason in answer["reasons"] if reason["what"] == "criterion"}
        self.assertEqual(set(reasons), set(figures))

        def why(figure):
            events = self.json("why", *PAIR, figure, "--as-of", day, daemon=own)["events"]
            return {(event["id"], event["side"], event["reason"]) for event in events}
        before = {figure: why(figure) for figure in figures}
        self.done("import", PACKAGE, daemon=own)
        self.done("retract", "8953fb19", "--reason", "never was", daemon=own)
        for figure in figures:
            after = why(figure)
            for list, wanted in (("came", after - before[figure]), ("gone", before[figure] - after)):
                told = reasons[figure][list]
                self.assertEqual(told["count"], len(wanted))
                self.assertEqual({(event["id"], event["side"], event["reason"]) for event in told["events"]}, wanted)
        self.assertEqual(reasons["rewards"]["gave"], {"from": {"PRK": 0, "USA": 0}, "to": {"PRK": 12, "USA": 8}})
        text = self.done("what-if", *PAIR, PACKAGE, "--as-of", day)
        self.assertRegex(text, r"criterion    conducive not met → partly\n +\+ for, tests given up: 2027-01-05  North Korea says")
        self.assertIn("PRK gave 0.000 → 12.000, USA gave 0.000 → 8.000\n", text)
        # From one day to another too.
        since = self.json("state", *PAIR, "--since", "2018-03-01", "--as-of", "2018-06-13")
        meetings = next(reason for reason in since["reasons"] if reason.get("key") == "joint_action")
        self.assertGreater(meetings["came"]["count"], 3)
        self.assertIn("- for, talks that were held: 2017-05-08/2017-05-09  Joseph Yun", self.done(
            "state", *PAIR, "--since", "2018-03-01", "--as-of", "2018-06-13"))

    def test_what_makes_no_difference_is_said(self):
        def idle(*words, parties=PAIR, on="2026-12-24"):
            answer = self.json("what-if", *parties, *words, "--as-of", on)
            return [(one["id"][:8], one["reason"], one.get("begins")) for one in answer["without_effect"]], answer["events"]
        add = ("--add", *RELEASE)
        found, events = idle(*add, on="2026-12-01")
        self.assertEqual(found, [(events[0][:8], "later", "2026-12-20")])
        self.assertIn("nothing changed\nwithout effect: %s begins on 2026-12-20, after that day\n" % events[0][:8],
                      self.done("what-if", *PAIR, *add, "--as-of", "2026-12-01"))
        self.assertEqual(idle(*add)[0], [])
        found, events = idle(*add, parties=("KOR", "JPN"))
        self.assertEqual(found, [(events[0][:8], "other parties", None)])
        self.assertIn("does not concern JPN – KOR\n", self.done("what-if", "KOR", "JPN", *add))
        # Of a group it is told only where it concerns none of all.
        group = self.done("what-if", *PAIR, "KOR", *add)
        self.assertNotIn("does not concern", group)
        self.assertEqual(self.done("what-if", "KOR", "JPN", "CHN", *add).count("does not concern"), 3)
        alone = [("PRK" if word == "USA" else word) for word in add]
        self.assertEqual(idle(*alone)[0][0][1:], ("oneself", None))
        self.assertIn("has one party alone", self.done("what-if", *PAIR, *alone))
        # Testimony of another belongs to the two.
        self.assertEqual(idle("--add", "--type", "step", "--subtype", "verification", "--date", "2026-12-01", "--actors", "IAE", "--targets",
                              "PRK", "--title", "t", "--unsourced", "--link", "verifies:ccefe664#remains")[0], [])
        shipped = next(line for line in (ROOT / "data" / "us-dprk.jsonl").read_text().splitlines() if LETTER in line)
        same = self.file("same.jsonl", shipped)
        self.assertEqual(idle(same)[0], [("0cee1b2b", "recorded", None)])
        self.assertIn("0cee1b2b is recorded already", self.done("what-if", *PAIR, same))
        self.assertEqual(idle("--without", LETTER, on="2002-11-02")[0], [("0cee1b2b", "later", "2002-11-03")])
        self.assertEqual(idle("--without", LETTER, parties=("KOR", "JPN"))[0], [("0cee1b2b", "other parties", None)])
        id = self.json("add", *RELEASE[:-1], "--unsourced")["id"]
        self.done("retract", id, "--reason", "never was")
        self.assertEqual(idle("--without", id)[0], [(id[:8], "retracted", None)])
        # Recording it once more would not let it show again.
        again = self.json("show", id)["versions"][0]
        again = self.file("again.jsonl", json.dumps({key: again[key] for key in ("id", "type", "date", "actors", "targets", "title", "unsourced")}))
        self.assertEqual(idle(again)[0], [(id[:8], "retracted", None)])
        self.assertEqual(self.json("what-if", *PAIR, again, "--as-of", "2026-12-24")["changes"], [])
        code, out, err = self.ctl("what-if", *PAIR, self.file("empty.jsonl", "\n"))
        self.assertEqual(code, 0)
        self.assertIn("empty.jsonl holds no events\n", err)
        self.assertIn("nothing changed\n", out)

    def test_a_silence_is_told_by_the_day_on_which_it_began(self):
        text = self.done("what-if", *PAIR, PACKAGE, "--as-of", "2027-04-02")
        before = self.json("state", *PAIR, "--as-of", "2027-04-02")["contact"]
        self.assertIn("; it had lasted since %s\n" % before["silent_since"], text)
        self.assertEqual(
            (datetime.date(2027, 4, 2) - datetime.date.fromisoformat(before["silent_since"])).days, before["neglect"])
        self.assertIn("silence      no contact since %s," % before["silent_since"], self.done("state", *PAIR, "--since", "2026-05", "--as-of", "2026-06"))

    def test_what_is_wrong_is_said(self):
        wrong = self.file("wrong.jsonl", json.dumps(event()) + "\n" + json.dumps(event(date="2026-02-30")) + "\n")
        taken = {**event(), "id": LETTER}
        for exit, words, said in (
                (2, (*PAIR,), "--add or --without"), (2, ("USA", PACKAGE), "two parties"), (2, ("USA", "PKR", PACKAGE), "did you mean PRK"),
                (2, (*PAIR, *RELEASE), "behind --add"), (2, (*PAIR, "--add"), "ahead of the options"),
                (1, (*PAIR, "nofile.jsonl"), "nofile.jsonl"), (1, (*PAIR, wrong), "wrong.jsonl:2: date: \"2026-02-30\""),
                (1, (*PAIR, "--add", "--type", "test", "--date", "2027", "--actors", "PRK", "--title", "t"), "--unsourced"),
                (1, (*PAIR, "--add", *RELEASE[:5], "XXX", *RELEASE[6:]), "XXX"),
                (1, (*PAIR, "--add", *RELEASE, "--link", "answers:deadbeef"), "deadbeef"),
                (1, (*PAIR, "--without", "deadbeef"), "deadbeef"),
                (1, (*PAIR, self.file("taken.jsonl", json.dumps(taken))), "taken.jsonl:1: 0cee1b2b"),
                (1, (*PAIR, self.file("actor.jsonl", json.dumps({"type": "log.actor", "code": "ZZZ", "name": "Z", "kind": "group"}))), "events alone"),
                (2, (*PAIR, PACKAGE, "--as-of", "2026~"), "--as-of takes a day"),
        ):
            with self.subTest(words):
                self.assertIn(said, self.fails(exit, "what-if", *words))

    def test_hostile_questions(self):
        client = self.client()
        ask = {"parties": PAIR}
        for events, said in (
                ([event()] * 10_001, "ERR too-large at most 10000 lines"),
                ([event(summary="x" * 65_000)] * 130, "ERR too-large at most 8388608 bytes"),
                ([event(summary="x" * 65_400)], "ERR too-large line 1: the line would have"),
                ([event(), event(summary="x" * 70_000)], "ERR too-large a request has at most"),
                ([event(), "no json"], "ERR bad-event line 2: not the JSON"),
                ([event(), {**event(), "id": "x"}], "ERR bad-event line 2: id"),
                ([{"type": "log.retract", "retracts": self.json("log", "-n", "1")[0]["id"], "supersedes": [self.json("log", "-n", "1")[0]["id"]], "reason": "r"}],
                 "ERR bad-event line 1: type: a line about the log"),
                ([{**event(title="other"), "id": self.json("log", "-n", "1")[0]["id"]}], "ERR exists line 1: "),
                ([{**event(), "actors": ["NOBODY"]}], "ERR bad-event line 1: actors"),
        ):
            with self.subTest(said):
                self.assertIn(said, self.if_lines(client, ask, events)[:200])
                self.assertEqual(client.ask("PING"), "OK")
        for question, said in (
                ({"parties": ["USA"]}, "bad-request"), ({**ask, "frob": 1}, "unknown key"), ({**ask, "without": "x"}, "without is a list"),
                ({**ask, "without": ["0" * 8 + "-0000-4000-8000-" + "0" * 12]}, "not-found"), ({**ask, "known_at": {"x": 1}}, "bad-request")):
            with self.subTest(question):
                # Its lines are passed over, and it is answered once.
                self.assertIn(said, self.if_lines(client, question, [event(), event(title="b")]))
                self.assertEqual(client.ask("PING"), "OK")
        for line in ("WHATIF", "WHATIF x {}", "WHATIF -1 {}", "WHATIF 1 2 {}", "WHATIF 9999999 {}"):
            self.assertTrue(client.ask(line).startswith("ERR bad-request"), line)

    def test_links_in_circles(self):
        """Whether they are refused, as an append would be, or left out: no figure runs after them."""
        ids = ["%08d-0000-4000-8000-%012d" % (n, n) for n in range(3)]
        message = {"type": "message", "date": "2026-12-01", "unsourced": True, "title": "m"}
        events = [{**message, "id": ids[n], "actors": [PAIR[n % 2]], "targets": [PAIR[(n + 1) % 2]],
                   "links": [{"rel": "answers", "id": ids[(n + 1) % 3]}]} for n in range(3)]
        reply = self.if_lines(self.client(), {"parties": PAIR, "as_of": "2026-12-02"}, events)
        self.assertRegex(reply, "^(OK|ERR bad-event line )")
        own = self.if_lines(self.client(), {"parties": PAIR, "as_of": "2026-12-02"}, [
            {**events[0], "links": [{"rel": "answers", "id": ids[0]}]}])
        self.assertRegex(own, "^(OK|ERR bad-event line )")
        if own.startswith("OK"):
            self.assertIn({"what": "left_out", "key": "answers " + ids[0], "id": ids[0], "to": "itself"}, json.loads(own[3:])["changes"])

    def test_without_an_id_one_is_found(self):
        client = self.client()
        answer = json.loads(self.if_lines(client, {"parties": PAIR, "without": []}, [event(date="2026-11-01")])[3:])
        self.assertRegex(answer["events"][0], "^[0-9a-f]{8}-[0-9a-f]{4}-5")
        self.assertEqual(client.ok("WHATIF 0 " + json.dumps({"parties": PAIR}))["changes"], [])


class SinceTests(Ctl):
    shipped = True

    def test_between_two_days(self):
        answer = self.json("state", *PAIR, "--since", "2018-03-01", "--as-of", "2018-06-13")
        self.assertEqual(answer["changes"][0], {
            "what": "phase", "from": "confrontation", "to": "negotiating",
            "by": self.json("state", *PAIR, "--as-of", "2018-06-13")["phase"]["moved"]})
        self.assertEqual((answer["from"], answer["to"]), ("2018-03-01", "2018-06-13"))
        text = self.done("state", *PAIR, "--since", "2018-03-01", "--as-of", "2018-06-13")
        self.assertIn("phase        confrontation → negotiating, moved by ", text)
        then, now = (self.json("state", *PAIR, "--as-of", day)["climate"]["total"] for day in ("2018-03-01", "2018-06-13"))
        self.assertIn("climate      total %.3f → %.3f (+%.3f)" % (then, now, now - then), text)
        self.assertIn("nothing changed", self.done("state", *PAIR, "--since", "2018-03-01", "--as-of", "2018-03-01"))
        group = self.json("state", *PAIR, "KOR", "--since", "2018-03-01", "--as-of", "2018-06-13")
        self.assertEqual(group["dyads"][2]["changes"], answer["changes"])

    def test_between_two_positions(self):
        """By what came into the log, the day being the same."""
        own = self.another()
        self.done("import", str(ROOT / "data" / "us-dprk.jsonl"), daemon=own)
        position = json.dumps(self.json("status", daemon=own)["position"])
        asked = ("state", *PAIR, "--since", position, "--as-of", "2027-06-01")
        self.assertEqual(self.json(*asked, daemon=own)["changes"], [])
        if_so = self.json("what-if", *PAIR, PACKAGE, "--as-of", "2027-06-01", daemon=own)
        self.done("import", PACKAGE, daemon=own)
        answer = self.json(*asked, daemon=own)
        self.assertEqual((answer["changes"], answer["reasons"]), (if_so["changes"], if_so["reasons"]))
        self.assertTrue(answer["reasons"])
        self.assertEqual((answer["since"], answer["day"], answer["rules"]), (json.loads(position), "2027-06-01", if_so["rules"]))
        group = self.json("state", *PAIR, "KOR", *asked[3:], daemon=own)
        self.assertEqual([group["dyads"][2][key] for key in ("parties", "changes", "reasons")], [["PRK", "USA"], answer["changes"], answer["reasons"]])
        # A day that was is computed by what is known now, and by what was known before.
        self.assertEqual(self.json(*asked[:-1], "2026-11-30", daemon=own)["changes"], [])
        client = own.client()
        self.addCleanup(client.close)
        for said, wrong in (
                ("CHANGES takes from and to", {}), ("CHANGES takes from and to", {"since": "2026", "from": "2026-01-01"}),
                ("CHANGES takes from and to", {"since": "2026", "every": "day"}),
                ("ERR wrong-position", {"since": {"00000000-0000-4000-8000-000000000001": 1}})):
            self.assertIn(said, client.ask("CHANGES " + json.dumps({"parties": PAIR, **wrong})))
        text = self.done(*asked, daemon=own)
        self.assertTrue(text.startswith("PRK – USA: what changed on 2027-06-01, by what was recorded after"), text)
        self.assertEqual(answer["parties"], if_so["parties"])

    def test_what_cannot_be_asked(self):
        for words, said in (
                (("--since", "2018~"), "--since takes a day"), (("--since", "REPLICA:820"), "or a position ('{\"REPLICA\":10}'"),
                (("--since", '{"REPLICA":820}'), "is no position; give a day"), (("--since", "yesterday"), "give a day"), (("--since", "2018-02-30"), "--since"),
                (("--since", "2018-03-02", "--as-of", "2018-03-01"), "is after"), (("--since", "{}x"), "no position"),
                (("--since", "2018-03-02", "--every", "day", "--from", "2018-01-01"), "--since and --every")):
            with self.subTest(words):
                self.assertIn(said, self.fails(2, "state", *PAIR, *words))


if __name__ == "__main__":
    unittest.main()
