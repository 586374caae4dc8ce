"""The rules of membership a second time, from docs/reference/membership.md alone: plain and slow, every rule under
its number. A history is `{"timeline": HASH, "facts": [[REPLICA, SEQ, BODY]…], "forks": [REPLICA…]}`, as
Tests/MembershipStates takes it."""

import base64
import functools
import hashlib
import json
import re
import uuid

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None

ROLES = ["read", "write", "admin"]
OWN = "own"
NUMBER_MAX = (1 << 48) - 1
P = 2 ** 255 - 19
D = -121665 * pow(121666, -1, P) % P


# M-0.2

def unbase64(text, length):
    """None unless it is the one spelling of so many bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        return None
    return data if len(data) == length and base64.b64encode(data).decode() == text else None


def root_of(square):
    """A square root by the field's prime, which is 5 by 8."""
    root = pow(square, (P + 3) // 8, P)
    for candidate in (root, root * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == square % P:
            return candidate
    return None


def small_orders():
    """The y of points of order 1, 2, 4, 8. Twice one of order 8 has y = 0, so d·y⁴ + 2y² − 1 = 0."""
    found = {0, 1, P - 1}
    for sign in (1, -1):
        y = root_of((-1 + sign * root_of(1 + D)) * pow(D, -1, P) % P)
        if y is not None:
            found |= {y, P - y}
    return found


SMALL = small_orders()


@functools.lru_cache(maxsize=1 << 12)
def key(text):
    data = unbase64(text, 32)
    if data is None:
        return None
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    return data if y < P and y not in SMALL else None


@functools.lru_cache(maxsize=1 << 16)
def is_signature(public, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def version8(digest):
    data = bytearray(digest[:16])
    data[6], data[8] = data[6] & 0x0F | 0x80, data[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(data)))


# M-1

def text_of(record):
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


# M-2

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def check_letter(letters):
    total = 0
    for i, letter in enumerate(letters):
        a = LETTERS.index(letter) * (2 if i % 2 else 1)
        total += a // 32 + a % 32
    return LETTERS[(32 - total % 32) % 32]


@functools.lru_cache(maxsize=1 << 12)
def device_text(digest):
    letters = base64.b32encode(digest).decode().rstrip("=")
    runs = [letters[i:i + 13] for i in range(0, 52, 13)]
    checked = "".join(run + check_letter(run) for run in runs)
    return "-".join(checked[i:i + 7] for i in range(0, 56, 7))


def device_id(public):
    return hashlib.sha256(public).digest()


@functools.lru_cache(maxsize=1 << 12)
def device_of(text):
    """None unless it is a device's text."""
    if not isinstance(text, str) or not re.fullmatch(r"([A-Z2-7]{7}-){7}[A-Z2-7]{7}", text, re.ASCII):
        return None
    letters = text.replace("-", "")
    digest = base64.b32decode("".join(letters[i:i + 13] for i in range(0, 56, 14)) + "====")
    return digest if device_text(digest) == text else None


# M-3 to M-6: a record, None for what is none.

def replica_of(text):
    return isinstance(text, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text, re.ASCII) is not None


def ending(value):
    return (isinstance(value, list) and len(value) >= 2 and type(value[0]) is int and 1 <= value[0] <= NUMBER_MAX
            and unbase64(value[1], 32) is not None)


def in_order(object):
    return isinstance(object, dict) and list(object) == sorted(object) and all(map(replica_of, object))


def is_name(text):
    return (isinstance(text, str) and 1 <= len(text.encode("utf-8", "surrogatepass")) <= 64
            and not re.search("[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029\ud800-\udfff]", text))


def is_adopted(value):
    return ending(value) and len(value) == 4 and all(part is None or key(part) for part in value[2:])


FORMS = {
    "log.timeline": {
        "name": (True, lambda v: isinstance(v, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]{0,63}", v, re.ASCII)),
        "key": (False, key), "nonce": (True, lambda v: unbase64(v, 16)), "recovery": (False, key),
        "adopts": (False, lambda v: in_order(v) and v and all(map(is_adopted, v.values()))
                   and not any(replica[14] == "8" for replica in v)),
    },
    "log.replica": {
        "timeline": (True, lambda v: unbase64(v, 32)), "device": (True, key), "key": (True, key),
        "nonce": (True, lambda v: unbase64(v, 16)), "signature": (True, lambda v: unbase64(v, 64)),
    },
    "log.member": {
        "device": (True, device_of), "name": (True, is_name), "role": (True, lambda v: v in ROLES),
        "code": (False, lambda v: unbase64(v, 32)), "signature": (False, lambda v: unbase64(v, 64)),
    },
    "log.member-end": {
        "device": (True, device_of),
        "up_to": (True, lambda v: in_order(v) and all(ending(e) and len(e) == 2 for e in v.values())),
        "to": (False, lambda v: v in ROLES), "signature": (False, lambda v: unbase64(v, 64)),
    },
}


def parse(body):
    """The record of a body, with its salt or without."""
    try:
        record = json.loads(body)
    except ValueError:
        return None
    if not isinstance(record, dict) or text_of(record) != body:
        return None
    if list(record)[-1:] == ["salt"]:
        del record["salt"]
    kind = record.get("type")
    form = FORMS.get(kind) if isinstance(kind, str) else None
    if form is None or list(record) != ["type"] + [name for name in form if name in record]:
        return None
    for name, (is_required, is_right) in form.items():
        if name not in record:
            if is_required:
                return None
        elif not is_right(record[name]):
            return None
    if kind == "log.member" and "code" in record and "signature" in record:
        return None
    return record


def unsigned(record):
    return text_of({name: value for name, value in record.items() if name != "signature"})


def signed_bytes(record, timeline=None):
    if record["type"] == "log.replica":
        return b"timeline-replica\n" + unsigned(record).encode()
    return b"timeline-recovery\n" + timeline.encode() + b"\n" + unsigned(record).encode()


def sign(record, private, timeline=None):
    signature = base64.b64encode(private.sign(signed_bytes(record, timeline))).decode()
    return {**record, "signature": signature}


def timeline_hash(record):
    return base64.b64encode(hashlib.sha256(b"timeline-id\n" + text_of(record).encode()).digest()).decode()


def replica_id(record):
    return version8(hashlib.sha256(b"replica-id\n" + text_of(record).encode()).digest())


# M-7 to M-15

class Judged:
    def __init__(self, history):
        self.timeline = history["timeline"]
        self.forks = set(history["forks"])
        self.facts = {}
        self.founding = None
        for replica, seq, body in history["facts"]:
            record = parse(body)
            if record is None:
                continue
            self.facts[replica, seq] = record
            if record["type"] == "log.timeline" and timeline_hash(record) == self.timeline:
                if "key" in record and "recovery" in record:
                    self.founding = record
        self.owners = {}
        for (replica, seq), record in self.facts.items():
            if record["type"] == "log.replica" and seq == 1 and self.is_line_1(replica, record):
                self.owners[replica] = (device_id(unbase64(record["device"], 32)), record["key"])
        self.adopted = self.founding.get("adopts", {}) if self.founding else {}
        self.grants, self.cuts, self.own = {}, {}, {}
        if self.founding:
            self.judge()

    # M-4
    def is_line_1(self, replica, record):
        return (record["timeline"] == self.timeline and replica_id(record) == replica and is_signature(
            unbase64(record["device"], 32), unbase64(record["signature"], 64), signed_bytes(record)))

    def device(self, replica):
        if replica in self.owners:
            return self.owners[replica][0]
        adopted = self.adopted.get(replica)
        return device_id(unbase64(adopted[3], 32)) if adopted and adopted[3] else None

    def key(self, replica):
        if replica in self.owners:
            return self.owners[replica][1]
        return self.adopted.get(replica, [0, 0, None, None])[2]

    def logs(self):
        return sorted(set(self.owners) | set(self.adopted))

    def records(self, device, *kinds):
        """Those that a device recorded in logs with a line 1, without a signature."""
        return [(replica, seq, record) for (replica, seq), record in sorted(self.facts.items(), key=lambda item: item[0])
                if replica in self.owners and self.device(replica) == device and record["type"] in kinds
                and "signature" not in record]

    # M-9, M-10, as "How it is judged" says
    def judge(self):
        founder = device_id(key(self.founding["key"]))
        self.grant(founder, 1, "admin", None, "founding", None, 0)
        for body in {text_of(r) for r in self.facts.values() if "signature" in r and r["type"] != "log.replica"}:
            record = json.loads(body)
            if not is_signature(key(self.founding["recovery"]), unbase64(record["signature"], 64),
                                signed_bytes(record, self.timeline)):
                continue
            device = device_of(record["device"])
            if record["type"] == "log.member":
                self.grant(device, 1, record["role"], record["name"], "recovery", None, 0)
            else:
                self.cuts.setdefault(device, []).append((0, record, "recovery", True))
        rank = 1
        while True:
            admins = [device for device in self.grants if self.admin_rank(device) == rank]
            if not admins:
                break
            for device in admins:
                self.judge_own(device)
            given, taken = [], []
            for device in admins:
                codes = {}
                for replica, seq, record in self.records(device, "log.member", "log.member-end"):
                    if self.role(replica, seq) != "admin":
                        continue
                    target = device_of(record["device"])
                    if record["type"] == "log.member":
                        # M-7
                        if "code" not in record or codes.setdefault(record["code"], target) == target:
                            given.append((target, rank + 1, record["role"], record["name"], device, replica, seq))
                    elif target != device:
                        taken.append((target, (rank, record, device, replica not in self.forks)))
            for grant in given:
                self.grant(*grant)
            for target, cut in taken:
                self.cuts.setdefault(target, []).append(cut)
            rank += 1
        for device in self.grants:
            if self.admin_rank(device) is None:
                self.judge_own(device)

    def judge_own(self, device):
        self.own[device] = [
            (OWN, record, device, replica not in self.forks)
            for replica, seq, record in self.records(device, "log.member-end")
            if device_of(record["device"]) == device and self.role(replica, seq, own=False) in ("write", "admin")]

    def grant(self, device, rank, role, name, by, replica, seq):
        self.grants.setdefault(device, []).append((rank, role, name, by, replica, seq))

    def admin_rank(self, device):
        return min((grant[0] for grant in self.grants.get(device, []) if grant[1] == "admin"), default=None)

    # M-11
    def role(self, replica, seq, own=True):
        device = self.device(replica)
        if replica in self.adopted:
            grants = [(2, "write")]
            if seq > self.adopted[replica][0]:
                return None
        elif device in self.grants:
            grants = self.grants[device]
        else:
            return None
        if replica in self.forks:
            branch = self.branch(replica, own)
            if branch and seq > branch[0]:
                return None
        cuts = self.cuts.get(device, []) + (self.own.get(device, []) if own else [])
        behind = [cut for cut in cuts if seq > cut[1]["up_to"].get(replica, [0])[0]]
        return self.left(grants, behind)

    def left(self, grants, cuts):
        roles = []
        for rank, role, *_ in grants:
            acting = [cut[1].get("to") for cut in cuts if acts(cut, rank)]
            if None not in acting:
                roles.append(min([ROLES.index(role)] + [ROLES.index(to) for to in acting]))
        return ROLES[max(roles)] if roles else None

    def role_now(self, device):
        return self.left(self.grants.get(device, []), self.cuts.get(device, []) + self.own.get(device, []))

    # M-12, M-13: line by line, as far as anything is said of.
    def end(self, replica, own=True):
        said = [self.adopted.get(replica, [0])[0]]
        for cut in [cut for cuts in list(self.cuts.values()) + list(self.own.values()) for cut in cuts]:
            said.append(cut[1]["up_to"].get(replica, [0])[0])
        for seq in range(1, max(said) + 2):
            if self.role(replica, seq, own) not in ("write", "admin"):
                return seq - 1
        return None

    def counts(self, replica, seq):
        end = self.end(replica)
        return end is None or seq <= end

    # M-14
    def branch(self, replica, own=True):
        device = self.device(replica)
        if replica in self.adopted:
            lowest = 2
        else:
            lowest = min((g[0] for g in self.grants.get(device, []) if g[1] != "read"), default=None)
        if lowest is None:
            return None
        named = []
        for rank, record, _, is_sure in self.cuts.get(device, []) + (self.own.get(device, []) if own else []):
            if replica in record["up_to"] and is_sure and (rank == OWN or rank < lowest):
                number, root = record["up_to"][replica]
                named.append((float("inf") if rank == OWN else rank, number, unbase64(root, 32), [number, root]))
        return min(named)[3] if named else None

    def open_forks(self):
        return sorted(r for r in self.forks if self.branch(r) is None and self.end(r) != 0)

    def in_doubt(self):
        return any(self.role(replica, 1) == "admin" for replica in self.open_forks())

    # M-15
    def erasure(self, replica, seq, target):
        if not self.counts(replica, seq):
            return "keep"
        device = self.device(replica)
        own = replica in self.adopted or replica == target or device is not None and device == self.device(target)
        if not own and self.role(replica, seq) != "admin":
            return "keep"
        if replica in self.open_forks():
            return "hideUntilSettled"
        return "erase" if own else "hide"

    # M-16
    def refuse_member(self, record, by):
        target = device_of(record["device"])
        if "signature" in record:
            if not self.is_recovery(record):
                return "signature"
            rank = 1
        else:
            if self.role_now(by) != "admin":
                return "noRight"
            for replica, seq, other in self.records(by, "log.member"):
                if "code" in record and other.get("code") == record["code"] and self.role(replica, seq) == "admin":
                    if other["device"] != record["device"]:
                        return "codeUsed"
                    break
            rank = self.admin_rank(by) + 1
        for cut in self.cuts.get(target, []) + self.own.get(target, []):
            if acts(cut, rank) or any(acts(cut, grant[0]) for grant in self.grants.get(target, [])):
                to = cut[1].get("to")
                if to is None or ROLES.index(to) < ROLES.index(record["role"]):
                    return "ended"
        return None

    def refuse_end(self, record, by, having):
        target = device_of(record["device"])
        if "signature" in record and not self.is_recovery(record):
            return "signature"
        if target not in self.grants:
            return "noMember"
        if "signature" not in record:
            if target == by:
                if self.role_now(by) not in ("write", "admin"):
                    return "noRight"
            elif self.role_now(by) != "admin":
                return "noRight"
            elif max(grant[0] for grant in self.grants[target]) <= self.admin_rank(by):
                return "rank"
        for replica in self.logs():
            if self.device(replica) == target and replica not in self.forks:
                end = self.end(replica)
                here = having.get(replica, 0) if end is None else min(having.get(replica, 0), end)
                if record["up_to"].get(replica, [0])[0] < here:
                    return "below"
        return None

    def is_recovery(self, record):
        return self.founding is not None and is_signature(
            key(self.founding["recovery"]), unbase64(record["signature"], 64), signed_bytes(record, self.timeline))

    # What an end shows
    def members(self):
        rows = []
        for device, grants in self.grants.items():
            grants = sorted(grants, key=lambda g: (
                g[0], -ROLES.index(g[1]), g[4] is not None, g[4] or "", g[5], (g[2] or "").encode()))
            ends = [[shown(cut[2]), text_of(cut[1])] for cut in self.cuts.get(device, []) + self.own.get(device, [])
                    if any(acts(cut, grant[0]) for grant in grants)]
            rows.append((grants[0][0], device, {
                "device": device_text(device), "name": next((g[2] for g in grants if g[2] is not None), None),
                "rank": grants[0][0], "role": self.role_now(device),
                "granted": max((g[1] for g in grants), key=ROLES.index), "by": shown(grants[0][3]), "ends": sorted(ends)}))
        return [row[2] for row in sorted(rows, key=lambda row: row[:2])]


def acts(cut, rank):
    return cut[0] == OWN or cut[0] < rank


def shown(recorder):
    return recorder if isinstance(recorder, str) else device_text(recorder)


def answer(history):
    """What Tests/MembershipStates prints."""
    judged = Judged(history)
    refusals = []
    for asked in history.get("refusals", []):
        record, by = parse(asked["record"]), device_of(asked["by"])
        refusals.append(judged.refuse_member(record, by) if record["type"] == "log.member"
                        else judged.refuse_end(record, by, asked["having"]))
    return {
        "members": judged.members(),
        "logs": [{"replica": replica, "device": device_text(judged.device(replica)) if judged.device(replica) else None,
                  "key": judged.key(replica), "end": judged.end(replica), "reach": judged.end(replica, own=False),
                  "branch": judged.branch(replica)} for replica in judged.logs()],
        "roles": [judged.role(replica, seq) for replica, seq, _ in history["facts"]],
        "open_forks": judged.open_forks(), "in_doubt": judged.in_doubt(),
        "erasures": [judged.erasure(*erasure) for erasure in history.get("erasures", [])],
        "refusals": refusals,
    }
