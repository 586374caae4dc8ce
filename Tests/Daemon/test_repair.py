"""Damaged lines come back from peers, each under a proof; what is not proven does not."""

import json
import os
import pathlib
import shutil
import unittest

from daemon import Daemon, event
from machines import Machines
from test_verify import checked


class Repair(Machines):
    def pair(self, count=20):
        """A, which wrote so many events, and B, which has them and A's head; they know each other."""
        b, a = self.machines(2)
        self.append(a, count)
        self.done("peer", "add", a.listen[0], daemon=b)
        self.wait_for_head(b, self.own(a), count + 1)
        # The file of a head comes within a second.
        while self.head(a)[1] != count + 1:
            pass
        return a, b, self.own(a)

    def segment(self, daemon, replica):
        [path] = self.log(daemon, replica).glob("*.jsonl")
        return path

    def whole(self, daemon):
        while self.json("status", daemon=daemon)["wanted"]:
            pass
        answer = self.json("verify", daemon=daemon)
        self.assertTrue(answer["whole"], answer)

    def test_every_kind_of_damage_comes_back_by_itself(self):
        a, b, replica = self.pair()
        path, whole = self.segment(b, replica), None
        lines = self.lines(b, replica)

        def flip(number, offset=300):
            start = sum(map(len, lines[: number - 1])) + offset
            return lambda data: data[:start] + bytes([data[start] ^ 4]) + data[start + 1:]

        end = len(lines[4]) - 1
        for name, damage in (
            ("one line", flip(5)), ("the line that names the key", flip(1)), ("a line end", flip(5, end)), ("the last line", flip(21)),
            ("two lines apart", lambda data: flip(3)(flip(7)(data))), ("lines side by side", lambda data: flip(3)(flip(4)(data))),
            ("lines that are gone", lambda data: b"".join(lines[:6] + lines[9:])), ("the end is gone", lambda data: b"".join(lines[:15])),
            ("the end is torn", lambda data: b"".join(lines[:15]) + lines[15][:77]), ("a page of zeros", lambda data: data[:4096] + bytes(512) + data[4608:]),
            ("lines that changed places", lambda data: b"".join(lines[:6] + [lines[7], lines[6]] + lines[8:])),
            ("all of it", lambda data: b"x" * len(data)), ("the first half", lambda data: b"\n" * (len(data) // 2) + data[len(data) // 2:]),
        ):
            with self.subTest(name):
                b.stop()
                whole = path.read_bytes()
                path.write_bytes(damage(whole))
                shutil.rmtree(b.data + "/timelines/main/index", ignore_errors=True)
                b.start()
                self.whole(b)
                self.assertEqual(self.lines(b, replica), lines)
                self.assertEqual(len(self.json("log", daemon=b)), 20)
                self.assertEqual(self.head(b, replica), self.head(a))

    def test_a_log_of_our_own_comes_back_and_what_stood_there_is_kept(self):
        a, b, replica = self.pair()
        self.done("peer", "add", b.listen[0], daemon=a)
        a.stop()
        path, lines = self.segment(a, replica), self.lines(a)
        bad = lines[3].replace(b"line 2", b"line 7")
        path.write_bytes(b"".join(lines[:3] + [bad] + lines[4:]))
        a.start()
        self.whole(a)
        self.assertEqual(self.lines(a, replica), lines)
        self.assertEqual(path.with_name(path.name + ".damaged").read_bytes(), bad)
        # It goes on in a log of its own, and both agree.
        self.append(a, 1, "more")
        self.assertNotEqual(self.own(a), replica)
        self.wait_for_head(b, self.own(a), 2)
        self.assertEqual(self.done("log", "--jsonl", daemon=a), self.done("log", "--jsonl", daemon=b))

    def test_damage_while_it_runs(self):
        a, b, replica = self.pair()
        path, lines = self.segment(b, replica), self.lines(b, replica)
        self.assertEqual(self.json("repair", daemon=b), {"damaged": 0, "repaired": 0, "left": 0})
        with open(path, "r+b") as file:
            file.seek(sum(map(len, lines[:9])) + 310)
            file.write(b"\x00\x01")
        self.assertIn("1 line is put back", self.done("repair", daemon=b))
        self.assertEqual(self.lines(b, replica), lines)
        self.whole(b)
        # With nobody to ask it is said, and all else is served.
        self.done("peer", "remove", a.listen[0], daemon=b)
        a.stop()
        with open(path, "r+b") as file:
            file.seek(sum(map(len, lines[:9])) + 310)
            file.write(b"\x00\x01")
        self.assertIn("no peer", self.fails(8, "repair", "--timeout", "0s", "--json", daemon=b))
        self.assertEqual(len(self.json("log", daemon=b)), 19)

    def test_a_part_of_the_file_that_cannot_be_read(self):
        """What lies behind the end of a mapped file raises the same signal as a sector that the disk cannot read."""
        a, b, replica = self.pair(60)
        path, lines = self.segment(b, replica), self.lines(b, replica)
        client = b.client()
        os.truncate(path, 8192)
        # The daemon lives, serves what it can read, and says what it cannot; a peer has it.
        titles = [e["title"] for e in client.stream("QUERY {}")[0]]
        self.assertIn("line 0", titles)
        self.assertLess(len(titles), 60)
        self.assertTrue(client.ok("STATUS"))
        self.whole(b)
        self.assertEqual(self.lines(b, replica), lines)
        self.assertEqual(len(client.stream("QUERY {}")[0]), 60)
        client.close()
        self.assertEqual(b.stop(), 0)

    def test_what_is_not_proven_is_not_taken(self):
        a, b, replica = self.pair()
        self.done("peer", "remove", a.listen[0], daemon=b)
        lines = self.lines(a)
        ids = [json.loads(line)["id"] for line in lines]
        proofs = [self.proof(a, id).split("\n") for id in ids]
        bare = ["\n".join(proof[:1] + proof[2:]) for proof in proofs]
        b.stop()
        path = self.segment(b, replica)
        damaged = path.read_bytes().replace(lines[4], lines[4].replace(b"line", b"lin3"))
        path.write_bytes(damaged)
        b.start()
        forged = lines[4].replace(b"line 3", b"line X")
        forged = checked(forged[: forged.rindex(b',"crc32c"')])
        for line, proof in (
            (forged, bare[4]), (lines[4], bare[5]), (lines[5], bare[5]), (lines[4][:-1] + b" \n", bare[4]), (lines[4], "no proof"),
            (lines[4], bare[4].replace("\n21\n", "\n22\n")),
        ):
            peer = self.peer(b)
            while not (reply := peer.reply()).startswith("WANT"):
                self.assertFalse(reply.startswith("ERR"))
            self.assertEqual(reply, f"WANT {b.main} {replica} 5 1")
            peer.send(f"PROOF {b.main} {replica} 5 {json.dumps(proof)}\n".encode() + line + f"PROVED {b.main} {replica} 5 1\n".encode())
            peer.send("PING")
            while peer.reply() != "PONG":
                pass
            peer.close()
            self.assertEqual(self.json("status", daemon=b)["wanted"], 1)
            self.assertEqual(path.read_bytes(), damaged)
        for words in (f"PROOF {b.main} {replica} 6 \"x\"", f"PROVED {b.main} {replica} 6 1", f"WANT {b.main} {replica} 0 1", f"WANT {b.main} {replica} 1 1001",
                      f"WANT {b.main} {replica} 1 1\nWANT {b.main} {replica} 1 1", f"PROVED {b.main}", f"PROOF {b.main} x"):
            peer = self.peer(b)
            peer.send(words)
            self.assertTrue(any(line.startswith(b"ERR bad-request") for line in peer.file), words)
            peer.close()
        # The true one is taken.
        peer = self.peer(b)
        while not peer.reply().startswith("WANT"):
            pass
        peer.send(f"PROOF {b.main} {replica} 5 {json.dumps(bare[4])}\n".encode() + lines[4] + f"PROVED {b.main} {replica} 5 1\n".encode())
        self.whole(b)
        peer.close()
        self.assertEqual(path.read_bytes(), b"".join(lines))

    def test_words_that_are_withheld_are_asked_for(self):
        from test_verify import stub_of
        a, b, replica = self.pair(4)
        b.stop()
        path, lines = self.segment(b, replica), self.lines(a)
        path.write_bytes(b"".join(lines[:2] + [checked(stub_of(lines[2]))] + lines[3:]))
        shutil.rmtree(b.data + "/timelines/main/index", ignore_errors=True)
        b.start()
        self.whole(b)
        self.assertEqual(self.lines(b, replica), lines)
        self.assertEqual(self.json("status", daemon=b)["withheld"], [])

    def test_many_lines(self):
        b, a = self.machines(2)
        client = a.client()
        client.send("APPENDMANY 3000")
        for number in range(3000):
            client.send(json.dumps(event(f"line {number}", summary="x" * 500)))
        client.reply()
        client.close()
        replica = self.own(a)
        self.done("peer", "add", a.listen[0], daemon=b)
        self.proof(a, self.json("log", "-n", "1", daemon=a)[0]["id"])
        self.wait_for_head(b, replica, 3001)
        b.stop()
        path, lines = self.segment(b, replica), self.lines(a)
        path.write_bytes(b"".join(lines[:100]) + b"\n" * 99 + b"".join(lines[2900:]))
        b.start()
        self.whole(b)
        self.assertEqual(self.lines(b, replica), lines)


if __name__ == "__main__":
    unittest.main()
