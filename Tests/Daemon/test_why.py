"""`why`: every event of a figure, and shares that add up to it, for the shipped events on random days and by tables
that a team might have. WHY_SEED=N repeats the days."""

import json
import os
import random
import unittest
from datetime import date, timedelta

from ctl import SHIPPED, Ctl

FIGURES = ("phase", "climate", "trend", "contact", "neglect", "messages", "unanswered", "offers", "interests", "commitments",
           "under_way", "tests", "reciprocity", "conducive", "joint_action", "rewards", "respect", "approach")
PARTS = {"PRK": ["PRK"], "USA": ["USA"], "joint": ["PRK", "USA"]}


class WhyTests(Ctl):
    shipped = True

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def why(self, figure, day):
        return self.client.ok('EXPLAIN {"parties":["USA","PRK"],"figure":"%s","as_of":"%s"}' % (figure, day))

    def state(self, day):
        return self.client.ok('STATE {"parties":["USA","PRK"],"as_of":"%s"}' % day)

    def ids(self, events):
        return [event["id"] for event in events]

    def check(self, day):
        """All figures of a day; what the phase is."""
        state, why = self.state(day), {figure: self.why(figure, day) for figure in FIGURES}
        rows = {figure: answer["events"] for figure, answer in why.items()}
        for figure, answer in why.items():
            self.assertEqual((answer["rules"], answer["day"], answer["figure"]), (state["rules"], day, figure))

        def total(events, holds=lambda event: True):
            return sum(event["share"] for event in events if "share" in event and holds(event))

        for figure in ("climate", "trend"):
            self.assertAlmostEqual(total(rows[figure]), why[figure]["value"], delta=1e-9)
            for part, by in PARTS.items():
                self.assertAlmostEqual(total(rows[figure], lambda e: e["by"] == by), why[figure]["parts"][part], delta=1e-9)
            sizes = [abs(event["share"]) for event in rows[figure]]
            self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertAlmostEqual(why["climate"]["value"], state["climate"]["total"], delta=0.000501)
        self.assertAlmostEqual(why["trend"]["value"], state["climate"]["trend"], delta=0.000501)
        for part in PARTS:
            self.assertAlmostEqual(why["climate"]["parts"][part], state["climate"][part], delta=0.000501)
        for figure in ("reciprocity", "rewards"):
            for party in ("PRK", "USA"):
                self.assertAlmostEqual(total(rows[figure], lambda e: party in e["by"]), why[figure]["parts"][party], delta=1e-9)
        gave = [state["reciprocity"][party] for party in ("PRK", "USA")]
        for party, amount in zip(("PRK", "USA"), gave):
            self.assertAlmostEqual(amount, why["reciprocity"]["parts"][party], delta=1e-9)
        if max(gave):
            self.assertAlmostEqual(state["reciprocity"]["ratio"], min(gave) / max(gave), delta=0.000501)
        else:
            self.assertEqual(state["reciprocity"]["ratio"], "none")
        for name, criterion in state["criteria"].items():
            for side in ("for", "against"):
                ids = self.ids(event for event in rows[name] if event["side"] == side)
                self.assertEqual((len(ids), ids[-5:]), (criterion[side]["count"], criterion[side]["latest"]))
        for figure in ("messages", "unanswered", "offers", "under_way"):
            self.assertEqual(self.ids(rows[figure]), self.ids(state[figure]), figure)
        self.assertEqual(self.ids(rows["tests"]), self.ids(state["tests"]["last"]))
        self.assertEqual(self.ids(rows["contact"]), self.ids(state["contact"]["last"]))
        neglect = state["contact"].get("neglect")
        self.assertEqual(([event["days"] for event in rows["neglect"]], why["neglect"].get("value")),
                         ([] if neglect is None else [neglect], neglect))
        self.assertEqual(set(self.ids(rows["interests"])),
                         {offer["id"] for interest in state["interests"] for offer in interest["offers"]})
        self.assertEqual(set(self.ids(rows["commitments"])),
                         {id for one in state["agreements"] for id in [one["id"], *self.ids(one["moves"])]})
        for party in ("PRK", "USA"):
            for condition in ("prior", "simultaneous", "none"):
                self.assertEqual(state["approach"][party][condition], sum(
                    offer["from"] == party and offer["condition"] == condition for offer in rows["approach"]))
        self.check_phase(state["phase"], why["phase"])
        return state["phase"]["name"] + (" by sums" if "sums" in why["phase"] else "")

    def check_phase(self, phase, why):
        events, against = why["events"], [event for event in why["events"] if event.get("side") == "against"]
        self.assertEqual(set(self.ids(event for event in events if event not in against)) | set(phase["moved"]),
                         set(phase["events"] + phase["moved"]))
        sums = why.get("sums", [])
        self.assertEqual([one["of"] for one in sums], {
            "crisis": ["all"] if sums else [], "confrontation": ["PRK", "USA", "all"]}.get(phase["name"], []))
        for one in sums:
            shares = [event["share"] for event in events if event.get("side") == "for" and (one["of"] == "all" or one["of"] in event["by"])]
            self.assertAlmostEqual(sum(shares), one["value"], delta=1e-9)
            self.assertLessEqual(one["value"], one["threshold"])
        if phase["name"] == "confrontation":
            self.assertAlmostEqual(sums[2]["threshold"], -3 * sum(event["share"] for event in against), delta=1e-9)
        if phase["name"] == "crisis" and not sums:
            for event in events:
                if event["id"] in phase["events"]:
                    self.assertIn((event["type"], event["subtype"]), [("test", "nuclear"), ("incident", "attack")])

    def test_all_figures_on_random_days(self):
        seed = int(os.environ.get("WHY_SEED", random.randrange(1 << 30)))
        print("why test: WHY_SEED=%d" % seed)
        chance = random.Random(seed)
        days = [str(date(1985, 6, 1) + timedelta(chance.randrange(15000))) for _ in range(50)]
        # One of each kind of phase that rests on sums, and before all events.
        met = {self.check(day) for day in [*days, "2016-07-20", "2017-11-30", "2017-09-04", "1900-01-01"]}
        self.assertLessEqual({"crisis", "crisis by sums", "confrontation by sums", "estranged"}, met)
        self.assertEqual(self.check("2016-07-20"), "crisis by sums")

    def test_by_tables_of_a_team(self):
        own = self.another()
        self.done("import", SHIPPED, daemon=own)
        self.client = own.client()
        self.addCleanup(self.client.close)
        for name, change in (("weights", lambda row: {**row, "weight": row["weight"] / 2 - 0.125}),
                             ("windows", lambda row: {**row, "value": row["value"] + 7}),
                             ("interests", lambda row: {**row, "party": "USA" if row["party"] == "KOR" else row["party"]})):
            rows = self.client.ok('RULES {"table":"%s"}' % name)["rows"]
            self.client.ok("APPEND " + json.dumps({
                "type": "log.rules", "table": name, "name": "OURS", "reason": "r", "rows": [change(row) for row in rows]}))
        for day in ("1994-11-01", "2005-09-20", "2010-12-01", "2016-07-20", "2017-11-30", "2018-06-13", "2024-11-01"):
            self.check(day)

    def test_a_person_sees_what_a_sum_is_compared_with(self):
        text = self.done("why", "USA", "PRK", "phase", "--as-of", "2016-07-20")
        self.assertTrue(text.startswith("SIDE  SHARE"), text)
        [total] = self.why("phase", "2016-07-20")["sums"]
        self.assertIn("\nsum of all: %.3f, at most -18.000 for this phase\n" % total["value"], text)
        text = self.done("why", "USA", "PRK", "rewards", "--as-of", "2017-09-04")
        [total] = self.why("rewards", "2017-09-04")["sums"]
        self.assertLessEqual(total["value"], total["threshold"])
        self.assertIn("\nweights below 0: %.3f; at %.3f or less what was given is drowned\n" % (total["value"], total["threshold"]), text)
        self.assertIn("\nnot met: ", text)
        text = self.done("why", "USA", "PRK", "climate", "--as-of", "2017-11-30")
        climate = self.state("2017-11-30")["climate"]
        self.assertTrue(text.endswith("\nsum: %(total).3f (PRK %(PRK).3f, USA %(USA).3f, joint %(joint).3f)\n" % climate), text[-200:])
        # Not a sum: no shares, but why each is there.
        self.assertTrue(self.done("why", "USA", "PRK", "phase", "--as-of", "2018-06-13").startswith("DATE "))

    def reasons(self, figure, day):
        return {(event["id"], event.get("side")): event["reason"] for event in self.why(figure, day)["events"]}

    def test_each_event_says_why_it_is_there(self):
        for day in ("1994-11-01", "2016-07-20", "2018-07-20", "2024-11-01"):
            for figure in FIGURES:
                answer = self.why(figure, day)
                for event in answer["events"]:
                    if figure in ("climate", "trend", "reciprocity"):
                        self.assertNotIn("reason", event)
                    else:
                        self.assertTrue(event["reason"], (figure, day, event))
                        # It holds on every day on which the event is there: no ages in it.
                        self.assertNotIn("ago: ", event["reason"])
                if figure in ("conducive", "joint_action", "rewards", "respect"):
                    self.assertEqual(answer["verdict"], self.state(day)["criteria"][figure]["verdict"])

    def test_the_reason_is_the_rule(self):
        """E-12 and E-13, told from the fields of the event that each is about."""
        day = "2018-07-20"
        state = self.state(day)
        offers = {offer["id"]: offer for offer in state["offers"]}
        for (id, side), reason in self.reasons("rewards", day).items():
            if side == "against":
                self.assertEqual(reason.replace("that expired", "that was expired"), "an offer that was " + offers[id]["state"])
            else:
                self.assertEqual("an offer that is open" in reason, id in offers and offers[id]["state"] == "open" and offers[id]["age"] < 365)
        words = {"prior": "the other side to go first: sticks and carrots", "simultaneous": "steps at the same time: engagement",
                 "none": "nothing first: engagement"}
        for (id, _), reason in self.reasons("approach", day).items():
            self.assertEqual(reason, "asks for " + words[offers[id]["condition"]] if offers[id]["condition"] != "prior" else "asks " + words["prior"])
        messages = {message["id"]: message for message in state["messages"] + state["offers"]}
        seen = set()
        for event in self.why("respect", day)["events"]:
            seen.add(event["reason"])
            if event["side"] == "for":
                self.assertLessEqual(messages[event["id"]]["answered_after"], 90)
                self.assertEqual(event["reason"], "answered within 90 days")
            else:
                self.assertEqual("a threat" in event["reason"], event.get("subtype") == "threat")
        self.assertEqual(seen, {"answered within 90 days", "no answer within 90 days", "a threat"})
        conducive = self.why("conducive", day)["events"]
        told = {(event["type"], event.get("subtype")): event["reason"] for event in conducive}
        self.assertEqual(told["statement", "assurance"], "an assurance")
        self.assertEqual(told["exercise", "cancelled"], "an exercise cancelled")
        self.assertEqual(told["test", "icbm"], "a test")
        self.assertEqual(set(self.reasons("unanswered", day).values()), {"PRK → USA, open", "USA → PRK, open"})
        text = self.done("why", "USA", "PRK", "conducive", "--as-of", day)
        self.assertRegex(text, r"SIDE +DATE +TYPE +ID +REASON +TITLE\n")
        self.assertRegex(text, r"for +2018-06-19 +exercise/cancelled +2939d1c2 +an exercise cancelled +Ulchi")
        counts = [state["criteria"]["conducive"][side]["count"] for side in ("for", "against")]
        self.assertTrue(text.endswith("\nnot met: %d for, %d against\n" % tuple(counts)), text[-80:])
        moved = self.why("phase", day)["events"][0]
        self.assertEqual(moved["reason"], "talks at most 90 days ago; it moved the phase on 2018-05-30")

    def test_what_is_asked_for_wrongly(self):
        for words, said in ((("USA", "PRK", "KOR", "climate"), "a figure is that of two parties"), (("USA", "climate"), "name two"),
                            (("USA", "PRK"), '"PRK" is no figure; figures are phase'),
                            (("USA", "PRK", "climat"), "did you mean climate?"), (("USA", "PKR", "climate"), "did you mean PRK")):
            self.assertIn(said, self.fails(2, "why", *words), words)


if __name__ == "__main__":
    unittest.main()
