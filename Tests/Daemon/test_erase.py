"""Erasure: the words of an event go, from every file and every machine; what is proven stays proven."""

import json
import os
import pathlib
import pty
import shutil
import subprocess
import unittest

from daemon import BINARIES, event
from machines import Machines
from test_verify import checked, stub_of

WORDS = ("Zanzibar", "quetzalcoatl", "tag-of-a-source", "subtype-of-a-source")


def secret(**more):
    return event(
        "A meeting in Zanzibar", summary="Told by quetzalcoatl.", tags=["tag-of-a-source"],
        subtype="subtype-of-a-source", **more)


class Erase(Machines):
    def record(self, daemon, *events):
        client = daemon.client()
        ids = [client.ok("APPEND " + json.dumps(e))["id"] for e in events]
        client.close()
        return ids

    def erase(self, daemon, id):
        return self.json("erase", id, "--reason", "the source is in danger", "--yes", daemon=daemon)

    def holds_words(self, daemon):
        """Files of the data directory that hold one of the words."""
        found = []
        for folder, _, names in os.walk(daemon.data):
            for name in names:
                data = pathlib.Path(folder, name).read_bytes().lower()
                found += [name for word in WORDS if word.lower().encode() in data]
        return sorted(set(found))

    def answers(self, daemon):
        return "".join(
            self.done(*words, daemon=daemon) for words in (
                ("log", "--jsonl"), ("log", "--text", "zanzibar", "--json"), ("status", "--json"), ("verify", "--json"),
                ("state", "USA", "PRK", "--json"), ("why", "USA", "PRK", "tests", "--json")))

    def gone(self, daemon):
        self.assertEqual(self.holds_words(daemon), [])
        answers = self.answers(daemon).lower()
        for word in WORDS:
            self.assertNotIn(word.lower(), answers)

    def test_words_go_and_proofs_stay(self):
        daemon = self.another()
        ids = self.record(daemon, event("before"), secret(), event("after"))
        key = self.key(daemon)
        proof = self.file("old", self.proof(daemon, ids[0]))
        lines, tree = self.lines(daemon), self.root(self.lines(daemon))
        self.assertEqual(self.json("verify", daemon=daemon)["logs"][0]["root"], tree)
        self.erase(daemon, ids[1])
        self.gone(daemon)
        # The same tree, over the stub; old proofs and new ones, of the others and of what is left.
        after = self.lines(daemon)
        self.assertEqual(after[3].split(b',"crc32c"')[0], stub_of(lines[3]))
        self.assertEqual(after[:3] + after[4:5], lines[:3] + lines[4:5])
        self.done("verify-proof", proof, "--key", key)
        for id in ids:
            self.done("verify-proof", self.file("new", self.proof(daemon, id)), "--key", key)
        answer = self.json("verify", daemon=daemon)
        self.assertTrue(answer["whole"])
        self.assertEqual(answer["logs"][0]["root"], self.root(lines + after[5:]))
        self.assertEqual((answer["logs"][0]["erased"], answer["logs"][0]["lines"]), (1, 6))
        self.assertEqual(self.json("log", "--count", daemon=daemon), {"count": 2})
        shown = self.done("show", ids[1], daemon=daemon)
        self.assertIn("words were erased", shown)
        self.assertIn("the source is in danger", shown)
        # It goes on, also after a restart and with an index made anew.
        for again in range(2):
            self.record(daemon, event(f"more {again}"))
            daemon.stop()
            if again:
                shutil.rmtree(daemon.data + "/timelines/main/index", ignore_errors=True)
            daemon.start()
            self.gone(daemon)
            self.assertTrue(self.json("verify", daemon=daemon)["whole"])
            self.assertEqual(self.json("log", "--count", daemon=daemon), {"count": 3 + again})

    def test_versions_and_copies_go_too(self):
        a, b = self.machines(2)
        id = "11111111-1111-4111-8111-111111111111"
        self.record(a, secret(id=id))
        self.record(b, secret(id=id))
        self.record(a, {"type": "log.correct", "corrects": id, "supersedes": [id], "reason": "Zanzibar, not Pemba",
                        "body": secret(date="2018")})
        self.done("peer", "add", a.listen[0], daemon=b)
        self.done("sync", daemon=b)
        self.assertTrue(self.holds_words(b))
        self.erase(b, id)
        self.gone(b)
        while self.holds_words(a):
            pass
        self.gone(a)
        for daemon in (a, b):
            self.assertTrue(self.json("verify", daemon=daemon)["whole"])
            self.assertEqual(self.json("status", daemon=daemon)["withheld"], [])
        self.assertEqual(
            sorted(self.lines(a, self.own(a)) + self.lines(a, self.own(b))),
            sorted(self.lines(b, self.own(a)) + self.lines(b, self.own(b))))

    def test_a_full_line_that_comes_later_is_stored_as_its_stub(self):
        a, b, c = self.machines(3)
        [id] = self.record(a, secret())
        for daemon in (b, c):
            self.done("peer", "add", a.listen[0], daemon=daemon)
            self.done("sync", "--wait", "--timeout", "60s", daemon=daemon)
            self.done("peer", "remove", a.listen[0], daemon=daemon)
        # B erases; C, which has the words still, does not know; a fourth hears both.
        self.erase(b, id)
        d = self.machine(a)
        self.done("peer", "add", b.listen[0], daemon=d)
        self.done("sync", "--wait", "--timeout", "60s", daemon=d)
        self.gone(d)
        self.done("peer", "add", c.listen[0], daemon=d)
        self.done("sync", "--wait", "--timeout", "60s", daemon=d)
        while self.holds_words(c):
            pass
        for daemon in (b, c, d):
            self.gone(daemon)
            self.assertEqual(self.lines(daemon, self.own(a)), self.lines(b, self.own(a)))
            self.assertTrue(self.json("verify", daemon=daemon)["whole"])

    def test_a_stub_before_its_erasure_counts_as_withheld(self):
        daemon = self.machine()
        other, timeline = self.machine(daemon), daemon.main
        [id] = self.record(other, secret())
        client = other.client()
        lines = self.lines(other)
        stub = checked(stub_of(lines[1]))
        own = self.own(other)
        peer = self.peer(daemon)
        block = lines[0] + stub
        peer.send(f"LINES {timeline} {own} 1 2 {len(block)}\n".encode() + block)
        while not (reply := peer.reply()).startswith("TOOK"):
            self.assertFalse(reply.startswith("ERR"), reply)
        self.assertEqual(self.json("status", daemon=daemon)["withheld"], [[own, 2]])
        self.erase(other, id)
        last = self.lines(other)[2:]
        block = b"".join(last)
        peer.send(f"LINES {timeline} {own} 3 {len(last)} {len(block)}\n".encode() + block)
        while not (reply := peer.reply()).startswith(f"TOOK {timeline} {own} 3"):
            self.assertFalse(reply.startswith("ERR"), reply)
        self.assertEqual(self.json("status", daemon=daemon)["withheld"], [])
        # The whole line again: it is the one that is here, and stays without its words.
        peer.send(f"LINES {timeline} {own} 2 1 {len(lines[1])}\n".encode() + lines[1])
        while not (reply := peer.reply()).startswith(f"TOOK {timeline} {own} 2"):
            self.assertFalse(reply.startswith("ERR"), reply)
        self.gone(daemon)
        # Another line of that number is a fork still.
        forged = lines[1].replace(b"Zanzibar", b"Zanzibor")
        forged = checked(forged[: forged.rindex(b',"crc32c"')])
        peer.send(f"LINES {timeline} {own} 2 1 {len(forged)}\n".encode() + forged)
        while not (reply := peer.reply()).startswith("FORK"):
            self.assertFalse(reply.startswith("TOOK"), reply)
        self.assertTrue(reply.startswith(f"FORK {timeline} {own} 2 "), reply)
        self.assertEqual(self.json("status", daemon=daemon)["forks"], [{"replica": own, "line": 2}])
        client.close()

    def test_it_is_not_recorded_again(self):
        daemon = self.another()
        id = "22222222-2222-4222-8222-222222222222"
        self.record(daemon, secret(id=id))
        self.erase(daemon, id)
        client = daemon.client()
        self.assertTrue(client.append(**secret(id=id))["duplicate"])
        reply = client.ask("APPEND " + json.dumps(
            {"type": "log.correct", "corrects": id, "supersedes": [id], "reason": "x", "body": event()}))
        self.assertTrue(reply.startswith("ERR"), reply)
        client.close()
        self.gone(daemon)
        self.fails(1, "erase", id, "--reason", "again", "--yes", daemon=daemon)

    def test_who_is_asked_and_what_is_refused(self):
        daemon = self.another()
        [id] = self.record(daemon, secret())
        self.fails(2, "erase", id, "--yes", daemon=daemon)
        self.fails(2, "erase", id, "--reason", "x", daemon=daemon)
        member = json.loads(self.lines(daemon)[0])["id"]
        self.fails(1, "erase", member, "--reason", "x", "--yes", daemon=daemon)
        self.fails(1, "erase", "ffffffff", "--reason", "x", "--yes", daemon=daemon)
        client = daemon.client()
        for request in (
            'APPEND {"type":"log.erase","erases":"%s","lines":[],"reason":"x"}' % id, "ERASE {}",
            'ERASE {"id":"%s"}' % id, 'ERASE {"id":"%s","reason":"%s"}' % (id, "x" * 1001), 'ERASE {"id":"1111","reason":"x"}',
        ):
            self.assertTrue(client.ask(request).startswith("ERR "), request)
        client.close()
        for answers, done in (("n\n", False), ("y\nwrong\n", False), ("y\n" + id[:8] + "\n", True)):
            ours, theirs = pty.openpty()
            process = subprocess.Popen(
                [BINARIES / "timelinectl", "--socket", daemon.socket, "erase", id, "--reason", "danger"], stdin=theirs,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            os.write(ours, answers.encode())
            out, err = process.communicate()
            self.assertIn(b"Zanzibar", err)
            self.assertEqual(process.returncode == 0, done, err)
            self.assertEqual(bool(self.holds_words(daemon)), not done)
            os.close(ours)
            os.close(theirs)


if __name__ == "__main__":
    unittest.main()
