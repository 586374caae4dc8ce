"""Starts with all events there: clean, and with the index deleted."""

import shutil
import subprocess

from machine import timed
from servers import Redis


def run(bench):
    daemon = bench.filled()
    redis = Redis(bench.path + "/redis-full")
    redis.load(bench, 32, 64, bench.events.count, bench.events.named)
    for _ in range(bench.runs):
        daemon.stop()
        bench.figures.add("start with all events, clean", "timeline", daemon.start())
        daemon.stop()
        shutil.rmtree(daemon.path + "/data/timelines/main/index")
        bench.figures.add("start with all events, index made again", "timeline", daemon.start())
        bench.figures.add("memory an event, index made again", "timeline", daemon.memory() / bench.events.count)
        redis.stop()
        loaded = redis.start()
        bench.figures.add("memory an event, index made again", "Redis", redis.memory() / bench.events.count)
        scan = timed(lambda: subprocess.run(["wc", "-l", bench.events.named], stdout=subprocess.DEVNULL))
        for way in ("clean", "index made again"):
            bench.figures.add("start with all events, " + way, "Redis, load of the stream", loaded)
            bench.figures.add("start with all events, " + way, "one scan of the file", scan)
    redis.remove()
    daemon.quiet()
    bench.figures.add("memory an event, once it was quiet", "timeline", daemon.memory() / bench.events.count)
    bench.figures.show("start with all events, clean", "s", [
        ("Redis, load of the stream", 0.05, True), ("one scan of the file", 3, True)])
    bench.figures.show("start with all events, index made again", "s", [("Redis, load of the stream", 0.5, True)])
    bench.figures.show("memory an event, index made again", "bytes", [(None, 64, True), ("Redis", 0.1, True)])
    bench.figures.show("memory an event, once it was quiet", "bytes", [(None, 64, True)])
