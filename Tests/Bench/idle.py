"""An empty daemon: how soon it is there, what it holds, whether it rests."""

import time

from machine import status_bytes
from servers import Daemon, Redis


def run(bench):
    for _ in range(bench.runs):
        daemon, redis = Daemon(bench.path + "/idle"), Redis(bench.path + "/idle-redis")
        for who, server in (("timeline", daemon), ("Redis", redis)):
            bench.figures.add("cold start to ready, empty", who, server.ready * 1000)
            bench.figures.add(
                "resident memory, empty", who, status_bytes(server.process.pid, "VmRSS") / 1048576)
        time.sleep(0.5)
        before = {server: switches(server) for server in (daemon, redis)}
        time.sleep(2)
        for who, server in (("timeline", daemon), ("Redis", redis)):
            bench.figures.add("wakeups a second, idle", who, (switches(server) - before[server]) / 2)
        daemon.remove()
        redis.remove()
    bench.figures.show("cold start to ready, empty", "ms", [(None, 30, True)])
    bench.figures.show("resident memory, empty", "MiB", [(None, 25, True)])
    bench.figures.show("wakeups a second, idle", "", [(None, 0, True)])


def switches(server):
    return sum(
        int(line.split()[1]) for line in open("/proc/%d/status" % server.process.pid) if "ctxt" in line)
