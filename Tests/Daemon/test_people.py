"""What people say differently of an event, and who settles it: conflicts, resolve, and what is provisional meanwhile."""

import json
import unittest

from ctl import Ctl
from elsewhere import Elsewhere


def talks(title="Talks", **more):
    return {"type": "talks", "date": "2018-03-01", "actors": ["USA"], "targets": ["PRK"], "title": title,
            "sources": [{"title": "t", "url": "https://a.example"}], **more}


class PeopleTests(Ctl):
    def setUp(self):
        self.own = self.another()
        self.client = self.own.client()
        self.addCleanup(self.client.close)

    def record(self, body, **more):
        return self.client.ok("APPEND " + json.dumps({**body, **more}))["id"]

    def correct(self, id, supersedes, title, **more):
        return self.record({"type": "log.correct", "corrects": id, "supersedes": supersedes, "reason": "r",
                            "body": talks(title)}, **more)

    def contested(self):
        """An event of which two people say different things; the version that shows comes second."""
        id = self.record(talks())
        return id, [self.correct(id, [id], title, author=author) for title, author in (("one", "ann"), ("two", "ben"))]

    def run_(self, *words):
        return self.done(*words, daemon=self.own)

    def answer(self, *words):
        return self.json(*words, daemon=self.own)

    def test_who_says_what(self):
        self.assertEqual(self.answer("conflicts")["conflicts"], [])
        id, (one, two) = self.contested()
        found = self.answer("conflicts")
        self.assertEqual(found["count"], 1)
        (conflict,) = found["conflicts"]
        self.assertEqual((conflict["id"], conflict["count"], conflict["shows"], conflict["lines"]), (id, 2, two, 3))
        self.assertEqual([(v["id"], v["author"], v["kind"]) for v in conflict["versions"]],
                         [(one, "ann", "corrected"), (two, "ben", "corrected")])
        self.assertTrue(all(v["replica"] and v["recorded"] for v in conflict["versions"]))
        self.assertEqual(conflict["fields"], [{"field": "title", "values": [
            {"value": "one", "versions": [one]}, {"value": "two", "versions": [two]}]}])
        text = self.run_("conflicts")
        for said in ("by ann", "by ben", "title: one", "title: two", f"resolve {id[:8]}"):
            self.assertIn(said, text)
        self.assertEqual(self.answer("conflicts", "actor=CHN")["count"], 0)
        self.assertEqual(self.answer("conflicts", "party=PRK")["count"], 1)
        self.assertEqual(self.ctl("conflicts", "actor=CHN", "--exit-code", daemon=self.own)[0], 3)

    def test_settled_by_a_version_by_a_field_by_a_retraction(self):
        id, (one, two) = self.contested()
        self.fails(2, "resolve", id, "--reason", "r", daemon=self.own)
        self.fails(2, "resolve", id, "--take", one, daemon=self.own)
        self.fails(2, "resolve", id, "titel=x", "--reason", "r", daemon=self.own)
        self.assertTrue(self.answer("resolve", id, "--take", one, "--dry-run")["dry_run"])
        self.assertEqual(self.answer("resolve", id, "--take", one[:8], "--reason", "r")["settled"], 2)
        self.assertEqual(self.answer("conflicts")["count"], 0)
        self.assertIn("one", self.run_("log"))
        self.assertFalse(self.answer("resolve", id, "--take", one, "--reason", "r")["changed"])
        # Two more of the version that stands now.
        (now,) = self.client.stream("GET " + id)[1]["versions"]
        self.correct(id, [now], "three")
        gone = self.record({"type": "log.retract", "retracts": id, "supersedes": [now], "reason": "never was"})
        self.assertEqual(self.answer("conflicts")["conflicts"][0]["shows"], gone)
        self.assertEqual(self.answer("log", "--count"), {"count": 0})
        self.run_("resolve", id, "title=four", "actors=USA,KOR", "--reason", "r")
        event = self.answer("show", id)["event"]
        self.assertEqual((event["title"], event["actors"]), ("four", ["USA", "KOR"]))
        self.assertNotIn("contested", event)
        (now,) = self.client.stream("GET " + id)[1]["versions"]
        self.correct(id, [now], "five")
        gone = self.record({"type": "log.retract", "retracts": id, "supersedes": [now], "reason": "never was"})
        # Two who retract it still say two things of why.
        other = self.record({"type": "log.retract", "retracts": id, "supersedes": [now], "reason": "twice"})
        self.run_("resolve", id, "--take", gone, "--reason", "it never was")
        (now,) = self.client.stream("GET " + id)[1]["versions"]
        both = [self.record({"type": "log.retract", "retracts": id, "supersedes": [now], "reason": reason}) for reason in "ab"]
        (conflict,) = self.answer("conflicts", "party=PRK")["conflicts"]
        self.assertEqual(([v["id"] for v in conflict["versions"]], conflict["title"], conflict["fields"]), (both, "five", []))
        self.run_("resolve", id, "--take", both[0], "--reason", "it never was")
        self.assertNotEqual(other, gone)
        self.assertEqual(self.answer("conflicts")["count"], 0)
        self.assertEqual(self.answer("log", "--count"), {"count": 0})

    def test_a_conflict_of_any_size_is_settled_by_one_short_line(self):
        id = self.record(talks())
        others = [Elsewhere(number) for number in (1, 2)]
        for other in others:
            for number in range(5_000):
                other.add(f"eeeeeeee-0000-4000-8{other.replica[-3:]}-{number:012x}", type="log.correct", corrects=id,
                          supersedes=[id], reason="r", body=talks(f"{number} of {other.replica[-1]}"))
            other.send(self.own)
        conflict = self.answer("conflicts")["conflicts"][0]
        self.assertEqual((conflict["count"], len(conflict["versions"])), (10_000, 10))
        self.assertLess(len(json.dumps(conflict)), 20_000)
        (event,), _ = self.client.stream("QUERY {}")
        self.assertEqual((len(event["contested"]), event["standing"]), (100, 10_000))
        self.client.send("GET " + id)
        lines = 0
        while not self.client.reply().startswith("END"):
            lines += 1
        self.assertEqual(lines, 201)
        done = self.answer("resolve", id, "title=settled", "--reason", "r")
        self.assertEqual((done["settled"], len(done["lines"])), (10_000, 1))
        line = next(line for line in self.client.stream("GET " + id)[0] if line.get("up_to"))
        self.assertLess(len(json.dumps(line)), 2_000)
        self.assertEqual(len(line["up_to"]), 2)
        self.assertEqual(self.answer("conflicts")["count"], 0)
        # What this does not reach makes a conflict again.
        self.correct(id, [id], "late")
        self.assertEqual(self.answer("conflicts")["conflicts"][0]["count"], 2)

    def test_the_settling_line_may_come_first(self):
        for order in ((2, 1, 0), (0, 1, 2), (1, 2, 0)):
            logs = event, crowd, settler = [Elsewhere(number) for number in (1, 2, 3)]
            id = event.add(event.id(1), **talks())
            for number in range(2, 200):
                crowd.add(crowd.id(number), type="log.correct", corrects=id, supersedes=[id], reason="r", body=talks(f"{number}"))
            settler.add(settler.id(900), type="log.correct", corrects=id, supersedes=[crowd.id(7)], reason="r",
                        up_to={crowd.replica: 198, event.replica: 1}, body=talks("settled"))
            machine = self.another()
            for index in order:
                logs[index].send(machine)
            self.assertEqual(self.json("conflicts", daemon=machine)["count"], 0)
            self.assertEqual([e["title"] for e in self.json("log", daemon=machine)], ["settled"])

    def test_up_to_says_no_more_than_is_here(self):
        id, (one, _) = self.contested()
        replica = self.client.ok("STATUS")["replica"]
        reply = self.client.ask("APPEND " + json.dumps({
            "type": "log.correct", "corrects": id, "supersedes": [one], "up_to": {replica: 1000}, "reason": "r", "body": talks()}))
        self.assertTrue(reply.startswith("ERR bad-event"), reply)
        self.assertIn("up_to", reply)
        reply = self.client.ask("APPEND " + json.dumps({
            "type": "log.correct", "corrects": id, "supersedes": [one], "up_to": {replica: 0}, "reason": "r", "body": talks()}))
        self.assertTrue(reply.startswith("ERR bad-event"), reply)

    def test_all_that_rests_on_it_is_provisional(self):
        id, versions = self.contested()
        self.record(talks("Others", date="2018-04-01"))
        dyad = ("USA", "PRK", "--as-of", "2018-06-01")
        self.assertEqual(self.answer("state", *dyad)["provisional"], [id])
        self.assertIn("provisional", self.run_("state", *dyad))
        why = self.answer("why", "USA", "PRK", "climate", "--as-of", "2018-06-01")
        self.assertEqual(why["provisional"], [id])
        self.assertEqual([event["id"] for event in why["events"] if event.get("contested")], [id])
        text = self.run_("why", "USA", "PRK", "climate", "--as-of", "2018-06-01")
        self.assertIn("(contested)", text)
        self.assertIn("provisional: rests on 1 event", text)
        self.assertNotIn("provisional", self.answer("why", "USA", "PRK", "neglect", "--as-of", "2018-06-01"))
        series = ("USA", "PRK", "--every", "month", "--from", "2018-02-15", "--to", "2018-04-15")
        self.assertEqual([row.get("provisional") for row in self.answer("state", *series)["rows"]], [None, 1, 1])
        csv = self.run_("state", *series, "--csv").splitlines()
        self.assertEqual([row.rpartition(",")[2] for row in csv], ["provisional", "", "1", "1"])
        self.assertIn("provisional", self.run_("state", *series, "--plot"))
        group = self.run_("state", "USA", "PRK", "KOR", "--as-of", "2018-06-01")
        self.assertIn("PRK – USA *", group)
        self.assertIn("* provisional", group)
        self.assertEqual(self.answer("log", "--count"), {"count": 2, "contested": 1})
        code, out, err = self.ctl("log", "--count", daemon=self.own)
        self.assertEqual((code, out), (0, "2\n"))
        self.assertIn("1 of them is contested", err)
        self.assertEqual(self.client.stream("QUERY {}")[1]["contested"], 1)
        self.assertEqual([e.get("contested") for e in self.answer("log")], [sorted(versions), None])
        csv = self.run_("log", "--csv")
        self.assertEqual([line.split(",")[-2] for line in csv.splitlines()], ["contested", "yes", ""])
        # The table is read again as the same events.
        elsewhere = self.another()
        self.done("import", self.file("log.csv", csv), daemon=elsewhere)
        self.assertEqual(self.json("log", "--count", daemon=elsewhere), {"count": 2})
        self.run_("snapshot", "create", "then")
        self.assertEqual(self.answer("snapshot", "show", "then")["contested"], 1)
        self.assertIn("provisional", self.run_("snapshot", "show", "then"))
        self.run_("resolve", id, "--take", versions[0], "--reason", "r")
        self.assertEqual(self.answer("state", *dyad)["provisional"], [])
        self.assertEqual(self.answer("log", "--count"), {"count": 2})
        self.assertEqual(self.answer("log", "--at", "then", "--count"), {"count": 2, "contested": 1})
        self.assertEqual(self.answer("conflicts", "--at", "then")["count"], 1)


class SameTests(Ctl):
    def setUp(self):
        self.own = self.another()
        self.client = self.own.client()
        self.addCleanup(self.client.close)

    def record(self, body):
        return self.client.ok("APPEND " + json.dumps(body))["id"]

    def run_(self, *words):
        return self.done(*words, daemon=self.own)

    def answer(self, *words):
        return self.json(*words, daemon=self.own)

    def test_one_shows_and_is_counted(self):
        one = self.record(talks("Talks about fuel in Beijing"))
        two = self.record(talks("Fuel talks in Beijing"))
        link = self.record(talks("More", date="2018-05-01", links=[{"rel": "follows", "id": two}]))
        self.assertEqual(self.answer("state", "USA", "PRK", "--as-of", "2018-06-01")["events"], 3)
        (pair,) = self.answer("duplicates")["pairs"]
        self.assertEqual(sorted(pair["ids"]), sorted([one, two]))
        self.assertEqual(pair["score"], sum(part["points"] for part in pair["parts"]))
        self.assertEqual({part["part"]: part["points"] for part in pair["parts"]},
                         {"day": 25, "type": 15, "parties": 20, "title": 26, "source": 10})
        text = self.run_("duplicates")
        self.assertIn("96 of 100", text)
        self.assertIn("the same day", text)
        self.assertEqual(self.answer("duplicates", "--min", "97")["pairs"], [])
        self.assertEqual(self.answer("duplicates", "party=CHN")["pairs"], [])
        self.fails(2, "same", one, one, daemon=self.own)
        self.fails(2, "same", one, two, "--shows", link, daemon=self.own)
        self.run_("same", two, one, "--shows", one, "--reason", "two sources")
        self.assertEqual(self.answer("log", "--count"), {"count": 2})
        self.assertEqual([e["id"] for e in self.answer("log")], [one, link])
        self.assertEqual(self.answer("state", "USA", "PRK", "--as-of", "2018-06-01")["events"], 2)
        self.assertEqual(self.answer("duplicates")["pairs"], [])
        self.assertEqual(self.answer("lint")["findings"], [])
        for id in (one, two):
            self.assertEqual(self.answer("show", id)["state"]["same"]["shows"], one)
            self.assertIn("same", self.run_("show", id))
        self.assertIn(f"shown and counted as {one[:8]}", self.run_("show", two))
        # It is said of both where they are parted, and asked no more.
        self.run_("apart", one, two)
        self.assertEqual(self.answer("log", "--count"), {"count": 3})
        self.assertEqual(self.answer("state", "USA", "PRK", "--as-of", "2018-06-01")["events"], 3)
        self.assertEqual(self.answer("duplicates")["pairs"], [])
        self.assertEqual(self.answer("lint", "--kind", "duplicate")["findings"], [])
        self.assertNotIn("same", self.answer("show", two)["state"])

    def test_a_chain_is_one_and_is_parted_link_by_link(self):
        one, two, three = [self.record(talks(title)) for title in ("a", "b", "c")]
        cursor = json.dumps(self.client.ok("STATUS")["position"])
        self.run_("same", one, two)
        self.run_("same", two, three)
        self.assertEqual([e["id"] for e in self.answer("log")], [two])
        self.assertEqual([e["id"] for e in self.answer("log", "--after", cursor)], [two])
        self.assertIn("joined with others still", self.run_("apart", one, three))
        self.run_("apart", two, three)
        self.assertEqual({e["id"] for e in self.answer("log")}, {one, three})
        self.run_("retract", one, "--reason", "never was")
        self.assertEqual({e["id"] for e in self.answer("log")}, {two, three})
        self.assertEqual(self.answer("log", "--known-at", cursor, "--count"), {"count": 3})

    def test_what_is_joined_elsewhere(self):
        one, two = [self.record(talks(title)) for title in ("a", "b")]
        other = Elsewhere()
        other.add(other.id(1), type="log.same", events=[one, two], shows=two)
        other.add(other.id(2), type="log.same", events=[one, other.id(77)], shows=other.id(77))
        other.add(other.id(3), type="log.same", events=[one, one], shows=one)
        other.add(other.id(4), type="log.same", events=[one, two], shows=other.id(9))
        other.send(self.own)
        self.assertEqual([e["id"] for e in self.answer("log")], [two])
        self.assertEqual(self.client.ok("STATUS")["unreadable"], 2)
        # The event that another line names comes at last.
        other.add(other.id(77), **talks("c"))
        other.send(self.own)
        self.assertEqual([e["id"] for e in self.answer("log")], [other.id(77)])


if __name__ == "__main__":
    unittest.main()
