"""`lint`: what it tells of the shipped events, of each kind of gap and fault, and of what others sent."""

import json
import unittest

from ctl import Ctl
from daemon import event
from elsewhere import Elsewhere


def message(**more):
    return {"type": "message", "date": "2001-01-01", "actors": ["PRK"], "targets": ["USA"], "title": "m",
            "sources": [{"url": "https://a.example"}], **more}


class ShippedLint(Ctl):
    shipped = True

    def lint(self, *words):
        return self.json("lint", *words)

    def test_offers_are_those_that_the_states_call_open(self):
        day = "2010-06-01"
        told = {f["ids"][0] for f in self.lint("--as-of", day)["findings"] if f["kind"] == "unanswered-offer"}
        old, settled = set(), set()
        for pair in (("USA", "PRK"), ("KOR", "PRK"), ("CHN", "PRK"), ("JPN", "PRK"), ("RUS", "PRK"), ("IAE", "PRK")):
            for offer in self.json("state", *pair, "--as-of", day)["offers"]:
                if offer["state"] != "open":
                    settled.add(offer["id"])
                elif offer["age"] >= 90:
                    old.add(offer["id"])
        # What two sides offered together, either of them may have settled.
        self.assertEqual(told, old - settled)
        self.assertTrue(told)

    def test_overdue_promises_are_those_of_the_ledger(self):
        day = "2005-09-01"
        told = {(f["ids"][0], f["key"]) for f in self.lint("--as-of", day)["findings"] if f["kind"] == "overdue"}
        ledger = self.json("state", "USA", "PRK", "--as-of", day)["commitments"]
        overdue = {(c["agreement"], c["key"]) for c in ledger if c["state"] == "overdue"}
        self.assertLessEqual(overdue, told)
        spoken = {(c["agreement"], c["key"]) for c in ledger if c["state"] not in ("open", "due", "overdue")}
        self.assertFalse(spoken & told)

    def test_the_shipped_events_have_no_fault_but_what_history_left_open(self):
        found = self.lint()
        hard = {k["kind"] for k in found["kinds"] if not k["soft"]}
        self.assertEqual(hard, {"unanswered-offer", "overdue"})
        self.assertEqual(self.ctl("lint", "--exit-code")[0], 7)
        self.assertEqual(self.ctl("lint", "--exit-code", "--kind", "no-address")[0], 0)

    def test_a_count_is_of_all_and_a_list_of_some(self):
        text = self.done("lint", "--kind", "no-address")
        count = next(k["count"] for k in self.lint()["kinds"] if k["kind"] == "no-address")
        self.assertIn(f"sources without an address: {count}  no-address", text)
        self.assertIn(f"and {count - 5} more (--all)", text)
        self.assertEqual(self.done("lint", "--kind", "no-address", "--all").count("\n"), count + 5)
        self.assertIn("timelinectl correct ID --source-url", text)

    def test_a_filter_says_of_which_events(self):
        some = self.lint("actor=KOR", "date>=1990", "date<1995")
        ids = {e["id"] for e in self.json("log", "actor=KOR", "date>=1990", "date<1995")}
        self.assertTrue(some["findings"])
        for finding in some["findings"]:
            self.assertIn(finding["ids"][0], ids)
        # An answer from outside of the filter is an answer.
        offers = [f for f in self.lint("type=message", "date<2003", "--kind", "unanswered-offer")["findings"]]
        self.assertEqual([f["date"] for f in offers], ["2002-11-03"])

    def test_what_cannot_be_asked(self):
        for words, said in (
                (("--kind", "no-adress"), "did you mean no-address?"), (("--as-of", "2017-02-30"), "February 2017 has 28 days"), (("type=tset",), "did you mean test?"),
                (("--kind",), "needs a value"), (("--at", "nothing"), "no snapshot"), (("--at", "x", "--known-at", "2020"), "give one of them"),
                (("actor=QQQ",), "unknown actor")):
            with self.subTest(words):
                self.assertIn(said, self.fails(2 if words[0] != "--at" or len(words) > 2 else 1, "lint", *words))
        client = self.daemon.client()
        self.addCleanup(client.close)
        for question in ('{"day":"2017"}', '{"limit":10001}', '{"limit":"x"}', '{"dya":"2017-01-01"}', '{"where":"x"}'):
            self.assertTrue(client.ask("LINT " + question).startswith("ERR bad-request "), question)
        rows, end = client.stream('LINT {"limit":0}')
        self.assertEqual(rows, [])
        self.assertGreater(end["counts"]["no-address"], 0)


class EachKind(Ctl):
    def setUp(self):
        self.own = self.another()
        self.client = self.own.client()
        self.addCleanup(self.client.close)

    def findings(self, *words):
        return self.json("lint", *words, daemon=self.own)["findings"]

    def kinds(self, *words):
        return [(f["kind"], f.get("reason")) for f in self.findings(*words)]

    def test_what_other_machines_sent_is_kept_and_told(self):
        """Each of these is refused where it is recorded."""
        here = self.client.ok("APPEND " + json.dumps(message(date="2001-06-01", title="here")))["id"]
        other = Elsewhere()
        late = other.add(other.id(1), **message(links=[{"rel": "answers", "id": here}]))
        own = other.add(other.id(2), **message(title="own", links=[{"rel": "answers", "id": other.id(2)}]))
        ring = [other.add(other.id(n), **message(title=f"ring {n}x", date="2002-01-01", links=[{"rel": "follows", "id": other.id(n + 1 if n < 12 else 10)}]))
                for n in (10, 11, 12)]
        deal = other.add(other.id(3), **{**message(title="deal", date="2003-01-01"), "type": "agreement",
                                         "commitments": [{"key": "k", "by": ["PRK"], "what": "w", "due": "2002"}]})
        step = other.add(other.id(4), **{**message(title="step", date="2004-01-01"), "type": "step",
                                         "links": [{"rel": "fulfils", "id": deal, "key": "nope"}, {"rel": "fulfils", "id": deal}]})
        gone = other.add(other.id(5), **message(title="gone", date="2005-01-01", links=[{"rel": "answers", "id": other.id(99)}]))
        who = other.add(other.id(6), **message(title="who", date="2006-01-01", actors=["QQX"]))
        # What is not theirs to say: PRK answers itself, KOR what was said to USA; PRK lets go what USA imposed.
        self_answer = other.add(other.id(20), **message(title="self", date="2008-01-01", links=[{"rel": "answers", "id": here}]))
        asked = other.add(other.id(21), **message(title="asked", date="2008-01-02", actors=["PRK"], targets=["KOR"]))
        meddler = other.add(other.id(22), **message(title="meddler", date="2008-01-03", actors=["USA"], targets=["PRK"],
                                                    links=[{"rel": "declines", "id": asked}]))
        imposed = other.add(other.id(23), **{**message(title="imposed", date="2008-01-04", actors=["USA"], targets=["PRK"]), "type": "sanction", "subtype": "impose"})
        lifted = other.add(other.id(24), **message(title="lifted", date="2008-01-05", links=[{"rel": "withdraws", "id": imposed}]))
        bad = other.add(other.id(7), **{**message(title="no parties", date="2007-01-01"), "type": "agreement", "commitments": [{"key": "k", "what": "w"}]})
        other.send(self.own)
        found = {}
        for finding in self.findings():
            found.setdefault((finding["kind"], finding.get("reason")), []).append(finding)
            # Whatever is named can be looked at.
            self.done("show", finding["ids"][0], daemon=self.own)
        self.assertEqual(found[("bad-link", "later")][0]["ids"], [late, here])
        self.assertEqual(found[("bad-link", "itself")][0]["ids"][0], own)
        self.assertEqual(sorted(found[("bad-link", "circle")][0]["ids"]), sorted(ring))
        self.assertEqual(found[("bad-link", "no such key")][0]["ids"], [step, deal])
        self.assertEqual(found[("bad-link", "no key")][0]["ids"], [step, deal])
        self.assertEqual(found[("bad-link", "own words")][0]["ids"], [self_answer, here])
        self.assertEqual([f["ids"] for f in found[("bad-link", "not theirs")]], [[meddler, asked], [lifted, imposed]])
        self.assertIn("which is for KOR to say", found[("bad-link", "not theirs")][0]["text"])
        self.assertEqual(found[("missing-target", None)][0]["ids"], [gone, other.id(99)])
        self.assertEqual(found[("backwards", None)][0]["ids"], [deal])
        self.assertEqual(found[("unknown-actor", None)][0]["ids"], [who])
        self.assertEqual(found[("unreadable", None)][0]["ids"], [bad])
        self.assertIn("a commitment has parties", found[("unreadable", None)][0]["text"])
        # The figures leave the links out, with the reason; the lines go on to others.
        state = self.json("state", "USA", "PRK", "--as-of", "2010-01-01", daemon=self.own)
        left = [(l["id"], l["reason"]) for l in state["left_out"]]
        self.assertIn((late, "later"), left)
        self.assertIn((own, "itself"), left)
        self.assertIn((step, "no such key"), left)
        self.assertIn((self_answer, "own words"), left)
        self.assertIn((lifted, "not theirs"), left)
        # Of an offer to Seoul the state of Washington knows nothing; the sanction stands.
        self.assertNotIn(meddler, [id for id, _ in left])
        self.assertIn(imposed, [e["id"] for e in state["under_way"]])
        self.assertEqual(self.client.ok("STATUS")["position"][other.replica], len(other.lines))
        # An attempt to record them here says why not.
        for line in other.lines:
            body = {key: value for key, value in json.loads(line).items()
                    if key not in ("v", "replica", "seq", "recorded", "salt", "crc32c", "id", "author")}
            if body["title"] in ("step", "no parties", "who", "deal", "self", "meddler", "lifted"):
                self.assertTrue(self.client.ask("APPEND " + json.dumps(body)).startswith("ERR bad-event "), body)

    def test_what_is_recorded_here(self):
        add = lambda **more: self.client.ok("APPEND " + json.dumps(message(**more)))["id"]
        bare = add(sources=[{"title": "t"}])
        none = self.client.append(title="none", date="2001-02-01")["id"]
        odd = add(subtype="lettr", date="2001-03-01")
        open_ = add(type="deployment", date="2001-04-01/..")
        young = add(type="deployment", date="2019-12-01/..", title="young")
        soon = add(date="2020-02-01", title="soon")
        twins = [add(type="talks", date="2001-05-01", title="Talks about oil in Beijing", actors=["PRK", "USA"], targets=[]),
                 add(type="talks", date="2001-05-01", title="Oil talks in Beijing", actors=["USA"], targets=[])]
        found = {(f["kind"], tuple(f["ids"])) for f in self.findings("--as-of", "2020-01-01")}
        self.assertEqual(found, {
            ("no-address", (bare,)), ("no-source", (none,)), ("unknown-subtype", (odd,)), ("no-end", (open_,)), ("future", (soon,)),
            ("duplicate", tuple(sorted(twins)))})
        self.assertNotIn(young, {f[1] for f in found})
        text = self.done("lint", "--as-of", "2020-01-01", daemon=self.own)
        for id in (bare, none, odd, open_, soon, sorted(twins)[0]):
            self.assertIn("  " + id[:8], text)
        # What is known and so is said once, and is told no more.
        self.done("correct", twins[0], "--tags", "lint:duplicate", "--reason", "two rounds", daemon=self.own)
        self.done("correct", none, "--tags", "lint:no-source", "--reason", "seen by ourselves", daemon=self.own)
        kinds = {k["kind"] for k in self.json("lint", "--as-of", "2020-01-01", daemon=self.own)["kinds"]}
        self.assertFalse(kinds & {"duplicate", "no-source"})
        self.assertIn("1 more tagged as known", self.done("lint", "--as-of", "2020-01-01", daemon=self.own))

    def test_contested_retracted_and_as_it_was(self):
        id = self.client.ok("APPEND " + json.dumps(message()))["id"]
        self.done("snapshot", "create", "before", daemon=self.own)
        for title in ("two", "three"):
            self.client.ok("APPEND " + json.dumps({
                "type": "log.correct", "corrects": id, "supersedes": [id], "reason": "r", "body": message(title=title)}))
        self.assertEqual(self.kinds(), [("contested", None)])
        self.assertEqual(self.kinds("--at", "before"), [])
        answer = self.client.ok("APPEND " + json.dumps(message(date="2002-01-01", title="a", links=[{"rel": "follows", "id": id}])))["id"]
        self.done("correct", id, "--title", "settled", "--reason", "r", daemon=self.own)
        self.assertEqual(self.kinds(), [])
        position = json.dumps(self.client.ok("STATUS")["position"])
        self.done("retract", id, "--reason", "never was", daemon=self.own)
        (finding,) = self.findings()
        self.assertEqual((finding["kind"], finding["ids"]), ("missing-target", [answer, id]))
        self.assertIn("was retracted", finding["text"])
        self.assertEqual(self.kinds("--known-at", position), [])
        self.assertIn("nothing was found in 1 event", self.done("lint", "--at", "before", daemon=self.own))

    def test_what_was_made_to_do_harm(self):
        other = Elsewhere()
        count = 10_000
        for number in range(count):
            other.add(other.id(number), **message(title=f"ring {number}x", links=[{"rel": "follows", "id": other.id((number + 1) % count)}]))
        many = other.add(other.id(count), **message(title="\u202eesrever", date="2003-01-01", links=[
            {"rel": "follows", "id": other.id(n)} for n in range(1000, 1700)] + [{"rel": "answers", "id": other.id(count + 9)}] * 100))
        command = other.add(other.id(count + 1), **message(title="a\x1b[31mb", date="2003-01-01"))
        other.send(self.own)
        circle = [f for f in self.findings() if f.get("reason") == "circle"]
        self.assertEqual([f["events"] for f in circle], [count])
        self.assertEqual(len(circle[0]["ids"]), 100)
        missing = [f for f in self.findings("--kind", "missing-target")]
        self.assertEqual({f["ids"][0] for f in missing}, {many})
        self.assertEqual([f["ids"] for f in self.findings("--kind", "unreadable")], [[command]])
        text = self.done("lint", "--all", daemon=self.own)
        self.assertNotIn("\u202e", text)
        self.assertNotIn("\x1b", text)
        # The daemon takes events that link into the circle, and corrections that would close one.
        for number in range(3):
            self.client.ok("APPEND " + json.dumps(message(date="2004-01-01", links=[{"rel": "follows", "id": other.id(number)}])))
        self.assertEqual(self.client.ask("PING"), "OK")


if __name__ == "__main__":
    unittest.main()
