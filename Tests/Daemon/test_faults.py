"""Calls of the real binary fail, one after the other: what was acknowledged is there, and nothing else.

A daemon is started with Tests/Faults/faults.c preloaded, works, stops, finds a torn tail, works again.
The N-th call of a kind below its data directory fails, once or from there on, for numbers N in even
steps until a run ends without having come so far. Then it is started without faults. FAULT_RUNS is about
how many runs there are, begun by FAULT_SEED; 0 makes the step one call, but for the thousands of writes
of an index, of which every 300th fails.
"""

import collections
import concurrent.futures
import ctypes
import errno
import glob
import itertools
import json
import mmap
import os
import random
import shutil
import subprocess
import tempfile
import threading
import unittest

from daemon import ROOT, Daemon, event

RUNS = int(os.environ.get("FAULT_RUNS", "150"))
SEED = int(os.environ.get("FAULT_SEED", random.randrange(1 << 32)))
HALF, HALF_THEN_FULL = -1, -2
SMALL, LARGE = 40, 1000  # events of an import; the large one makes the index worth saving
ONCE, EVER = False, True
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

# What may become of which call. What was interrupted for ever would never end.
FAULTS = [
    (kind, error, goes_on)
    for kind, errors in {
        "open": [errno.EIO, errno.ENOSPC, errno.EMFILE],
        "write": [errno.EIO, errno.ENOSPC, HALF, HALF_THEN_FULL],
        "fsync": [errno.EIO, errno.ENOSPC],
        "fdatasync": [errno.EIO, errno.ENOSPC],
        "rename": [errno.EIO, errno.ENOSPC],
        "mkdir": [errno.EIO, errno.ENOSPC],
        "ftruncate": [errno.EIO],
        "unlink": [errno.EIO],
        "readdir": [errno.EIO],
        "mmap": [errno.ENOMEM],
        "fstat": [errno.EIO],
    }.items()
    for error, goes_on in itertools.product(errors, [ONCE, EVER])
] + [(kind, errno.EINTR, ONCE) for kind in ["open", "write", "fsync", "fdatasync", "ftruncate", "flock"]]


def name(error):
    return {HALF: "half", HALF_THEN_FULL: "half, then ENOSPC"}.get(error) or errno.errorcode[error]


class Fault:
    """The part of memory that the daemon's calls look at: struct control."""

    def __init__(self, path, number, error, goes_on):
        with open(path, "w+b") as file:
            file.truncate(20)
            self.memory = mmap.mmap(file.fileno(), 20)
        self.numbers = (ctypes.c_int * 5).from_buffer(self.memory)
        self.numbers[:3] = number, error, goes_on

    hits = property(lambda self: self.numbers[4])
    calls = property(lambda self: self.numbers[3])

    def end(self):
        self.numbers[0] = 0


class Run:
    """A daemon's life under a fault, and what a client remembers of it."""

    def __init__(self, library, kind, number, error, goes_on, events=SMALL, trace=None):
        self.path = tempfile.mkdtemp(prefix="timeline-")
        self.kind, self.error, self.goes_on, self.events = kind, error, goes_on, events
        self.fault = Fault(self.path + "/control", number, error, goes_on)
        environment = {
            "LD_PRELOAD": library, "FAULT_ROOT": self.path + "/data", "FAULT_KIND": kind,
            "FAULT_CONTROL": self.path + "/control"}
        if trace:
            environment["FAULT_TRACE"] = trace
        self.daemon = Daemon(self.path, environment=environment)
        self.acknowledged = {}  # titles of events by id
        self.failures = []
        self.words = collections.Counter()  # of what was refused
        self.watchdog = threading.Timer(120, self.hang)
        self.watchdog.start()

    def hang(self):
        self.failures.append("it hangs")
        self.daemon.process.kill()

    def expect(self, truth, text):
        if not truth:
            self.failures.append(text)

    def whole(self):
        """Everything; returns whether the fault struck."""
        try:
            for life in ["first", "second"]:
                if self.start(life):
                    self.work(life)
                    self.stop(life)
                self.tear()
            self.fault.end()
            self.daemon.environment = Daemon(self.path).environment
            if self.start("without faults"):
                client = self.daemon.client()
                self.compare(client, "after a restart")
                self.append(client, "goes on")
                self.compare(client, "after a restart and an append")
                client.close()
                self.stop("without faults")
            self.expect("goes on" in self.acknowledged.values(), "it does not go on after a restart")
            self.expect(not self.left(), f"files are left: {self.left()}")
        except (ConnectionError, AssertionError, ValueError) as error:
            self.failures.append(f"{type(error).__name__}: {error}")
        finally:
            self.watchdog.cancel()
            self.daemon.remove()
        return self.fault.hits > 0

    def left(self):
        found = glob.glob(self.daemon.data + "/**/*.new", recursive=True)
        return [] if self.kind == "unlink" else found

    def start(self, life):
        struck = self.fault.hits
        try:
            self.daemon.start()
            return True
        except AssertionError as error:
            code = self.daemon.process.wait()
            self.daemon.process.stderr.close()
            self.expect(code == 1, f"the {life} start ends with {code}: {error}")
            self.expect(
                self.fault.hits > struck or self.goes_on, f"the {life} start fails for no reason: {error}")
            self.expect(self.error != errno.EINTR, f"the {life} start was interrupted: {error}")
            return False

    def stop(self, life):
        code = self.daemon.stop()
        self.expect(code == 0, f"the {life} stop ends with {code}")

    def tear(self):
        segments = glob.glob(self.daemon.data + "/timelines/main/logs/*/*.jsonl")
        if segments:
            with open(max(segments), "ab") as file:
                file.write(b'{"v":1,"replica":"')

    def note(self, reply, titles):
        """Titles by id are acknowledged, or not."""
        if reply.startswith("OK "):
            self.acknowledged.update(titles)
            return True
        word = reply.split()[1]
        self.words[word] += 1
        self.expect(word in ("full", "read-only", "busy"), f"an append is answered {reply}")
        return False

    def append(self, client, title):
        reply = client.ask("APPEND " + json.dumps(event(title)))
        return self.note(reply, {json.loads(reply[3:])["id"]: title} if reply.startswith("OK") else {})

    def append_many(self, client, titles):
        ids = {f"{random.getrandbits(32):08x}-0000-4000-8000-{n:012x}": title for n, title in enumerate(titles)}
        lines = [json.dumps(event(title, id=id)) for id, title in ids.items()]
        request = "\n".join([f"APPENDMANY {len(lines)}"] + lines)
        # An import that was refused is sent again.
        return self.note(client.ask(request), ids) or self.note(client.ask(request), ids)

    def correct(self, client, id, title):
        reply = client.ask("APPEND " + json.dumps({
            "type": "log.correct", "corrects": id, "supersedes": [id], "reason": "typo",
            "body": event(title)}))
        self.note(reply, {id: title})

    def work(self, life):
        client = self.daemon.client()
        self.append(client, f"{life} 1")
        self.append(client, f"{life} 2")
        self.compare(client, f"in the {life} life")
        self.append_many(client, [f"{life} few {n}" for n in range(3)])
        if life == "first" and self.acknowledged:
            self.correct(client, next(iter(self.acknowledged)), f"{life} corrected")
        self.append_many(client, [f"{life} import {n}" for n in range(self.events)])
        self.append(client, f"{life} 3")
        self.compare(client, f"in the {life} life")
        state = client.ok("STATUS").get("read_only")
        self.expect(bool(state) == bool(self.words["read-only"]), f"{dict(self.words)}, but STATUS: {state}")
        if self.words["read-only"]:
            self.words.clear()  # A restart is what it waits for.
        elif self.error in (errno.ENOSPC, errno.EMFILE, HALF_THEN_FULL):
            (number, self.fault.numbers[0]) = (self.fault.numbers[0], 0)
            self.expect(self.append(client, f"{life} room again"), "it does not go on once there is room")
            self.fault.numbers[0] = number
        client.close()

    def compare(self, client, when):
        found = [e["title"] for e in client.stream("QUERY {}")[0]]
        expected = list(self.acknowledged.values())
        twice = [title for title, count in collections.Counter(found).items() if count > 1]
        self.expect(not twice, f"{when}: twice {twice[:3]}")
        self.expect(set(found) >= set(expected), f"{when}: lost {sorted(set(expected) - set(found))[:3]}")
        self.expect(
            set(found) <= set(expected), f"{when}: not acknowledged {sorted(set(found) - set(expected))[:3]}")


@unittest.skipUnless(COMPILER, "no C compiler")
class Faults(unittest.TestCase):
    limit = 900

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="timeline-")
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.library = cls.scratch + "/faults.so"
        source = ROOT / "Tests" / "Faults" / "faults.c"
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", cls.library, source], check=True)

    def run_one(self, kind, number, error, goes_on, events):
        run = Run(self.library, kind, number, error, goes_on, events)
        struck = run.whole()
        title = f"{name(error)} at {kind} {number}{' and after it' if goes_on else ''}, {events} events"
        return struck, [f"{title}: {failure}" for failure in run.failures]

    def test_directories_are_open_before_they_change(self):
        # An error in writing a name out is reported to those that had the directory open by then.
        trace = self.scratch + "/trace"
        run = Run(self.library, "open", 0, 0, ONCE, trace=trace)
        run.whole()
        self.assertEqual(run.failures, [])
        with open(trace) as file:
            calls = [line.split(None, 1) for line in file.read().splitlines()]
        changes = 0
        for index, (call, path) in enumerate(calls):
            parent = os.path.dirname(path)
            # Opened for this change: look back no further than its last sync. What holds DATA is not traced.
            if call not in ("mkdir", "rename") or path in (run.daemon.data, run.daemon.data + "/timelines/main/index/events.idx.new"):
                continue
            changes += 1
            since = itertools.takewhile(lambda c: c != ["fsync", parent], reversed(calls[:index]))
            self.assertIn(["open", parent], list(since), f"{call} {path}")
            self.assertIn(["fsync", parent], calls[index:], f"{call} {path}")
        self.assertGreater(changes, 4)

    def test_every_call_fails(self):
        # How many calls of a kind there are, where none fails.
        calls = {}
        for kind in {kind for kind, _, _ in FAULTS}:
            run = Run(self.library, kind, 0, 0, ONCE)
            run.whole()
            calls[kind] = run.fault.calls
            self.assertEqual(run.failures, [])
        chance = random.Random(SEED)
        step = max(1, sum(calls[kind] for kind, _, _ in FAULTS) // RUNS) if RUNS else 1
        steps = {SMALL: step, LARGE: 6 * step if RUNS else 1}

        def stride(fault, events):
            # An index is written in thousands of pieces.
            return steps[events] * (300 if events == LARGE and fault[0] == "write" else 1)

        failures, runs = [], 0

        def sweep(fault, events, number):
            outcomes = []
            struck = True
            while struck:
                struck, failed = self.run_one(fault[0], number, *fault[1:], events)
                outcomes.append(failed)
                number += stride(fault, events)
            return outcomes

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            sweeps = [
                pool.submit(sweep, fault, events, chance.randint(1, stride(fault, events)))
                for fault in FAULTS for events in steps]
            for outcomes in [sweep.result() for sweep in sweeps]:
                runs += len(outcomes)
                failures += sum(outcomes, [])
        print(f"faults: {runs} runs, every {step}. call, FAULT_SEED={SEED}, calls: {calls}")
        self.assertFalse(failures, f"FAULT_SEED={SEED}: {len(failures)}, such as\n" + "\n".join(failures[:20]))


if __name__ == "__main__":
    unittest.main()
