"""Everything read again and compared, compared with sha256sum of the same files: on one core and on both."""

import glob
import os
import subprocess

from machine import timed


def run(bench):
    daemon = bench.filled()
    files = sorted(glob.glob(daemon.path + "/data/timelines/main/logs/*/*.jsonl"))
    work = "verify of all events, "
    for cores, pin in (("one core", {0}), ("two cores", {0, 1})):
        for thread in os.listdir("/proc/%d/task" % daemon.process.pid):
            os.sched_setaffinity(int(thread), pin)
        for _ in range(bench.runs):
            bench.figures.add(work + cores, "timeline", daemon.ask("VERIFY")[0])
            # The tool without the processor's own instructions for it, and with them.
            for peer, command in (("sha256sum", ["sha256sum"]), ("openssl dgst", ["openssl", "dgst", "-sha256"])):
                bench.figures.add(work + cores, peer, timed(
                    lambda: subprocess.run([*command, *files], stdout=subprocess.DEVNULL, check=True)))
    bench.figures.show(work + "one core", "s", [("sha256sum", 1.8, True), ("openssl dgst", 1.8, True)])
    bench.figures.show(work + "two cores", "s", [("sha256sum", 1.0, True), ("openssl dgst", 1.0, True)])
