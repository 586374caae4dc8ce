"""`watch --state` and `watch --exec`: every turn between parties is told once, by what is recorded and by time."""

import datetime
import json
import os
import pathlib
import random
import select
import signal
import subprocess
import tempfile
import unittest

from ctl import SHIPPED, Ctl
from daemon import BINARIES

PAIR = ("USA", "PRK")
LETTER = {"type": "message", "subtype": "letter", "date": "2020-01-02", "actors": ["PRK"], "targets": ["USA"], "title": "A letter",
          "offer": {"then": ["a"], "condition": "none", "expires": "2020-03"}}


class Watching:
    """A watch, line by line. Begun with --from, it watches by the time that it has told of the past."""

    def __init__(self, test, daemon, *words, **environment):
        self.process = subprocess.Popen(
            [BINARIES / "timelinectl", "--socket", daemon.socket, "watch", *words], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
        test.addCleanup(self.end)

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def json(self):
        return json.loads(self.line())

    def wait(self):
        return self.process.wait(), self.process.stdout.read(), self.process.stderr.read()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class ReplayTests(Ctl):
    shipped = True

    def test_a_diary_of_the_dyad(self):
        told = self.done("watch", "--state", *PAIR, "--from", "2018-06-01", "--to", "2018-07-27").splitlines()
        self.assertEqual(told[0], "2018-06-01  PRK – USA  message  new, answered by 8dd301ac: "
                         "Kim Yong-chol delivers a letter from Kim Jong-un at the White House [4953af70]")
        self.assertIn("2018-07-27  PRK – USA  commitment  open → fulfilled by cc7cc49d: recover POW/MIA", told[-1])
        rows = [json.loads(line) for line in self.done(
            "watch", "--state", *PAIR, "--from", "2018-06-01", "--to", "2018-07-27", "--json").splitlines()]
        self.assertEqual(len(rows), len(told))
        self.assertEqual(list(rows[0]), ["day", "parties", "what", "id", "title", "to", "by"])

    def test_it_adds_up(self):
        """Each thing goes on from where it stood, and at the end stands where the state says."""
        rows = [json.loads(line) for line in self.done(
            "watch", "--state", *PAIR, "--from", "1900-01-01", "--to", "2026-11-25", "--json").splitlines()]
        state = self.json("state", *PAIR, "--as-of", "2026-11-25")
        self.assertEqual([row["day"] for row in rows], sorted(row["day"] for row in rows))
        stands = {}
        for row in rows:
            name = (row["what"], row.get("id"), row.get("key"))
            self.assertEqual(row.get("from"), stands.get(name, "estranged" if row["what"] == "phase" else None), row)
            stands[name] = row.get("to")
        self.assertEqual(stands["phase", None, None], state["phase"]["name"])
        self.assertEqual(stands["silence", None, None], state["contact"].get("silent_since"))
        for offer in state["offers"]:
            self.assertEqual(stands.pop(("offer", offer["id"], None)), offer["state"])
        for message in state["messages"]:
            if message["id"] not in [offer["id"] for offer in state["offers"]]:
                self.assertEqual(stands.pop(("message", message["id"], None)), message["state"])
        for promise in state["commitments"]:
            self.assertEqual(stands.pop(("commitment", promise["agreement"], promise["key"])), promise["state"])
        self.assertEqual(len(stands), 2)

    def test_a_group_day_by_day(self):
        rows = [json.loads(line) for line in self.done(
            "watch", "--state", "USA", "PRK", "KOR", "--from", "2018-01-01", "--to", "2018-12-31", "--json").splitlines()]
        self.assertEqual({tuple(row["parties"]) for row in rows}, {("KOR", "PRK"), ("KOR", "USA"), ("PRK", "USA")})
        self.assertEqual([row["day"] for row in rows], sorted(row["day"] for row in rows))
        alone = self.done("watch", "--state", *PAIR, "--from", "2018-01-01", "--to", "2018-12-31", "--json").splitlines()
        self.assertEqual([row for row in rows if row["parties"] == ["PRK", "USA"]], [json.loads(line) for line in alone])

    def test_until_and_what_is_wrong(self):
        self.assertEqual(self.done("watch", "--state", *PAIR, "--from", "2018-01-01", "--until", "3").count("\n"), 3)
        self.assertIn("0 of 1 change came\n", self.fails(
            8, "watch", "--state", *PAIR, "--from", "1950-01-01", "--to", "1950-02-01", "--until", "1", "--json"))
        self.assertEqual(self.ctl("watch", "--state", *PAIR, "--timeout", "0")[:2], (0, ""))
        for words, said in (
                (("USA",), "takes two parties"), (("USA", "PKR"), "did you mean PRK"), ((*PAIR, "--to", "2018-01-01"), "--to goes with --from"),
                ((*PAIR, "--from", "2018~"), "--from takes a day"), ((*PAIR, "--exec", " "), "--exec takes a command"), ((*PAIR, "--type", "test"), "--type chooses events"),
                ((*PAIR, "--from", "2018-01-02", "--to", "2018-01-01"), "is after"), ((*PAIR, "--until", "0"), "--until takes"),
                (("USA", "USA"), "one and the same")):
            with self.subTest(words):
                self.assertIn(said, self.fails(2, "watch", "--state", *words))


class LiveTests(Ctl):
    """Each on a daemon of its own."""

    def setUp(self):
        self.own = self.another()
        self.client = self.own.client()
        self.addCleanup(self.client.close)

    def record(self, **fields):
        return self.client.ok("APPEND " + json.dumps({"unsourced": True, **fields}))["id"]

    def watch(self, *words, **environment):
        """The past is told by the time that this returns: what comes after it is seen."""
        self.letter = self.record(**LETTER)
        watching = Watching(self, self.own, "--state", *PAIR, "--from", "2020-01-01", *words, **environment)
        self.past = [watching.line() for _ in range(5)]
        return watching

    def test_time_alone(self):
        watching = self.watch("--json")
        past = [json.loads(line) for line in self.past]
        self.assertEqual([(row["day"], row["what"], row.get("from"), row.get("to"), len(row["by"])) for row in past], [
            ("2020-01-02", "phase", "estranged", "probing", 1), ("2020-01-02", "offer", None, "open", 1),
            ("2020-04-01", "silence", None, "2020-01-02", 0), ("2020-04-01", "offer", "open", "expired", 0),
            ("2020-07-01", "phase", "probing", "estranged", 0)])
        watching.end()
        # Days to come, too: what falls due is known.
        self.record(type="agreement", date="2020-02-01", actors=[*PAIR], title="Deal",
                    commitments=[{"key": "k", "by": ["USA"], "what": "w", "due": "2090-05-01"}])
        later = self.done("watch", "--state", *PAIR, "--from", "2090-01-01", "--to", "2090-12-31", daemon=self.own).splitlines()
        self.assertEqual([line.split("  ")[0] for line in later], ["2090-05-01", "2090-05-02"])
        self.assertIn("commitment  due → overdue: w [", later[1])

    def test_what_is_recorded(self):
        watching = self.watch("--json")
        self.record(type="test", date="2020-01-03", actors=["CHN"], title="nothing between the two")
        answer = self.record(type="statement", date="2020-01-05", actors=["USA"], targets=["PRK"], title="No",
                             links=[{"rel": "declines", "id": self.letter}])
        row = watching.json()
        self.assertEqual((row["what"], row["id"], row["from"], row["to"], row["by"]),
                         ("offer", self.letter, "expired", "declined", [answer]))
        # Its retraction turns it back, a correction that ends the offer's link to the two takes it away.
        self.done("retract", answer, "--reason", "never said", daemon=self.own)
        row = watching.json()
        self.assertEqual((row["from"], row["to"], row["by"]), ("declined", "expired", []))
        self.done("correct", self.letter, "--targets", "KOR", "--reason", "to Seoul", daemon=self.own)
        rows = [watching.json() for _ in range(2)]
        self.assertEqual([row["what"] for row in rows], ["silence", "offer"])
        self.assertNotIn("to", rows[1])
        # Erased words are gone from the figures.
        self.done("correct", self.letter, "--targets", "USA", "--reason", "no, to Washington", daemon=self.own)
        self.assertEqual([watching.json()["what"] for _ in range(2)], ["silence", "offer"])
        self.done("erase", self.letter, "--reason", "a source", "--yes", daemon=self.own)
        self.assertEqual([watching.json()["what"] for _ in range(2)], ["silence", "offer"])
        self.own.stop()
        self.assertEqual((watching.process.wait(), watching.json()["error"]["code"], watching.line()), (5, "no-daemon", ""))

    def test_rules_of_a_team(self):
        """Another table makes another state, whatever happened."""
        watching = self.watch("--json")
        date = (datetime.date.today() - datetime.timedelta(200)).isoformat()
        self.record(type="message", date=date, actors=["USA"], targets=["PRK"], title="too long ago")
        self.assertEqual([watching.json()["what"] for _ in range(2)], ["silence", "message"])
        rows = self.client.ok('RULES {"table":"windows","shipped":true}')["rows"]
        for row in rows:
            row["value"] = 400 if row["name"] in ("contact_days", "answer_days") else row["value"]
        self.client.ok("APPEND " + json.dumps({"type": "log.rules", "table": "windows", "name": "patient", "rows": rows, "reason": "r"}))
        changes = [watching.json() for _ in range(2)]
        self.assertEqual([(row["what"], row.get("from"), row.get("to")) for row in changes], [
            ("phase", "estranged", "probing"), ("silence", changes[1]["from"], None)])

    def test_the_day_is_the_client_s(self):
        days = []
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            watching = self.watch("--json", TZ=zone)
            id = self.record(type="message", date="2020-01-02", actors=["USA"], targets=["PRK"], title="m " + zone)
            row = next(row for row in iter(watching.json, None) if row.get("id") == id)
            days.append(row["day"])
            watching.end()
            self.done("retract", self.letter, "--reason", "once more", daemon=self.own)
            self.done("retract", id, "--reason", "once more", daemon=self.own)
        self.assertGreater(*days)

    def test_nothing_is_lost_or_told_twice(self):
        """Events come one by one and in bunches, are corrected and retracted; at the end what was told adds up."""
        seed = int(os.environ.get("WATCH_SEED", random.randrange(1 << 30)))
        print("watch test: WATCH_SEED=%d" % seed)
        chance = random.Random(seed)
        watching = self.watch("--json")
        told = [json.loads(line) for line in self.past]
        messages, writers = [self.letter], {self.letter: LETTER["actors"][0]}
        for number in range(40):
            kind = chance.randrange(5)
            if kind == 0:
                bunch = [dict(type="message", date="2020-01-%02d" % chance.randrange(1, 29), actors=["USA"], targets=["PRK"],
                              title="bunch %d.%d" % (number, index), unsourced=True) for index in range(chance.randrange(1, 60))]
                self.client.ok("\n".join(["APPENDMANY %d" % len(bunch)] + [json.dumps(event) for event in bunch]))
            elif kind == 1:
                id = chance.choice(messages)
                versions = self.client.stream("GET " + id)[1]["versions"]
                self.client.ok("APPEND " + json.dumps({"type": "log.retract", "retracts": id, "supersedes": versions, "reason": "r"}))
            else:
                other = chance.choice(messages)
                link = {"links": [{"rel": chance.choice(["answers", "declines", "accepts"]), "id": other}]}
                # Whom it was written to answers.
                actors = sorted(PAIR, key=lambda party: party == writers[other]) if kind < 4 else chance.sample(PAIR, 2)
                messages.append(self.record(
                    type="message", date=(datetime.date(2020, 2, 1) + datetime.timedelta(number)).isoformat(), actors=actors[:1], targets=actors[1:],
                    title="m %d" % number, **(link if kind < 4 else {})))
                writers[messages[-1]] = actors[0]
        # Twice: messages that are gone are told behind those that are there, so behind the first of these.
        for title in ("the last but one", "the last"):
            last = self.record(type="message", date="2020-06-01", actors=["USA"], targets=["PRK"], title=title)
            while told[-1].get("id") != last:
                told.append(watching.json())
        # What is told of one state comes in one order: messages behind phase, silence and offers, by day.
        state = self.client.ok("STATE " + json.dumps({"parties": PAIR}))
        stands = {}
        for row in told:
            name = (row["what"], row.get("id"), row.get("key"))
            if row["what"] != "phase":
                self.assertEqual(row.get("from"), stands.get(name), row)
            stands[name] = row.get("to")
        here = {message["id"]: message["state"] for message in state["messages"]}
        known = {id: state for (what, id, _), state in stands.items() if what in ("message", "offer") and state is not None}
        self.assertEqual(known, here)


class ExecTests(Ctl):
    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def test_a_command_for_each_change(self):
        own = self.another()
        self.done("import", SHIPPED, daemon=own)
        path = self.folder() / "told"
        command = 'printf "%%s|%%s|%%s|%%s|%%s|%%s\\n" "$TIMELINE_CHANGE_DAY" "$TIMELINE_CHANGE_PARTIES" "$TIMELINE_CHANGE_WHAT" ' \
            '"$TIMELINE_CHANGE_FROM" "$TIMELINE_CHANGE_TO" "$TIMELINE_CHANGE_BY" >> %s; cat >> %s.json' % (path, path)
        asked = ("watch", "--state", *PAIR, "--from", "2018-06-01", "--to", "2018-10-31", "--json")
        out = self.done(*asked, "--exec", command, daemon=own)
        self.assertEqual(out, self.done(*asked, daemon=own))
        self.assertEqual(pathlib.Path(str(path) + ".json").read_text(), out)
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(path.read_text().splitlines(), ["|".join(
            [row["day"], "PRK USA", row["what"], row.get("from", ""), row.get("to", ""), " ".join(row["by"])]) for row in rows])

    def test_a_command_that_fails(self):
        own = self.another()
        self.done("import", SHIPPED, daemon=own)
        asked = ("watch", "--state", *PAIR, "--from", "2018-06-01", "--to", "2018-10-31")
        code, out, err = self.ctl(*asked, "--exec", 'test "$TIMELINE_CHANGE_WHAT" != phase', daemon=own)
        self.assertEqual((code, out), (6, self.done(*asked, daemon=own)))
        self.assertEqual(err.count("ended with exit code 1"), out.count("  phase  "))
        self.assertIn("ended with exit code 127", self.ctl(*asked, "--exec", "no-such-program", daemon=own)[2])

    def test_what_the_shell_does_itself(self):
        """Words that are no programs, and empty ones, which are no command."""
        asked = ("watch", "--state", *PAIR, "--from", "2018-06-01", "--to", "2018-06-11")
        own = self.another()
        self.done("import", SHIPPED, daemon=own)
        for command, code in (("exit 3", 3), ("  exit\t3", 3), ("return 4", 4), (". /nowhere-at-all", 2), ("exitus 3", 127)):
            exit, _, err = self.ctl(*asked, "--exec", command, daemon=own)
            self.assertEqual(exit, 6)
            self.assertIn("--exec %s: ended with exit code %d\n" % (command.replace("\t", " "), code), err)
        self.assertEqual(self.ctl(*asked, "--exec", ":", daemon=own)[::2], (0, ""))
        for words in (asked, ("watch",)):
            self.assertIn("--exec takes a command", self.fails(2, *words, "--exec", "", daemon=own))

    def test_events_too(self):
        own = self.another()
        client = own.client()
        self.addCleanup(client.close)
        path = self.folder() / "seen"
        watching = Watching(
            self, own, "--until", "40", "--json", "--exec",
            'cat >> %s; echo "$TIMELINE_EVENT_ID $TIMELINE_EVENT_TYPE $TIMELINE_EVENT_DATE $TIMELINE_EVENT_TITLE"' % path)
        # It may begin late: an event that it has told of is the first of all.
        seen = append_until_told(client, watching)
        count = 1
        while watching.process.poll() is None and count < 40:
            client.append(title="event %d" % count)
            count += 1
        code, out, _ = watching.wait()
        self.assertEqual(code, 0)
        lines = (seen + out).splitlines()
        events = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual(len(events), 40)
        self.assertEqual([json.loads(line) for line in lines[0::2]], events)
        self.assertEqual(lines[1::2], ["%(id)s %(type)s %(date)s %(title)s" % event for event in events])
        seqs = [event["seq"] for event in events]
        self.assertEqual(seqs, list(range(seqs[0], seqs[0] + 40)))

    def test_ctrl_c_in_the_command_ends_the_watch(self):
        own = self.another()
        self.done("import", SHIPPED, daemon=own)
        code, out, _ = self.ctl("watch", "--state", *PAIR, "--from", "2018-06-01", "--to", "2018-10-31", "--exec",
                                "kill -%d $$" % signal.SIGINT, daemon=own)
        self.assertEqual((code, out.count("\n")), (130, 1))


def append_until_told(client, watching):
    """Records until the watch has told of something; gives what it said."""
    number = 0
    while not select.select([watching.process.stdout], [], [], 0.02)[0]:
        client.append(title="early %d" % number)
        number += 1
    return watching.process.stdout.readline()


if __name__ == "__main__":
    unittest.main()
