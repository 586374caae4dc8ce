"""kill -9 at any moment of a stream of appends: every acknowledged event is there, none twice."""

import json
import os
import random
import signal
import threading
import unittest

from daemon import Daemon, event

RUNS = int(os.environ.get("KILL_RUNS", "60"))


class Kill(unittest.TestCase):
    limit = 600

    def test_kill(self):
        seed = int(os.environ.get("KILL_SEED", random.randrange(1 << 32)))
        print(f"kill test: {RUNS} runs, KILL_SEED={seed}")
        chance = random.Random(seed)
        daemon = Daemon()
        self.addCleanup(daemon.remove)
        acknowledged, sent = set(), set()
        for run in range(RUNS):
            daemon.start()
            client = daemon.client()
            if run % 2:  # a tail that a crash of the machine tore comes on top
                self.assertEqual(
                    {e["title"] for e in client.stream("QUERY {}")[0]} - sent, set(), f"seed {seed}")
            # The moment is a number of bytes of replies seen, and then a little more, at random.
            after = chance.randrange(0, 400)
            depth = chance.choice([1, 8, 200])
            killer = threading.Timer(chance.random() * 0.01, lambda: daemon.process.send_signal(signal.SIGKILL))
            count = 0
            try:
                while True:
                    titles = [f"{run}-{count + n}" for n in range(depth)]
                    count += depth
                    sent.update(titles)
                    client.send("".join(f"APPEND {json.dumps(event(t))}\n" for t in titles).encode())
                    for title in titles:
                        if not client.reply().startswith("OK"):
                            raise ConnectionError
                        acknowledged.add(title)
                    if count >= after and not killer.is_alive() and not killer.finished.is_set():
                        killer.start()
            except (ConnectionError, BrokenPipeError):
                pass
            daemon.process.wait()
            daemon.process.stderr.close()
            client.close()
        daemon.start()
        client = daemon.client()
        titles = [e["title"] for e in client.stream("QUERY {}")[0]]
        client.close()
        self.assertEqual(len(titles), len(set(titles)), f"none twice; seed {seed}")
        self.assertEqual(acknowledged - set(titles), set(), f"all acknowledged; seed {seed}")
        self.assertEqual(set(titles) - sent, set(), f"nothing that was never sent; seed {seed}")
        print(f"kill test: {len(acknowledged)} acknowledged, {len(titles)} there")


if __name__ == "__main__":
    unittest.main()
