"""The shipped events hold together: what data/README.md and docs/internals/data-check.md say of them."""

import csv
import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EVENTS = [json.loads(line) for line in open(ROOT / "data/us-dprk.jsonl", encoding="utf-8")]
BY_ID = {event["id"]: event for event in EVENTS}
ANSWERS = {"answers", "accepts", "declines", "counters"}
LEDGER = {"fulfils", "verifies", "suspends", "violates", "withdraws"}


def table(name):
    with open(ROOT / "data" / name, encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def first_day(date):
    """The first day that a date of the shipped forms may cover; an unknown begin is before all."""
    begin, slash, end = date.partition("/")
    if slash and not begin:
        return ""
    begin = begin.rstrip("~?%")
    return begin + "-01" * (2 - begin.count("-"))


def parties(event):
    return set(event["actors"]) | set(event.get("targets", []))


def links():
    for event in EVENTS:
        for link in event.get("links", []):
            yield event, link, BY_ID.get(link["id"])


class ShippedData(unittest.TestCase):
    def none(self, wrong, what):
        self.assertEqual(list(wrong), [], what)

    def test_names_are_unique_ordered_by_day_and_stay(self):
        self.assertEqual(len(BY_ID), len(EVENTS))
        self.none((i for i in BY_ID if not re.fullmatch(r"usdprk-\d{4}-\d\d-\d\d-[a-z0-9-]+", i)), "name")
        days = [event["date"].lstrip("/") for event in EVENTS]
        self.assertEqual(days, sorted(days))
        kept = (ROOT / "Tests/Fixtures/us-dprk-names.txt").read_text().split()
        self.assertGreater(len(kept), 700)
        self.none((name for name in kept if name not in BY_ID), "a name that was cited is gone")
        self.none((name for name in BY_ID if name not in kept), "add new names to the fixture")

    def test_the_codebook_counts_them(self):
        readme = (ROOT / "data/README.md").read_text()
        self.assertIn(f"holds {len(EVENTS)} events", readme)
        bare = sum(not any("url" in s or "doi" in s for s in e["sources"]) for e in EVENTS)
        self.assertIn(f"({bare} lines have no address)", readme)

    def test_actors_are_known(self):
        known = {row["code"] for row in table("actors.csv")}
        self.none((e["id"] for e in EVENTS if not parties(e) <= known), "unknown actor")

    def test_links_lead_back(self):
        self.none(((e["id"], link) for e, link, to in links() if to is None), "no such event")
        # The rules leave out what names something later: a letter that an agreement builds on is named by the agreement.
        later = ((e["id"], link) for e, link, to in links() if first_day(e["date"]) < first_day(to["date"]))
        self.none(later, "a link to what came later")
        doubled = (e["id"] for e in EVENTS
                   if len({json.dumps(k) for k in e.get("links", [])}) < len(e.get("links", [])))
        self.none(doubled, "a link twice")

    def test_links_make_no_circle(self):
        done, open_ = set(), []

        def walk(name):
            if name in done:
                return
            self.assertNotIn(name, open_, "a circle of links")
            open_.append(name)
            for link in BY_ID[name].get("links", []):
                walk(link["id"])
            open_.pop()
            done.add(name)

        for name in BY_ID:
            walk(name)

    def test_answers_come_from_the_other_side(self):
        for event, link, to in links():
            if link["rel"] in ANSWERS:
                others = set(to.get("targets", [])) or set(to["actors"])
                self.assertTrue(others & set(event["actors"]), (event["id"], link))

    def test_an_offer_is_withdrawn_or_followed_by_its_own_side(self):
        for event, link, to in links():
            if link["rel"] == "withdraws" and "offer" in to:
                self.assertTrue(set(event["actors"]) & set(to["actors"]), (event["id"], link))

    def test_commitments_are_between_the_parties(self):
        for event in EVENTS:
            keys = [promise["key"] for promise in event.get("commitments", [])]
            self.assertEqual(len(keys), len(set(keys)), event["id"])
            for promise in event.get("commitments", []):
                self.assertEqual(event["type"], "agreement")
                self.assertTrue(promise["by"] and promise["to"], (event["id"], promise))
                self.assertLessEqual(set(promise["by"] + promise["to"]), parties(event), event["id"])
                if "due" in promise:
                    self.assertLessEqual(first_day(event["date"]), first_day(promise["due"]))

    def test_steps_name_a_promise_and_are_of_those_who_made_or_check_it(self):
        for event, link, to in links():
            if link["rel"] not in LEDGER or not to.get("commitments"):
                continue
            promises = {promise["key"]: promise for promise in to["commitments"]}
            # Without a key a break would concern promises that were kept long before.
            self.assertIn(link.get("key"), promises, (event["id"], link))
            promise = promises[link["key"]]
            able = set(promise["by"]) | set(promise.get("verifier", []))
            if link["rel"] == "verifies":
                able |= set(promise["to"])
            self.assertTrue(able & set(event["actors"]), (event["id"], link))

    def test_a_key_is_used_only_where_there_are_promises(self):
        self.none(((e["id"], k) for e, k, to in links() if "key" in k and not to.get("commitments")), "key")

    def test_offers_say_what_for_what(self):
        wanted = {(row["key"], row["party"]) for row in table("interests.csv")}
        for event in EVENTS:
            if not (offer := event.get("offer")):
                continue
            name = event["id"]
            self.assertTrue(offer["then"], name)
            self.assertIn(offer["condition"], ("prior", "simultaneous", "none"))
            if offer["condition"] != "none":
                self.assertTrue(offer["if"], f"{name}: conditional on nothing")
            self.assertFalse(set(offer["if"]) & set(offer["then"]), name)
            for interest in offer.get("interests", []):
                self.assertTrue(any((interest, party) in wanted for party in parties(event)), (name, interest))
            if "expires" in offer:
                self.assertLessEqual(first_day(event["date"]), first_day(offer["expires"]))

    def test_what_was_said_promised_and_done_was_read(self):
        """A quote means that these words were read; docs/internals/data-check.md counts them."""
        def read(event):
            return any("quote" in source for source in event["sources"])
        self.none((e["id"] for e in EVENTS if not read(e) and (
            e["type"] in ("message", "agreement", "step") or "offer" in e)), "not read")
        check = (ROOT / "docs/internals/data-check.md").read_text()
        self.assertIn(f"{sum(map(read, EVENTS))} lines have one", check)
        links_of = lambda *rels: sum(link["rel"] in rels for _, link, _ in links())
        bare = sum(not any("url" in s or "doi" in s for s in e["sources"]) for e in EVENTS)
        for name, count in (
                ("events", len(EVENTS)), ("with words that were read (`quote`)", sum(map(read, EVENTS))), ("without address", bare),
                ("offers", sum("offer" in e for e in EVENTS)),
                ("promises of agreements", sum(len(e.get("commitments", [])) for e in EVENTS)),
                ("links", sum(1 for _ in links())), ("of these: fulfils, verifies", links_of("fulfils", "verifies")),
                ("suspends, violates, withdraws", links_of("suspends", "violates", "withdraws")),
                ("answers, accepts, declines, counters", links_of(*ANSWERS)),
                ("follows, part-of, extends", links_of("follows", "part-of", "extends"))):
            self.assertRegex(check, rf"(?m)^\| {re.escape(name)} \|.*\| {count} \|$", name)
        self.assertIn(f"{bare} lines have no address", check)

    def test_sources_are_short_quotes_and_addresses(self):
        for event in EVENTS:
            self.assertTrue(event["sources"], event["id"])
            for source in event["sources"]:
                self.assertTrue(source["title"] and source["publisher"], event["id"])
                self.assertLessEqual(len(source.get("quote", "")), 320, event["id"])
                self.assertRegex(source.get("url", "http://x"), r"^https?://", event["id"])

    def test_the_essays_message_was_never_answered(self):
        message = "usdprk-2002-11-03-message-written"
        self.assertEqual(BY_ID[message]["offer"]["condition"], "prior")
        self.none((e["id"] for e, link, to in links()
                   if link["id"] == message and link["rel"] in ANSWERS), "an answer")


if __name__ == "__main__":
    unittest.main()
