"""VERIFY and `timelinectl verify`: what is stored is read again; roots are recounted here from the files alone."""

import base64
import glob
import hashlib
import json
import os
import shutil
import unittest

from ctl import Ctl
from daemon import crc32c, event


def root_of(leaves):
    """The Merkle tree hash of RFC 6962, 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + root_of(leaves[:half]) + root_of(leaves[half:])).digest()


def stub_of(line):
    """By docs/reference/event-format.md, F-4: the envelope, the hash of the body; without its end."""
    text = line.decode()
    author = text.index('"author":') + len('"author":')
    _, end = json.JSONDecoder().raw_decode(text, author)
    body = text[end + 1 : text.rindex(',"crc32c"')]
    return (text[: end + 1] + f'"body_sha256":"{hashlib.sha256(body.encode()).hexdigest()}"').encode()


def leaf_of(line):
    return hashlib.sha256(b"\x00" + stub_of(line) + b"}").digest()


def checked(text):
    """A line of this text: its check, and LF."""
    return text + b',"crc32c":"%08x"}\n' % crc32c(text)


class Verify(Ctl):
    def segments(self, daemon):
        return sorted(glob.glob(os.path.join(daemon.data, "timelines/main/logs/*/*.jsonl")))

    def roots(self, daemon):
        lines = {}
        for path in self.segments(daemon):
            with open(path, "rb") as file:
                lines.setdefault(path.split("/")[-2], []).extend(file)
        return {
            replica: (len(all), base64.b64encode(root_of([leaf_of(line) for line in all])).decode())
            for replica, all in lines.items()}

    def stated(self, daemon):
        return {
            log["replica"]: (log["lines"], log["root"]) for log in self.json("verify", daemon=daemon)["logs"]}

    def refused(self, daemon):
        code, out, _ = self.ctl("verify", "--json", daemon=daemon)
        self.assertEqual(code, 7, out)
        return json.loads(out)

    def append(self, daemon, first, last):
        client = daemon.client()
        client.send(f"APPENDMANY {last - first}")
        for number in range(first, last):
            client.send(json.dumps(event(f'"line" {number}, é', author='ann "a" é')))
        self.assertTrue(client.reply().startswith("OK "))
        client.close()

    def filled(self, count):
        """A daemon with so many lines, those that name its key and its timeline included; their file, and the lines."""
        daemon = self.another()
        self.append(daemon, 2, count)
        path = self.segments(daemon)[0]
        with open(path, "rb") as file:
            return daemon, path, file.readlines()

    def overwrite(self, path, offset, bytes):
        """In place, as a disk does it: the daemon reads through the same pages."""
        with open(path, "r+b") as file:
            file.seek(offset)
            file.write(bytes)

    def test_roots_are_those_that_others_count(self):
        daemon = self.another()
        self.assertIn("nothing is stored", self.done("verify", daemon=daemon))
        self.assertEqual(self.json("verify", daemon=daemon)["logs"], [])
        size = 0
        # Whole blocks of 256 lines, and what is one less and one more.
        for last in [1, 2, 7, 255, 256, 257, 512, 1000]:
            self.append(daemon, size, last)
            size = last
            self.assertEqual(self.stated(daemon), self.roots(daemon))
            # And the lines that name the key and the timeline.
            self.assertEqual([lines for lines, _ in self.stated(daemon).values()], [last + 2])
        daemon.stop()
        daemon.start()
        self.assertEqual(self.stated(daemon), self.roots(daemon))

    def test_every_flipped_bit_of_a_line_is_named(self):
        daemon, path, lines = self.filled(300)
        start = sum(map(len, lines[:272]))
        for offset in range(0, len(lines[272]) - 1, 7):
            byte = lines[272][offset]
            self.overwrite(path, start + offset, bytes([byte ^ 1 << offset % 8]))
            answer = self.refused(daemon)
            self.overwrite(path, start + offset, bytes([byte]))
            self.assertFalse(answer["whole"])
            damage = answer["logs"][0]["damage"]
            self.assertEqual([(d["first"], d["last"]) for d in damage], [(273, 273)], offset)
            self.assertNotIn("root", answer["logs"][0])
        self.assertIn("all 300 lines", self.done("verify", daemon=daemon))

    def test_lines_that_changed_places_are_named(self):
        daemon, path, lines = self.filled(4)
        self.overwrite(path, len(lines[0] + lines[1]), lines[3] + lines[2])
        damage = self.refused(daemon)["logs"][0]["damage"]
        self.assertEqual([(d["first"], d["last"]) for d in damage], [(3, 3), (4, 4)])
        self.assertIn("another place", damage[0]["reason"])

    def test_a_time_that_does_not_rise_is_named(self):
        daemon, path, lines = self.filled(300)
        for seq in (3, 257):  # within a block of 256 lines, and first in one
            before, line = lines[seq - 2], lines[seq - 1]
            recorded = json.loads(line)["recorded"].encode()
            forged = line.replace(recorded, json.loads(before)["recorded"].encode())
            start = sum(map(len, lines[: seq - 1]))
            self.overwrite(path, start, checked(forged[: forged.rindex(b',"crc32c"')]))
            damage = self.refused(daemon)["logs"][0]["damage"]
            self.overwrite(path, start, line)
            self.assertEqual([(d["first"], d["last"]) for d in damage], [(seq, seq)])
            self.assertIn("not recorded later", damage[0]["reason"])

    def test_a_stub_counts_as_erased_and_changes_no_root(self):
        daemon, path, lines = self.filled(300)
        before = self.stated(daemon)
        daemon.stop()
        shutil.rmtree(os.path.join(daemon.data, "timelines/main/index"), ignore_errors=True)
        for index in (0, 41, 299):
            lines[index] = checked(stub_of(lines[index]))
        with open(path, "wb") as file:
            file.writelines(lines)
        daemon.start()
        self.assertEqual(self.stated(daemon), before)
        self.assertEqual([log["erased"] for log in self.json("verify", daemon=daemon)["logs"]], [3])

    def test_the_daemon_tells_how_far_it_is_and_serves_others_meanwhile(self):
        daemon = self.another()
        client = daemon.client()
        lines = "".join(json.dumps(event(f"line {number}")) + "\n" for number in range(8_000))
        for _ in range(9):
            client.send(f"APPENDMANY 8000\n{lines}".rstrip("\n"))
            self.assertTrue(client.reply().startswith("OK "))
        client.send("VERIFY")
        other = daemon.client()
        self.assertEqual(other.ask("PING"), "OK")
        other.close()
        rows = []
        while (reply := client.reply()).startswith("ROW "):
            rows.append(json.loads(reply[4:]))
        self.assertEqual(json.loads(reply[4:])["lines"], 72_002)
        steps = [row["done"] for row in rows if "done" in row]
        self.assertEqual(steps, [65_536, 72_002])
        self.assertTrue(all(row["total"] == 72_002 for row in rows if "done" in row))
        client.send("VERIFY now")
        self.assertTrue(client.reply().startswith("ERR bad-request"))
        client.close()


if __name__ == "__main__":
    unittest.main()
