"""Where things are, and small measures."""

import pathlib
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
BINARIES = ROOT / ".build" / "release"
SEED = 7


def compiled(name, path):
    """One of the C programs next to this file."""
    out = "%s/%s" % (path, name)
    subprocess.run(["gcc", "-O2", "-pthread", "-o", out, HERE / (name + ".c")], check=True)
    return out


def status_bytes(pid, name):
    for line in open("/proc/%d/status" % pid):
        if line.startswith(name):
            return int(line.split()[1]) * 1024


def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def median_ms(waits):
    return statistics.median(waits) * 1000


def p99_ms(waits):
    return sorted(waits)[int(len(waits) * 0.99)] * 1000
