"""What the daemon keeps of a dyad between questions, brought up to date line by line, is what it is made anew; and
what a state is hangs on the events alone: not on the order of arrival, on the machine, on what was retracted, or on
what came after the day. KEPT_SEED=N repeats a run."""

import json
import os
import random
import unittest
import uuid
from datetime import date, timedelta

from daemon import event
from elsewhere import Elsewhere
from machines import Machines

CODES = ("USA", "PRK", "KOR", "IAE")
PAIRS = (["USA", "PRK"], ["KOR", "PRK"], ["IAE", "PRK"])
KINDS = [("message", "letter"), ("statement", "threat"), ("statement", "assurance"), ("talks", "official"), ("talks", "breakdown"),
         ("agreement", "accord"), ("step", "fulfilment"), ("step", "suspension"), ("step", "verification"), ("exercise", "field"),
         ("exercise", "cancelled"), ("test", "srbm"), ("test", "nuclear"), ("test", None), ("deployment", None), ("sanction", "impose"),
         ("sanction", "lift"), ("aid", "food"), ("exchange", "ngo"), ("incident", "attack"), ("incident", "own-kind"), ("release", "detainee")]
RELATIONS = ("answers", "declines", "counters", "fulfils", "verifies", "suspends", "violates", "withdraws", "follows")


class Story:
    """Random lines for a log, the same ones for the same seed."""

    def __init__(self, chance):
        self.chance, self.ids, self.actors = chance, [], list(CODES)
        self.names = 0

    def day(self):
        return str(date(2000, 1, 1) + timedelta(self.chance.randrange(1500)))

    def event(self):
        chance = self.chance
        type, subtype = chance.choice(KINDS)
        first = self.day()
        last = str(date.fromisoformat(first) + timedelta(chance.randrange(200)))
        actors = chance.sample(self.actors, 1 + (chance.random() < 0.3))
        body = {"type": type, "date": first if chance.random() < 0.8 else first + "/" + last, "actors": actors,
                "targets": [code for code in CODES if code not in actors and chance.random() < 0.5],
                "title": "event %d" % self.names, "unsourced": True}
        self.names += 1
        if subtype:
            body["subtype"] = subtype
        if chance.random() < 0.1:
            body.update(weight=chance.randrange(-10000, 10001) / 1000, weight_reason="because")
        if type in ("message", "statement") and chance.random() < 0.6:
            body["offer"] = {"if": ["a"], "then": ["b"], "condition": chance.choice(["prior", "simultaneous", "none"]),
                             "interests": chance.sample(["assurance", "verification", "ours"], 1)}
            if chance.random() < 0.4:
                body["offer"]["expires"] = self.day()
        if type == "agreement":
            body["commitments"] = [{"key": "k%d" % key, "by": [chance.choice(CODES)], "what": "w", "due": self.day()} for key in range(2)]
        if self.ids and chance.random() < 0.6:
            body["links"] = [{"rel": chance.choice(RELATIONS), "id": chance.choice(self.ids), **({"key": "k0"} if chance.random() < 0.5 else {})}]
        return body

    def table(self, shipped):
        name = self.chance.choice(["weights", "windows", "interests"])
        rows = [dict(row) for row in shipped[name]]
        row = self.chance.choice(rows)
        if name == "weights":
            row["weight"] = self.chance.randrange(-10000, 10001) / 1000
        elif name == "windows":
            row["value"] = 1 + self.chance.randrange(500)
        else:
            row["key"] = "ours"
        self.names += 1
        return {"type": "log.rules", "table": name, "name": "OUR-%d" % self.names, "reason": "r", "rows": rows}

    def actor(self):
        self.names += 1
        self.actors.append("X-%d" % self.names)
        return {"type": "log.actor", "code": self.actors[-1], "name": "Number %d" % self.names, "kind": "group"}


class KeptTests(Machines):
    def setUp(self):
        seed = int(os.environ.get("KEPT_SEED", random.randrange(1 << 30)))
        print("kept test: KEPT_SEED=%d" % seed)
        self.chance = random.Random(seed)
        self.said = "KEPT_SEED=%d" % seed
        self.others = 0

    def states(self, client, pairs, days, position=None):
        """Of some dyads on some days, and a series of each; as now, from what is kept, or made anew."""
        more = {} if position is None else {"known_at": position}
        return [client.ok("STATE " + json.dumps({"parties": pair, **asked, **more})) for pair in pairs for asked in [
            *({"as_of": day} for day in days), {"every": "quarter", "from": "1999-06-01", "to": "2005-01-01"}]]

    def other(self):
        """One more machine, whose lines need not hold to what is refused here."""
        self.others += 1
        return Elsewhere(self.others)

    def line(self, daemon, client, story, shipped):
        """One more line, of whatever kind; what is refused, for its links or dates, comes from another machine."""
        chance = self.chance
        kind = chance.random()

        def ok(body):
            reply = client.ask("APPEND " + json.dumps(body))
            if not reply.startswith("ERR bad-event "):
                return json.loads(reply[3:])["id"]
            other = self.other()
            id = other.add(str(uuid.UUID(int=chance.getrandbits(128))), **body)
            other.send(daemon)
            return id

        def versions(id):
            return client.stream("GET " + id)[1]["versions"]
        if kind < 0.55 or len(story.ids) < 5:
            story.ids.append(ok(story.event()))
        elif kind < 0.7:
            id = chance.choice(story.ids)
            before = versions(id)
            # Now and then two say different things.
            for _ in range(1 + (chance.random() < 0.3)):
                ok({"type": "log.correct", "corrects": id, "supersedes": before, "reason": "r", "body": story.event()})
        elif kind < 0.8:
            id = chance.choice(story.ids)
            ok({"type": "log.retract", "retracts": id, "supersedes": versions(id), "reason": "r"})
        elif kind < 0.84:
            client.ok("ERASE " + json.dumps({"id": story.ids.pop(chance.randrange(len(story.ids))), "reason": "r"}))
        elif kind < 0.92:
            ok(story.table(shipped))
        else:
            ok(story.actor())

    def test_brought_up_to_date_is_made_anew(self):
        a = self.machine()
        client = a.client()
        self.addCleanup(client.close)
        # For the subtype that a table may weigh.
        shipped = {name: client.ok('RULES {"table":"%s","shipped":true}' % name)["rows"] for name in ("weights", "windows", "interests")}
        story = Story(self.chance)
        for count in range(150):
            for _ in range(self.chance.choice([1, 1, 1, 4])):
                self.line(a, client, story, shipped)
            days, pairs = [story.day() for _ in range(2)], self.chance.sample(PAIRS, 2)
            position = client.ok("STATUS")["position"]
            kept, anew = self.states(client, pairs, days), self.states(client, pairs, days, position)
            self.assertEqual(kept, anew, self.said)
        # The same where all lines came at once, and after a start.
        days = [story.day() for _ in range(6)]
        kept = self.states(client, PAIRS, days)
        b = self.machine(a)
        self.done("peer", "add", a.listen[0], daemon=b)
        self.done("sync", daemon=b)
        a.stop()
        a.start()
        for daemon in (a, b):
            other = daemon.client()
            self.assertEqual(self.states(other, PAIRS, days), kept, self.said)
            other.close()
        self.check_events_alone(a, kept, days)

    def check_events_alone(self, a, kept, days):
        """What shows, from another machine in another order, is the same; so is each day without what came later."""
        preface = [json.loads(line) for line in self.done("export", "--with-actors", "--with-rules", daemon=a).splitlines()]
        shown = [line for line in preface if not line["type"].startswith("log.")]
        preface = [line for line in preface if line["type"].startswith("log.")]

        envelope = ("v", "replica", "seq", "recorded", "id", "author", "salt", "crc32c", "version", "contested", "standing")

        def elsewhere(events):
            daemon, other = self.machine(), self.other()
            for line in preface + self.chance.sample(events, len(events)):
                body = {key: value for key, value in line.items() if key not in envelope}
                other.add(line.get("id") or str(uuid.uuid4()), **body)
            other.send(daemon)
            return daemon.client()

        def plain(states):
            # That something is contested is said by its versions, not by what shows.
            def without(value):
                if isinstance(value, list):
                    return [without(item) for item in value]
                return {key: without(item) for key, item in value.items() if key != "provisional"} if isinstance(value, dict) else value
            return without(states)
        other = elsewhere(shown)
        self.assertEqual(plain(self.states(other, PAIRS, days)), plain(kept), self.said)
        for index, day in enumerate(days[:2]):
            cut = elsewhere([line for line in shown if line["date"][:10] <= day])
            for number, pair in enumerate(PAIRS):
                state = cut.ok("STATE " + json.dumps({"parties": pair, "as_of": day}))
                self.assertEqual(plain([state]), plain([kept[number * (len(days) + 1) + index]]), self.said)
            cut.close()
        other.close()

    def test_an_actor_of_another_machine_in_the_place_of_one_that_ships(self):
        """The exercises that he is known for go with it: what is kept has to know."""
        daemon = self.machine()
        client = daemon.client()
        self.addCleanup(client.close)
        client.ok("APPEND " + json.dumps(event("an exercise", type="exercise", subtype="field", actors=["PRK"])))
        before = self.states(client, [["USA", "PRK"]], ["2018-01-01"])
        self.assertEqual(before[0]["events"], 1)
        lines = self.foreign([("2026-01-01T00:00:00.000000Z", '"type":"log.actor","code":"PRK","name":"Some others","kind":"group"')])
        self.assertTrue(self.feed(daemon, "00000000-0000-4000-8000-00000000beef", lines).startswith("TOOK"))
        kept = self.states(client, [["USA", "PRK"]], ["2018-01-01"])
        self.assertEqual(kept[0]["events"], 0)
        self.assertEqual(kept, self.states(client, [["USA", "PRK"]], ["2018-01-01"], client.ok("STATUS")["position"]))


if __name__ == "__main__":
    unittest.main()
