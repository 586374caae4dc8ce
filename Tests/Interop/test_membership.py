"""Who is a member, beside membership.py, which is written from docs/reference/membership.md alone: every field of the
answer, for 600 random histories with strangers, equal ranks, ends that meet, recovery, forks and codes used twice, in
any order of arrival. It prints where it begins; MEMBERSHIP_SEED=N repeats one history, MEMBERSHIP_FIRST=N all of them,
MEMBERSHIP_HISTORIES=N is how many there are. Run by itself with `vectors` it writes Tests/Fixtures/membership/records.json anew."""

import base64
import collections
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Daemon")]

import membership  # noqa: E402
from daemon import BINARIES, ROOT  # noqa: E402
from differences import differences  # noqa: E402
from membership import ROLES, device_id, device_text, text_of  # noqa: E402

HISTORIES = int(os.environ.get("MEMBERSHIP_HISTORIES", 600))
SEED = os.environ.get("MEMBERSHIP_SEED")
VECTORS = ROOT / "Tests" / "Fixtures" / "membership" / "records.json"
MISSING = "needs cryptography from PyPI: scripts/setup --tests"


def encoded(data):
    return base64.b64encode(data).decode()


def hashed(*parts):
    return hashlib.sha256(repr(parts).encode()).digest()


class Device:
    def __init__(self, *name):
        self.private = membership.Ed25519PrivateKey.from_private_bytes(hashed(*name))
        self.public = self.private.public_key().public_bytes_raw()
        self.key = encoded(self.public)
        self.id = device_id(self.public)
        self.text = device_text(self.id)

    def line_1(self, timeline, number, key=None):
        record = {"type": "log.replica", "timeline": timeline, "device": self.key, "key": key or self.key,
                  "nonce": encoded(hashed(self.key, number)[:16])}
        return membership.sign(record, self.private)


ROOTS = [encoded(hashed("root", number)) for number in range(3)]
CODES = [encoded(hashed("code", number)) for number in range(3)]


class World:
    """A timeline with its devices and their logs: made once, since signing takes long."""

    def __init__(self, number):
        self.devices = [Device(number, name) for name in range(9)]
        self.recovery, self.wrong = Device(number, "recovery"), Device(number, "wrong")
        founder = self.devices[0]
        self.founding = {"type": "log.timeline", "name": "w%d" % number, "key": founder.key,
                         "nonce": encoded(hashed(number)[:16]), "recovery": self.recovery.key}
        self.adopted = {}
        if number % 3 == 0:
            owners = [self.devices[0], self.devices[3], None]
            for index, owner in enumerate(owners):
                replica = str(uuid.UUID(bytes=hashed(number, "adopted", index)[:16], version=4))
                self.adopted[replica] = [3 + 4 * index, ROOTS[0], (owner and owner.key) if index else None, owner and owner.key]
            self.founding["adopts"] = dict(sorted(self.adopted.items()))
        self.timeline = membership.timeline_hash(self.founding)
        other = encoded(hashed("another timeline"))
        # Of each device its logs, as (replica, line 1); what is wrong with some makes them nobody's.
        self.logs = {}
        for index, device in enumerate(self.devices):
            logs = [device.line_1(self.timeline, n) for n in range(3)]
            self.logs[device.text] = [(membership.replica_id(record), record) for record in logs]
            stranger = device.line_1(other, 7)
            unsigned = {**device.line_1(self.timeline, 8), "signature": stranger["signature"]}
            squatted = device.line_1(self.timeline, 9)
            self.logs[device.text] += [
                (membership.replica_id(stranger), stranger), (membership.replica_id(unsigned), unsigned),
                (membership.replica_id(self.devices[(index + 1) % 9].line_1(self.timeline, 2)), squatted)]


@functools.lru_cache(maxsize=None)
def world(number):
    return World(number)


def random_history(seed):
    chance = random.Random(seed)
    here = world(seed % 12)
    devices = here.devices[:chance.randrange(3, 10)]
    lines = {}
    sizes = {}

    def add(replica, record):
        sizes[replica] = sizes.get(replica, 0) + chance.choice([1, 1, 1, 2, 3])
        lines[replica, sizes[replica]] = record if isinstance(record, str) else salted(record)

    def salted(record):
        return text_of({**record, "salt": "AAECAwQFBgcICQoLDA0ODw=="} if chance.random() < 0.3 else record)

    logs = {}
    for device in devices:
        own = here.logs[device.text]
        count = chance.choice([1, 1, 1, 2, 3])
        logs[device.text] = own[:count]
        for replica, record in own[:count]:
            if chance.random() < 0.97:
                lines[replica, 1] = text_of(record)
            sizes[replica] = 1
        if chance.random() < 0.1:
            replica, record = chance.choice(own[3:])
            if replica not in sizes:
                logs[device.text] = logs[device.text] + [(replica, record)]
                lines[replica, 1], sizes[replica] = text_of(record), 1
    if chance.random() < 0.96:
        add(chance.choice(logs[devices[0].text])[0], here.founding)

    everywhere = [replica for own in logs.values() for replica, _ in own] + list(here.adopted)
    admins = [devices[0]]

    def ending(target):
        mine = [replica for replica, _ in logs[target.text]] + [
            replica for replica, adopted in here.adopted.items() if adopted[3] == target.key and chance.random() < 0.8]
        named = {replica: [chance.randrange(max(1, sizes.get(replica, 1) - 2), sizes.get(replica, 1) + 3),
                           chance.choice(ROOTS)] for replica in mine if chance.random() < 0.8}
        if chance.random() < 0.05:
            named[chance.choice(everywhere)] = [1 + chance.randrange(9), ROOTS[1]]
        return dict(sorted(named.items()))

    def member(target):
        record = {"type": "log.member", "device": target.text, "name": chance.choice(["a", 'the "b"', "ç\\c", "한"]),
                  "role": chance.choice(["read", "write", "write", "admin", "admin", "admin"])}
        if chance.random() < 0.5:
            record["code"] = chance.choice(CODES)
        return record

    def end(target):
        record = {"type": "log.member-end", "device": target.text, "up_to": ending(target)}
        if chance.random() < 0.4:
            record["to"] = chance.choice(ROLES)
        return record

    def recovery(record):
        record.pop("code", None)
        return membership.sign(record, (here.recovery if chance.random() < 0.8 else here.wrong).private, here.timeline)

    # Some histories begin with a line of admins, each of whom brings in the next.
    for one, other in zip(devices, devices[1:chance.choice([0, 0, 2, 4, 9])]):
        add(logs[one.text][0][0], {**member(other), "role": "admin"})
        admins.append(other)
    for _ in range(chance.randrange(2, 24)):
        recorder = chance.choice(admins) if chance.random() < 0.75 else chance.choice(devices)
        replica = chance.choice(logs[recorder.text])[0] if chance.random() < 0.97 else chance.choice(everywhere)
        target = chance.choice(devices)
        kind = chance.random()
        if kind < 0.5:
            record = member(target)
            if record["role"] == "admin":
                admins.append(target)
        elif kind < 0.75:
            record = end(target)
        elif kind < 0.8:
            record = end(recorder)
        elif kind < 0.93:
            record = recovery(member(target) if chance.random() < 0.5 else end(target))
        else:
            record = spoiled(chance, member(target) if chance.random() < 0.5 else end(target))
        add(replica, record)
        # A copy of a signed record in another log.
        if not isinstance(record, str) and "signature" in record and chance.random() < 0.3:
            add(chance.choice(everywhere), record)

    facts = [[replica, seq, body] for (replica, seq), body in lines.items()]
    chance.shuffle(facts)
    forks = [replica for replica in everywhere if chance.random() < 0.12]
    erasures = [[chance.choice(everywhere), 1 + chance.randrange(12), chance.choice(everywhere)] for _ in range(12)]
    refusals = []
    for _ in range(6):
        record = member(chance.choice(devices)) if chance.random() < 0.5 else end(chance.choice(devices))
        if chance.random() < 0.2:
            record = recovery(record)
        having = {r: chance.randrange(sizes.get(r, 0) + 1) for r in everywhere if chance.random() < 0.8}
        refusals.append({"record": text_of(record), "by": chance.choice(devices + admins).text, "having": having})
    return {"timeline": here.timeline, "facts": facts, "forks": forks, "erasures": erasures, "refusals": refusals}


def spoiled(chance, record):
    """A body that is no record, or not quite the one that it was."""
    text = text_of(record)
    return chance.choice([
        text.replace('":', '": ', 1), text_of({**record, "more": 1}), text_of(dict(reversed(record.items()))),
        text.replace('"name":"', '"name":"\\u0061').replace('"up_to":{', '"up_to": {'), text.replace('"write"', '"owner"'),
        text.replace("log.member", "log.members"), text[:-1], text_of({**record, "device": record["device"].lower()}),
        text_of({**record, "device": record["device"][:-1] + "A"}), text_of({**record, "signature": "AAAA"}),
        '{"type":"log.member","member":"%s","vkey":"x"}' % uuid.UUID(int=7), '{"type":"message","title":"hello"}'])


def check(seeds):
    """What differs, and what was met."""
    histories = [random_history(seed) for seed in seeds]
    answers = subprocess.run(
        [BINARIES / "membership-states"], input="".join(json.dumps(asked) + "\n" for asked in histories),
        capture_output=True, text=True, check=True).stdout.splitlines()
    found, met = [], collections.Counter()
    for seed, asked, answer in zip(seeds, histories, answers, strict=True):
        ours, theirs = membership.answer(asked), json.loads(answer)
        for member in theirs["members"]:
            member["ends"].sort()
        found += ["MEMBERSHIP_SEED=%d %s" % (seed, text) for text in differences(ours, theirs)]
        met.update(["rank %d" % member["rank"] for member in ours["members"]])
        met.update(["role now %s of %s" % (member["role"], member["granted"]) for member in ours["members"]])
        met.update(["cut by %s" % ("another" if end[0] != member["device"] else "itself")
                    for member in ours["members"] for end in member["ends"]])
        for log in ours["logs"]:
            met["an end"] += log["end"] not in (0, None)
            met["reach beyond the end"] += log["end"] != log["reach"]
            met["a branch"] += log["branch"] is not None
            met["an adopted end"] += log["replica"][14] == "4" and log["end"] not in (3, 7, 11)
        met["an open fork"] += bool(ours["open_forks"])
        met["in doubt"] += ours["in_doubt"]
        met.update("erasure: %s" % verdict for verdict in ours["erasures"])
        met.update("refused: %s" % refusal for refusal in ours["refusals"])
    return found, met


class Vectors(unittest.TestCase):
    """What Tests/AccessTests reads too."""

    def test_records(self):
        vectors = json.loads(VECTORS.read_text())
        for record in vectors["records"]:
            self.assertEqual(text_of(membership.parse(record["text"])), record["text"])
        for text in vectors["none"]:
            self.assertIsNone(membership.parse(text), text)
        for device in vectors["devices"]:
            self.assertEqual(device_text(base64.b64decode(device["id"])), device["text"])

    @unittest.skipUnless(membership.Ed25519PublicKey, MISSING)
    def test_they_are_made_the_same_again(self):
        self.assertEqual(made_vectors(), json.loads(VECTORS.read_text()))


@unittest.skipUnless(membership.Ed25519PublicKey, MISSING)
class RandomTests(unittest.TestCase):
    limit = 300

    def test_random_histories(self):
        first = int(os.environ.get("MEMBERSHIP_FIRST", random.randrange(1 << 30)))
        print("membership: MEMBERSHIP_FIRST=%d" % first)
        seeds = [int(SEED)] if SEED else list(range(first, first + HISTORIES))
        pieces = [seeds[start:start + 100] for start in range(0, len(seeds), 100)]
        met = collections.Counter()
        with concurrent.futures.ProcessPoolExecutor(min(2, os.cpu_count())) as pool:
            for found, more in pool.map(check, pieces):
                self.assertEqual(found[:5], [])
                met += more
        # The histories are worth something: each kind of case was met, and more than once or twice.
        if not SEED and HISTORIES >= 600:
            for kind in EXPECTED:
                self.assertGreater(met[kind], HISTORIES // 100, "%s: %r" % (kind, met))


EXPECTED = (
    ["rank %d" % rank for rank in range(1, 6)] + ["cut by itself", "cut by another", "an end", "reach beyond the end", "a branch",
     "an adopted end", "an open fork", "in doubt"] + ["role now %s of admin" % role for role in [None] + ROLES]
    + ["erasure: %s" % verdict for verdict in ("erase", "hide", "hideUntilSettled", "keep")]
    + ["refused: %s" % refusal for refusal in
       (None, "noRight", "signature", "noMember", "rank", "ended", "codeUsed", "below")])


def made_vectors():
    founder, other, recovery = Device("founder"), Device("other"), Device("recovery")
    adopted = str(uuid.UUID(bytes=hashed("adopted")[:16], version=4))
    founding = {"type": "log.timeline", "name": "main", "key": founder.key, "nonce": encoded(bytes(range(16))),
                "recovery": recovery.key}
    adopting = {**founding, "adopts": {adopted: [5, ROOTS[0], other.key, None]}}
    timeline = membership.timeline_hash(founding)
    line_1 = founder.line_1(timeline, 1)
    member = {"type": "log.member", "device": other.text, "name": 'Ann\'s "laptop" \\ 노트북', "role": "write", "code": CODES[0]}
    end = {"type": "log.member-end", "device": other.text, "up_to": {membership.replica_id(line_1): [7, ROOTS[1]]}}
    plain = {name: value for name, value in member.items() if name != "code"}
    signed = [membership.sign(record, recovery.private, timeline) for record in (plain, end, {**end, "to": "read"})]
    records = [
        {"text": text_of(founding), "hash": timeline, "id": membership.version8(base64.b64decode(timeline))},
        {"text": text_of(adopting), "hash": membership.timeline_hash(adopting),
         "id": membership.version8(base64.b64decode(membership.timeline_hash(adopting)))},
        {"text": text_of(line_1), "id": membership.replica_id(line_1), "device_seed": encoded(hashed("founder"))},
        {"text": text_of(member)}, {"text": text_of(plain)}, {"text": text_of(end)}, {"text": text_of({**end, "up_to": {}})},
        {"text": text_of({**end, "to": "read"})},
    ] + [{"text": text_of(record), "unsigned": membership.unsigned(record)} for record in signed]
    replicas = sorted([membership.replica_id(line_1), membership.replica_id(founder.line_1(timeline, 2))], reverse=True)
    small = base64.b64encode(bytes([1] + [0] * 31)).decode()
    none = [
        "", "{}", "[]", text_of(member) + "\n", " " + text_of(member), text_of(member).replace(":", ": "),
        text_of({**member, "more": 1}), text_of({**member, "role": "owner"}), text_of({**member, "name": ""}),
        text_of({**member, "name": "a\tb"}), text_of({**member, "name": "x" * 65}), text_of({**member, "name": "a\u2028b"}),
        text_of({**member, "name": "a\u0085b"}), text_of({**member, "name": 7}), text_of({**signed[0], "code": CODES[0]}),
        text_of({**member, "code": CODES[0][:-2] + "1="}), text_of({**member, "code": None}),
        text_of({**member, "device": other.text.lower()}), text_of({**member, "device": other.text.replace("-", "")}),
        text_of({**member, "device": encoded(other.id)}), text_of(dict(reversed(member.items()))),
        text_of(member).replace("laptop", "l\\u0061ptop"), text_of(member).replace("노", "\\ub178"),
        text_of(member).replace('"log.member"', '"log.member","type":"log.member"'),
        text_of({**end, "up_to": {r: [7, ROOTS[1]] for r in replicas}}), text_of({**end, "up_to": {replicas[0]: [0, ROOTS[1]]}}),
        text_of({**end, "up_to": {replicas[0]: [1 << 48, ROOTS[1]]}}), text_of({**end, "up_to": {replicas[0]: [7]}}),
        text_of({**end, "up_to": {replicas[0]: [7, ROOTS[1], 1]}}), text_of({**end, "up_to": {"x": [7, ROOTS[1]]}}),
        text_of({**end, "up_to": {replicas[0]: ["7", ROOTS[1]]}}), text_of({**end, "up_to": {replicas[0]: [7.0, ROOTS[1]]}}),
        text_of(end).replace("[7,", "[07,"), text_of({**end, "to": None}), text_of({**end, "to": "none"}),
        text_of({**founding, "adopts": {}}), text_of({**founding, "adopts": {replicas[0]: [5, ROOTS[0], None, None]}}),
        text_of({**founding, "adopts": {adopted: [5, ROOTS[0]]}}), text_of({**founding, "adopts": {adopted: [5, ROOTS[0], "x", None]}}),
        text_of({**founding, "key": small}), text_of({**founding, "recovery": None}), text_of({**founding, "name": "1"}),
        text_of({**founding, "nonce": encoded(bytes(15))}), text_of({**line_1, "device": small}),
        text_of({**line_1, "signature": line_1["signature"][:-4]}),
        text_of({name: value for name, value in line_1.items() if name != "key"}),
        text_of({"salt": "AAAA", **member}), '{"type":"log.member","member":"%s","vkey":"x"}' % adopted,
    ]
    devices = [Device("founder").id, Device("other").id, bytes(32), bytes([255] * 32)]
    return {
        "records": records, "none": none, "recovery_seed": encoded(hashed("recovery")),
        "devices": [{"id": encoded(id), "text": device_text(id)} for id in devices]
        + [{"id": encoded(membership.device_of(text)), "text": text} for text in (
            "P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ2",)]}


if __name__ == "__main__":
    if sys.argv[1:] == ["vectors"]:
        VECTORS.write_text(json.dumps(made_vectors(), ensure_ascii=False, indent=1) + "\n")
    else:
        unittest.main()
