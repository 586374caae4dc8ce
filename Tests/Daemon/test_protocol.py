"""Every verb, by a raw client, and what hostile or careless input gets for an answer."""

import json
import os
import random
import signal
import subprocess
import unittest

from daemon import BINARIES, Daemon, event, heed_hangup, ignore_hangup


class Protocol(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon().start()
        self.addCleanup(self.daemon.remove)
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def refuses(self, request, code, *words):
        reply = self.client.ask(request)
        self.assertTrue(reply.startswith("ERR " + code + " "), reply)
        for word in words:
            self.assertIn(word, reply)
        self.assertEqual(self.client.ask("PING"), "OK", "the connection goes on")

    def test_greeting_and_small_verbs(self):
        self.client.ok("HELLO timeline 1")
        self.assertIn("replica", self.client.ok("OPEN main"))
        self.refuses("HELLO timeline 9", "unsupported")
        self.refuses("OPEN other", "not-found", "main")
        self.assertEqual(self.client.ask("PING\r"), "OK")
        self.assertIn("APPEND", json.dumps(self.client.stream("HELP")[0]))
        self.client.ok("QUIT")
        self.assertEqual(self.client.reply(), "")

    def test_append_then_read(self):
        first = self.client.append(title="first", date="2006-10-09")
        # The first line of a log names the key of its heads, the founder's second what the id is made from.
        self.assertEqual(first["seq"], 3)
        self.client.append(title="second", tags=["icbm"])
        self.assertEqual(self.client.ok("COUNT {}"), {"count": 2})
        self.assertEqual(self.client.ok('COUNT {"tag":"icbm"}'), {"count": 1})
        events, end = self.client.stream('QUERY {"actor":"PRK"}')
        self.assertEqual([e["title"] for e in events], ["first", "second"])
        self.assertEqual(end["count"], 2)
        events, _ = self.client.stream('QUERY {"order":"desc","limit":1}')
        self.assertEqual(events[0]["title"], "second")
        events, _ = self.client.stream("QUERY " + json.dumps({"where": 'date<2010 text~FIRST'}))
        self.assertEqual(len(events), 1)
        events, end = self.client.stream("GET " + first["id"][:8])
        self.assertEqual(events[0]["id"], first["id"])
        self.assertEqual(end["versions"], [first["id"]])
        self.assertEqual(self.client.ok("STATUS")["events"], 2)

    def test_words_are_found_in_many_events(self):
        many = [event("Plain words, number %d" % n, date="%d-05-01" % (1990 + n % 30)) for n in range(5000)]
        many[17]["title"] = "Talks at Ch\u014fngjin"
        many[99]["summary"] = "A line\nwith \"CHONGJIN\" in it"
        many[101]["summary"] = "chong jin is something else"
        lines = [json.dumps(e, ensure_ascii=n % 2 == 0) for n, e in enumerate(many)]
        self.client.send(("APPENDMANY 5000\n" + "\n".join(lines) + "\n").encode())
        self.assertTrue(self.client.reply().startswith("OK"))
        self.assertEqual(self.client.ok('COUNT {"text":"chongjin"}'), {"count": 2})
        self.assertEqual(self.client.ok('COUNT {"text":"NUMBER 49"}'), {"count": 111})
        self.assertEqual(self.client.ok('COUNT {"text":"plain"}'), {"count": 4999})
        # A key and the envelope are no words of an event.
        self.assertEqual(self.client.ok('COUNT {"text":"replica"}'), {"count": 0})
        self.assertEqual(self.client.ok('COUNT {"text":"unsourced"}'), {"count": 0})
        events, _ = self.client.stream('QUERY {"text":"number 499","order":"desc","limit":3}')
        dates = [e["date"] for e in events]
        self.assertEqual(dates, sorted(dates, reverse=True))
        # What a correction says is found, what it replaced is not.
        one, _ = self.client.stream('QUERY {"text":"chongjin","limit":1}')
        self.client.append(**{
            "type": "log.correct", "corrects": one[0]["id"], "supersedes": [one[0]["id"]],
            "body": event("Somewhere else, at Wonsan")})
        self.assertEqual(self.client.ok('COUNT {"text":"chongjin"}'), {"count": 1})
        self.assertEqual(self.client.ok('COUNT {"text":"wonsan"}'), {"count": 1})

    def test_a_kept_history_answers_like_a_new_one(self):
        """What is asked as known at this moment is found afresh, from the log alone."""
        chance = random.Random(seed := random.randrange(1 << 32))
        kinds = [("message", "letter"), ("talks", "official"), ("test", "nuclear"), ("step", "fulfilment")]
        ids, dates = [], {}
        for turn in range(60):
            kind, subtype = chance.choice(kinds)
            body = event(
                "turn %d" % turn, type=kind, subtype=subtype, targets=["USA"],
                date="%d-%02d-11" % (chance.randrange(1990, 2024), chance.randrange(1, 13)))
            act = chance.random()
            if ids and act < 0.15:
                gone = ids.pop(chance.randrange(len(ids)))
                body = {"type": "log.retract", "retracts": gone, "supersedes": [gone]}
            elif ids and act < 0.3:
                old = ids.pop(chance.randrange(len(ids)))
                body = {"type": "log.correct", "corrects": old, "supersedes": [old], "body": body}
            elif ids and act < 0.6:
                # What began later cannot be followed.
                earlier = [id for id in ids if dates[id] <= body["date"]]
                body["links"] = [{"rel": chance.choice(["part-of", "follows"]), "id": id} for id in earlier[-1:]]
            staged = self.client.ok("APPEND " + json.dumps(body))
            if body["type"] in dict(kinds):
                ids.append(staged["id"])
                dates[staged["id"]] = body["date"]
            day = "%d-07-%02d" % (chance.randrange(1989, 2027), chance.randrange(1, 29))
            request = {"parties": ["USA", "PRK"], "as_of": day}
            afresh = {**request, "known_at": self.client.ok("OPEN main")["position"]}
            self.assertEqual(
                self.client.ok("STATE " + json.dumps(request)), self.client.ok("STATE " + json.dumps(afresh)),
                "seed %d, turn %d" % (seed, turn))

    def test_pipelined_replies_keep_their_order(self):
        requests = ["APPEND " + json.dumps(event("e%d" % n)) for n in range(50)]
        requests[10] = "APPEND {"
        requests.insert(20, "COUNT {}")
        self.client.send(("\n".join(requests) + "\n").encode())
        replies = [self.client.reply() for _ in requests]
        self.assertTrue(replies[10].startswith("ERR bad-event"))
        self.assertEqual(replies[20], 'OK {"count":19}')
        self.assertEqual([json.loads(r[3:])["seq"] for r in replies if '"seq"' in r], list(range(3, 52)))

    def test_append_many_is_all_or_none(self):
        lines = [json.dumps(event("m%d" % n)) for n in range(3)]
        self.client.send("APPENDMANY 3\n".encode() + "\n".join(lines).encode() + b"\n")
        self.assertIn('"count":3', self.client.reply())
        lines[1] = json.dumps(event("bad", date="2017-02-30"))
        self.client.send("APPENDMANY 3\n".encode() + "\n".join(lines).encode() + b"\n")
        reply = self.client.reply()
        self.assertTrue(reply.startswith("ERR bad-event line 2: date:"), reply)
        self.assertEqual(json.loads(reply.partition("\t")[2]), {"line": 2, "field": "date", "value": "2017-02-30"})
        self.assertEqual(self.client.ok("COUNT {}"), {"count": 3})

    def test_an_error_says_what_it_speaks_of_beside_the_sentence(self):
        wrong = event("bad", actors=["QQQQQQ"])
        for request, text, structure in (
            ("APPEND " + json.dumps(wrong), 'bad-event actors: unknown actor "QQQQQQ"', {"field": "actors", "value": "QQQQQQ", "hint": "unknown-actor"}),
            ("WHATIF 1 {\"parties\":[\"USA\",\"PRK\"]}\n" + json.dumps(wrong), 'bad-event line 1: actors: unknown actor "QQQQQQ"',
             {"line": 1, "field": "actors", "value": "QQQQQQ", "hint": "unknown-actor"}),
            ("SNAPSHOTS none", 'not-found no snapshot "none" is recorded here', {"hint": "unknown-snapshot"}),
            ("GET abc", "bad-request GET takes an id, or at least its first 4 characters", {"hint": "event-id"}),
            ("FROB\u001b[31m", None, None),
        ):
            reply = self.client.ask(request)
            sentence, tab, behind = reply.partition("\t")
            self.assertFalse(any(ord(c) < 32 for c in sentence + behind), reply)
            if text is not None:
                self.assertEqual((sentence, json.loads(behind)), ("ERR " + text, structure))
        rows, _ = self.client.stream("CHECKMANY 1\n" + json.dumps(wrong))
        self.assertEqual(rows, [{
            "line": 1, "error": "bad-event", "text": 'actors: unknown actor "QQQQQQ"', "field": "actors", "value": "QQQQQQ", "hint": "unknown-actor"}])

    def test_position_and_known_at(self):
        self.client.append(title="one")
        position = self.client.ok("STATUS")["position"]
        self.client.append(title="two")
        self.refuses(f"APPEND {json.dumps(position)} {json.dumps(event('x'))}", "wrong-position")
        here = self.client.ok("STATUS")["position"]
        self.client.ok(f"APPEND {json.dumps(here)} {json.dumps(event('three'))}")
        events, _ = self.client.stream("QUERY " + json.dumps({"known_at": position}))
        self.assertEqual([e["title"] for e in events], ["one"])

    def test_correct_and_retract(self):
        id = self.client.append(title="wrong")["id"]
        body = event("right")
        correction = {"type": "log.correct", "corrects": id, "supersedes": [id], "reason": "typo", "body": body}
        version = self.client.ok("APPEND " + json.dumps(correction))["id"]
        events, end = self.client.stream("GET " + id)
        self.assertEqual((events[0]["title"], events[0]["id"], events[0]["version"]), ("right", id, version))
        self.assertEqual(end["versions"], [version])
        retraction = {"type": "log.retract", "retracts": id, "supersedes": [version], "reason": "no"}
        self.client.ok("APPEND " + json.dumps(retraction))
        self.assertEqual(self.client.ok("COUNT {}"), {"count": 0})
        retraction["retracts"] = "01234567-89ab-4cde-8f01-23456789abcd"
        self.refuses("APPEND " + json.dumps(retraction), "not-found")

    def test_watch_catches_up_and_goes_on(self):
        self.client.append(title="before")
        watcher = self.daemon.client()
        self.addCleanup(watcher.close)
        watcher.ok('WATCH {"after":{}}')
        self.client.append(title="after")
        titles = [json.loads(watcher.reply().partition(" ")[2])["title"] for _ in range(2)]
        self.assertEqual(titles, ["before", "after"])
        self.assertTrue(watcher.ask("PING").startswith("END "))
        self.assertEqual(watcher.reply(), "OK")
        ahead = {"01234567-89ab-4cde-8f01-23456789abcd": 7}
        self.refuses("WATCH " + json.dumps({"after": ahead}), "wrong-position")

    def test_bad_input(self):
        self.refuses("FROB", "bad-request", "unknown verb")
        self.refuses("APEND {}", "bad-request", "APPEND")
        self.refuses("APPEND", "bad-request")
        self.refuses(b'APPEND {"title":"\xff"}\n', "bad-event", "UTF-8")
        self.refuses('APPEND {"type":"test","type":"aid"}', "bad-event", "twice")
        self.refuses("APPEND " + json.dumps(event(date="2017-02-30")), "bad-event", "February 2017 has 28 days")
        self.refuses("APPEND " + json.dumps(event(actors=["PKR"])), "bad-event", "PRK")
        self.refuses("APPEND " + json.dumps(event(summary="x" * 70000)), "too-large")
        self.refuses('QUERY {"actor":"PKR"}', "bad-request", "PRK")
        self.refuses('QUERY {"colour":"red"}', "bad-request", "colour")
        self.refuses("GET 01234567-89ab-4cde-8f01-23456789abcd", "not-found")
        self.refuses("APPENDMANY x", "bad-request")
        self.refuses(b"x" * (10 << 20) + b"\n", "too-large")
        self.assertEqual(self.client.ok("COUNT {}"), {"count": 0})

    def test_half_a_line_is_no_request(self):
        other = self.daemon.client()
        other.send(b"APPEND " + json.dumps(event()).encode())
        other.close()
        self.assertEqual(self.client.ok("COUNT {}"), {"count": 0})

    def test_second_daemon_and_other_version(self):
        def start(data):
            return subprocess.run(
                [BINARIES / "timelined", "--data", data, "--socket", self.daemon.path + "/other"],
                capture_output=True, text=True)

        second = start(self.daemon.data)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"in use by another timelined (process {self.daemon.process.pid})", second.stderr)
        os.mkdir(self.daemon.path + "/newer")
        with open(self.daemon.path + "/newer/data.json", "w") as file:
            file.write('{"format":"timeline-data","version":4}')
        newer = start(self.daemon.path + "/newer")
        self.assertEqual(newer.returncode, 1)
        self.assertIn("format version 4", newer.stderr)
        self.assertEqual(os.listdir(self.daemon.path + "/newer"), ["data.json"])
        self.client.append(title="the first goes on")

    def test_usage(self):
        def run(*words):
            return subprocess.run([BINARIES / "timelined", *words], capture_output=True, text=True)

        self.assertIn("--data DIR", run("--help").stdout)
        self.assertIn("timelined", run("--version").stdout)
        self.assertEqual(run("--frob").returncode, 2)
        self.assertIn("loopback", run("--listen", "tcp://0.0.0.0:7411").stderr)

    def test_graceful_stop(self):
        for with_signal in (signal.SIGTERM, signal.SIGINT):
            self.client.append()
            self.assertEqual(self.daemon.stop(with_signal), 0)
            self.daemon.start()
            self.client.close()
            self.client = self.daemon.client()
        self.assertEqual(self.client.ok("COUNT {}"), {"count": 2})

    def test_a_terminal_that_is_closed(self):
        """SIGHUP stops as SIGTERM does, unless whoever started the daemon had it ignored, as nohup does."""
        for before, sent in ((heed_hangup, [signal.SIGHUP]), (ignore_hangup, [signal.SIGHUP, signal.SIGTERM])):
            self.daemon.stop()
            self.daemon.start(before)
            client = self.daemon.client()
            client.append()
            for number in sent:
                self.daemon.process.send_signal(number)
            said = self.daemon.process.stderr.read()
            self.assertEqual(self.daemon.process.wait(), 0)
            self.assertIn(f"stopped by {sent[-1].name}", said)
            self.assertFalse(os.path.exists(self.daemon.socket))
            client.close()
            self.daemon.process.stderr.close()
            self.daemon.start()
        client = self.daemon.client()
        self.assertEqual(client.ok("COUNT {}"), {"count": 2})
        client.close()


if __name__ == "__main__":
    unittest.main()
