"""`cp -a` of a live data directory is a valid backup: all that was acknowledged before it is there."""

import os
import random
import shutil
import subprocess
import unittest

from daemon import Daemon
from recorder import Recorder

RUNS = int(os.environ.get("COPY_RUNS", "8"))


class Copy(unittest.TestCase):
    def test_copy_of_a_live_directory(self):
        seed = int(os.environ.get("COPY_SEED", random.randrange(1 << 32)))
        print(f"copy test: {RUNS} copies, COPY_SEED={seed}")
        chance = random.Random(seed)
        daemon = Daemon()
        self.addCleanup(daemon.remove)
        daemon.start()
        with Recorder(daemon, lambda: chance.choice([1, 20, 400])) as recorder:
            for _ in range(RUNS):
                before = recorder.more(chance.randrange(1, 700))
                copy = Daemon()
                self.addCleanup(copy.remove)
                subprocess.run(["cp", "-a", daemon.data, copy.data], check=True)
                copy.start()
                client = copy.client()
                titles = [e["title"] for e in client.stream("QUERY {}")[0]]
                self.assertEqual(len(titles), len(set(titles)), f"none twice; seed {seed}")
                self.assertEqual(set(before) - set(titles), set(), f"all acknowledged; seed {seed}")
                self.assertEqual(set(titles) - recorder.sent, set(), f"nothing invented; seed {seed}")
                # At most the end of a write that was under way was cut.
                damage = client.ok("STATUS")["damage"]
                self.assertTrue(all("never acknowledged" in line for line in damage), damage)
                client.append(title="after")
                client.close()
                copy.stop()
                shutil.rmtree(copy.path)


if __name__ == "__main__":
    unittest.main()
