"""What the same work costs as a store grows: appends, range queries, sync of what is new, memory."""

import os
import random
import shutil
import statistics
import time

from events import remove
from machine import SEED, median_ms
from servers import Daemon
from sync import Arrival, apart, together

SIZES = [10_000, 1_000_000, 10_000_000]
PIECE = 1_000_000
PORT = 27413
NEW = 100


def run(bench):
    sizes = [size for size in SIZES if size <= bench.events_max] or [bench.events_max]
    free = shutil.disk_usage(bench.path).free
    # The log, its index, the peer's of both, and the largest piece.
    needed = sizes[-1] * 2 * 720 + PIECE * 500
    if free < needed:
        raise SystemExit("growth: %d GB of disk are needed, %d are free; see --events-max" % (
            needed >> 30, free >> 30))
    pair = None
    for size in sizes:
        # Small ones are made anew for each run, since what is appended would make them others.
        is_small = size < 200_000
        for _ in range(bench.runs):
            if pair is None or is_small:
                pair and pair.remove()
                pair = Pair(bench)
            pair.grow(size)
            pair.measure(size)
        if is_small:
            pair.remove()
            pair = None
    pair and pair.remove()
    figures = bench.figures
    figures.growth("growth: durable append, one at a time, p50", "ms", 1.25)
    figures.growth("growth: durable append, 1,000 in flight", "events/s", 1.25)
    figures.growth("growth: query, date range and actor, 100 rows, median", "ms", 1.25)
    figures.growth("growth: query, date range, 100 rows, median", "ms", 1.25)
    figures.growth("growth: sync of 100 new", "ms", 1.25)
    figures.growth("growth: memory an event, after appends", "bytes")
    figures.growth("growth: memory an event, once it was quiet", "bytes")
    figures.growth("growth: index on disk an event", "bytes")
    figures.growth("growth: clean start", "s")


class Pair:
    """A daemon and its peer, which has all but what is new."""

    def __init__(self, bench):
        self.bench = bench
        self.first = Daemon(bench.path + "/growing", PORT)
        self.second = Daemon(bench.path + "/growing-peer")
        self.second.ctl("timeline", "follow", self.first.listen)
        self.count = 0

    def grow(self, size):
        """Nothing where it has that size already."""
        grown = False
        while self.count < size:
            count = min(PIECE, size - self.count)
            path = self.bench.events.piece(self.count, count, self.bench.path + "/piece.jsonl")
            self.first.ctl("import", path)
            remove(path)
            self.count += count
            grown = True
        if grown:
            self.wait_for_sync()
            self.bench.figures.add(
                "growth: memory an event, after appends", size, self.first.memory() / self.count)
            self.first.quiet()
            self.bench.figures.add(
                "growth: memory an event, once it was quiet", size, self.first.memory() / self.count)
            index = self.first.path + "/data/timelines/main/index/events.idx"
            if os.path.exists(index):
                self.bench.figures.add("growth: index on disk an event", size, os.path.getsize(index) / self.count)
            self.first.stop()
            self.bench.figures.add("growth: clean start", size, self.first.start())

    def wait_for_sync(self):
        while self.first.position() != self.second.position():
            time.sleep(0.02)

    def measure(self, size):
        bench, first, second = self.bench, self.first, self.second
        chance = random.Random(SEED)
        years = [chance.randrange(1985, 2014) for _ in range(200)]
        for name, filter in (("date range and actor", '"actor":"PRK",'), ("date range", "")):
            first.ask("COUNT {}")
            waits = first.ask(*('QUERY {%s"from":"%d-03","limit":100}' % (filter, year) for year in years))
            bench.figures.add("growth: query, %s, 100 rows, median" % name, size, median_ms(waits))
            assert first.rows == 100, first.rows
        self.wait_for_sync()
        apart(second, first.listen)
        waits = []
        for _ in range(5):
            first.load(bench, 1, NEW, NEW, bench.events.unnamed)
            arrival = Arrival(second)
            begin = time.perf_counter()
            together(second, first.listen)
            arrival.wait(NEW)
            waits.append((time.perf_counter() - begin) * 1000)
            arrival.close()
            apart(second, first.listen)
        bench.figures.add("growth: sync of 100 new", size, statistics.median(waits))
        bench.figures.add(
            "growth: durable append, one at a time, p50", size, first.load(bench, 1, 1, 2000, bench.events.unnamed)[1])
        # The first of these grows what has to grow.
        rates = [first.load(bench, 1, 1000, 20_000, bench.events.unnamed)[0] for _ in range(3)]
        bench.figures.add("growth: durable append, 1,000 in flight", size, statistics.median(rates))
        together(second, first.listen)

    def remove(self):
        self.first.remove()
        self.second.remove()
