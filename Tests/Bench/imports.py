"""Import of all events from one file."""

import subprocess

import tables
from machine import timed
from servers import Daemon

SQLITE = "SQLite WAL, 1,000 a transaction"


def run(bench):
    work = "import of %s JSON Lines, checked and durable" % format(bench.events.count, ",")
    postgres = tables.Postgres(bench)
    for _ in range(bench.runs):
        daemon = Daemon(bench.path + "/import")
        bench.figures.add(work, "timeline", timed(lambda: daemon.ctl("import", bench.events.named)))
        bench.figures.add("memory an event after it", "timeline", daemon.memory() / bench.events.count)
        daemon.remove()
        bench.figures.add(work, SQLITE, tables.sqlite_import(bench.path + "/import.db", bench.events.named))
        if postgres.bin:
            bench.figures.add(work, "PostgreSQL COPY", postgres.load())
        bench.figures.add(work, "copy and fdatasync", timed(lambda: subprocess.run(
            ["dd", "if=" + bench.events.named, "of=" + bench.path + "/copy", "bs=1M", "conv=fdatasync",
             "status=none"], check=True)))
    if postgres.bin:
        postgres.remove()
    bench.figures.show(work, "s", [(SQLITE, 0.25, True), ("PostgreSQL COPY", 0.25, True), ("copy and fdatasync", 4, True)])
    bench.figures.show("memory an event after it", "bytes", [(None, 64, True)])
