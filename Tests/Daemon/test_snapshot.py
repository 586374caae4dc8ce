"""Snapshots to cite: what --at NAME answers is the same, to the byte, on every machine that has its lines."""

import base64
import json
import os
import pathlib
import threading
import unittest

from daemon import event, shipped_events
from machines import Machines
from test_verify import checked

FIGURES = (
    "phase", "climate", "trend", "contact", "neglect", "messages", "unanswered", "offers", "commitments", "under_way",
    "tests", "reciprocity", "approach")

QUESTIONS = [
    ("log",), ("log", "-n", "7"), ("log", "--jsonl"), ("log", "--csv"), ("log", "--json"), ("log", "--count"),
    ("log", "--show-cursor", "-n", "1"), ("log", "actor=X-OURS"), ("log", "actor=X-LATER"), ("log", "author=bob", "--jsonl"),
    ("log", "--text", "missile", "--jsonl"), ("log", "type=aid", "date=1999"), ("log", "tag=none", "--exit-code"),
    ("state", "USA", "PRK"), ("state", "USA", "PRK", "--json"), ("state", "USA", "PRK", "--as-of", "2017-11-30", "--json"),
    ("state", "PRK", "X-OURS", "--json"), ("state", "PRK", "X-LATER"), ("why", "USA", "PRK", "tests"), ("why", "USA", "PRK", "climate", "--json"),
    ("export",), ("export", "--csv"), ("export", "--json"), ("export", "--with-actors", "party=X-OURS"),
]

# As programs ask; $ stands for what is cited.
REQUESTS = [
    'QUERY {"at":$}', 'QUERY {"at":$,"order":"desc","limit":9}', 'QUERY {"at":$,"where":"author=ann type=test"}',
    'QUERY {"at":$,"limit":0}', 'COUNT {"at":$,"author":"bob"}', 'COUNT {"at":$,"text":"launch"}', 'ACTORS {"at":$}',
    'COUNT {"at":$,"party":"X-LATER"}', 'STATE {"parties":["USA","PRK"],"at":$,"as_of":"2003-05-01"}',
] + [f'EXPLAIN {{"parties":["PRK","USA"],"figure":"{figure}","at":$}}' for figure in FIGURES]


class Snapshots(Machines):
    def answers(self, daemon, name, questions=QUESTIONS):
        """Exit code, output and what is said beside it; and what a program is told, all of it where all is asked."""
        found = {words: self.ctl(*words, "--at", name, daemon=daemon) for words in questions}
        client = daemon.client()
        for request in self.requests(questions):
            client.send(request.replace("$", json.dumps(name)))
            replies = [client.reply()]
            while replies[-1].startswith(("EVENT", "ROW")):
                replies.append(client.reply())
            found[request] = replies
        client.close()
        return found

    def requests(self, questions):
        return REQUESTS if questions is QUESTIONS else [r for r in REQUESTS if not r.startswith(("STATE", "EXPLAIN"))]

    def same(self, daemon, name, expected, questions=QUESTIONS):
        found = self.answers(daemon, name, questions)
        for asked in [*questions, *self.requests(questions)]:
            self.assertEqual(found[asked], expected[asked], asked)

    def create(self, daemon, name, *more):
        return json.loads(self.done("snapshot", "create", name, *more, "--json", daemon=daemon))

    def record(self, daemon, *events):
        client = daemon.client()
        ids = [client.ok("APPEND " + json.dumps(e))["id"] for e in events]
        client.close()
        return ids

    def correct(self, daemon, id, **fields):
        body = event(**fields)
        return self.record(
            daemon, {"type": "log.correct", "corrects": id, "supersedes": self.versions(daemon, id), "reason": "r", "body": body})

    def retract(self, daemon, id):
        self.record(daemon, {"type": "log.retract", "retracts": id, "supersedes": self.versions(daemon, id), "reason": "r"})

    def versions(self, daemon, id):
        client = daemon.client()
        _, end = client.stream("GET " + id)
        client.close()
        return end["versions"]

    def sync(self, daemon):
        self.done("sync", daemon=daemon)

    def damage(self, daemon, text, replica=None):
        """Writes one other byte over the first of a text, in place."""
        for path in self.log(daemon, replica).glob("*.jsonl"):
            data = path.read_bytes()
            if text in data:
                with open(path, "r+b") as file:
                    file.seek(data.index(text))
                    file.write(b"#")
                return
        self.fail("not there")

    # MARK: The same everywhere

    def test_the_same_bytes_on_every_machine_now_and_later(self):
        a, b, c, d = self.machines(4)
        shipped = pathlib.Path(__file__).parents[2] / "data" / "us-dprk.jsonl"
        # The same import on two machines: each event has two lines, with two authors.
        self.done("import", str(shipped), "--author", "ann", daemon=a)
        self.done("import", str(shipped), "--author", "bob", daemon=b)
        self.record(a, {"type": "log.actor", "code": "X-OURS", "name": "Ours", "kind": "group"})
        ids = self.record(
            a, event("with ours", targets=["X-OURS"]), event("wrong", date="2018-01-01"), event("gone"),
            event("untouched", date="2019-05"), event("later gone", targets=["USA"]), event("contested", targets=["USA"]))
        self.correct(a, ids[1], title="right", date="2018-01-02")
        self.retract(a, ids[2])
        twice = [{"type": "log.correct", "corrects": ids[5], "supersedes": [ids[5]], "reason": "r", "body": event(title)}
                 for title in ("one says", "another says")]
        self.record(a, *twice)
        for one, other in ((a, b), (b, c), (d, a)):
            self.done("peer", "add", other.listen[0], daemon=one)
        for daemon in (a, b, d):
            self.sync(daemon)
        made = self.create(a, "paper-2026", "--note", "as submitted", "--author", "ann")
        expected = self.answers(a, "paper-2026")
        count = len(shipped_events()) + 5
        self.assertEqual(expected["log", "--count"][1], f"{count}\n")
        self.assertIn("contested", expected[("log", "--jsonl")][1])
        # Who imported second shows nowhere, as long as who was first is known.
        self.assertEqual(expected['COUNT {"at":$,"author":"bob"}'][0].partition(',')[0], 'OK {"count":0')
        self.assertEqual(expected["log", "actor=X-LATER"][0], 2)
        self.assertEqual(json.loads(expected["state", "USA", "PRK", "--json"][1])["snapshot"], {"id": made["id"], "name": "paper-2026"})
        self.assertTrue(expected[REQUESTS[0]][-1].startswith(f'END {{"count":{count},"position":' + json.dumps(made["position"], separators=(",", ":"))))
        self.sync(a), self.sync(b)
        some = [("export",), ("log",), ("state", "USA", "PRK")]
        for daemon, questions in ((b, some), (c, QUESTIONS), (d, some)):
            self.same(daemon, "paper-2026", expected, questions)
        # By its id, the same.
        self.same(c, made["id"][:8], expected, [("export",)])

        # Then everything changes.
        self.correct(a, ids[0], title="with ours, corrected", targets=["USA"])
        self.correct(b, ids[3], title="untouched no more", date="1999-01-01")
        self.retract(a, ids[4])
        self.correct(a, ids[5], title="settled")
        self.correct(a, ids[2], title="restored")
        self.record(a, {"type": "log.actor", "code": "X-LATER", "name": "Later", "kind": "group"})
        self.record(a, event("later", targets=["X-LATER"]), event("later missile", type="aid", subtype="food", date="1999-02-01"))
        first = json.loads(expected[("log", "--jsonl")][1].splitlines()[0])["id"]
        self.correct(c, first, title="the first one, corrected elsewhere")
        e = self.machine(a)  # another body under an id that is known, and the same one once more
        self.record(e, event("with ours, differently", id=ids[0]), event("untouched", date="2019-05", id=ids[3], author="bob"))
        self.done("peer", "add", a.listen[0], daemon=e)
        self.sync(e)
        for daemon in (a, b, d, e, a, b):
            self.sync(daemon)
        now = self.done("export", daemon=a)
        self.assertNotEqual(now, expected[("export",)][1])
        self.assertIn("settled", now)
        for daemon, questions in ((a, some), (b, some), (c, QUESTIONS), (d, some), (e, some)):
            self.same(daemon, "paper-2026", expected, questions)
        # After a restart with the index on disk, and with none.
        for index in (True, False):
            c.stop()
            path = pathlib.Path(c.data, "timelines/main/index/events.idx")
            self.assertTrue(path.exists())
            if not index:
                path.unlink()
            c.start()
            self.same(c, "paper-2026", expected, some)
            shown = self.json("snapshot", "show", "paper-2026", daemon=c)
            self.assertEqual((shown["standing"], shown["roots"]), ("same", made["roots"]))

    def test_a_state_is_of_the_day_of_the_snapshot(self):
        daemon = self.machine()
        replica, root = "00000000-0000-4000-8000-00000000beef", base64.b64encode(bytes(32)).decode()
        members = json.dumps(event("long ago", targets=["USA"]))[1:-1]
        named = f'"type":"log.snapshot","name":"here","position":{{"{replica}":1}},"roots":{{"{replica}":"{root}"}}'
        lines = [
            checked((f'{{"v":1,"replica":"{replica}","seq":{seq},"recorded":"{time}Z","id":"00000000-0000-4000-8000-{seq:012x}",'
                     f'"author":"ann",{body},"salt":"AAAAAAAAAAAAAAAAAAAAAA=="').encode())
            for seq, time, body in ((1, "2018-01-01T00:00:00.000000", members), (2, "2018-03-04T23:59:59.999999", named))]
        self.assertTrue(self.feed(daemon, replica, lines).startswith("TOOK"))
        self.record(daemon, event("since", targets=["USA"]))
        self.assertEqual(self.json("state", "USA", "PRK", "--at", "here", daemon=daemon)["day"], "2018-03-04")
        self.assertEqual(self.json("why", "USA", "PRK", "tests", "--at", "here", daemon=daemon)["day"], "2018-03-04")
        self.assertEqual(self.json("state", "USA", "PRK", "--at", "here", "--as-of", "2019-01-01", daemon=daemon)["day"], "2019-01-01")
        text = self.done("state", "USA", "PRK", "--at", "here", daemon=daemon)
        hints = [line for line in text.splitlines() if "timelinectl why" in line]
        for line in hints:
            self.assertIn("--as-of 2018-03-04 --at here)", line)
        known = self.done("state", "USA", "PRK", "--known-at", '{"%s":1}' % replica, daemon=daemon)
        for line in known.splitlines():
            if "timelinectl why" in line:
                self.assertIn("""--known-at '{"%s":1}')""" % replica, line)

    def test_what_was_known_then_is_who_was_known_then(self):
        daemon = self.another()
        self.record(daemon, event("x"))
        position = json.dumps(self.json("status", daemon=daemon)["position"])
        self.record(daemon, {"type": "log.actor", "code": "X-LATER", "name": "Later"})
        self.record(daemon, event("y", targets=["X-LATER"]))
        self.done("log", "party=X-LATER", daemon=daemon)
        self.assertIn("unknown actor", self.fails(2, "log", "party=X-LATER", "--known-at", position, daemon=daemon))
        self.assertIn("unknown actor", self.fails(2, "state", "PRK", "X-LATER", "--known-at", position, daemon=daemon))
        self.assertNotIn("X-LATER", self.done("log", "--jsonl", "--with-actors", "--known-at", position, daemon=daemon))
        # A position is the same everywhere too, or is not answered.
        replica = self.own(daemon)
        beyond = self.fails(1, "log", "--known-at", json.dumps({replica: 9}), daemon=daemon)
        self.assertIn(f"lacks lines 6 to 9 of replica {replica}", beyond)

    # MARK: Roots, and who lacks what

    def test_roots_are_those_that_others_count(self):
        a, b = self.machines(2)
        self.append(a, 300)
        self.append(b, 3)
        self.done("peer", "add", b.listen[0], daemon=a)
        self.sync(a)
        made = self.create(a, "x1")
        own = {replica: self.lines(a, replica) for replica in (self.own(a), self.own(b))}
        self.assertEqual(made["position"], {self.own(a): 302, self.own(b): 4})
        for replica, size in made["position"].items():
            self.assertEqual(made["roots"][replica], self.root(own[replica][:size]))
        line = json.loads(own[self.own(a)][-1])
        self.assertEqual((line["type"], line["name"], line["position"], line["roots"]),
                         ("log.snapshot", "x1", made["position"], made["roots"]))

    def test_who_lacks_lines_is_told_which(self):
        a, b, c = self.machines(3)
        self.append(a, 4)
        self.append(b, 3, "elsewhere")
        self.done("peer", "add", b.listen[0], daemon=a)
        self.sync(a)
        self.create(a, "paper")
        self.append(a, 1, "later")
        expected = self.answers(a, "paper", [("export",), ("log", "--csv")])
        (one, lines), (other, others) = (
            (self.own(daemon), self.lines(a, self.own(daemon))) for daemon in (a, b))
        self.assertTrue(self.feed(c, one, lines).startswith("TOOK"))
        for known, missing in ((0, "lines 1 to 4"), (1, "lines 2 to 4"), (3, "line 4")):
            if known:
                self.feed(c, other, others[:known])
            for words in (("export",), ("log",), ("log", "--count"), ("state", "USA", "PRK"), ("why", "USA", "PRK", "tests")):
                code, out, err = self.ctl(*words, "--at", "paper", daemon=c)
                self.assertEqual((code, out), (1, ""), words)
                self.assertIn(f"lacks {missing} of replica {other}", err)
                self.assertIn("sync with a machine that has them", err)
            row = self.json("snapshot", "list", daemon=c)[0]
            self.assertEqual((row["whole"], row["lacking"]), (False, [{"replica": other, "first": known + 1, "last": 4}]))
            shown = self.json("snapshot", "show", "paper", daemon=c)
            self.assertEqual([log["standing"] for log in sorted(shown["logs"], key=lambda log: log["replica"] == other)],
                             ["same", "lacking"])
            self.assertIn("this machine lacks lines of it", self.done("snapshot", "show", "paper", daemon=c))
        self.feed(c, other, others)
        self.same(c, "paper", expected, [("export",), ("log", "--csv")])
        # A machine that never heard of it.
        self.assertIn('no snapshot "paper" is recorded here', self.fails(1, "log", "--at", "paper", daemon=self.another()))

    # MARK: Names

    def test_a_name_used_twice_is_told_and_ids_stand(self):
        a, b = self.machines(2)
        made = {}
        for daemon, who in ((a, "ann"), (b, "bob")):
            self.append(daemon, 2, "by " + who)
            made[who] = self.create(daemon, "paper", "--author", who)["id"]
        before = {who: self.answers(daemon, "paper", [("export",)]) for daemon, who in ((a, "ann"), (b, "bob"))}
        self.done("peer", "add", b.listen[0], daemon=a)
        self.sync(a)
        for daemon in (a, b):
            for words in (("log", "--at", "paper"), ("snapshot", "show", "paper")):
                err = self.fails(2, *words, "--json", daemon=daemon)
                for who, id in made.items():
                    self.assertRegex(err, rf"{id} by {who} at \d{{4}}-\d\d-\d\dT")
            for who, id in made.items():
                for word in (id, id[:13], id.upper()):
                    self.same(daemon, word, before[who], [("export",)])
            self.assertEqual(self.done("snapshot", "list", daemon=daemon).count("paper (more than one)"), 2)
            self.assertIn("no snapshot", self.fails(1, "log", "--at", made["ann"][:3], daemon=daemon))

    def test_a_name_is_given_once_on_a_machine(self):
        daemon = self.another()
        self.append(daemon, 1)
        client = daemon.client()
        client.send('SNAPSHOT {"name":"x1"}\nSNAPSHOT {"name":"x1"}\nCOUNT {"at":"x1"}')
        id = json.loads(client.reply()[3:])["id"]
        self.assertRegex(client.reply(), f"^ERR exists .*{id}")
        self.assertTrue(client.reply().startswith('OK {"count":1'))
        client.close()
        self.assertIn(id, self.fails(1, "snapshot", "create", "x1", daemon=daemon))
        # Many at once: one of them has it.
        replies = []

        def ask():
            client = daemon.client()
            replies.append(client.ask('SNAPSHOT {"name":"x2"}'))
            client.close()

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(reply.split()[0] for reply in replies), ["ERR"] * 7 + ["OK"])
        self.assertEqual(len(self.json("snapshot", "list", daemon=daemon)), 2)

    def test_what_is_asked_wrongly(self):
        daemon = self.another()
        self.assertIn("nothing is recorded yet", self.fails(1, "snapshot", "create", "x1", daemon=daemon))
        self.assertIn("no snapshots", self.done("snapshot", "list", daemon=daemon))
        self.append(daemon, 1)
        for name in ("2026-11", "2026-11-23T22:20Z", '{"x":1}', "decade", "a b", "", "x" * 65, "naïve", "a\x1bb"):
            self.fails(2, "snapshot", "create", name, daemon=daemon)
        self.create(daemon, "x1")
        for words in (
            ("log", "--at", "x1", "--known-at", "2026"), ("state", "USA", "PRK", "--at", "x1", "--known-at", "2026"),
            ("export", "--at", "x1", "--known-at", "2026"), ("log", "--at", "x1", "--after", "2026-01-01"),
            ("snapshot",), ("snapshot", "create"), ("snapshot", "frob"), ("snapshot", "list", "x1"), ("snapshot", "show", "a b"),
            ("export", "--csv", "--jsonl"),
        ):
            self.fails(2, *words, "--json", daemon=daemon)
        self.fails(1, "snapshot", "create", "x2", "--note", "two\nlines", daemon=daemon)
        client = daemon.client()
        for request, word in (
            ('QUERY {"at":"x1","known_at":"2026"}', "bad-request"), ('QUERY {"at":7}', "bad-request"), ('COUNT {"at":"nope"}', "not-found"),
            ("SNAPSHOT", "bad-request"), ('SNAPSHOT {"name":7}', "bad-request"), ('SNAPSHOT {"name":"x2","frob":1}', "bad-request"),
            ('SNAPSHOT {"name":"x2","author":""}', "bad-event"), ("SNAPSHOTS a b", "bad-request"), ("SNAPSHOTS nope", "not-found"),
            ('APPEND ' + self.lines(daemon)[-1].decode().strip(), "bad-event"),
            ('APPEND {"type":"log.snapshot","name":"x3","position":{"%s":1},"roots":{"%s":"%s"}}' % (
                self.own(daemon), self.own(daemon), base64.b64encode(bytes(32)).decode()), "bad-event"),
        ):
            self.assertTrue(client.ask(request).startswith("ERR " + word), request)
        client.close()
        self.assertEqual(len(self.json("snapshot", "list", daemon=daemon)), 1)
        self.assertIn("timelinectl snapshot create", self.ctl(
            "import", self.file("x.jsonl", '{"type":"log.snapshot","name":"x3","position":{"%s":1},"roots":{"%s":"%s"}}\n' % (
                self.own(daemon), self.own(daemon), base64.b64encode(bytes(32)).decode())), daemon=daemon)[2])

    # MARK: What others send

    def test_hostile_lines_are_kept_and_harmless(self):
        daemon = self.machine()
        self.append(daemon, 2)
        id = self.create(daemon, "ours")["id"]
        expected = self.answers(daemon, id, [("export",)])
        own, root = self.own(daemon), base64.b64encode(bytes(32)).decode()
        replica, lines = "00000000-0000-4000-8000-00000000beef", []

        def add(body, id=None, author="mallory"):
            seq = len(lines) + 1
            id = id or f"00000000-0000-4000-8000-{seq:012x}"
            lines.append(checked((
                f'{{"v":1,"replica":"{replica}","seq":{seq},"recorded":"2026-01-01T00:00:00.{seq:06}Z","id":"{id}",'
                f'"author":"{author}",{body},"salt":"AAAAAAAAAAAAAAAAAAAAAA=="').encode()))

        def named(name, position=None, roots=None):
            position = json.dumps({own: 1} if position is None else position)
            roots = json.dumps({own: root} if roots is None else roots)
            return f'"type":"log.snapshot","name":{name},"position":{position},"roots":{roots}'

        bad = [
            named('"a\\u001b[2J"'), named('"2026"'), named('"decade"'), named("7"), named('""'), named('"x1"', {own: 2 ** 48}),
            named('"x1"', {own: -1}), named('"x1"', {own: 0}), named('"x1"', {}, {}), named('"x1"', roots={own: root[:-4]}),
            named('"x1"', roots={own: "x"}), named('"x1"', roots={}), named('"x1"', [1]), named('"x1"') + ',"note":"\\u001b[2J"',
            '"type":"log.snapshot"',
        ]
        for body in bad:
            add(body)
        add(named('"beyond"', {own: 2 ** 47, replica: 10 ** 12}, {own: root, replica: root}), author="\\u001b[31mmallory")
        add(named('"false"'))
        add(named('"ours-too"'), id=id)  # the id of another
        self.assertTrue(self.feed(daemon, replica, lines).startswith("TOOK"))
        self.assertEqual(self.json("status", daemon=daemon)["unreadable"], len(bad))
        for words in (("snapshot", "list"), ("snapshot", "show", "beyond"), ("snapshot", "show", "false"), ("log", "--at", "beyond")):
            code, out, err = self.ctl(*words, daemon=daemon)
            self.assertNotIn("\x1b", out + err)
            self.assertNotIn("x1", out)
        self.assertEqual({row["name"] for row in self.json("snapshot", "list", daemon=daemon)}, {"ours", "ours-too", "beyond", "false"})
        self.assertIn("lacks lines", self.fails(1, "log", "--at", "beyond", daemon=daemon))
        code, out, _ = self.ctl("snapshot", "show", "false", daemon=daemon)
        self.assertEqual(code, 7)
        self.assertIn("this machine's log differs", out)
        # By its id, ours may now be either; by its name it is what it was.
        self.assertIn("the id of more than one snapshot", self.fails(2, "log", "--at", id, daemon=daemon))
        self.same(daemon, "ours", expected, [("export",)])
        # They travel on as they are.
        other = self.machine(daemon)
        self.done("peer", "add", other.listen[0], daemon=daemon)
        self.sync(daemon)
        self.assertEqual(self.lines(other, replica), lines)

    # MARK: Damage

    def test_damage_is_never_passed_over(self):
        daemon = self.machine()
        self.record(daemon, event("first", targets=["USA"]), event("the second", targets=["USA"], date="2018"), event("third"))
        self.create(daemon, "paper")
        self.record(daemon, event("what came later", targets=["USA"]))
        questions = [("log",), ("log", "--jsonl"), ("export", "--csv"), ("state", "USA", "PRK", "--json"), ("why", "USA", "PRK", "tests"),
                     ("log", "--text", "second"), ("log", "-n", "2", "--json")]
        expected, own = self.answers(daemon, "paper", questions), self.own(daemon)
        self.damage(daemon, b"what came later")
        self.same(daemon, "paper", expected, questions)
        self.assertEqual(self.json("snapshot", "show", "paper", daemon=daemon)["standing"], "same")
        self.damage(daemon, b"the second")
        for known in (False, True):
            for words in questions:
                code, out, err = self.ctl(*words, "--at", "paper", daemon=daemon)
                self.assertEqual(code, 7, words)
                self.assertEqual(list(json.loads(out)) if "--json" in words else out, ["error"] if "--json" in words else "", words)
                self.assertIn(f"line 4 of replica {own} is damaged here; timelinectl repair", err)
            code, out, _ = self.ctl("snapshot", "show", "paper", "--json", daemon=daemon)
            self.assertEqual((code, json.loads(out)["standing"]), (7, "damaged"))
            self.assertIn("is damaged here", self.fails(7, "snapshot", "create", "another", daemon=daemon))
            self.assertIn("first", self.done("log", daemon=daemon))
            if known:
                self.assertFalse(self.json("snapshot", "list", daemon=daemon)[0]["whole"])
                self.fails(7, "log", "--count", "--at", "paper", daemon=daemon)
            # A start that reads the log knows of it before it is asked.
            daemon.stop()
            pathlib.Path(daemon.data, "timelines/main/index/events.idx").unlink(missing_ok=True)
            daemon.start()

    def test_what_was_erased_is_told(self):
        a, b = self.machines(2)
        ids = self.record(a, event("stays"), event("has to go"))
        made = self.create(a, "paper")
        before = self.answers(a, "paper", [("export",)])
        self.done("peer", "add", b.listen[0], daemon=a)
        self.sync(a)
        self.same(b, "paper", before, [("export",)])
        self.done("erase", ids[1], "--reason", "r", "--yes", daemon=a)
        self.sync(a)
        after = self.answers(a, "paper")
        code, out, err = after[("export",)]
        self.assertEqual((code, len(out.splitlines())), (0, 1))
        self.assertIn("1 line of snapshot paper were erased since", err)
        self.same(b, "paper", after)
        self.assertEqual(self.json("snapshot", "show", made["id"], daemon=b)["standing"], "same")

    def test_lines_held_back_are_lines_that_lack(self):
        a, c = self.machines(2)
        ids = self.record(a, event("stays"), event("held back"), event("stays too"))
        self.create(a, "paper")
        from test_verify import stub_of
        lines = self.lines(a)
        lines[2] = checked(stub_of(lines[2]))
        self.assertTrue(self.feed(c, self.own(a), lines).startswith("TOOK"))
        self.assertIn(f"lacks line 3 of replica {self.own(a)}", self.fails(1, "export", "--at", "paper", daemon=c))
        self.assertEqual(len(ids), 3)

    def test_a_watch_tells_of_them(self):
        daemon = self.another()
        self.append(daemon, 1)
        client = daemon.client()
        client.ok("WATCH {}")
        self.create(daemon, "paper", "--author", "ann")
        line = json.loads(client.reply()[6:])
        client.close()
        self.assertEqual((line["type"], line["name"], line["author"]), ("log.snapshot", "paper", "ann"))
        self.assertEqual(os.path.basename(daemon.socket), "sock")


if __name__ == "__main__":
    unittest.main()
