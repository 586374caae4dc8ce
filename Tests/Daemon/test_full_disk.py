"""A disk that is really full: a small one of its own, where the system lets us make one."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from daemon import Daemon, event

INSIDE = "TIMELINE_SMALL_DISK"


def can_mount():
    probe = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]
    return shutil.which("unshare") and subprocess.run(probe, capture_output=True).returncode == 0


class FullDisk(unittest.TestCase):
    @unittest.skipIf(INSIDE in os.environ, "this is the run inside")
    def test_a_full_disk_passes(self):
        if not can_mount():
            self.skipTest("no file system of its own may be mounted here")
        with tempfile.TemporaryDirectory() as disk:
            script = 'mount -t tmpfs -o size=400k none "$0" && exec "$1" -B "$2" Inside'
            run = subprocess.run(
                ["unshare", "-rm", "sh", "-c", script, disk, sys.executable, __file__],
                env={**os.environ, INSIDE: disk}, capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, run.stderr)


@unittest.skipUnless(INSIDE in os.environ, "runs inside the other")
class Inside(unittest.TestCase):
    def test_inside(self):
        disk = os.environ[INSIDE]
        with open(disk + "/ballast", "wb") as ballast:
            ballast.write(bytes(200_000))
        daemon = Daemon()
        self.addCleanup(daemon.remove)
        daemon.data = disk + "/data"
        daemon.start()
        client = daemon.client()
        kept, reply = [], "OK"
        while reply.startswith("OK"):
            title = f"event {len(kept)}"
            reply = client.ask("APPEND " + json.dumps(event(title, summary="x" * 900)))
            kept += [title] if reply.startswith("OK") else []
        self.assertTrue(reply.startswith("ERR full "), reply)
        self.assertEqual(client.ok("COUNT {}"), {"count": len(kept)})
        self.assertNotIn("read_only", client.ok("STATUS"))
        daemon.stop()
        daemon.start()  # A start on a full disk serves what is there.
        client = daemon.client()
        self.assertEqual({e["title"] for e in client.stream("QUERY {}")[0]}, set(kept))
        os.remove(disk + "/ballast")
        client.append(title="room again")
        client.close()
        daemon.stop()
        daemon.start()
        client = daemon.client()
        titles = [e["title"] for e in client.stream("QUERY {}")[0]]
        self.assertEqual(sorted(titles), sorted(kept + ["room again"]))
        client.close()


if __name__ == "__main__":
    unittest.main()
