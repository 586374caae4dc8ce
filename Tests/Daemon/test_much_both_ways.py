"""Machines that lack megabytes of each other when they meet: each sends and goes on reading, so none waits for another
that waits for it. Twelve megabytes each are more than two windows and the buffers of the sockets hold."""

import json
import unittest

from daemon import event
from machines import Machines


class MuchBothWays(Machines):
    limit = 300

    def record(self, daemon, count=250):
        client = daemon.client()
        lines = [json.dumps(event(f"{daemon.listen[0]} {n}", summary="x" * 48_000)) for n in range(count)]
        for start in range(0, count, 125):
            some = lines[start:start + 125]
            client.send("".join(f"{line}\n" for line in [f"APPENDMANY {len(some)}", *some]).encode())
            self.assertTrue(client.reply().startswith("OK"))
        client.close()

    def agree(self, machines, edges):
        for machine in machines:
            self.record(machine)
        for first, second in edges:
            self.done("peer", "add", machines[second].listen[0], daemon=machines[first])
        for first in {first for first, _ in edges}:
            self.done("sync", "--timeout", "240s", daemon=machines[first])
        # What came to one from another goes on to the third by itself.
        watchers = [machine.client() for machine in machines]
        for watcher in watchers:
            watcher.ok('WATCH {"after":{}}')
            for _ in range(250 * len(machines)):
                self.assertTrue(watcher.reply().startswith("EVENT "))
            watcher.close()
        roots = [
            {log["replica"]: log["root"] for log in self.json("verify", daemon=machine)["logs"]} for machine in machines]
        self.assertTrue(all(root == roots[0] for root in roots))

    def test_a_pair(self):
        self.agree(self.machines(2), [(0, 1)])

    def test_a_ring(self):
        self.agree(self.machines(3), [(0, 1), (1, 2), (2, 0)])

    def test_a_star(self):
        self.agree(self.machines(4), [(1, 0), (2, 0), (3, 0)])


if __name__ == "__main__":
    unittest.main()
