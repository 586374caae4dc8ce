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
        text = self.done("why", "USA", "PRK", "climate", "--as-of", "2017-11-30")
        climate = self.state("2017-11-30")["climate"]
        self.assertTrue(text.endswith("\nsum: %(total).3f (PRK %(PRK).3f, USA %(USA).3f, joint %(joint).3f)\n" % climate), text[-200:])
        # A phase that rests on no sum has no shares.
        self.assertTrue(self.done("why", "USA", "PRK", "phase", "--as-of", "2018-06-13").startswith("DATE "))


if __name__ == "__main__":
    unittest.main()
