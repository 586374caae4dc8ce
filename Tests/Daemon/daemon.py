"""The real binaries, started for a test: a daemon on a directory of its own, and a raw client."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("TIMELINE_BIN", ROOT / ".build" / "debug"))


# Tests that are started in the background ignore these. What they start is to heed them all the same:
# a handler, unlike that, is not passed on.
for _signal in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, lambda *_: None)


def heed_hangup():
    """In a child that is sent SIGHUP: under nohup the tests, and all that they start, ignore it."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def ignore_hangup():
    """As nohup does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def shipped_events():
    """What data/us-dprk.jsonl holds; how many there are grows with the table."""
    with open(ROOT / "data" / "us-dprk.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def event(title="a test", **more):
    return {
        "type": "test", "subtype": "icbm", "date": "2017-11-29", "actors": ["PRK"],
        "title": title, "unsourced": True, **more,
    }


def crc32c(data):
    """RFC 3720, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Daemon:
    """A timelined; `start` returns once it serves."""

    def __init__(self, path=None, listen=(), environment=None):
        self.path = path or tempfile.mkdtemp(prefix="timeline-")
        self.data, self.socket = self.path + "/data", self.path + "/sock"
        self.listen = listen
        self.environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no", **(environment or {})}
        self.process = None

    def start(self, before=None):
        """`before` runs in the child, before the daemon does."""
        command = [BINARIES / "timelined", "--data", self.data, "--socket", self.socket]
        for address in self.listen:
            command += ["--listen", address]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=self.environment, preexec_fn=before)
        self.lines = []
        for line in self.process.stderr:
            self.lines.append(line)
            if "serving" in line:
                return self
        raise AssertionError("timelined did not start: " + "".join(self.lines))

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        code = self.process.wait()
        self.process.stderr.close()
        return code

    def client(self):
        return Client(self.socket)

    @property
    def main(self):
        """The id of its main."""
        client = self.client()
        id = client.ok("OPEN main")["timeline"]
        client.close()
        return id

    def follow(self, *others, stay=True):
        """Its own main, which has no line yet, gives way to that of the first; the others have that one too, and are
        further addresses of it. Without `stay` none of them is a peer afterwards: `peer add` is what connects them."""
        client = self.client()
        for number, other in enumerate(others):
            verb = "PEER add" if number else "TIMELINE follow"
            client.ok(f"{verb} {other.listen[0]}")
        for other in others if not stay else ():
            client.ok(f"PEER remove {other.listen[0]}")
        client.close()
        return self

    def remove(self):
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.path, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Network:
    """For a test: daemons that listen, and are machines of one timeline."""

    def machine(self, of=None):
        """One more; of another's timeline, where that is given, though neither knows the other's address yet."""
        daemon = Daemon(listen=[f"tcp://127.0.0.1:{free_port()}"]).start()
        self.addCleanup(daemon.remove)
        return daemon.follow(of, stay=False) if of else daemon

    def machines(self, count):
        """Machines of one timeline, which the first founds; `peer add` connects them."""
        first = self.machine()
        return [first, *(self.machine(first) for _ in range(1, count))]


def greeted(client, timeline, heads=None):
    """A raw peer, past the greeting: what the other machine has of the timeline is what it says next."""
    client.send('HELLO timeline-sync 1 {"features":[]}')
    greeting = client.reply()
    assert greeting.startswith("HELLO timeline-sync 1 "), greeting
    client.send(f"HAVE {timeline} " + json.dumps({"heads": heads or {}}))
    return client


class Client:
    """What `nc -U` would be: lines out, lines in."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode() + b"\n")

    def reply(self):
        return self.file.readline().decode().rstrip("\n")

    def ask(self, text):
        self.send(text)
        return self.reply()

    def ok(self, text):
        reply = self.ask(text)
        assert reply.startswith("OK"), reply
        return json.loads(reply[3:] or "null")

    def append(self, **fields):
        return self.ok("APPEND " + json.dumps(event(**fields)))

    def stream(self, text):
        """The events of a stream, and its END."""
        self.send(text)
        events = []
        while True:
            word, _, rest = self.reply().partition(" ")
            if word in ("EVENT", "ROW"):
                events.append(json.loads(rest))
            else:
                assert word == "END", word + " " + rest
                return events, json.loads(rest)

    def close(self):
        self.file.close()
        self.socket.close()
