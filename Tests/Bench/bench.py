"""Compares this build with its peers, on the same generated events, and prints ratios.

    scripts/bench [--events N] [--runs N] [--events-max N] [--json FILE] [PART...]

Parts: append, import, start, query, sync, verify, lint, idle, growth; all unless said otherwise. 1,000,000 events, 5
runs, interleaved with those of the peers; each figure is a median, with the smallest and largest behind
it. --events-max (10,000,000, about 15 GB of disk) ends the growth part sooner. --json keeps every run.
Installs the peers from Debian (root or sudo) and PyPI. docs/internals/benchmarks.md explains the figures.
"""

import argparse
import shutil
import tempfile

import append
import growth
import idle
import imports
import lint
import query
import start
import sync
import verify
from events import Events
from figures import Figures
from machine import compiled
from servers import Daemon

PARTS = {
    "append": append.run, "import": imports.run, "start": start.run, "query": query.run, "sync": sync.run,
    "verify": verify.run, "lint": lint.run, "idle": idle.run, "growth": growth.run}


class Bench:
    """What all parts share."""

    def __init__(self, arguments):
        self.runs = arguments.runs
        self.events_max = arguments.events_max
        self.figures = Figures()
        self.path = tempfile.mkdtemp(prefix="timeline-bench-")
        self.load, self.bare = compiled("load", self.path), compiled("bare", self.path)
        self.events = Events(self.path, arguments.events)
        # Numbers of events that were given out beyond these.
        self.given = 100_000_000
        self.full = None

    def filled(self):
        """A daemon that holds all events, and rests."""
        if not self.full:
            self.full = Daemon(self.path + "/full", sync.PORTS[0])
            self.full.ctl("import", self.events.named)
            self.full.quiet()
        return self.full

    def remove(self):
        if self.full:
            self.full.stop()
        shutil.rmtree(self.path, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--events-max", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json")
    parser.add_argument("parts", nargs="*")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in PARTS:
            raise SystemExit("bench: no part %s; parts are %s" % (part, ", ".join(PARTS)))
    bench = Bench(arguments)
    try:
        for part in arguments.parts or PARTS:
            PARTS[part](bench)
    finally:
        if arguments.json:
            bench.figures.write(arguments.json)
        bench.remove()


if __name__ == "__main__":
    main()
