"""A machine of a timeline a second time, from docs/reference (membership, invitations, event-format, protocol): it
joins by a code, takes what others recorded where their machines signed for it, records in a log of its own, and judges
by Tests/Interop/membership.py who is a member. It keeps all in memory, and says nothing that it was not asked for."""

import base64
import datetime
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from daemon import ROOT
from elsewhere import checked
from team import body_of
from test_verify import root_of, stub_of
from tlschannel import Channel, Device, TLSError

sys.path.append(str(ROOT / "Tests" / "Interop"))
import membership  # noqa: E402
from invitation import invitation_of, proof_of  # noqa: E402


class Refused(Exception):
    """What the other side said at its end."""


class Wrong(Exception):
    """The other side sent what no honest one does."""


def b64(data):
    return base64.b64encode(data).decode()


def text_of(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# Trees (RFC 9162, 2.1)

def leaf_of(line):
    """Over the stub of a line, which may be all that is left of it (F-4)."""
    erased = re.search(rb',"body_sha256":"[0-9a-f]{64}",', line)
    stub = line[:erased.end() - 1] if erased else stub_of(line)
    return hashlib.sha256(b"\x00" + stub + b"}").digest()


def largest_power_below(count):
    return 1 << (count - 1).bit_length() - 1


def consistency(first, leaves, is_whole=True):
    """The hashes that show that the tree of the first leaves is the beginning of that of all (2.1.4.1)."""
    if first == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    half = largest_power_below(len(leaves))
    if first <= half:
        return consistency(first, leaves[:half], is_whole) + [root_of(leaves[half:])]
    return consistency(first - half, leaves[half:], False) + [root_of(leaves[:half])]


def is_consistent(first, old, second, new, hashes):
    """2.1.4.2, as it is written there."""
    if first == second:
        return not hashes and old == new
    hashes = [old] + hashes if first & first - 1 == 0 else list(hashes)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    if not hashes:
        return False
    fr = sr = hashes[0]
    for c in hashes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == old and sr == new and sn == 0


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Log:
    """Lines of one replica, with what its newest head covers."""

    def __init__(self, timeline, replica):
        self.timeline, self.replica = timeline, replica
        self.lines, self.leaves, self.head, self.signed = [], [], None, 0

    @property
    def name(self):
        return f"timeline/{self.timeline}/{self.replica}"

    @property
    def root(self):
        return root_of(self.leaves)

    @property
    def check(self):
        return self.leaves[-1].hex()[:16] if self.leaves else ""

    @property
    def record(self):
        """Line 1 (M-4)."""
        return membership.parse(body_of(self.lines[0])) if self.lines else None

    def add(self, line):
        self.lines.append(line)
        self.leaves.append(leaf_of(line))

    def size_and_root(self, note, key):
        """What a note says, where the key signed it (F-4)."""
        text, _, signatures = note.partition("\n\n")
        name, size, root, *more = text.split("\n")
        if name != self.name or more:
            raise Wrong("the head of another log")
        for line in signatures.splitlines():
            dash, signer, signature = line.split(" ")
            data = base64.b64decode(signature, validate=True)
            if (dash, signer, data[:4]) == ("—", self.name, key_hash(self.name, key)):
                try:
                    Ed25519PublicKey.from_public_bytes(key).verify(data[4:], (text + "\n").encode())
                except InvalidSignature:
                    raise Wrong("a head that its key did not sign") from None
                return int(size), base64.b64decode(root, validate=True)
        raise Wrong("a head without its key's signature")

    def take(self, first, lines, note, hashes):
        """Lines that came, under the head that was said before them. All or none."""
        new = Log(self.timeline, self.replica)
        new.lines, new.leaves = list(self.lines), list(self.leaves)
        previous = json.loads(self.lines[-1])["recorded"] if self.lines else ""
        for seq, line in enumerate(lines, first):
            envelope = json.loads(line)
            if line != checked(line.decode().rpartition(',"crc32c":"')[0]):
                raise Wrong("a check that is not right")
            if (envelope["replica"], envelope["seq"]) != (self.replica, seq) or seq != len(new.lines) + 1:
                raise Wrong("another line")
            if not previous < envelope["recorded"]:
                raise Wrong("a clock that does not rise")
            previous = envelope["recorded"]
            new.add(line)
        record = new.record
        if record is None or record["type"] != "log.replica" or membership.replica_id(record) != self.replica:
            raise Wrong("line 1 does not make this replica")
        size, root = self.size_and_root(note, base64.b64decode(record["key"]))
        if not is_consistent(len(new.leaves), new.root, size, root, hashes):
            raise Wrong("lines that are not under their head")
        self.lines, self.leaves = new.lines, new.leaves
        if size == len(self.lines):
            self.head, self.signed = note, size

    def take_head(self, note):
        """One over lines that are here."""
        size, root = self.size_and_root(note, base64.b64decode(self.record["key"]))
        if root_of(self.leaves[:size]) != root:
            raise Wrong("a head of other lines")
        if size > self.signed:
            self.head, self.signed = note, size


def key_hash(name, key):
    return hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]


class OwnLog(Log):
    """A log that this side writes: `device` stands in line 1, and what it signs is its own."""

    def __init__(self, timeline, hash, device, says=None):
        self.key = Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes_raw()
        record = {"type": "log.replica", "timeline": b64(hash), "device": b64((says or device).public),
                  "key": b64(self.public), "nonce": b64(os.urandom(16))}
        record = membership.sign(record, device.private)
        super().__init__(timeline, membership.replica_id(record))
        self.write(record)

    def write(self, body, recorded=None, author="py"):
        """One more line, in the order of F-1."""
        envelope = {
            "v": 1, "replica": self.replica, "seq": len(self.lines) + 1, "recorded": recorded or now(),
            "id": str(uuid.uuid4()), "author": author}
        self.add(checked(text_of({**envelope, **body, "salt": b64(os.urandom(16))})[:-1]))
        return envelope["id"]

    def sign(self):
        text = f"{self.name}\n{len(self.lines)}\n{b64(self.root)}\n"
        signature = key_hash(self.name, self.public) + self.key.sign(text.encode())
        self.head, self.signed = f"{text}\n— {self.name} {b64(signature)}\n", len(self.lines)
        return self.head


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Peer:
    """A device, and what it has of one timeline."""

    connections = 0

    def __init__(self, name="py"):
        self.name, self.device = name, Device()
        self.hash = self.timeline = self.host = self.founding = self.own = None
        self.logs = {}

    def connect(self, daemon, host=None, source=None):
        """To a daemon; `host` is the device that is to be there."""
        port = int(daemon.listen[0].rpartition(":")[2])
        # An address begins four handshakes a second: each connection comes from another.
        Peer.connections += 1
        source = source or f"127.1.{Peer.connections // 250}.{Peer.connections % 250 + 1}"
        plain = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        return Link(self, Channel(plain, self.device), host)

    def connect_by(self, command, host=None):
        """Through a command whose input and output lead there."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(command, stdin=theirs, stdout=theirs)
        theirs.close()
        link = Link(self, Channel(ours, self.device), host)
        link.process = process
        return link

    def join(self, link, code):
        """By a code, on a connection to the device that it names: the pin is looked at first, then the proof goes."""
        invitation = invitation_of(code)
        if link.channel.device != invitation["device"]:
            raise Wrong("another device answers there")
        link.greet()
        for hash in invitation["timelines"]:
            proof = proof_of(invitation["secret"], link.channel.binding, invitation["device"], self.device.id)
            link.say(f"JOIN {b64(hash)} " + text_of({"name": self.name, "proof": b64(proof)}))
            word, said, text = link.hear().split(" ", 2)
            answer = json.loads(text)
            if word != "JOINED" or base64.b64decode(said) != hash:
                raise Wrong(word)
            self.founding = membership.parse(answer["founding"])
            if membership.timeline_hash(self.founding) != b64(hash):
                raise Wrong("the founding is that of another timeline")
            self.hash, self.timeline, self.host = hash, membership.version8(hash), invitation["device"]
            self.own = self.new_log()
        return answer

    def new_log(self, **more):
        log = OwnLog(self.timeline, self.hash, self.device, **more)
        self.logs[log.replica] = log
        return log

    def record(self, title, **more):
        return self.own.write({"type": "test", "subtype": "icbm", "date": "2017-11-29", "actors": ["PRK"],
                               "title": title, "unsourced": True, **more})

    # What follows from what is here.

    @property
    def facts(self):
        return [[replica, seq, body_of(line)] for replica, log in sorted(self.logs.items())
                for seq, line in enumerate(log.lines, 1) if b'"type":"log.' in line]

    @property
    def judged(self):
        return membership.Judged({"timeline": b64(self.hash), "facts": self.facts, "forks": []})

    def follows(self, device):
        """Whether lines of a device's log are asked for: of the founder, whose founding is known, and of members."""
        if device == membership.device_id(base64.b64decode(self.founding["key"])):
            return True
        return device in self.judged.grants

    @property
    def roots(self):
        return {replica: (len(log.lines), b64(log.root)) for replica, log in self.logs.items()}

    @property
    def titles(self):
        judged = self.judged
        return {json.loads(line)["title"] for replica, log in self.logs.items()
                for seq, line in enumerate(log.lines, 1)
                if b'"title":' in line and b'"type":"log.' not in line and judged.counts(replica, seq)}


class Link:
    """One connection to a daemon. `greet` and `have` begin it; `run` answers until something is so."""

    def __init__(self, peer, channel, host=None):
        self.peer, self.channel, self.process = peer, channel, None
        if host is not None and channel.device != host:
            channel.close()
            raise Wrong("another device answers there")
        self.heard_head = None
        # What the other side has, has asked for, and has taken; what was named here.
        self.theirs, self.asked, self.taken, self.named, self.forked = {}, set(), {}, set(), set()
        self.sent, self.said_head = {}, None
        # Whether lines that are asked for are sent.
        self.gives = True
        # By how many hashes each of the runs that came was shown to be under its head.
        self.proven = []

    def close(self):
        self.channel.close()
        if self.process:
            self.process.wait(20)

    def say(self, text):
        try:
            self.channel.send(text if isinstance(text, bytes) else text.encode() + b"\n")
        except TLSError:
            # It listens no more, and may have said why.
            while True:
                self.hear()

    def hear(self, waits=True):
        line = self.channel.line(waits)
        if line is None:
            return None
        line = line.decode().rstrip("\n")
        if line.startswith("ERR ") or not line:
            raise Refused(line)
        return line

    def greet(self):
        self.say('HELLO timeline-sync 1 {"features":[]}')
        if not self.hear().startswith("HELLO timeline-sync 1 "):
            raise Wrong("no greeting")
        return self

    def have(self, heads=None, timeline=None, replica=None, more=None):
        """Names logs: those that are here, or others."""
        if heads is None:
            heads = {r: [len(log.lines), log.check, log.signed, log.record["device"]]
                     for r, log in self.peer.logs.items() if log.lines}
            # The device's id, not its key.
            heads = {r: [*h[:3], b64(membership.device_id(base64.b64decode(h[3])))] for r, h in heads.items()}
        self.named |= set(heads)
        body = {"replica": replica, "heads": heads, "more": more}
        self.say(f"HAVE {timeline or self.peer.timeline} " + text_of({k: v for k, v in body.items() if v is not None}))
        return self

    def run(self, until):
        """Answers what comes, until it is so."""
        while True:
            self.follow()
            if self.gives:
                self.pump()
            if until():
                return
            if message := self.hear(waits=False):
                self.handle(message)

    def settle(self):
        """Until all that was said before is answered, or looked at."""
        self.say("PING")
        while (message := self.hear()) != "PONG":
            self.handle(message)

    def follow(self):
        """Names what the other side has and this one follows: lines are sent of no other logs."""
        heads = {replica: [0, "", 0, b64(device)] for replica, (size, device) in self.theirs.items()
                 if size and replica not in self.named and device and self.peer.follows(device)}
        if heads:
            self.have(heads)

    def pump(self):
        """What is here, and was asked for: half of it with a proof, and the rest."""
        for replica in self.asked:
            log, begun = self.peer.logs.get(replica), self.sent.get(replica, 0)
            if log is None or isinstance(log, OwnLog) and log.signed < len(log.lines) and log.sign() is None:
                continue
            for last in sorted({begun + (log.signed - begun) // 2, log.signed}):
                if last > self.sent.get(replica, 0):
                    self.lines(log, self.sent.get(replica, 0) + 1, last)

    def lines(self, log, first, last, note=None, hashes=None):
        data = b"".join(log.lines[first - 1:last])
        note = log.head if note is None else note
        if self.said_head != (log.replica, note):
            self.head(log, log.signed, note)
        if hashes is None:
            hashes = consistency(last, log.leaves[:log.signed])
        shown = " " + text_of([b64(hash) for hash in hashes]) if hashes else ""
        self.say(f"LINES {log.timeline} {log.replica} {first} {last - first + 1} {len(data)}{shown}\n".encode() + data)
        self.sent[log.replica] = last

    def head(self, log, size, note):
        self.say(f"HEAD {log.timeline} {log.replica} {size} {text_of(note)}")
        self.said_head = log.replica, note

    def handle(self, message):
        word, _, rest = message.partition(" ")
        if word == "HAVE":
            _, have = rest.split(" ", 1)
            for replica, head in json.loads(have)["heads"].items():
                self.theirs[replica] = (head[0], base64.b64decode(head[3]) if len(head) > 3 else None)
                self.asked.add(replica)
                self.sent[replica] = max(self.sent.get(replica, 0), head[0])
        elif word == "HEAD":
            _, replica, size, note = rest.split(" ", 3)
            self.heard_head = replica, json.loads(note)
            log = self.peer.logs.get(replica)
            if log and len(log.lines) >= int(size):
                log.take_head(self.heard_head[1])
        elif word == "LINES":
            _, replica, first, count, size, *hashes = rest.split(" ", 5)
            lines = [self.channel.line() for _ in range(int(count))]
            if sum(map(len, lines)) != int(size) or replica not in self.named or self.heard_head[0] != replica:
                raise Wrong("lines that were not asked for, or without their head")
            log = self.peer.logs.get(replica) or Log(self.peer.timeline, replica)
            hashes = [base64.b64decode(hash, validate=True) for hash in json.loads(hashes[0])] if hashes else []
            log.take(int(first), lines, self.heard_head[1], hashes)
            self.proven.append(len(hashes))
            self.peer.logs[replica] = log
            self.say(f"TOOK {self.peer.timeline} {replica} {len(log.lines)}")
        elif word == "FORK":
            self.forked.add(rest.split(" ")[1])
        elif word == "TOOK":
            _, replica, last = rest.split(" ")
            self.taken[replica] = int(last)
        elif word == "WANT":
            self.say("PROVED " + rest)
        elif word == "PING":
            self.say("PONG")
        elif word != "PONG":
            raise Wrong(f"{word} has no place here")
