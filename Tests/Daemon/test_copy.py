"""`cp -a` of a live data directory is a valid backup: all that was acknowledged before it is there."""

import json
import os
import random
import shutil
import subprocess
import threading
import unittest

from daemon import Daemon, event

RUNS = int(os.environ.get("COPY_RUNS", "8"))


class Copy(unittest.TestCase):
    def test_copy_of_a_live_directory(self):
        seed = int(os.environ.get("COPY_SEED", random.randrange(1 << 32)))
        print(f"copy test: {RUNS} copies, COPY_SEED={seed}")
        chance = random.Random(seed)
        daemon = Daemon()
        self.addCleanup(daemon.remove)
        daemon.start()
        acknowledged, sent = [], set()
        enough, stop = threading.Event(), threading.Event()
        wanted = [0]

        def append():
            client = daemon.client()
            while not stop.is_set():
                titles = [f"event {len(sent) + n}" for n in range(chance.choice([1, 20, 400]))]
                sent.update(titles)
                client.send("".join(f"APPEND {json.dumps(event(t))}\n" for t in titles).encode())
                for title in titles:
                    assert client.reply().startswith("OK")
                    acknowledged.append(title)
                if len(acknowledged) >= wanted[0]:
                    enough.set()
            client.close()

        writer = threading.Thread(target=append)
        writer.start()
        try:
            for run in range(RUNS):
                wanted[0] = len(acknowledged) + chance.randrange(1, 700)
                enough.clear()
                enough.wait()
                before = list(acknowledged)
                copy = Daemon()
                self.addCleanup(copy.remove)
                subprocess.run(["cp", "-a", daemon.data, copy.data], check=True)
                copy.start()
                client = copy.client()
                titles = [e["title"] for e in client.stream("QUERY {}")[0]]
                self.assertEqual(len(titles), len(set(titles)), f"none twice; seed {seed}")
                self.assertEqual(set(before) - set(titles), set(), f"all acknowledged; seed {seed}")
                self.assertEqual(set(titles) - sent, set(), f"nothing invented; seed {seed}")
                # At most the end of a write that was under way was cut.
                damage = client.ok("STATUS")["damage"]
                self.assertTrue(all("never acknowledged" in line for line in damage), damage)
                client.append(title="after")
                client.close()
                copy.stop()
                shutil.rmtree(copy.path)
        finally:
            stop.set()
            writer.join()


if __name__ == "__main__":
    unittest.main()
