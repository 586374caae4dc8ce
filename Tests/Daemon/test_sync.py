"""Two and three daemons over loopback TCP, through timelinectl as people use it."""

import json
import os
import socket
import subprocess
import unittest

from daemon import BINARIES, ROOT, Network, free_port, shipped_events


class Sync(Network, unittest.TestCase):
    def ctl(self, daemon, *words):
        result = subprocess.run(
            [BINARIES / "timelinectl", "--socket", daemon.socket, *words], capture_output=True, text=True)
        return result.returncode, result.stdout, result.stderr

    def done(self, daemon, *words):
        code, out, err = self.ctl(daemon, *words)
        self.assertEqual(code, 0, err)
        return out

    def append(self, daemon, title):
        client = daemon.client()
        client.append(title=title)
        client.close()

    def log(self, daemon):
        return self.done(daemon, "log", "--jsonl")

    def test_two_agree_both_ways_and_live(self):
        a, b = self.machines(2)
        self.done(a, "import", str(ROOT / "data" / "us-dprk.jsonl"))
        self.append(b, "on b")
        self.done(a, "peer", "add", b.listen[0])
        self.assertIn("in sync", self.done(a, "sync"))
        self.assertEqual(self.log(a), self.log(b))
        self.assertEqual(self.done(a, "log", "--count"), f"{len(shipped_events()) + 1}\n")
        state = ("state", "USA", "PRK", "--as-of", "2017-11-30", "--json")
        self.assertEqual(self.done(a, *state), self.done(b, *state))
        # Live: the other's watcher sees what is recorded here.
        watcher = b.client()
        watcher.ok("WATCH {}")
        self.append(a, "live")
        self.assertEqual(json.loads(watcher.reply()[6:])["title"], "live")
        watcher.close()

    def test_resume_after_a_restart(self):
        a, b = self.machines(2)
        self.done(a, "peer", "add", b.listen[0])
        self.append(a, "first")
        self.done(a, "sync")
        b.stop()
        self.append(a, "while b was away")
        b.start()
        self.append(b, "on b")
        self.done(a, "sync")
        self.assertEqual(self.log(a), self.log(b))
        self.assertIn("while b was away", self.log(b))

    def test_relay_through_a_third(self):
        a, b, c = self.machines(3)
        self.append(a, "on a")
        self.append(c, "on c")
        self.done(a, "peer", "add", b.listen[0])
        self.done(a, "sync")
        self.done(c, "peer", "add", b.listen[0])
        self.done(c, "sync")
        watcher = a.client()  # what reached b from c comes on to a by itself
        watcher.ok('WATCH {"after":{}}')
        self.assertEqual({json.loads(watcher.reply()[6:])["title"] for _ in range(2)}, {"on a", "on c"})
        watcher.close()
        self.assertEqual(self.log(a), self.log(c))

    def test_a_copied_directory_is_refused(self):
        a, b = self.machines(2)
        self.append(a, "shared")
        for daemon in (a, b):
            daemon.stop()
        subprocess.run(["rm", "-rf", b.data], check=True)
        subprocess.run(["cp", "-a", a.data, b.data], check=True)
        for daemon in (a, b):
            daemon.start()
            self.append(daemon, "written by " + daemon.path)
        self.done(a, "peer", "add", b.listen[0])
        code, _, err = self.ctl(a, "sync", "--timeout", "1")
        self.assertEqual(code, 8)
        self.assertIn("a copy of its data directory", err)
        self.assertEqual(self.done(a, "log", "--count"), "2\n")

    def test_peers_are_kept_and_errors_are_clear(self):
        a = self.machine()
        address = f"tcp://127.0.0.1:{free_port()}"
        self.assertEqual(self.ctl(a, "sync")[0], 1)
        self.done(a, "peer", "add", address)
        self.assertEqual(self.ctl(a, "peer", "add", address)[0], 1)
        self.assertIn("loopback", self.ctl(a, "peer", "add", "tcp://192.0.2.1:7")[2])
        code, out, err = self.ctl(a, "sync", "--timeout", "0", "--json")
        self.assertEqual((code, json.loads(out)["error"]["code"]), (8, "timeout"))
        a.stop()
        a.start()
        self.assertIn(address, self.done(a, "peer", "list"))
        self.done(a, "peer", "remove", address)
        self.assertEqual(json.loads(self.done(a, "peer", "list", "--json")), [])

    def test_hostile_peer(self):
        a = self.machine()
        port = int(a.listen[0].rpartition(":")[2])
        timeline = a.main.encode()
        for words in (
            b"HELLO timeline-sync 1 {}\nLINES main x 1 1 1\n",
            b"HELLO timeline-sync 1 {}\nHAVE main {\"heads\":{}}\n",
            b"HELLO timeline-sync 1 {}\nHAVE 595960da-76a0-536a-bf6d-96b5457890eb {\"heads\":{}}\n",
            b"HELLO timeline-sync 2 {}\n", b"HELLO timeline-sync 1 {}\nFOLLOW nothing\n",
            b"HELLO timeline-sync 1 {}\nHAVE %s {\"heads\":{}}\nHAVE %s {\"heads\":{}}\n" % (timeline, timeline),
            b"HELLO timeline-sync 1 {}\nHAVE %s {\"heads\":{}}\n"
            b"LINES %s 01234567-89ab-4cde-8f01-23456789abcd 1 1 9\nnot a line\n" % (timeline, timeline),
        ):
            with socket.create_connection(("127.0.0.1", port)) as peer:
                peer.sendall(words)
                self.assertIn(b"ERR ", peer.makefile("rb").read())
        self.assertEqual(self.done(a, "log", "--count"), "0\n")


if __name__ == "__main__":
    unittest.main()
