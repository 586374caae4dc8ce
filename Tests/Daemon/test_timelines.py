"""Several timelines on a machine, and those that machines have from each other: nothing of one shows in another."""

import contextlib
import json
import os
import unittest

from daemon import event, greeted
from machines import Machines

APPEND = "APPEND " + json.dumps(event("not to be recorded"))


class Timelines(Machines):
    def setUp(self):
        self.here = self.machine()

    def add(self, title, *words, daemon=None, **environment):
        return self.json(
            *words, "add", "--type", "report", "--date", "2001", "--actors", "USA", "--unsourced", "--title", title,
            daemon=daemon or self.here, **environment)["id"]

    def titles(self, *words, daemon=None, **environment):
        return [e["title"] for e in self.json(*words, "log", daemon=daemon or self.here, **environment)]

    def names(self, daemon=None):
        return {row["name"]: row for row in self.json("timeline", "list", daemon=daemon or self.here)}

    def client(self, daemon=None):
        client = (daemon or self.here).client()
        self.addCleanup(client.close)
        return client

    def refuses(self, client, request, code, *words):
        reply = client.ask(request)
        self.assertTrue(reply.startswith(f"ERR {code} "), (request, reply))
        for word in words:
            self.assertIn(word, reply)

    # MARK: On one machine

    def test_one_never_shows_in_another(self):
        self.assertIn("made taiwan", self.done("timeline", "create", "taiwan", daemon=self.here))
        shared = "11111111-1111-4111-8111-111111111111"
        ids = {"main": self.add("of main"), "taiwan": self.add("of taiwan", "--timeline", "taiwan")}
        self.add("of taiwan too", TIMELINE="taiwan")
        clients = {name: self.client() for name in ids}
        for name, client in clients.items():
            client.ok("OPEN " + name)
            client.append(id=shared, title="both, " + name)
            client.ok("APPEND " + json.dumps({"type": "log.actor", "code": "X-" + name.upper(), "name": name}))
            client.ok('SNAPSHOT {"name":"paper"}')
        expected = {"main": ["both, main", "of main"], "taiwan": ["both, taiwan", "of taiwan", "of taiwan too"]}
        for again in range(3):
            for name, titles in expected.items():
                self.assertEqual(sorted(self.titles("--timeline", name)), titles)
                self.assertEqual(sorted(self.titles(TIMELINE=name)), titles)
                # The command line wins.
                self.assertEqual(sorted(self.titles("--timeline", name, TIMELINE="main")), titles)
                other = "taiwan" if name == "main" else "main"
                self.assertIn("no event", self.fails(1, "--timeline", name, "show", ids[other], daemon=self.here))
                client = clients[name]
                self.assertEqual(sorted(e["title"] for e in client.stream("QUERY {}")[0]), titles)
                self.assertEqual(client.stream("GET " + shared)[0][0]["title"], "both, " + name)
                self.refuses(client, 'COUNT {"actor":"X-%s"}' % other.upper(), "bad-request")
                self.assertEqual(len(client.stream("SNAPSHOTS")[0]), 1)
                self.assertEqual(client.ok("STATUS")["timeline"], name)
            self.assertEqual(sorted(self.titles()), expected["main"])
            # Nor after a start, with the indexes on disk or made anew.
            if again < 2:
                for client in clients.values():
                    client.close()
                self.here.stop()
                self.here.start()
                for name in clients:
                    clients[name] = self.client()
                    clients[name].ok("OPEN " + name)
        self.assertEqual({name: row["events"] for name, row in self.names().items()}, {"main": 2, "taiwan": 3})

    def test_who_watches_one_hears_of_no_other(self):
        self.done("timeline", "create", "other", daemon=self.here)
        watcher, client = self.client(), self.client()
        watcher.ok("WATCH {}")
        client.ok("OPEN other")
        client.append(title="elsewhere")
        self.assertEqual(client.ok("OPEN main")["position"], {})
        client.append(title="here")
        self.assertIn('"here"', watcher.reply())
        # Both at once are in one write each.
        client.send(f"APPEND {json.dumps(event('one'))}\nOPEN other\nAPPEND {json.dumps(event('two'))}\nCOUNT {{}}\nOPEN main\nCOUNT {{}}")
        replies = [client.reply() for _ in range(6)]
        self.assertEqual((replies[3], replies[5]), ('OK {"count":2}', 'OK {"count":2}'))
        self.assertIn('"one"', watcher.reply())

    def test_names(self):
        self.done("timeline", "create", "b", daemon=self.here)
        self.done("timeline", "create", "c", daemon=self.here)
        before = self.names()
        self.assertEqual(list(before), ["b", "c", "main"])
        self.assertEqual(len({row["timeline"] for row in before.values()} | {row["replica"] for row in before.values()}), 6)
        for words, said in ((("create", "b"), "already"), (("rename", "b", "main"), "already"), (("rename", "x", "y"), "no timeline"),
                            (("archive", "x"), "no timeline"), (("restore", "x"), "no timeline")):
            self.assertIn(said, self.fails(1, "timeline", *words, daemon=self.here))
        self.assertIn("there are: b, c, main", self.fails(1, "--timeline", "x", "log", daemon=self.here))
        self.add("in b", "--timeline", "b")
        client = self.client()
        client.ok("OPEN b")
        self.done("timeline", "rename", "b", "renamed", daemon=self.here)
        self.done("timeline", "rename", "main", "b", daemon=self.here)
        self.assertEqual(client.ok("STATUS")["timeline"], "renamed")
        client.append(title="through the old name")
        for again in range(2):
            after = self.names()
            self.assertEqual(after["renamed"]["timeline"], before["b"]["timeline"])
            self.assertEqual(after["b"]["timeline"], before["main"]["timeline"])
            self.assertEqual(sorted(self.titles("--timeline", "renamed")), ["in b", "through the old name"])
            self.assertEqual(self.titles("--timeline", "b"), [])
            # There is no main: nothing is taken for it.
            self.assertIn("no timeline is chosen", self.fails(1, "log", daemon=self.here))
            self.assertIn("no timeline is chosen", self.fails(1, "status", daemon=self.here))
            nobody = self.client()
            nobody.send(f"APPENDMANY 2\n{APPEND[7:]}\nPING")
            self.assertTrue(nobody.reply().startswith("ERR not-found no timeline is chosen"))
            self.refuses(nobody, APPEND, "not-found")
            self.assertEqual(nobody.ask("PING"), "OK")
            self.assertTrue(nobody.stream("HELP")[0])
            nobody.ok("OPEN renamed")
            self.assertEqual(nobody.ok("COUNT {}"), {"count": 2})
            self.here.stop()
            self.here.start()

    def test_put_aside_and_taken_back(self):
        self.done("timeline", "create", "old", daemon=self.here)
        self.add("kept", "--timeline", "old")
        chosen, watcher = self.client(), self.client()
        for client in (chosen, watcher):
            client.ok("OPEN old")
        watcher.ok("WATCH {}")
        # What came before it is recorded, what comes behind it is not: neither here nor in main.
        chosen.send(f"APPEND {json.dumps(event('just before'))}\nTIMELINE archive old\n{APPEND}\nCOUNT {{}}\nAPPENDMANY 1\n{APPEND[7:]}\nPING")
        replies = [chosen.reply()[:13] for _ in range(6)]
        self.assertEqual([reply[:2] for reply in replies[:2]], ["OK", "OK"])
        self.assertEqual(replies[2:], ["ERR not-found"] * 3 + ["OK"])
        self.assertEqual(watcher.file.read(), b"", "a watch of it ends")
        for again in range(2):
            self.assertTrue(self.names()["old"]["archived"])
            self.assertIn("archived", self.client().ask("OPEN old"))
            self.assertIn("there is no timeline old", self.fails(1, "--timeline", "old", "log", daemon=self.here))
            self.assertIn("already", self.fails(1, "timeline", "create", "old", daemon=self.here))
            self.here.stop()
            self.here.start()
        self.done("timeline", "restore", "old", daemon=self.here)
        self.assertEqual(sorted(self.titles("--timeline", "old")), ["just before", "kept"])
        self.assertEqual(self.titles(), [])
        self.assertTrue(self.json("--timeline", "old", "verify", daemon=self.here)["whole"])
        # Main, too; and from there.
        self.done("timeline", "archive", "main", daemon=self.here)
        self.assertIn("no timeline is chosen", self.fails(1, "log", daemon=self.here))
        self.done("timeline", "restore", "main", daemon=self.here)
        self.add("in main")
        self.assertEqual(self.titles(), ["in main"])

    def test_put_aside_while_others_record(self):
        self.done("timeline", "create", "busy", daemon=self.here)
        writers, acknowledged = [self.client() for _ in range(8)], 0
        for writer in writers:
            writer.ok("OPEN busy")
        big = json.dumps(event("much", summary="x" * 40_000))
        for writer in writers:
            writer.send("".join(f"APPEND {big}\n" for _ in range(20)).encode())
        self.client().ok("TIMELINE archive busy")
        for writer in writers:
            replies = [writer.reply() for _ in range(20)]
            count = sum(reply.startswith("OK") for reply in replies)
            self.assertTrue(all(reply.startswith("ERR not-found") for reply in replies[count:]), replies[count:])
            acknowledged += count
        self.client().ok("TIMELINE restore busy")
        self.assertEqual(len(self.titles("--timeline", "busy")), acknowledged)
        self.assertEqual(self.titles(), [])

    def test_one_that_cannot_be_told_keeps_no_other_from_being_served(self):
        for name in ("good", "bad"):
            self.done("timeline", "create", name, daemon=self.here)
            self.add("in " + name, "--timeline", name)
        self.here.stop()
        path = os.path.join(self.here.data, "timelines/bad/timeline.json")
        with open(path) as file:
            whole = file.read()
        with open(path, "w") as file:
            file.write(whole[:40])
        self.here.start()
        self.assertTrue(any("timelines/bad/timeline.json" in line for line in self.here.lines), self.here.lines)
        self.assertEqual(self.titles("--timeline", "good"), ["in good"])
        self.assertEqual(list(self.names()), ["good", "main"])
        self.here.stop()
        os.rename(os.path.join(self.here.data, "timelines/main"), os.path.join(self.here.path, "away"))
        self.here.start()
        # The one that is left is not taken for what may have been main.
        self.assertIn("no timeline is chosen", self.fails(1, "log", daemon=self.here))
        self.here.stop()
        with open(path, "w") as file:
            file.write(whole)
        self.here.start()
        self.assertEqual(self.titles("--timeline", "bad"), ["in bad"])

    # MARK: From another machine

    def test_following(self):
        other = self.machine()
        self.add("theirs", daemon=other)
        self.add("mine")
        address = other.listen[0]
        # A main with lines gives way to nobody.
        self.assertIn("--as NAME follows it under another name", self.fails(1, "timeline", "follow", address, daemon=self.here))
        self.assertEqual(list(self.names()), ["main"])
        out = self.done("timeline", "follow", address, "--as", "theirs", daemon=self.here)
        self.assertIn("following theirs", out)
        self.done("--timeline", "theirs", "sync", daemon=self.here)
        self.assertEqual(self.names()["theirs"]["timeline"], self.names(other)["main"]["timeline"])
        self.add("to them", "--timeline", "theirs")
        self.done("--timeline", "theirs", "sync", daemon=self.here)
        for daemon, words in ((self.here, ("--timeline", "theirs")), (other, ())):
            self.assertEqual(sorted(self.titles(*words, daemon=daemon)), ["theirs", "to them"])
        self.assertEqual(self.titles(), ["mine"])
        self.assertEqual(self.json("peer", "list", daemon=self.here), [])
        [peer] = self.json("--timeline", "theirs", "peer", "list", daemon=self.here)
        self.assertEqual((peer["address"], peer["state"]), (address, "in-sync"))
        # Once more is no other timeline.
        self.done("timeline", "follow", address, daemon=self.here)
        self.assertEqual(list(self.names()), ["main", "theirs"])
        for words, said in (((address, "--from", "nothing"), "no timeline"), ((address, "--as", "x", "--from", "nothing"), "nothing"),
                            (("tcp://127.0.0.1:1",), "refused")):
            self.assertIn(said, self.fails(1, "timeline", "follow", *words, daemon=self.here))
        # Names are each machine's own, also of what is named elsewhere.
        self.done("timeline", "rename", "main", "work", daemon=other)
        self.add("after", daemon=other, TIMELINE="work")
        self.done("--timeline", "theirs", "sync", daemon=self.here)
        self.assertIn("after", self.titles("--timeline", "theirs"))
        for daemon in (self.here, other):
            daemon.stop()
            daemon.start()
        self.done("--timeline", "theirs", "sync", daemon=self.here)
        self.assertEqual(sorted(self.titles(TIMELINE="theirs")), ["after", "theirs", "to them"])

    def test_an_empty_main_gives_way(self):
        other = self.machine()
        self.add("theirs", daemon=other)
        client = self.client()
        self.assertEqual(client.ok("COUNT {}"), {"count": 0})
        before = self.names()["main"]["timeline"]
        out = self.done("timeline", "follow", other.listen[0], daemon=self.here)
        self.assertIn("following main", out)
        self.done("sync", daemon=self.here)
        self.assertEqual(self.titles(), ["theirs"])
        # Connections mean the new one from here on.
        self.assertEqual(client.ok("COUNT {}"), {"count": 1})
        after = self.names()
        self.assertEqual(list(after), ["main"])
        self.assertNotEqual(after["main"]["timeline"], before)
        # The founder's log names the timeline, the follower's does not.
        self.add("mine")
        self.done("sync", daemon=self.here)
        replicas = {True: self.names(other)["main"]["replica"], False: after["main"]["replica"]}
        for daemon in (self.here, other):
            for is_founder, replica in replicas.items():
                kinds = [json.loads(line)["type"] for line in self.lines(daemon, replica)]
                self.assertEqual(kinds, ["log.replica", *(["log.timeline"] if is_founder else []), "report"])

    def test_only_what_is_followed_goes_over(self):
        other = self.machine()
        for name in ("shared", "secret"):
            self.done("timeline", "create", name, daemon=other)
            self.add(name, "--timeline", name, daemon=other)
        self.done("timeline", "follow", other.listen[0], "--from", "shared", daemon=self.here)
        self.done("--timeline", "shared", "sync", daemon=self.here)
        self.assertEqual(list(self.names()), ["main", "shared"])
        self.assertEqual(self.titles("--timeline", "shared"), ["shared"])
        self.assertEqual(self.titles(), [])
        for folder, _, files in os.walk(self.here.data):
            for file in files:
                with open(os.path.join(folder, file), "rb") as data:
                    self.assertNotIn(b'"secret"', data.read())
        # A peer speaks of one timeline, and of no other.
        shared, secret = (self.names(other)[name]["timeline"] for name in ("shared", "secret"))
        peer = greeted(other.client(), shared)
        self.assertTrue(peer.reply().startswith(f"HAVE {shared} "))
        peer.send(f"WANT {secret} {self.names(other)['secret']['replica']} 1 1")
        replies = peer.file.read().decode().splitlines()
        self.assertTrue(replies[-1].startswith("ERR not-found "), replies)
        self.assertFalse([reply for reply in replies if "secret" in reply])
        peer.close()

    def test_put_aside_it_is_not_synced(self):
        other = self.machine()
        self.add("first", daemon=other)
        self.here.follow(other)
        self.done("sync", daemon=self.here)
        timeline = self.here.main
        peer = greeted(self.client(), timeline)
        self.assertTrue(peer.reply().startswith(f"HAVE {timeline} "))
        self.done("timeline", "archive", "main", daemon=self.here)
        # Its connections end, with peers as well.
        with contextlib.suppress(ConnectionError):
            while peer.file.readline():
                pass
        peer = greeted(self.client(), timeline)
        self.assertTrue(peer.reply().startswith("ERR not-found no timeline here has that id"))
        self.add("while it was aside", daemon=other)
        for again in range(2):
            self.assertEqual(self.json("timeline", "list", daemon=self.here)[0]["archived"], True)
            if not again:
                self.here.stop()
                self.here.start()
        self.done("timeline", "restore", "main", daemon=self.here)
        self.done("sync", daemon=self.here)
        self.assertEqual(sorted(self.titles()), ["first", "while it was aside"])


if __name__ == "__main__":
    unittest.main()
