"""`timelinectl backup` and `restore`: one position of a running daemon in one file, and a data directory of it again.
The file is taken apart here by zstd, hashlib and the form that docs/operating/backup.md says; every way to damage it is refused,
and leaves nothing behind."""

import base64
import contextlib
import errno
import glob
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

from ctl import Ctl
from daemon import BINARIES, ROOT, Daemon, event, heed_hangup, ignore_hangup
from recorder import Recorder
from terminal import Terminal
from test_faults import COMPILER, HALF, HALF_THEN_FULL, ONCE, Fault, name
from test_full_disk import can_mount
from test_verify import checked, leaf_of, root_of, stub_of

FAULTS = int(os.environ.get("BACKUP_FAULTS", "30"))
FLIPS = int(os.environ.get("BACKUP_FLIPS", "40"))
INSIDE = "TIMELINE_BACKUP_DISK"
ZSTD = shutil.which("zstd")
OPENSSL = shutil.which("openssl")
WORDS = "correct horse battery"


def text_of(path):
    """The lines of a backup, by a program that is not ours."""
    run = subprocess.run([ZSTD, "-dc", path], capture_output=True, check=True)
    return run.stdout.splitlines(keepends=True)


def end_of(lines):
    count = sum(line.startswith(b"{") for line in lines)
    return b'END {"lines":%d,"sha256":"%s"}\n' % (count, hashlib.sha256(b"".join(lines)).hexdigest().encode())


def packed(lines):
    """The file of a text, with the checksum of zstd."""
    return subprocess.run([ZSTD, "-c", "--check"], input=b"".join(lines), capture_output=True, check=True).stdout


class Backups(Ctl):
    """What the tests below stand on."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        # Sockets of a restore are made in /tmp; none stays.
        before = set(glob.glob("/tmp/timeline-restore-*"))
        self.addCleanup(lambda: self.assertEqual(set(glob.glob("/tmp/timeline-restore-*")) - before, set()))

    def append(self, daemon, count, word="line", first=0):
        client = daemon.client()
        client.send(f"APPENDMANY {count}")
        for number in range(first, first + count):
            client.send(json.dumps(event(f"{word} {number}, é")))
        self.assertTrue(client.reply().startswith("OK "))
        client.close()

    def backup(self, daemon, name="backup", *words, **more):
        path = str(self.root / name)
        self.done("backup", path, *words, daemon=daemon, **more)
        return path

    def serving(self, data):
        """A daemon on a directory that was restored."""
        daemon = Daemon()
        self.addCleanup(daemon.remove)
        daemon.data = str(data)
        return daemon.start()

    def logs(self, data):
        """The bytes of each log."""
        logs = {}
        for path in sorted(glob.glob(os.path.join(data, "timelines/main/logs/*/*.jsonl"))):
            logs[path.split("/")[-2]] = logs.get(path.split("/")[-2], b"") + pathlib.Path(path).read_bytes()
        return logs

    def heads(self, data):
        paths = glob.glob(os.path.join(data, "timelines/main/logs/*/checkpoint"))
        return {path.split("/")[-2]: pathlib.Path(path).read_bytes() for path in paths}

    def own(self, data):
        return json.loads(pathlib.Path(data, "timelines/main/timeline.json").read_text())["replica"]

    def events(self, daemon):
        client = daemon.client()
        events, _ = client.stream("QUERY {}")
        client.close()
        return events

    def tree(self):
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))

    def refused(self, exit, path, *words, said=None, **more):
        """A restore that fails, of which nothing is left; also the check of the file, where that is why."""
        before = self.tree()
        err = self.fails(exit, "restore", path, str(self.root / "new" / "target"), *words, "--json", **more)
        self.assertEqual(self.tree(), before)
        if exit == 7:
            code, out, err_of_check = self.ctl("restore", path, "--check", "--json")
            self.assertEqual((code, "error" in json.loads(out)), (7, said != "--partial"), err_of_check)
        if said:
            self.assertIn(said, err)
        return err


class Whole(Backups):
    shipped = True

    @unittest.skipUnless(ZSTD, "needs zstd")
    def test_the_file_is_the_lines_as_text(self):
        self.daemon.client().append(title="one more")
        path = self.backup(self.daemon)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        lines = text_of(path)
        self.assertEqual(lines[-1], end_of(lines[:-1]))
        word, version, header = lines[0].split(b" ", 2)
        header = json.loads(header)
        self.assertEqual((word, version, header["name"]), (b"timeline-backup", b"1", "main"))
        self.assertEqual(header["timeline"], self.json("status")["uuid"])
        self.assertEqual(header["position"], self.json("status")["position"])
        [(replica, log)] = self.logs(self.daemon.data).items()
        self.assertEqual(header["replica"], replica)
        self.assertEqual(b"".join(lines[2:-1]), log)
        head = json.loads(lines[1].removeprefix(b"LOG "))
        self.assertEqual((head["replica"], head["lines"]), (replica, len(lines) - 3))
        origin, size, root = head["head"].split("\n")[:3]
        self.assertEqual((origin.split("/")[-1], int(size)), (replica, len(lines) - 3), "signed up to the last line")
        self.assertEqual(root, base64.b64encode(root_of([leaf_of(line) for line in lines[2:-1]])).decode())

    def test_a_restored_directory_is_the_same_and_has_a_log_of_its_own(self):
        path = self.backup(self.daemon)
        target = self.root / "a" / "b" / "data"
        said = self.json("restore", path, str(target))
        self.assertEqual((said["directory"], said["missing"]), (str(target), 0))
        self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o700)
        self.assertEqual(self.logs(target), self.logs(self.daemon.data))
        self.assertEqual(self.heads(target), self.heads(self.daemon.data))
        self.assertNotEqual(self.own(target), self.own(self.daemon.data))
        self.assertEqual(sorted(p.name for p in self.root.iterdir()), ["a", "backup"])
        other = self.serving(target)
        self.assertEqual(self.events(other), self.events(self.daemon))
        self.assertTrue(self.json("verify", daemon=other)["whole"])
        self.append(other, 2)
        position = self.json("status", daemon=other)["position"]
        self.assertEqual(position.pop(self.own(target)), 3)
        self.assertEqual(position, said["backup"]["position"])
        # A backup of the copy holds both logs, and what is made of it is the same again.
        second = self.root / "second"
        said = self.json("restore", self.backup(other, "of the copy"), str(second))
        self.assertEqual(len(said["logs"]), 2)
        self.assertEqual(self.logs(second), self.logs(target))
        self.assertEqual(self.heads(second).keys(), self.logs(target).keys())

    def test_the_same_again_without_a_change_is_the_same_text(self):
        if not ZSTD:
            self.skipTest("needs zstd")
        one, two = text_of(self.backup(self.daemon)), text_of(self.backup(self.daemon, "two"))
        made = re.compile(rb'"made":"[^"]*"')
        self.assertEqual(made.sub(b"", one[0]), made.sub(b"", two[0]))
        self.assertEqual(one[1:-1], two[1:-1])

    def test_what_is_in_it_is_said(self):
        path = self.backup(self.daemon)
        text = self.done("restore", path, "--check")
        status = self.json("status")
        [count] = status["position"].values()
        self.assertIn(f"all {count} lines of 1 log are what was written", text)
        self.assertIn(self.json("verify")["logs"][0]["root"], text)
        said = self.json("restore", path, "--check")
        self.assertEqual((said["lines"], said["missing"], said["key"]), (count, 0, False))
        [log] = said["logs"]
        self.assertEqual((log["lines"], log["signed"], log["checked"], log["missing"]), (count, count, True, []))
        [key] = self.json("keys")
        self.assertEqual(log["vkey"], key["vkey"])
        self.assertEqual(log["root"], self.json("verify")["logs"][0]["root"])

    def test_names_and_places_that_will_not_do(self):
        path = self.backup(self.daemon)
        whole = pathlib.Path(path).read_bytes()
        self.assertIn("--force replaces it", self.fails(1, "backup", path, "--json"))
        self.assertEqual(pathlib.Path(path).read_bytes(), whole)
        self.done("backup", path, "--force")
        for words in (("backup",), ("backup", path, "more"), ("restore", path), ("restore",), ("restore", path, "d", "--check"),
                      ("restore", path, "a", "b"), ("backup", path + "/"), ("backup", path, "--passphrase-file", path)):
            self.fails(2, *words, "--json")
        self.fails(1, "backup", str(self.root / "none" / "backup"), "--json")
        self.fails(1, "backup", str(self.root), "--json")
        self.fails(1, "backup", str(self.root), "--force", "--json")
        self.fails(5, "backup", str(self.root / "x"), "--socket", str(self.root / "no-socket"), "--json")
        for name in ("no-file", "."):
            self.refused(1, str(self.root / name))
        self.refused(7, self.file("x", "no backup\n"), said="it is no backup")
        before = self.tree()
        for target in (".", "backup"):
            self.fails(1, "restore", path, str(self.root / target), "--json")
        self.assertEqual(self.tree(), before)
        # An empty directory is taken, by any of its names.
        (self.root / "empty").mkdir()
        (self.root / "link").symlink_to("empty")
        self.done("restore", path, str(self.root / "link") + "/")
        self.assertEqual(self.logs(self.root / "empty"), self.logs(self.daemon.data))
        self.fails(1, "restore", path, str(self.root / "empty"), "--json")
        self.assertNotIn("backup.new", self.tree())

    def test_a_timeline_without_lines(self):
        path = self.backup(self.another())
        self.assertIn("nothing was recorded yet", self.done("restore", path, "--check"))
        self.done("restore", path, str(self.root / "data"))
        other = self.serving(self.root / "data")
        self.append(other, 1)
        self.assertEqual(len(self.events(other)), 1)

    def test_the_text_of_the_protocol(self):
        client = self.daemon.client()
        client.send(b"BACKUP\nPING\nBACKUP now\nBACKUP {\"x\":1}\nBACKUP {\"passphrase\":\"short\"}\nBACKUP {\"passphrase\":7}\n")
        header = client.reply()
        self.assertTrue(header.startswith('ROW {"timeline":'), header)
        position = json.loads(header[4:])["position"]
        log = client.reply()
        self.assertTrue(log.startswith('ROW {"log":'), log)
        [count] = position.values()
        for seq in range(1, count + 1):
            self.assertTrue(client.reply().startswith('EVENT {"v":1,'))
        self.assertEqual(client.reply(), 'END {"lines":%d,"missing":0}' % count)
        self.assertEqual(client.reply(), "OK")
        for _ in range(4):
            self.assertTrue(client.reply().startswith("ERR bad-request "))
        client.close()


class Running(Backups):
    def test_one_position_while_others_record(self):
        daemon = self.another()
        with Recorder(daemon, lambda: 200) as recorder:
            for run in range(4):
                before = recorder.more(1000)
                path = self.backup(daemon, f"run {run}")
                recorder.rest()
                target = self.root / f"data {run}"
                said = self.json("restore", path, str(target))
                titles = [e["title"] for e in self.events(self.serving(target))]
                self.assertEqual(len(titles), len(set(titles)), "none twice")
                self.assertEqual(set(before) - set(titles), set(), "all that was acknowledged")
                self.assertEqual(set(titles) - recorder.sent, set(), "nothing that was never sent")
                # The machine's lines about itself and the timeline are two more.
                self.assertEqual(sum(said["backup"]["position"].values()), len(titles) + 2)
                [log] = said["logs"]
                self.assertTrue(log["checked"])
                # And the lines are the beginning of the log.
                [whole] = self.logs(daemon.data).values()
                [copy] = self.logs(target).values()
                self.assertTrue(whole.startswith(copy))

    def test_logs_of_several_machines_and_a_sync_afterwards(self):
        one, two = self.machines(2)
        self.append(one, 30, "one")
        self.append(two, 20, "two")
        self.done("peer", "add", two.listen[0], daemon=one)
        self.done("sync", daemon=one)
        path = self.backup(one)
        target = self.root / "data"
        said = self.json("restore", path, str(target))
        self.assertEqual([log["lines"] for log in said["logs"]], [n for _, n in sorted(said["backup"]["position"].items())])
        self.assertEqual(self.logs(target), self.logs(one.data))
        # The machine that was copied has its heads on the disk within a second, at the latest when it ends.
        one.stop()
        for replica, head in self.heads(target).items():
            self.assertEqual(head, self.heads(one.data)[replica])
        one.start()
        # The machine goes on, and so does its copy; they meet, and nobody speaks of a fork.
        self.append(one, 5, "after")
        copy = self.serving(target)
        self.append(copy, 5, "copy")
        self.done("peer", "add", one.listen[0], daemon=copy)
        self.done("sync", daemon=copy)
        self.assertEqual(self.events(copy), self.events(one))

    def test_many_lines_with_progress(self):
        daemon = self.another()
        for first in range(0, 56_000, 8_000):
            self.append(daemon, 8_000, first=first)
        path, target = str(self.root / "backup"), str(self.root / "data")
        for words, verb in ((("backup", path), "backing up"), (("restore", path, "--check"), "checking"), (("restore", path, target), "restoring")):
            code, _, err = self.ctl(*words, daemon=daemon)
            self.assertEqual(code, 0, err)
            steps = [json.loads(line) for line in err.splitlines()]
            steps = [step for step in steps if step["progress"] == verb]
            self.assertEqual((steps[-1]["done"], steps[-1]["total"]), (56_002, 56_002), words)
            self.assertEqual(sorted(s["done"] for s in steps), [s["done"] for s in steps])
        self.assertEqual(self.logs(target), self.logs(daemon.data))

    def test_damaged_lines_are_left_out_and_said(self):
        daemon = self.another()
        self.append(daemon, 50)
        [path] = glob.glob(daemon.data + "/timelines/main/logs/*/*.jsonl")
        lines = pathlib.Path(path).read_bytes().splitlines(keepends=True)
        for index in (20, 21, 40):
            with open(path, "r+b") as file:
                file.seek(sum(map(len, lines[:index])) + 300)
                file.write(b"#")
        backup = str(self.root / "backup")
        code, out, err = self.ctl("backup", backup, "--json", daemon=daemon)
        self.assertEqual(code, 7, err)
        said = json.loads(out)
        self.assertEqual((said["lines"], said["missing"], said["logs"][0]["missing"]), (49, 3, [[21, 22], [41, 41]]))
        self.assertIn("3 of the 52 lines", self.ctl("restore", backup, "--check")[1])
        self.refused(7, backup, said="--partial")
        target = self.root / "data"
        code, out, _ = self.ctl("restore", backup, str(target), "--partial", "--json")
        self.assertEqual((code, json.loads(out)["restored"]), (6, 20))
        [log] = self.logs(target).values()
        self.assertEqual(log, b"".join(lines[:20]))
        if ZSTD:
            kept = [line for line in text_of(backup) if line.startswith(b"{")]
            self.assertEqual(kept, lines[:20] + lines[22:40] + lines[41:])


    def test_words_that_were_erased_are_in_no_new_backup(self):
        daemon = self.another()
        client = daemon.client()
        ids = [client.append(title=f"Zanzibar {number}")["id"] for number in range(5)]
        old = self.backup(daemon, "old")
        self.done("erase", ids[2], "--reason", "a source is in danger", "--yes", daemon=daemon)
        path = self.backup(daemon, "new")
        if ZSTD:
            titles = [json.loads(line).get("title") for line in text_of(path) if line.startswith(b"{")]
            self.assertEqual([t for t in titles if t], [f"Zanzibar {n}" for n in (0, 1, 3, 4)])
        target = self.root / "data"
        said = self.json("restore", path, str(target))
        self.assertEqual([log["erased"] for log in said["logs"]], [1])
        self.assertEqual(self.logs(target), self.logs(daemon.data))
        self.assertEqual(self.heads(target), self.heads(daemon.data))
        other = self.serving(target)
        status = self.json("status", daemon=other)
        self.assertEqual((status["erased"], status["withheld"]), (1, []))
        self.assertTrue(self.json("verify", daemon=other)["whole"])
        # One from before has them still, and is good.
        self.assertEqual([log["erased"] for log in self.json("restore", old, "--check")["logs"]], [0])
        client.close()

    def test_lines_that_changed_places_are_damaged(self):
        daemon = self.another()
        self.append(daemon, 20)
        [path] = glob.glob(daemon.data + "/timelines/main/logs/*/*.jsonl")
        lines = pathlib.Path(path).read_bytes().splitlines(keepends=True)
        one, two = 12, 13
        self.assertEqual(len(lines[one]), len(lines[two]))
        with open(path, "r+b") as file:
            file.seek(sum(map(len, lines[:one])))
            file.write(lines[two] + lines[one])
        code, out, err = self.ctl("backup", str(self.root / "backup"), "--json", daemon=daemon)
        self.assertEqual((code, json.loads(out)["logs"][0]["missing"]), (7, [[13, 14]]), err)

    def test_the_newest_lines_are_signed_for_it(self):
        daemon = self.another()
        client = daemon.client()
        for number in range(1, 6):
            client.append(title=f"line {number}")
            self.backup(daemon, "backup", "--force")
            [log] = self.json("restore", str(self.root / "backup"), "--check")["logs"]
            # At most one head a second is signed without being asked for.
            self.assertEqual((log["lines"], log["signed"], log["checked"]), (number + 2, number + 2, True))
        client.close()


class Damage(Backups):
    """One file, damaged in every way."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        client = cls.daemon.client()
        for number in range(40):
            client.append(title=f"line {number}")
        client.close()
        cls.kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.kept.cleanup)
        path = cls.kept.name + "/backup"
        code, _, err = cls.ctl("backup", path)
        assert code == 0, err
        cls.bytes = pathlib.Path(path).read_bytes()

    def test_any_bit_is_noticed_or_says_the_same(self):
        seed = int(os.environ.get("BACKUP_SEED", random.randrange(1 << 32)))
        print(f"backup damage: {FLIPS} bits, BACKUP_SEED={seed}")
        chance = random.Random(seed)
        harmless = 0
        for bit in chance.sample(range(len(self.bytes) * 8), FLIPS):
            flipped = bytearray(self.bytes)
            flipped[bit // 8] ^= 1 << bit % 8
            path = self.file("flipped", bytes(flipped))
            target = self.root / "data"
            code, out, err = self.ctl("restore", path, str(target), "--json")
            if code == 0:  # Not every bit of a zstd frame has a say in what it holds.
                self.assertEqual(self.logs(target), self.logs(self.daemon.data), f"bit {bit}")
                shutil.rmtree(target)
                harmless += 1
            else:
                self.assertEqual((code, self.tree()), (7, []), f"bit {bit}: {err}")
        self.assertLess(harmless, FLIPS / 4)

    def test_what_is_cut_or_goes_on(self):
        size = len(self.bytes)
        for count in (0, 1, 4, 5, 10, size // 2, size - 5, size - 4, size - 1):
            self.refused(7, self.file("cut", self.bytes[:count]))
        for more in (b"\0", b"\n", self.bytes):
            self.refused(7, self.file("more", self.bytes + more), said="more behind its end")

    @unittest.skipUnless(ZSTD, "needs zstd")
    def test_text_that_was_changed_with_all_sums_computed_again(self):
        whole = text_of(self.file("backup", self.bytes))[:-1]

        def change(what, said=None, end=None):
            lines = list(whole)
            what(lines)
            path = self.file("changed", packed(lines + [end_of(lines) if end is None else end]))
            return self.refused(7, path, said=said)

        def replace(index, old, new):
            def body(lines):
                self.assertIn(old, lines[index])
                lines[index] = lines[index].replace(old, new)
            return body

        # As it is, it is taken: what follows is refused for what was changed alone.
        self.done("restore", self.file("same", packed(whole + [end_of(whole)])), "--check")
        change(lambda lines: lines.insert(5, lines.pop(6)), "stands behind")
        change(lambda lines: lines.insert(5, lines[5]), "stands behind")
        change(replace(9, b"line", b"lime"), "the line is damaged")
        change(lambda lines: lines.__setitem__(9, checked(lines[9].replace(b"line", b"lime")[: lines[9].rindex(b',"crc32c"')])),
               "not the lines that were signed")
        change(lambda lines: lines.__setitem__(9, checked(stub_of(lines[8]))), "stands behind")
        other = self.another()
        self.append(other, 40)
        [log] = self.logs(other.data).values()
        change(lambda lines: lines.__setitem__(9, log.splitlines(keepends=True)[7]), "among those of replica")
        head = json.loads(whole[1].removeprefix(b"LOG "))
        theirs = self.heads(other.data) or {0: b""}
        for note in (head["head"].replace("\n42\n", "\n41\n"), head["head"].replace("\n42\n", "\n43\n"),
                     head["head"].replace("=\n\n", "\n\n"), [*theirs.values()][0].decode(), ""):
            line = b"LOG " + json.dumps({**head, "head": note}).encode() + b"\n"
            change(lambda lines: lines.__setitem__(1, line), "signed head")
        # Another root under the same signature.
        root = head["head"].split("\n")[2]
        wrong = base64.b64encode(hashlib.sha256(b"").digest()).decode()
        line = b"LOG " + json.dumps({**head, "head": head["head"].replace(root, wrong)}).encode() + b"\n"
        change(lambda lines: lines.__setitem__(1, line), "not the lines that were signed")
        change(lambda lines: lines.pop(0), "it is no backup")
        change(lambda lines: lines.pop(1))
        change(lambda lines: lines.insert(1, lines[1]))
        change(replace(0, b"timeline-backup 1", b"timeline-backup 2"), "version 2")
        change(replace(0, b'"name":"main"', b'"nome":"main"'))
        change(replace(1, b'"lines":42', b'"lines":43'))
        change(replace(0, b":42}", b":43}"))
        change(lambda lines: lines.append(b"\n"))
        change(lambda lines: lines.append(b"KEY {}\n"))
        change(lambda lines: None, end=b"")
        change(lambda lines: None, end=end_of(whole[:-1]))
        change(lambda lines: None, end=end_of(whole) * 2)
        change(lambda lines: None, end=end_of(whole)[:-1])
        # A line less is as if it had been damaged: it is told, and not passed over.
        change(lambda lines: lines.pop(9), "--partial")

    @unittest.skipUnless(ZSTD, "needs zstd")
    def test_a_stub_that_no_erasure_explains_is_withheld(self):
        whole = text_of(self.file("backup", self.bytes))[:-1]
        whole[9] = checked(stub_of(whole[9]))
        path = self.file("stub", packed(whole + [end_of(whole)]))
        # The head is over stubs, so it holds.
        self.assertEqual(self.json("restore", path, str(self.root / "data"))["logs"][0]["checked"], True)
        other = self.serving(self.root / "data")
        status = self.json("status", daemon=other)
        self.assertEqual(status["withheld"], [[json.loads(whole[9])["replica"], 8]])

    @unittest.skipUnless(ZSTD, "needs zstd")
    def test_a_timeline_that_no_directory_can_have(self):
        whole = text_of(self.file("backup", self.bytes))[:-1]
        whole[0] = whole[0].replace(b'"name":"main"', b'"name":"../talks"')
        path = self.file("other", packed(whole + [end_of(whole)]))
        self.refused(7, path, said="no name that a timeline can have")


class Interrupted(Backups):
    """What is stopped half-way: by a signal, a full disk, a daemon that is not there or not ours."""

    def deceiving(self, text, ends=False):
        """A socket that answers any request with this, and then says nothing, or ends."""
        path = str(self.root / "false.sock")
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(path)
        server.listen()
        self.asked = threading.Event()

        def serve():
            connection, _ = server.accept()
            with connection, contextlib.suppress(ConnectionError):
                connection.recv(100_000)
                connection.sendall(text)
                self.asked.set()
                if not ends:
                    connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        return path

    def answer(self):
        """What a daemon says to BACKUP."""
        daemon = self.another()
        self.append(daemon, 3)
        client = daemon.client()
        client.send("BACKUP")
        lines = []
        while not lines or not lines[-1].startswith("END "):
            lines.append(client.reply())
        client.close()
        return [line.encode() + b"\n" for line in lines]

    def test_a_daemon_that_ends_or_says_what_it_should_not(self):
        answer = self.answer()
        changed = [line.replace(b"line 1", b"lime 1") for line in answer]
        for exit, text in (
            (5, b"".join(answer[:3])), (5, b"".join(answer)[:-1]), (1, b'END {"lines":0,"missing":0}\n'),
            (7, b"".join(changed)), (7, b"".join(answer[1:])), (7, b"".join(answer[:3] + answer[4:])), (7, b"".join(answer[:1] * 2)),
            (7, b"".join(answer[:1] + answer[2:])), (7, answer[0] + b"ROW {}\n" + answer[-1]), (4, b"ERR denied no\n"), (1, b"HALLO\n"),
        ):
            path = self.deceiving(text, ends=exit == 5)
            self.fails(exit, "backup", str(self.root / "backup"), "--socket", path, "--json")
            self.assertEqual(self.tree(), ["false.sock"])
            os.unlink(path)

    def test_a_signal_while_it_is_made(self):
        old = self.root / "backup"
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            old.write_text("old")
            path = self.deceiving(b"".join(self.answer()[:3]))
            process = subprocess.Popen(
                [BINARIES / "timelinectl", "backup", str(old), "--force", "--socket", path], stderr=subprocess.PIPE,
                preexec_fn=heed_hangup)
            self.asked.wait()
            # By then it has begun, and waits for the rest.
            while not (self.root / "backup.new").exists():
                pass
            process.send_signal(number)
            _, err = process.communicate()
            self.assertEqual((process.returncode, old.read_text()), (130, "old"), err)
            self.assertEqual(self.tree(), ["backup", "false.sock"])
            os.unlink(path)

    def test_a_signal_that_is_ignored_stays_ignored(self):
        path = self.deceiving(b"".join(self.answer()[:3]))
        process = subprocess.Popen(
            [BINARIES / "timelinectl", "backup", str(self.root / "backup"), "--socket", path], stderr=subprocess.PIPE,
            preexec_fn=ignore_hangup)
        self.asked.wait()
        while not (self.root / "backup.new").exists():
            pass
        process.send_signal(signal.SIGHUP)
        with open(f"/proc/{process.pid}/status") as status:
            [ignored] = [line.split()[1] for line in status if line.startswith("SigIgn")]
        self.assertTrue(int(ignored, 16) >> (signal.SIGHUP - 1) & 1)
        process.send_signal(signal.SIGTERM)
        self.assertEqual((process.communicate()[1] and process.returncode, self.tree()), (130, ["false.sock"]))

    def test_what_a_kill_left_is_written_over_and_two_do_not_meet(self):
        path = self.deceiving(b"".join(self.answer()[:3]))
        target = self.root / "backup"
        process = subprocess.Popen([BINARIES / "timelinectl", "backup", str(target), "--socket", path])
        self.asked.wait()
        while not (self.root / "backup.new").exists():
            pass
        daemon = self.another()
        self.append(daemon, 3)
        # Until it has the lock, it may lose it to the other.
        code, out, err = self.ctl("backup", str(target), daemon=daemon)
        process.kill()
        process.wait()
        if code == 0:
            target.unlink()
        else:
            self.assertIn("is being written by another program", err)
        self.backup(daemon)
        self.done("restore", str(target), "--check")
        self.assertEqual(self.tree(), ["backup", "false.sock"])

    def alone(self, daemon_text=None):
        """A timelinectl that has no daemon next to it, or one that is this shell script."""
        target = self.root / "bin"
        target.mkdir()
        shutil.copy(BINARIES / "timelinectl", target)
        if daemon_text:
            (target / "timelined").write_text("#!/bin/sh\n" + daemon_text)
            (target / "timelined").chmod(0o700)
        return str(target / "timelinectl")

    def test_without_a_daemon_nothing_is_restored(self):
        daemon = self.another()
        path = self.backup(daemon)
        program = self.alone()
        before = self.tree()
        run = subprocess.run([program, "restore", path, str(self.root / "data")], env={"PATH": "/nowhere"}, capture_output=True, text=True)
        self.assertEqual((run.returncode, self.tree()), (5, before), run.stderr)
        self.assertIn("neither beside timelinectl nor on the PATH", run.stderr)
        # The one on the PATH does as well.
        run = subprocess.run(
            [program, "restore", path, str(self.root / "data")], env={"PATH": f"/nowhere:{BINARIES}"}, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_a_daemon_that_does_not_start_or_ends(self):
        path = self.backup(self.another())
        for script in ("echo '<3>timelined: the moon is full' >&2; exit 1", "exit 0", "echo '<6>timelined: serving x' >&2"):
            program = self.alone(script)
            before = self.tree()
            run = subprocess.run([program, "restore", path, str(self.root / "data")], capture_output=True, text=True)
            self.assertIn(run.returncode, (1, 5), run.stderr)
            self.assertEqual(self.tree(), before)
            self.assertIn("the moon is full" if "moon" in script else "timeline", run.stderr)
            shutil.rmtree(self.root / "bin")

    def test_a_signal_while_it_is_restored(self):
        path = self.backup(self.another())
        # It says its number, and serves nobody.
        program = self.alone(f'echo $$ > "{self.root}/pid"; exec sleep 1000')
        before = self.tree()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            process = subprocess.Popen(
                [program, "restore", path, str(self.root / "deep" / "data")], stderr=subprocess.PIPE, text=True)
            pid = self.root / "pid"
            while not (pid.exists() and pid.read_text()):
                pass
            child = int(pid.read_text())
            process.send_signal(number)
            _, err = process.communicate()
            # The daemon goes with it, however it went.
            while os.path.exists(f"/proc/{child}") and "sleep" in pathlib.Path(f"/proc/{child}/cmdline").read_text():
                pass
            pid.unlink()
            if number == signal.SIGKILL:
                self.assertEqual(process.returncode, -signal.SIGKILL)
                self.assertFalse((self.root / "deep" / "data").exists())
                for left in glob.glob("/tmp/timeline-restore-*"):
                    if not os.listdir(left):
                        os.rmdir(left)
            else:
                self.assertEqual((process.returncode, self.tree()), (130, before), err)

    @unittest.skipIf(INSIDE in os.environ, "this is the run inside")
    def test_a_full_disk(self):
        if not can_mount() or not ZSTD:
            self.skipTest("no file system of its own may be mounted here, or there is no zstd")
        with tempfile.TemporaryDirectory() as disk:
            script = 'mount -t tmpfs -o size=400k none "$0" && exec "$1" -B "$2" FullDisk'
            run = subprocess.run(
                ["unshare", "-rm", "sh", "-c", script, disk, sys.executable, __file__],
                env={**os.environ, INSIDE: disk}, capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, run.stderr)


@unittest.skipUnless(INSIDE in os.environ, "runs inside the other")
class FullDisk(Backups):
    def test_nothing_is_left_of_what_did_not_fit(self):
        disk = pathlib.Path(os.environ[INSIDE])
        daemon = self.another()
        chance = random.Random(1)
        client = daemon.client()
        for number in range(100):
            # Words that cannot be made short.
            client.append(title=f"line {number}", summary=chance.randbytes(3000).hex())
        client.close()
        (disk / "ballast").write_bytes(bytes(200_000))
        err = self.fails(1, "backup", str(disk / "backup"), "--json", daemon=daemon)
        self.assertIn("No space left", err)
        self.assertEqual(os.listdir(disk), ["ballast"])
        path = self.backup(daemon)
        err = self.fails(1, "restore", path, str(disk / "deep" / "data"), "--json")
        self.assertIn("full", err)
        self.assertEqual(os.listdir(disk), ["ballast"])
        (disk / "ballast").unlink()
        self.done("backup", str(disk / "backup"), daemon=daemon)
        (disk / "backup").unlink()

    def test_words_that_no_room_was_found_to_erase(self):
        disk = pathlib.Path(os.environ[INSIDE])
        daemon = Daemon()
        self.addCleanup(daemon.remove)
        daemon.data = str(disk / "data")
        self.addCleanup(shutil.rmtree, daemon.data)
        daemon.start()
        client = daemon.client()
        ids = [client.append(title=f"Zanzibar {number}", summary="x" * 1000)["id"] for number in range(100)]
        client.close()
        room = os.statvfs(disk)
        (disk / "ballast").write_bytes(bytes(room.f_bavail * room.f_bsize - 50_000))
        self.addCleanup((disk / "ballast").unlink, missing_ok=True)
        code, out, err = self.ctl("erase", ids[2], "--reason", "a source is in danger", "--yes", "--json", daemon=daemon)
        self.assertEqual((code, "unfinished" in json.loads(out)), (6, True), err)
        self.assertTrue(any(b'"Zanzibar 2"' in log for log in self.logs(daemon.data).values()))
        lines = [json.loads(line) for line in text_of(self.backup(daemon)) if line.startswith(b"{")]
        titles = [line["title"] for line in lines if "title" in line]
        self.assertEqual(titles, [f"Zanzibar {n}" for n in range(100) if n != 2])
        target = self.root / "data"
        self.assertEqual(self.json("restore", str(self.root / "backup"), str(target))["logs"][0]["erased"], 1)
        self.assertTrue(self.json("verify", daemon=self.serving(target))["whole"])


@unittest.skipUnless(COMPILER, "no C compiler")
class Faults(Backups):
    """The N-th call of a kind below a directory fails, in timelinectl or the daemon that it starts."""

    CALLS = [(kind, error) for kind in ("open", "mkdir", "fsync", "rename") for error in (errno.EIO, errno.ENOSPC)]
    CALLS += [("write", error) for error in (errno.EIO, errno.ENOSPC, HALF, HALF_THEN_FULL)]
    CALLS += [("ftruncate", errno.EIO), ("fdatasync", errno.EIO)]
    CALLS += [(kind, errno.EINTR) for kind in ("open", "write", "fsync", "ftruncate", "flock")]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.library = cls.scratch.name + "/faults.so"
        source = ROOT / "Tests" / "Faults" / "faults.c"
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", cls.library, source], check=True)

    def sweep(self, check, words):
        """Runs a command with each call failing, in steps that make about FAULTS runs of it; counts those that failed."""
        control = self.scratch.name + "/control"

        def run(kind, number, error):
            fault = Fault(control, number, error, ONCE)
            code, _, err = self.ctl(
                *words, LD_PRELOAD=self.library, FAULT_ROOT=str(self.root), FAULT_KIND=kind, FAULT_CONTROL=control,
                SWIFT_BACKTRACE="enable=no")
            return fault, code, err

        calls = {}
        for kind in {kind for kind, _ in self.CALLS}:
            fault, code, err = run(kind, 0, 0)
            self.assertEqual(code, 0, err)
            calls[kind] = fault.calls
            check(0, "")
        step = max(1, sum(calls[kind] for kind, _ in self.CALLS) // FAULTS)
        seed = int(os.environ.get("BACKUP_SEED", random.randrange(1 << 32)))
        chance = random.Random(seed)
        failed = 0
        for kind, error in self.CALLS:
            for number in range(chance.randint(1, step), calls[kind] + 1, step):
                fault, code, err = run(kind, number, error)
                what = f"{name(error)} at {kind} {number} (BACKUP_SEED={seed}): {code} {err}"
                self.assertIn(code, (0, 1, 4, 5, 7), what)
                if error in (errno.EINTR, HALF):
                    self.assertEqual(code, 0, what)
                check(code, what)
                failed += code != 0
        print(f"faults of {words[0]}: every {step}. of {calls}, {failed} failed")
        self.assertGreater(failed, 5)

    def test_a_backup_is_whole_or_not_there(self):
        self.daemon.client().append(title="line")
        path = self.root / "backup"

        def check(code, what):
            self.assertEqual(self.tree(), ["backup"], what)
            if code == 0 or path.read_text(errors="replace") != "old":
                self.done("restore", str(path), "--check")
            path.write_text("old")

        path.write_text("old")
        self.sweep(check, ("backup", str(path), "--force"))

        def check_new(code, what):
            self.assertIn(self.tree(), [["backup"]] if code == 0 else [[], ["backup"]], what)
            if path.exists():
                self.done("restore", str(path), "--check")
                path.unlink()

        path.unlink()
        self.sweep(check_new, ("backup", str(path)))

    def test_a_directory_is_whole_or_not_there(self):
        client = self.daemon.client()
        for number in range(30):
            client.append(title=f"line {number}")
        client.close()
        path = self.scratch.name + "/backup"
        self.done("backup", path, "--with-key", "--force", TIMELINE_PASSPHRASE=WORDS)
        target = self.root / "data"

        def check(code, what):
            self.assertIn([p.name for p in self.root.iterdir()], [["data"]] if code == 0 else [[], ["data"]], what)
            if target.exists():
                self.assertEqual(self.logs(target), self.logs(self.daemon.data), what)
                self.assertEqual(self.heads(target).keys(), self.logs(target).keys(), what)
                self.assertEqual((target / "keys/heads.pem").read_bytes(), pathlib.Path(self.daemon.data, "keys/heads.pem").read_bytes())
                shutil.rmtree(target)

        words = self.file("words", WORDS)
        self.sweep(check, ("restore", path, str(target), "--with-key", "--passphrase-file", words))


class Keys(Backups):
    def secret(self, daemon):
        """The key's text, and what of it no backup may show."""
        text = pathlib.Path(daemon.data, "keys/heads.pem").read_text()
        return text, text.splitlines()[1]

    def text(self, path):
        if not ZSTD:
            self.skipTest("needs zstd")
        return b"".join(text_of(path)).decode()

    def test_a_backup_has_no_key_that_was_not_asked_for(self):
        daemon = self.another()
        self.append(daemon, 3)
        path = self.backup(daemon)
        _, body = self.secret(daemon)
        text = self.text(path)
        seed = base64.b64decode(body)[-32:]
        for hidden in ("PRIVATE", body, body[20:], base64.b64encode(seed).decode()[:40], seed.hex()):
            self.assertNotIn(hidden, text)
        self.refused(1, path, "--with-key", TIMELINE_PASSPHRASE=WORDS, said="made without --with-key")

    def test_a_key_is_there_and_back_under_its_passphrase(self):
        daemon = self.another()
        self.append(daemon, 3)
        path = self.backup(daemon, "backup", "--with-key", TIMELINE_PASSPHRASE=WORDS)
        whole, body = self.secret(daemon)
        text = self.text(path)
        self.assertNotIn(body[20:], text)
        self.assertNotIn(WORDS, text)
        [line] = [line for line in text.splitlines() if line.startswith("KEY ")]
        pem = json.loads(line[4:])["pem"]
        self.assertTrue(pem.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"))
        if OPENSSL:
            def decrypted(words):
                return subprocess.run(
                    [OPENSSL, "pkey", "-in", self.file("key.pem", pem), "-passin", "pass:" + words], capture_output=True, text=True)
            self.assertEqual(decrypted(WORDS).stdout, whole)
            self.assertNotEqual(decrypted(WORDS + "x").returncode, 0)
        for words in ("correct horse batterx", WORDS + " "):
            self.refused(1, path, "--with-key", TIMELINE_PASSPHRASE=words, said="not the passphrase")
        target = self.root / "with"
        self.done("restore", path, str(target), "--with-key", "--passphrase-file", self.file("words", WORDS + "\r\nmore\n"))
        self.assertEqual((target / "keys/heads.pem").read_text(), whole)
        self.assertEqual(stat.S_IMODE((target / "keys/heads.pem").stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE((target / "keys").stat().st_mode), 0o700)
        # Restored somewhere else it is another device.
        self.assertEqual(sorted(os.listdir(target / "keys")), ["device.pem", "heads.pem"])
        device = pathlib.Path(daemon.data, "keys/device.pem").read_text()
        self.assertNotEqual((target / "keys/device.pem").read_text(), device)
        # What it signs from now on, in a log of its own, that key signed.
        other = self.serving(target)
        self.append(other, 1)
        keys = {key["own"]: base64.b64decode(key["vkey"].split("+", 2)[2]) for key in self.json("keys", daemon=other)}
        self.assertEqual(keys[True], keys[False])
        # Without --with-key it stays in the file, and the machine has a new one.
        self.done("restore", path, str(self.root / "without"))
        self.assertNotEqual((self.root / "without/keys/heads.pem").read_text(), whole)

    def test_passphrases_that_will_not_do(self):
        daemon = self.another()
        path = str(self.root / "backup")
        for words in ("", "1234567", "éééé朝朝朝", "12345678\x7f", "x" * 1025):
            err = self.fails(2, "backup", path, "--with-key", "--json", daemon=daemon, TIMELINE_PASSPHRASE=words)
            self.assertIn("8 characters", err)
        for name, text in (("empty", ""), ("short", "1234567\nlonger than that\n"), ("zero", b"1234\x005678\n")):
            self.fails(2, "backup", path, "--with-key", "--passphrase-file", self.file(name, text), "--json", daemon=daemon)
        self.fails(1, "backup", path, "--with-key", "--passphrase-file", str(self.root / "none"), "--json", daemon=daemon)
        self.assertIn("--passphrase-file", self.fails(2, "backup", path, "--with-key", "--no-input", "--json", daemon=daemon))
        self.assertEqual(self.tree(), [])
        self.backup(daemon, "backup", "--with-key", TIMELINE_PASSPHRASE="éééé朝朝朝朝")

    def test_a_passphrase_is_asked_for_twice_and_not_shown(self):
        daemon = self.another()
        self.append(daemon, 3)
        path = str(self.root / "backup")
        terminal = Terminal(daemon, "backup", path, "--with-key", unset=("TIMELINE_PASSPHRASE",))
        terminal.until("Passphrase for the key: ")
        terminal.send(WORDS + "\n")
        terminal.until("The same again: ")
        terminal.send("something else\n")
        code, shown = terminal.end()
        self.assertEqual((code, self.tree()), (2, []), shown)
        self.assertNotIn("correct", shown)
        terminal = Terminal(daemon, "backup", path, "--with-key", unset=("TIMELINE_PASSPHRASE",))
        for prompt in ("Passphrase for the key: ", "The same again: "):
            terminal.until(prompt)
            terminal.send(WORDS + "\n")
        code, shown = terminal.end()
        self.assertEqual(code, 0, shown)
        self.assertNotIn("correct", shown)
        terminal = Terminal(daemon, "restore", path, str(self.root / "data"), "--with-key", unset=("TIMELINE_PASSPHRASE",))
        terminal.until("Passphrase of the key: ")
        terminal.send(WORDS + "\n")
        code, shown = terminal.end()
        self.assertEqual(code, 0, shown)
        self.assertEqual((self.root / "data/keys/heads.pem").read_text(), self.secret(daemon)[0])

    def test_ctrl_c_at_the_question_gives_the_terminal_back(self):
        daemon = self.another()
        terminal = Terminal(daemon, "backup", str(self.root / "backup"), "--with-key", unset=("TIMELINE_PASSPHRASE",))
        terminal.until("Passphrase for the key: ")
        terminal.send("\x03")
        code, _ = terminal.end()
        self.assertEqual((code, self.tree()), (130, []))

    def test_nobody_but_the_owner_is_given_the_key(self):
        daemon = self.machine()
        self.append(daemon, 1)
        with socket.create_connection(("127.0.0.1", int(daemon.listen[0].rsplit(":")[-1]))) as connection:
            file = connection.makefile("rb")
            connection.sendall(b'BACKUP {"passphrase":"long enough"}\nBACKUP\n')
            # Nor anything else: here machines sync alone.
            self.assertRegex(file.read(), rb"\AERR denied [^\n]*\n\Z")
            file.close()


if __name__ == "__main__":
    unittest.main()
