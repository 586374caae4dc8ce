"""A team's own tables of rules: set, shown, synced, cited, exported; and tables that are unusable."""

import json
import os
import pathlib
import unittest

from ctl import SHIPPED
from daemon import ROOT, event
from machines import Machines
from test_watch_state import LETTER, Watching

TABLES = ("weights", "windows", "interests")
DAYS = ("2005-09-20", "2014-07-29", "2017-11-30")


class RulesTests(Machines):
    limit = 300
    shipped = True

    def changed(self, table, *changes):
        """The file of a table that ships, with some text replaced."""
        text = (ROOT / "data" / (table + ".csv")).read_text()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        return self.file(table + ".csv", text)

    def set(self, daemon, table, name, *changes, more=()):
        return self.json("rules", "set", table, self.changed(table, *changes), "--version", name, "--reason", "why not", *more, daemon=daemon)

    def set_all(self, daemon, name):
        """Another table of each kind; their events."""
        return {table: self.set(daemon, table, name, *change)["id"] for table, change in (
            ("weights", [("srbm,-2", "srbm,-4.5")]), ("windows", [("crisis_days,30", "crisis_days,45")]),
            ("interests", [("PRK,development,Development", "PRK,growth,Growth")]))}

    def states(self, daemon, *more):
        """Everything that is asked of states, as it is printed."""
        asked = [("state", "USA", "PRK", "--as-of", day, "--json") for day in DAYS]
        asked += [("state", "USA", "PRK", "KOR", "--as-of", "2017-11-30", "--json"), ("state", "KOR", "PRK", "--as-of", "2010-12-01"),
                  ("why", "USA", "PRK", "climate", "--as-of", "2014-07-29", "--json"),
                  ("why", "USA", "PRK", "phase", "--as-of", "2014-07-29"),
                  ("state", "USA", "PRK", "--every", "year", "--from", "2000-01-01", "--to", "2020-01-01", "--json")]
        return {words: self.done(*words, *more, daemon=daemon) for words in asked}

    def full(self):
        """A machine with the shipped events, and so many others that it keeps an index on disk."""
        daemon = self.machine()
        self.done("import", SHIPPED, daemon=daemon)
        others = [json.dumps(event(f"other {number}", actors=["LUX"], date="2001")) for number in range(400)]
        self.done("import", self.file("others.jsonl", "\n".join(others) + "\n"), daemon=daemon)
        return daemon

    def joined(self, *daemons):
        for one, other in zip(daemons, daemons[1:]):
            self.done("peer", "add", other.listen[0], daemon=one)
        self.sync(*daemons)

    def sync(self, *daemons):
        for _ in range(2):
            for daemon in daemons:
                self.ctl("sync", daemon=daemon)  # one that was only called has no peer to call

    def restart(self, daemon, index=True):
        daemon.stop()
        path = pathlib.Path(daemon.data, "timelines/main/index/events.idx")
        self.assertTrue(path.exists())
        if not index:
            path.unlink()
        daemon.start()

    # MARK: One machine

    def test_what_ships_is_what_the_files_say(self):
        for table in TABLES:
            self.assertEqual(self.done("rules", "show", table, "--csv"), (ROOT / "data" / (table + ".csv")).read_text())
            self.assertIn("the same rows", self.done("rules", "diff", table))
            shown = self.json("rules", "show", table)
            self.assertEqual((shown["shipped"], shown["holds"]), (True, True))
        self.assertEqual([(row["table"], row["holds"]) for row in self.json("rules")], [(table, True) for table in TABLES])
        self.assertEqual(self.json("rules"), self.json("rules", "list"))

    def test_a_table_is_set_shown_and_taken_back(self):
        daemon = self.full()
        before = self.states(daemon)
        file = self.changed("weights", ("srbm,-2", "srbm,-4.5"), ("3,report,,0,\n", "3,report,,0,\n3,report,leak,-0.125,ours\n"), ("3,aid,suspended,-3,\n", ""))
        asked = ("rules", "set", "weights", file, "--version", "TEAM-2", "--reason", "salvos count")
        text = self.done(*asked, "--dry-run", daemon=daemon)
        for line in ("weights 3 → TEAM-2: 1 changed, 1 added, 1 removed", "~ test/srbm: weight -2 → -4.5",
                     "+ report/leak: weight -0.125, note ours", "- aid/suspended: weight -3", "nothing was recorded (--dry-run)"):
            self.assertIn(line + "\n", text)
        self.assertEqual(self.done("rules", "diff", "weights", file, daemon=daemon).splitlines()[1:4], text.splitlines()[1:4])
        self.assertEqual(self.states(daemon), before)
        done = self.json(*asked, daemon=daemon)
        self.assertEqual([row["subtype"] for row in done["added"] + done["removed"]], ["leak", "suspended"])
        state = self.json("state", "USA", "PRK", "--as-of", "2014-07-29", daemon=daemon)
        self.assertEqual(state["rules"], {"version": "4", "weights": "TEAM-2", "windows": "1", "interests": "1", "events": {"weights": done["id"]}})
        # July 2014 is a crisis again, as when short-range missiles counted as others do.
        self.assertEqual((state["phase"]["name"], json.loads(before["state", "USA", "PRK", "--as-of", "2014-07-29", "--json"])["phase"]["name"]),
                         ("crisis", "confrontation"))
        why = {row["id"]: row["share"] for row in self.json("why", "USA", "PRK", "phase", "--as-of", "2014-07-29", daemon=daemon)["events"] if "share" in row}
        self.assertIn(-4.5, why.values())
        self.assertIn(f"weights TEAM-2 [{done['id'][:8]}], windows 1 and interests 1", self.done("state", "USA", "PRK", daemon=daemon))
        rows = self.json("rules", daemon=daemon)
        self.assertEqual([(row["version"], row["holds"]) for row in rows if row["table"] == "weights"], [("3", False), ("TEAM-2", True)])
        self.assertEqual((rows[-1]["event"], rows[-1]["reason"], rows[-1]["rows"]), (done["id"], "salvos count", 47))
        self.assertIn("salvos count", self.done("rules", daemon=daemon))
        # What show writes sets again.
        shown = self.done("rules", "show", "weights", "--csv", daemon=daemon)
        self.assertIn("nothing was recorded", self.done("rules", "set", "weights", self.file("w.csv", shown), "--version", "X", "--reason", "r", daemon=daemon))
        # The same for all machines in ten years: the table that ships, recorded.
        reset = self.json("rules", "reset", "weights", daemon=daemon)
        self.assertEqual((reset["before"], reset["after"]), ("TEAM-2", "shipped-3"))
        self.assertEqual(self.json("rules", "show", "weights", "--event", done["id"][:8], daemon=daemon)["version"], "TEAM-2")
        self.assertFalse(self.json("rules", "show", "weights", "--shipped", daemon=daemon)["holds"])
        after = self.states(daemon)
        for asked, text in before.items():
            if "--json" in asked:
                one, other = json.loads(text), json.loads(after[asked])
                rules = one.pop("rules"), other.pop("rules")
                self.assertEqual(rules[1], {**rules[0], "weights": "shipped-3", "events": {"weights": reset["id"]}})
                for dyad in [*one.get("dyads", []), *other.get("dyads", [])]:
                    del dyad["rules"]
                self.assertEqual(one, other)
        # It is no event: it can be neither retracted, corrected nor erased.
        for verb in ("retract", "correct", "erase"):
            self.assertNotEqual(self.ctl(verb, done["id"], "--reason", "r", "--no-input", daemon=daemon)[0], 0)
        self.assertEqual(self.json("rules", "show", "weights", daemon=daemon)["event"], reset["id"])

    def test_a_reset_ends_with_the_name_of_what_ships(self):
        """Also where the team's table has the very rows that ship."""
        daemon = self.machine()
        for table in TABLES:
            same = self.file("same.csv", self.done("rules", "show", table, "--csv", daemon=daemon))
            self.done("rules", "set", table, same, "--version", "OURS", "--reason", "as it ships", daemon=daemon)
            self.assertEqual(self.json("state", "USA", "PRK", daemon=daemon)["rules"][table], "OURS")
            shipped = self.json("rules", "show", table, "--shipped", daemon=daemon)
            reset = self.json("rules", "reset", table, daemon=daemon)
            self.assertEqual((reset["before"], reset["after"], reset["recorded"]), ("OURS", "shipped-" + shipped["version"], True))
            rules = self.json("state", "USA", "PRK", daemon=daemon)["rules"]
            self.assertEqual((rules[table], rules["events"][table]), ("shipped-" + shipped["version"], reset["id"]))
            # Once more changes nothing.
            again = self.json("rules", "reset", table, daemon=daemon)
            self.assertEqual((again["recorded"], self.json("rules", "show", table, daemon=daemon)["event"]), (False, reset["id"]))

    def test_a_watch_tells(self):
        daemon = self.machine()
        client = daemon.client()
        self.addCleanup(client.close)
        client.append(title="the first")
        client.ok("WATCH {}")
        id = self.set(daemon, "windows", "WATCHED", ("talks_days,90", "talks_days,91"))["id"]
        word, _, line = client.reply().partition(" ")
        line = json.loads(line)
        self.assertEqual((word, line["id"], line["type"], line["name"]), ("EVENT", id, "log.rules", "WATCHED"))

    def test_who_watches_states_is_told_what_a_table_turns(self):
        daemon = self.machine()
        client = daemon.client()
        self.addCleanup(client.close)
        client.ok("APPEND " + json.dumps({**LETTER, "unsourced": True}))
        watching = Watching(self, daemon, "--state", "USA", "PRK", "--from", "2020-01-01", "--json")
        self.assertEqual([watching.json()["what"] for _ in range(5)], ["phase", "offer", "silence", "offer", "phase"])
        self.set(daemon, "windows", "LONG", ("contact_days,180", "contact_days,3650"))
        told = watching.json()
        self.assertEqual((told["what"], told["from"], told["to"]), ("phase", "estranged", "probing"))

    def test_what_if_is_by_the_tables_too(self):
        daemon = self.machine()
        client = daemon.client()
        self.addCleanup(client.close)
        client.append(subtype="srbm", targets=["USA"])
        id = self.set(daemon, "weights", "TEAM-1", ("srbm,-2", "srbm,-4.5"))["id"]
        path = self.file("if.jsonl", json.dumps(event("one more", subtype="srbm", targets=["USA"])) + "\n")
        answer = self.json("what-if", "USA", "PRK", path, "--as-of", "2017-11-29", daemon=daemon)
        self.assertEqual(answer["rules"]["events"], {"weights": id})
        [climate] = [change for change in answer["changes"] if change["what"] == "climate" and change["key"] == "total"]
        self.assertEqual((climate["from"], climate["to"]), (-4.5, -9))
        path = self.file("if.jsonl", json.dumps({"type": "log.rules", "table": "windows", "name": "T", "reason": "r", "rows": self.json(
            "rules", "show", "windows", daemon=daemon)["rows"]}) + "\n")
        self.assertIn("a line about the log is no event that might happen", self.fails(1, "what-if", "USA", "PRK", path, daemon=daemon))

    def test_a_team_weighs_subtypes_of_its_own_once_an_event_has_them(self):
        daemon = self.machine()
        own = [("3,test,nuclear", "3,test,glide,-8,\n3,test,nuclear")]
        err = self.fails(1, "rules", "set", "weights", self.changed("weights", *own), "--version", "T", "--reason", "r", daemon=daemon)
        self.assertIn('weights.csv:25: subtype: "glide" is no subtype of test, and no event here has it', err)
        client = daemon.client()
        self.addCleanup(client.close)
        client.append(subtype="glide", targets=["USA"])
        self.set(daemon, "weights", "T", *own)
        self.assertEqual(self.json("state", "USA", "PRK", "--as-of", "2017-11-29", daemon=daemon)["climate"]["total"], -8)

    def test_what_cannot_be_set(self):
        for table, changes, said in (
                ("weights", [("srbm,-2", "srbm,-10.5")], "weights.csv:28: weight: -10.5: a number from -10 to 10"),
                ("weights", [("srbm,-2", "srbm,x")], 'weights.csv:28: weight: "x": a number'),
                ("weights", [("test,srbm", "test,sbrm")], 'weights.csv:28: subtype: "sbrm" is no subtype of test, and no event here has it; did you mean srbm'),
                ("weights", [("3,test,srbm", "3,tset,srbm")], 'weights.csv:28: type: "tset" is no type; did you mean test?'),
                ("weights", [("3,release,,4,\n", "")], "lacks release"),
                ("weights", [("test,srbm", "test,icbm")], "weights.csv:28: type: test/icbm stands in rows"),
                ("weights", [("weight,note", "wieght,note")], 'weights.csv:1: no column "wieght" in a table of weights; did you mean weight?'),
                ("windows", [("talks_days,90", "talks_days,0")], "windows.csv:4: value: 0: talks_days is a whole number from 1 to 3650"),
                ("windows", [("talks_days,90", "talks_days,9.5")], "windows.csv:4: value: 9.5: a whole number"),
                ("windows", [("talks_days,90", "talk_days,90")], 'windows.csv:4: name: "talk_days" is no window; did you mean talks_days?'),
                ("windows", [("1,talks_days,90,\n", "")], "lacks talks_days"),
                ("interests", [("JPN,abductees", "JPP,abductees")], 'interests.csv:14: party: unknown actor "JPP"'),
                ("interests", [("JPN,abductees,Abductees", "JPN,abductees,")], "interests.csv:14: name: missing")):
            with self.subTest(said):
                err = self.fails(1, "rules", "set", table, self.changed(table, *changes), "--version", "T", "--reason", "r")
                self.assertIn(said, err)
                self.assertIn(said.split(": ", 1)[-1], self.fails(1, "rules", "set", table, self.changed(table, *changes), "--dry-run"))
        file = self.changed("weights", ("srbm,-2", "srbm,-3"))
        for exit, words, said in (
                (2, ("set", "weights", file, "--reason", "r"), "--version NAME"), (2, ("set", "weights", file, "--version", "T"), "--reason TEXT"),
                (2, ("set", "weights", file, "--version", "3", "--reason", "r"), "is a number, as tables that ship have"),
                (2, ("set", "weights", file, "--version", "shipped-3", "--reason", "r"), "that of a table that ships"),
                (2, ("show", "wieghts"), "did you mean weights?"), (2, ("frob",), "It is rules, rules show TABLE"),
                (2, ("set", "weights"), "It is rules"), (1, ("show", "weights", "--event", "abcdef"), "no table of weights"),
                (1, ("set", "weights", "/nowhere.csv", "--version", "T", "--reason", "r"), "cannot read"),
                (2, ("show", "weights", "--event", "abcd", "--shipped"), "give one of them"),
                (2, ("show", "weights", "--reason", "r"), "--reason does not go with rules show"),
                (2, ("--csv",), "--csv does not go with rules list"), (2, ("reset", "weights", "--at", "x"), "--at does not go with rules reset")):
            with self.subTest(words):
                self.assertIn(said, self.fails(exit, "rules", *words))
        self.assertEqual([row["version"] for row in self.json("rules")], ["3", "1", "1"])

    def test_a_name_stands_for_one_table(self):
        daemon = self.machine()
        first = self.set(daemon, "windows", "T", ("talks_days,90", "talks_days,60"))["id"]
        other = self.changed("windows", ("talks_days,90", "talks_days,61"))
        self.assertIn(f"another table of windows already, event {first}", self.fails(1, "rules", "set", "windows", other, "--version", "T", "--reason", "r", daemon=daemon))
        # Back to it under the same name, and for another table the name is free.
        self.json("rules", "reset", "windows", daemon=daemon)
        # In one request the second of two is refused as well, and so both.
        client = daemon.client()
        self.addCleanup(client.close)
        rows = client.ok('RULES {"table":"windows","shipped":true}')["rows"]
        both = [{"type": "log.rules", "table": "windows", "name": "U", "reason": "r",
                 "rows": [{**row, "value": row["value"] + number} for row in rows]} for number in (1, 2)]
        client.send("\n".join(["APPENDMANY 2"] + [json.dumps(body) for body in both]))
        self.assertRegex(client.reply(), "^ERR bad-event line 2: name: .*another table of windows already")
        self.set(daemon, "windows", "T", ("talks_days,90", "talks_days,60"))
        self.set(daemon, "weights", "T", ("srbm,-2", "srbm,-3"))

    # MARK: Many machines

    def test_machines_that_sync_reckon_the_same(self):
        a = self.full()
        b, c = self.machine(a), self.machine(a)
        self.joined(a, b)
        plain = self.states(b)
        self.assertEqual(plain, self.states(a))
        events = self.set_all(a, "TEAM-1")
        self.sync(a, b)
        team = self.states(a)
        self.assertTrue(all(team[asked] != plain[asked] for asked in plain))
        self.assertEqual(json.loads(team["state", "USA", "PRK", "--as-of", DAYS[0], "--json"])["rules"]["events"], events)
        self.assertEqual(self.states(b), team)
        self.assertEqual(self.done("rules", "--json", daemon=b), self.done("rules", "--json", daemon=a))
        # One that comes later, and starts: with the index on disk, and with none.
        self.joined(c, b)
        self.assertEqual(self.states(c), team)
        for index in (True, False):
            self.restart(c, index)
            self.assertEqual(self.states(c), team)
        # Both set a table before they meet: the later recorded holds on both, whichever was first to have it.
        self.set(c, "weights", "OF-C", ("srbm,-2", "srbm,-1"))
        self.set(a, "weights", "OF-A", ("srbm,-2", "srbm,-3"))
        self.sync(c, b, a)
        for daemon in (a, b, c):
            self.assertEqual(self.json("state", "USA", "PRK", daemon=daemon)["rules"]["weights"], "OF-A")
            held = [row["version"] for row in self.json("rules", daemon=daemon) if row["table"] == "weights" and row["holds"]]
            self.assertEqual(held, ["OF-A"])
        self.assertEqual(self.states(a), self.states(c))

    def test_what_is_cited_stays_to_the_byte(self):
        a = self.full()
        b = self.machine(a)
        self.joined(a, b)
        self.json("snapshot", "create", "plain", daemon=a)
        moment = ("--known-at", json.dumps(self.json("status", daemon=a)["position"]))
        plain, known = self.states(a, "--at", "plain"), self.states(a, *moment)
        rules = self.done("rules", "--at", "plain", "--json", daemon=a)
        self.set_all(a, "TEAM-1")
        self.json("snapshot", "create", "ours", daemon=a)
        ours, team = self.states(a, "--at", "ours"), self.states(a)
        export = self.done("export", "--at", "ours", "--with-rules", daemon=a)
        self.sync(a, b)
        for table in TABLES:
            self.json("rules", "reset", table, daemon=b)
        self.sync(b, a)
        for daemon in (a, b, a):
            self.assertEqual(self.states(daemon, "--at", "plain"), plain)
            self.assertEqual(self.states(daemon, "--at", "ours"), ours)
            self.assertEqual(self.states(daemon, *moment), known)
            self.assertEqual(self.done("rules", "--at", "plain", "--json", daemon=daemon), rules)
            self.assertEqual(self.done("export", "--at", "ours", "--with-rules", daemon=daemon), export)
            shown = self.json("rules", "show", "weights", "--at", "ours", daemon=daemon)
            self.assertEqual((shown["version"], shown["snapshot"]["name"]), ("TEAM-1", "ours"))
            self.assertNotEqual(self.states(daemon), team)
            self.restart(daemon, index=daemon is a)

    def test_exported_imported_backed_up_and_restored(self):
        a = self.full()
        events = self.set_all(a, "TEAM-1")
        self.set(a, "weights", "TEAM-2", ("srbm,-2", "srbm,-3"))
        team = {asked: text for asked, text in self.states(a).items() if "--json" in asked}
        for form in ("--jsonl", "--csv"):
            text = self.done("export", form, "--with-rules", daemon=a)
            self.assertEqual(text.count("log.rules"), 3)
            # At home nothing is new.
            path = self.file("all." + form[2:], text)
            self.assertEqual(self.json("import", path, daemon=a)["imported"], 0)
            b = self.machine()
            self.json("import", path, daemon=b)
            self.assertEqual({asked: text for asked, text in self.states(b).items() if "--json" in asked}, team)
            self.assertEqual(self.json("import", path, daemon=b)["imported"], 0)
        self.assertNotIn("log.rules", self.done("export", daemon=a))
        self.assertIn("--with-rules goes with", self.fails(2, "log", "--with-rules", daemon=a))
        folder = os.path.dirname(self.file("x", ""))
        self.done("backup", folder + "/b", daemon=a)
        self.done("restore", folder + "/b", folder + "/copy")
        copy = self.machine()
        copy.stop()
        copy.data = folder + "/copy"
        copy.start()
        self.assertEqual(self.json("rules", daemon=copy), self.json("rules", daemon=a))
        self.assertEqual(self.states(copy), self.states(a))
        self.assertIn(events["windows"], json.dumps(self.json("rules", daemon=copy)))

    def test_an_import_of_one_table_on_two_machines_is_one_event(self):
        """Who imported it second does not make it hold again."""
        a, b = self.machines(2)
        self.set(a, "weights", "OLD", ("srbm,-2", "srbm,-1"))
        path = self.file("r.jsonl", self.done("export", "--with-rules", daemon=a))
        self.set(a, "weights", "NEW", ("srbm,-2", "srbm,-3"))
        self.json("import", path, daemon=b)
        self.assertEqual(self.json("rules", "show", "weights", daemon=b)["version"], "OLD")
        self.joined(a, b)
        for daemon in (a, b):
            self.assertEqual(self.json("rules", "show", "weights", daemon=daemon)["version"], "NEW")

    # MARK: Hostile

    def test_tables_of_other_machines_that_cannot_be_used(self):
        daemon = self.full()
        self.set(daemon, "windows", "GOOD", ("talks_days,90", "talks_days,60"))
        before = self.states(daemon)
        weights, windows = (self.json("rules", "show", table, daemon=daemon)["rows"] for table in ("weights", "windows"))

        def rules(table, rows, name="EVIL"):
            return json.dumps({"type": "log.rules", "table": table, "name": name, "rows": rows})[1:-1]

        hostile = [
            (rules("weights", weights + [{"type": "test", "subtype": "x", "weight": 11}]), "rows[47].weight: 11"),
            (rules("weights", weights + [weights[0]]), "rows[47].type: message stands in rows[0] already"),
            (rules("windows", windows[1:]), "lacks crisis_days"),
            (rules("windows", [{**row, "value": -5} for row in windows]), "rows[0].value: -5"),
            (rules("windows", [{**row, "value": 10 ** 15} for row in windows]), "rows[0].value: "),
            (rules("weights", weights, ""), "name: is empty"),
            (rules("weights", weights, "a\nb" * 50), "name: "),
            (rules("weights", {"a": 1}), "rows: must be"),
            (rules("weights", [[[]]] * 1000), "rows[0]: a row is an object"),
            (rules("interests", [{"party": "no code", "key": "k", "name": "n"}]), "rows[0].party"),
            (rules("feelings", []), "table: "),
            ('"type":"log.rules"', "table: missing"),
            ('"type":"log.rules","table":"weights","name":"E","rows":[{"type":"test","weight":1e308}]', "rows[0].weight"),
        ]
        lines = self.foreign([(f"2037-01-01T00:00:00.{index:06}Z", members) for index, (members, _) in enumerate(hostile)])
        # Of a time to come, so that they would hold.
        self.assertTrue(self.feed(daemon, "00000000-0000-4000-8000-00000000beef", lines).startswith("TOOK"))
        self.assertEqual(self.states(daemon), before)
        for _ in range(2):
            status = self.json("status", daemon=daemon)
            rows = [row for row in self.json("rules", daemon=daemon) if "unusable" in row]
            self.assertEqual(len(status["unusable_rules"]), len(hostile))
            self.assertEqual(status["unreadable"], 0)
            for (_, said), row, told in zip(hostile, rows, status["unusable_rules"], strict=True):
                self.assertFalse(row["holds"])
                self.assertIn(said, row["unusable"])
                self.assertIn(row["event"], told)
            self.assertIn("cannot be used: ", self.done("rules", daemon=daemon))
            self.restart(daemon)
            self.assertEqual(self.states(daemon), before)
        # They are kept and passed on.
        other = self.machine(daemon)
        self.joined(other, daemon)
        self.assertEqual(self.states(other), before)
        # What another program may know and this one does not is passed over.
        newer = [(f"2037-01-01T00:01:00.00000{index}Z", members) for index, members in enumerate((
            rules("weights", [{**row, "colour": "red"} for row in weights] + [{"type": "visit", "weight": 3}], "NEWER"),
            rules("windows", windows + [{"name": "visit_days", "value": 3}], "NEWER")))]
        lines = self.foreign(newer, "00000000-0000-4000-8000-00000000cafe")
        self.assertTrue(self.feed(daemon, "00000000-0000-4000-8000-00000000cafe", lines).startswith("TOOK"))
        held = {row["table"]: row["version"] for row in self.json("rules", daemon=daemon) if row["holds"]}
        self.assertEqual((held["weights"], held["windows"]), ("NEWER", "NEWER"))

    def test_requests_that_are_none(self):
        client = self.daemon.client()
        self.addCleanup(client.close)
        for request, said in (
                ('RULES {"table":"feelings"}', "table is one of weights, windows, interests"), ('RULES {"event":"abcd"}', "go with table"),
                ('RULES {"table":"weights","event":"ab"}', "at least its first 4"), ('RULES {"table":"weights","event":"abcd","shipped":true}', "name one"),
                ('RULES {"lines":true,"table":"weights"}', "lines stands without table"), ('RULES {"shipped":1}', "shipped is true"),
                ('RULES {"tabel":"weights"}', "did you mean table?"), ('RULES weights', "takes one JSON object")):
            with self.subTest(request):
                reply = client.ask(request)
                self.assertTrue(reply.startswith("ERR bad-request"), reply)
                self.assertIn(said, reply)
        rows = json.dumps(self.json("rules", "show", "windows")["rows"])
        for members, said in (
                (f'"name":"T","reason":"r","rows":{rows}', "table: missing"), (f'"table":"windows","name":"T","rows":{rows}', "reason: missing"),
                (f'"table":"windows","reason":"r","rows":{rows}', "name: missing"), ('"table":"windows","name":"T","reason":"r"', "rows: missing"),
                ('"table":"windows","name":"T","reason":"r","rows":[]', "lacks crisis_days"),
                ('"table":"windows","name":"T","reason":"r","rows":"all"', "rows: must be"), ('"table":7,"name":"T","reason":"r","rows":[]', "table: must be")):
            reply = client.ask('APPEND {"type":"log.rules",%s}' % members)
            self.assertTrue(reply.startswith("ERR bad-event"), reply)
            self.assertIn(said, reply)


if __name__ == "__main__":
    unittest.main()
