"""Sync between two machines over loopback TCP, without TLS yet: of all, of what is new, live."""

import json
import pathlib
import re
import shutil
import subprocess
import time

from machine import p99_ms, timed
from servers import Daemon
from versions import Repository
from wire import Meter, tcp_copy

PORTS = (27411, 27412)
RSYNC = "rsync"
GIT = "git fetch"
SHARED = 100_000


class Arrival:
    """Waits for a number of events on a daemon."""

    def __init__(self, daemon):
        self.socket = daemon.connect()
        self.lines = self.socket.makefile("rb", buffering=1 << 20)
        self.socket.sendall(b"WATCH {}\n")
        self.lines.readline()

    def wait(self, count):
        for _ in range(count):
            line = self.lines.readline()
            assert line.startswith(b"EVENT"), line

    def close(self):
        self.lines.close()
        self.socket.close()


def run(bench):
    first = bench.filled()
    for _ in range(bench.runs):
        second = Daemon(bench.path + "/peer")
        begin = time.perf_counter()
        second.ctl("timeline", "follow", first.listen)
        while second.position() != first.position():
            time.sleep(0.002)
        bench.figures.add("sync of all to an empty peer", "timeline", time.perf_counter() - begin)
        target = bench.path + "/rsync"
        bench.figures.add("sync of all to an empty peer", "rsync and sync", timed(lambda: subprocess.run(
            "rsync -a %s/data/ %s && sync %s/*" % (first.path, target, target), shell=True, check=True)))
        shutil.rmtree(target)
        bench.figures.add(
            "sync of all to an empty peer", "TCP copy and fdatasync", tcp_copy(bench.events.named, bench.path + "/copied"))
        live(bench, first, second)
        second.remove()
    fresh(bench, first)
    both_ways(bench)
    figures = bench.figures
    figures.show("sync of all to an empty peer", "s", [("rsync and sync", 1.5, True), ("TCP copy and fdatasync", 4, True)])
    figures.show("live: acknowledged here to visible on a peer, p99", "ms", [(None, 5, True)])
    for work, goal in ((fresh_work(bench), (RSYNC, 0.05, True)), (BOTH, (GIT, 0.1, True))):
        figures.show(work, "ms", [goal])
        figures.show(work + ", bytes on the way", "bytes", [("the lines themselves", 1.05, True)])


def live(bench, first, second):
    waits = []
    arrival = Arrival(second)
    one = "APPEND " + open(bench.events.unnamed).readline().strip()
    for _ in range(200):
        first.ask(one)
        begin = time.perf_counter()
        arrival.wait(1)
        waits.append(time.perf_counter() - begin)
    arrival.close()
    bench.figures.add("live: acknowledged here to visible on a peer, p99", "timeline", p99_ms(waits))


def apart(second, address):
    second.ctl("peer", "remove", address)
    time.sleep(0.3)


def together(second, address):
    second.ask("PEER add " + address)


def fresh_work(bench):
    return "sync of 100 new of %s" % format(bench.events.count, ",")


def new_events(bench, count):
    bench.given += count
    return bench.events.piece(bench.given, count, bench.path + "/new.jsonl", ids=False)


def log_bytes(daemon):
    return sum(path.stat().st_size for path in pathlib.Path(daemon.path, "data").rglob("*.jsonl"))


def fresh(bench, first):
    """100 events that a peer lacks, of all."""
    work = fresh_work(bench)
    second = Daemon(bench.path + "/peer")
    meter = Meter(PORTS[0])
    second.ctl("timeline", "follow", first.listen)
    while second.position() != first.position():
        time.sleep(0.01)
    apart(second, first.listen)
    copy = bench.path + "/rsync"
    subprocess.run(["rsync", "-a", first.path + "/data/", copy], check=True)
    ours = Repository(bench.path + "/git")
    ours.add("lines", open(bench.events.named))
    theirs = Repository(bench.path + "/git-peer", ours)
    for _ in range(bench.runs):
        file = new_events(bench, 100)
        before = log_bytes(first)
        first.load(bench, 1, 100, 100, file)
        payload = log_bytes(first) - before
        arrival = Arrival(second)
        begin = time.perf_counter()
        together(second, first.listen)
        arrival.wait(100)
        bench.figures.add(work, "timeline", (time.perf_counter() - begin) * 1000)
        arrival.close()
        apart(second, first.listen)
        # Once more for the bytes, through the meter.
        first.load(bench, 1, 100, 100, file)
        arrival = Arrival(second)
        meter.bytes = 0
        together(second, meter.address)
        arrival.wait(100)
        time.sleep(0.2)
        bench.figures.add(work + ", bytes on the way", "timeline", meter.bytes)
        bench.figures.add(work + ", bytes on the way", "the lines themselves", payload)
        arrival.close()
        apart(second, meter.address)
        begin = time.perf_counter()
        out = subprocess.run(
            ["rsync", "-a", "--no-whole-file", "--inplace", "--stats", first.path + "/data/", copy], check=True,
            capture_output=True, text=True).stdout
        subprocess.run("sync %s/timelines/main/logs/*/*.jsonl" % copy, shell=True, check=True)
        bench.figures.add(work, RSYNC, (time.perf_counter() - begin) * 1000)
        bench.figures.add(work + ", bytes on the way", RSYNC, rsync_bytes(out))
        ours.add("lines", open(file))
        fetch(bench, work, [(theirs, ours)])
    meter.close()
    ours.remove()
    theirs.remove()
    second.remove()
    shutil.rmtree(copy)


def rsync_bytes(stats):
    return sum(int(number.replace(",", "")) for number in re.findall(r"Total bytes (?:sent|received): ([\d,]+)", stats))


def fetch(bench, work, pairs):
    begin = time.perf_counter()
    sizes = [one.fetch(other) for one, other in pairs]
    bench.figures.add(work, GIT, (time.perf_counter() - begin) * 1000)
    bench.figures.add(work + ", bytes on the way", GIT, sum(sizes))
    for one, other in pairs:
        one.git("merge", "-q", "FETCH_HEAD")


BOTH = "sync of 1,000 new on each side of %s shared" % format(SHARED, ",")


def both_ways(bench):
    shared = bench.events.piece(0, SHARED, bench.path + "/shared.jsonl")
    first, second = Daemon(bench.path + "/one", PORTS[1]), Daemon(bench.path + "/other")
    meter = Meter(PORTS[1])
    first.ctl("import", shared)
    second.ctl("timeline", "follow", first.listen)
    while second.position() != first.position():
        time.sleep(0.01)
    apart(second, first.listen)
    one = Repository(bench.path + "/git")
    one.add("shared", open(shared))
    other = Repository(bench.path + "/git-peer", one)
    copies = [bench.path + "/rsync-one", bench.path + "/rsync-other"]
    for daemon, copy in zip((first, second), copies):
        subprocess.run(["rsync", "-a", daemon.path + "/data/", copy], check=True)
    for _ in range(bench.runs):
        for address in (first.listen, meter.address):
            payload = 0
            for daemon in (first, second):
                before = log_bytes(daemon)
                daemon.load(bench, 1, 1000, 1000, new_events(bench, 1000))
                payload += log_bytes(daemon) - before
            arrivals = [Arrival(first), Arrival(second)]
            meter.bytes = 0
            begin = time.perf_counter()
            together(second, address)
            for arrival in arrivals:
                arrival.wait(1000)
            took = (time.perf_counter() - begin) * 1000
            if address == first.listen:
                bench.figures.add(BOTH, "timeline", took)
            else:
                time.sleep(0.2)
                bench.figures.add(BOTH + ", bytes on the way", "timeline", meter.bytes)
                bench.figures.add(BOTH + ", bytes on the way", "the lines themselves", payload)
            for arrival in arrivals:
                arrival.close()
            apart(second, address)
        # One log a machine, each brought to the other side; twice as many lines as ours had to bring.
        begin = time.perf_counter()
        size = 0
        for daemon, copy in zip((first, second), copies):
            size += rsync_bytes(subprocess.run(
                ["rsync", "-a", "--no-whole-file", "--inplace", "--stats",
                 "--include=*/", "--include=%s/*" % own(daemon), "--exclude=*",
                 daemon.path + "/data/timelines/main/logs/", copy + "/timelines/main/logs"],
                check=True, capture_output=True, text=True).stdout)
            subprocess.run("sync %s/timelines/main/logs/*/*.jsonl" % copy, shell=True, check=True)
        bench.figures.add(BOTH, RSYNC, (time.perf_counter() - begin) * 1000)
        bench.figures.add(BOTH + ", bytes on the way", RSYNC, size / 2)
        for repository, name in ((one, "one"), (other, "other")):
            repository.add(name, open(new_events(bench, 1000)))
        fetch(bench, BOTH, [(one, other), (other, one)])
    meter.close()
    one.remove()
    other.remove()
    first.remove()
    second.remove()
    for copy in copies:
        shutil.rmtree(copy)


def own(daemon):
    """The replica that a daemon writes."""
    daemon.ask("OPEN main")
    return json.loads(daemon.reply[3:])["replica"]
