"""Durable appends, by how many clients and how many on their way."""

import statistics
import time

import tables
from servers import Bare, Daemon, Nats, Redis

SHAPES = [
    ("1 client, 1 in flight", 1, 1, 5000), ("32 clients, 1 in flight", 32, 1, 60_000),
    ("1 client, 1,000 in flight", 1, 1000, 200_000), ("32 clients, 64 in flight", 32, 64, 400_000)]
REDIS = "Redis Streams, fsync always"
NATS = "NATS JetStream, sync always (TCP)"
INLINE = "bare C loop, commit inline"
THREAD = "bare C loop, commit on a thread"
SQLITE = "SQLite WAL, FULL"
GOALS = [
    [(REDIS, 1.05, True), (SQLITE, 0.8, True), (INLINE, 1.15, True)],
    [(REDIS, 1.1, False), (INLINE, 0.85, False)],
    [(REDIS, 3, False), (THREAD, 0.4, False)],
    [(REDIS, 1.25, False), (THREAD, 0.3, False)]]
# NATS syncs for each event: it is given a part of the events where it takes that long.
NATS_PART = 0.05


def run(bench):
    servers = [
        ("timeline", Daemon), (REDIS, Redis), (INLINE, lambda path: Bare(bench, path, "inline")),
        (THREAD, lambda path: Bare(bench, path, "thread"))]
    if Nats.program():
        servers.append((NATS, Nats))
    for _ in range(bench.runs):
        for who, server in servers:
            running = server(bench.path + "/append")
            for name, clients, depth, count in SHAPES:
                if who == NATS and depth * clients > 1:
                    count = int(count * NATS_PART)
                rate, wait = running.load(bench, clients, depth, count, bench.events.unnamed)
                bench.figures.add("durable append, " + name, who, wait if name == SHAPES[0][0] else rate)
            running.remove()
        bench.figures.add("durable append, " + SHAPES[0][0], SQLITE, sqlite_append(bench))
    for (name, *_), goals in zip(SHAPES, GOALS):
        bench.figures.show("durable append, " + name, "ms" if name == SHAPES[0][0] else "events/s", goals)


def sqlite_append(bench):
    database = tables.sqlite(bench.path + "/append.db")
    waits = []
    for _, row in zip(range(2000), tables.rows(bench.events.named)):
        begin = time.perf_counter()
        database.execute(tables.INSERT, row)
        waits.append((time.perf_counter() - begin) * 1000)
    database.close()
    return statistics.median(waits)
