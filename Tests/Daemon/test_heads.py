"""Signed heads: who signs what and when, proofs of single events, keys, and heads that travel with a sync. The
programs that are not ours check them in Tests/Interop/test_heads.py."""

import base64
import glob
import json
import os
import pathlib
import re
import shutil
import stat
import unittest

from daemon import event
from machines import Machines
from test_verify import checked, leaf_of, root_of, stub_of


class Heads(Machines):
    # MARK: Signing

    def test_the_last_head_is_over_all_lines(self):
        daemon = self.another()
        self.append(daemon, 3)
        daemon.stop()
        lines = self.lines(daemon)
        self.assertEqual(len(lines), 5)
        self.assertEqual(self.head(daemon)[1:], (5, self.root(lines)))
        daemon.start()
        self.assertTrue(self.json("verify", daemon=daemon)["whole"])
        self.append(daemon, 2)
        daemon.stop()
        self.assertEqual(self.head(daemon)[1:], (7, self.root(self.lines(daemon))))
        self.assertEqual([line for line in self.lines(daemon) if b'"log.replica"' in line], self.lines(daemon)[:1])

    def test_a_machine_that_wrote_nothing_signs_nothing(self):
        daemon = self.another()
        self.assertEqual(self.json("keys", daemon=daemon), [])
        self.assertIn("no log has a key", self.done("keys", daemon=daemon))
        daemon.stop()
        self.assertEqual(glob.glob(daemon.data + "/timelines/main/logs/*"), [])

    def test_a_refused_append_leaves_no_line_behind(self):
        daemon = self.another()
        client = daemon.client()
        for request in (
            "APPEND " + json.dumps(event(actors=["PKR"])), "APPEND " + json.dumps(event(summary="x" * 65_400)),
            "APPENDMANY 2\n" + json.dumps(event()) + "\n" + json.dumps(event(actors=["PKR"])),
            "CHECKMANY 1\n" + json.dumps(event()),
            'APPEND {"type":"log.member","member":"%s","vkey":"%s"}' % (self.own(daemon), "x+y+z"),
        ):
            while not (reply := client.ask(request)).startswith(("ERR", "END")):
                pass
        client.close()
        self.assertEqual(self.json("status", daemon=daemon)["position"], {})

    def test_the_key_is_for_its_owner_alone_and_stays(self):
        daemon = self.another()
        path = pathlib.Path(daemon.data, "keys/heads.pem")
        text = path.read_text()
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)
        self.assertTrue(text.startswith("-----BEGIN PRIVATE KEY-----\n"), "PKCS#8")
        self.append(daemon)
        key = self.key(daemon)
        daemon.stop()
        daemon.start()
        self.assertEqual(path.read_text(), text)
        self.append(daemon)
        self.assertEqual(self.key(daemon), key)

    def test_a_damaged_key_file_is_said_and_nothing_is_written(self):
        daemon = self.another()
        daemon.stop()
        path = pathlib.Path(daemon.data, "keys/heads.pem")
        path.write_text(path.read_text().replace("MC4C", "MC4D"))
        with self.assertRaisesRegex(AssertionError, "heads.pem cannot be read"):
            daemon.start()

    def test_who_lost_his_key_goes_on_in_a_log_of_his_own(self):
        daemon = self.another()
        [id] = self.append(daemon)
        old, key = self.own(daemon), self.key(daemon)
        daemon.stop()
        os.unlink(daemon.data + "/keys/heads.pem")
        daemon.start()
        new = self.own(daemon)
        self.assertNotEqual(old, new)
        self.append(daemon, word="after")
        self.assertEqual(len(self.json("log", daemon=daemon)), 2)
        self.assertEqual(self.key(daemon, old), key)
        self.assertNotEqual(self.key(daemon, new), key)
        # What the lost key signed is proven still.
        self.done("verify-proof", self.file("p", self.proof(daemon, id)), "--key", key)
        daemon.stop()
        daemon.start()
        self.assertEqual(self.own(daemon), new)

    # MARK: Doubt

    def test_a_log_that_is_not_what_was_signed_is_signed_no_more(self):
        daemon = self.another()
        self.append(daemon, 3)
        daemon.stop()
        path = next(self.log(daemon).glob("*.jsonl"))
        lines = self.lines(daemon)
        forged = lines[3].replace(b"line 1", b"line X")
        path.write_bytes(b"".join(lines[:3]) + checked(forged[: forged.rindex(b',"crc32c"')]) + lines[4])
        before = self.head(daemon)
        daemon.start()
        self.append(daemon, word="more")
        self.assertIn("two histories", self.fails(7, "prove", self.json("log", daemon=daemon)[0]["id"], daemon=daemon))
        answer = json.loads(self.ctl("verify", "--json", daemon=daemon)[1])
        self.assertFalse(answer["whole"])
        self.assertIn("two histories", answer["logs"][0]["problem"])
        self.assertIn("two histories", self.fails_text("verify", daemon))
        self.assertIn("two histories", self.json("status", daemon=daemon)["unsigned"][0])
        daemon.stop()
        self.assertEqual(self.head(daemon), before)

    def fails_text(self, command, daemon):
        code, out, _ = self.ctl(command, daemon=daemon)
        self.assertEqual(code, 7)
        return out

    def test_signed_lines_that_are_gone_are_named_and_their_numbers_not_used_again(self):
        for torn in (False, True):
            with self.subTest(torn=torn):
                daemon = self.another()
                self.append(daemon, 4)
                daemon.stop()
                lines, old, head = self.lines(daemon), self.own(daemon), self.head(daemon)
                path = next(self.log(daemon).glob("*.jsonl"))
                kept = b"".join(lines[:4]) + (lines[4][:100] if torn else b"")
                path.write_bytes(kept)
                shutil.rmtree(daemon.data + "/timelines/main/index", ignore_errors=True)
                for number in range(2):
                    daemon.start()
                    damage = self.json("status", daemon=daemon)["damage"]
                    self.assertTrue(any("5 to 6" in text for text in damage), damage)
                    self.assertEqual(path.read_bytes(), kept)
                    self.assertEqual(any("goes on in replica" in line for line in daemon.lines), number == 0)
                    daemon.stop()
                # It goes on in another log, which can be signed.
                daemon.start()
                [id] = self.append(daemon, word="behind")
                self.assertNotEqual(self.own(daemon), old)
                self.done("verify-proof", self.file("p", self.proof(daemon, id)), "--key", self.key(daemon))
                daemon.stop()
                daemon.start()
                titles = [event["title"] for event in self.json("log", daemon=daemon)]
                self.assertEqual(sorted(titles), ["behind 0", "line 0", "line 1"])
                self.assertEqual((self.head(daemon)[1], self.head(daemon, old)), (2, head))

    def test_a_head_that_was_tampered_with_is_not_relied_on(self):
        daemon = self.another()
        [id] = self.append(daemon)
        daemon.stop()
        path = self.log(daemon) / "checkpoint"
        note = path.read_bytes()
        for bad in (note.replace(b"\n3\n", b"\n2\n"), note[:-2], b"", note.replace(b"timeline/", b"timelinE/"), b"\xff" * 300):
            path.write_bytes(bad)
            daemon.start()
            self.assertIn("cannot be relied on", self.fails(7, "prove", id, daemon=daemon))
            self.assertIn("cannot be relied on", self.fails_text("verify", daemon))
            daemon.stop()
            self.assertEqual(path.read_bytes(), bad)
        path.write_bytes(note)
        daemon.start()
        self.proof(daemon, id)
        # Behind the daemon's back: verify reads what is there.
        path.write_bytes(note.replace(b"\n3\n", b"\n2\n"))
        self.fails_text("verify", daemon)
        path.write_bytes(note)
        self.done("verify", daemon=daemon)

    def test_a_tree_that_was_kept_is_held_against_the_head(self):
        daemon = self.another()
        client = daemon.client()
        client.send("APPENDMANY 600")
        for number in range(600):
            client.send(json.dumps(event(f"line {number}")))
        client.reply()
        client.close()
        id = self.json("log", "-n", "1", daemon=daemon)[0]["id"]
        daemon.stop()
        kept = pathlib.Path(daemon.data, "timelines/main/index/tree-" + self.own(daemon))
        lines = self.lines(daemon)
        whole = b"".join(root_of([leaf_of(line) for line in lines[at:at + 256]]) for at in (0, 256))
        self.assertEqual(kept.read_bytes(), whole)
        for bad in (whole[:31], bytes([whole[0] ^ 1]) + whole[1:], whole[32:] + whole[:32], whole + whole, b""):
            kept.write_bytes(bad)
            daemon.start()
            self.done("verify-proof", self.file("p", self.proof(daemon, id)), "--key", self.key(daemon))
            self.assertEqual(self.json("status", daemon=daemon)["unsigned"], [])
            daemon.stop()
            self.assertEqual(kept.read_bytes()[:64], whole)

    # MARK: Proofs

    def test_every_line_is_proven_and_nothing_else(self):
        daemon = self.another()
        ids = self.append(daemon, 20)
        client = daemon.client()
        client.send(f"APPENDMANY 300")
        for number in range(300):
            client.send(json.dumps(event(f"many {number}")))
        client.reply()
        ids += [event["id"] for event in client.stream("QUERY {}")[0] if event["seq"] in (256, 257, 258, 322)]
        key = self.key(daemon)
        for id in ids:
            proof = self.file("x.tlog-proof", self.proof(daemon, id))
            answer = json.loads(self.done("verify-proof", proof, "--key", key, "--json"))
            self.assertEqual((answer["verified"], answer["line"]["id"], answer["signed"]), (True, id, 322))
        text = self.proof(daemon, ids[0])
        self.assertIn("not verified: without a key", self.fails(7, "verify-proof", self.file("p", text)))
        other = self.another()
        self.append(other)
        self.fails(7, "verify-proof", self.file("p", text), "--key", self.key(other))
        self.fails(2, "verify-proof", self.file("p", text), "--key", key[:-3], "--json")
        # Another line, another place, another head.
        parts = text.split("\n")
        foreign = self.proof(daemon, ids[1]).split("\n")
        for bad in (
            parts[:1] + foreign[1:2] + parts[2:], parts[:2] + ["index 3"] + parts[3:], parts[:1] + parts[2:],
            parts[:3] + [foreign[3]] + parts[4:], [*parts[:-5], *parts[-5:-4], "321", *parts[-3:]], parts[:4]):
            self.fails(7, "verify-proof", self.file("p", "\n".join(bad)), "--key", key)
        client.close()

    def test_a_forged_line_in_the_extra_of_a_true_proof(self):
        """`extra` is not authenticated: the line in it has to be the one that the hashes lead from."""
        daemon = self.another()
        [id] = self.append(daemon)
        key, lines = self.key(daemon), self.proof(daemon, id).split("\n")
        line = base64.b64decode(lines[1].removeprefix("extra "))
        for old, new in ((b"line 0", b"line 1"), (b'"seq":3', b'"seq":2'), (b'"author":"', b'"author":"x')):
            forged = line.replace(old, new)
            forged = checked(forged[: forged.rindex(b',"crc32c"')])
            text = "\n".join([lines[0], "extra " + base64.b64encode(forged).decode(), *lines[2:]])
            self.fails(7, "verify-proof", self.file("p", text), "--key", key)
        # Its stub is what the leaf is made of: it proves all but the words.
        stub = checked(stub_of(line))
        text = "\n".join([lines[0], "extra " + base64.b64encode(stub).decode(), *lines[2:]])
        self.assertIn("erased", self.done("verify-proof", self.file("p", text), "--key", key))

    def test_prove_writes_a_file_and_never_over_one(self):
        daemon = self.another()
        [id] = self.append(daemon)
        path = self.file("old.tlog-proof", "old")
        self.fails(1, "prove", id, "--output", path, daemon=daemon)
        self.assertEqual(pathlib.Path(path).read_text(), "old")
        path += ".new"
        out = self.done("prove", id[:8], "--output", path, daemon=daemon)
        command = re.search(r"timelinectl (verify-proof .* --key .*)", out)[1].split(" ")
        self.assertIn("verified: line 3", self.done(*command))
        self.fails(1, "prove", "ffff", daemon=daemon)

    # MARK: With peers

    def test_heads_travel_with_the_lines(self):
        a, b, c = self.machine(), self.machine(), self.machine()
        [id] = self.append(a, 1)
        b.follow(a)
        c.follow(b)
        for daemon in (b, c):
            self.wait_for_head(daemon, self.own(a), 3)
            self.assertEqual(self.head(daemon, self.own(a)), self.head(a))
            self.assertEqual(self.key(daemon, self.own(a)), self.key(a))
            self.done("verify-proof", self.file("p", self.proof(daemon, id)), "--key", self.key(a))
            self.assertTrue(self.json("verify", daemon=daemon)["whole"])
        # And go on, through the one in the middle, without a new connection.
        [id] = self.append(a, 1, "later")
        self.proof(a, id)
        self.wait_for_head(c, self.own(a), 4)
        self.done("verify-proof", self.file("p", self.proof(c, id)), "--key", self.key(a))

    def test_a_damaged_head_of_another_machine_is_had_again_from_it(self):
        a, b = self.machine(), self.machine()
        [id] = self.append(a, 1)
        b.follow(a)
        self.wait_for_head(b, self.own(a), 3)
        b.stop()
        path = self.log(b, self.own(a)) / "checkpoint"
        path.write_bytes(path.read_bytes()[:-9])
        b.start()
        # The peer is not blamed: one session, to whose end all is well again.
        self.wait_for_head(b, self.own(a), 3)
        self.assertEqual(self.json("status", daemon=b)["unsigned"], [])
        self.assertEqual(self.head(b, self.own(a)), self.head(a))
        self.done("verify-proof", self.file("p", self.proof(b, id)), "--key", self.key(a))
        self.assertFalse([line for line in b.lines if "ended" in line], b.lines)

    def test_a_head_of_our_own_that_was_damaged_ends_no_session(self):
        a, b = self.machine(), self.machine()
        self.append(a, 1)
        b.follow(a)
        self.wait_for_head(b, self.own(a), 3)
        a.stop()
        path = self.log(a) / "checkpoint"
        bad = path.read_bytes()[:-9]
        path.write_bytes(bad)
        a.start()
        self.done("sync", "--wait", daemon=b)
        self.append(b, 1)
        self.done("sync", "--wait", daemon=b)
        peer = self.peer(a)
        peer.send(f"HEAD {a.main} {self.own(a)} 3 " + json.dumps((self.log(b, self.own(a)) / "checkpoint").read_text()))
        peer.send("PING")
        while (reply := peer.reply()) != "PONG":
            self.assertFalse(reply.startswith("ERR"), reply)
        peer.send("PING")
        while (reply := peer.reply()) != "PONG":
            self.assertFalse(reply.startswith("ERR"), reply)
        peer.close()
        self.assertIn("cannot be relied on", " ".join(self.json("status", daemon=a)["unsigned"]))
        self.assertEqual(path.read_bytes(), bad)

    def test_heads_that_are_none_are_refused(self):
        daemon = self.another()
        self.append(daemon)
        daemon.stop()
        daemon.start()
        own, timeline, note = self.own(daemon), daemon.main, (self.log(daemon) / "checkpoint").read_text()
        for words, said in (
            (f"HEAD {timeline} {own} 3", "HEAD"), (f"HEAD {timeline} {own} 3 " + json.dumps("x" * 9000), "HEAD"),
            (f"HEAD {timeline} {own} 3 " + json.dumps(note.replace("\n3\n", "\n4\n")), "cannot be relied on"),
            (f"HEAD {timeline} {own} 3 " + json.dumps("no note"), "cannot be relied on"),
        ):
            peer = self.peer(daemon)
            peer.send(words)
            replies = peer.file.read().decode().splitlines()
            self.assertIn(said, [reply for reply in replies if reply.startswith("ERR")][-1])
            peer.close()
        # Of a log that is not here, or has no key: passed over.
        peer = self.peer(daemon)
        peer.send(f"HEAD {timeline} 00000000-0000-4000-8000-000000000001 3 " + json.dumps(note))
        peer.send("PING")
        while peer.reply() != "PONG":
            pass
        peer.close()
        self.assertEqual(self.json("status", daemon=daemon)["unsigned"], [])


if __name__ == "__main__":
    unittest.main()
