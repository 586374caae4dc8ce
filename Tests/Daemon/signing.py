"""The key of a machine that is made by hand: the line that names it, and the signed head of a log (event-format.md, F-4).

Ed25519 by RFC 8032, 5.1, as plainly as it can be written: slow, and for tests alone.
"""

import base64
import hashlib

from test_verify import leaf_of, root_of

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    """Points as (x, y), on -x² + y² = 1 + d x² y²."""
    k = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + k, P - 2, P) % P
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, P - 2, P) % P
    return x, y


def times(number, point):
    result = (0, 1)
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202,
        46316835694926478169428394003475163141307993866256225615783033603165251855960)


def encoded(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


class Signer:
    """What a replica of a timeline signs with: its key is made from its name, so that it is the same in each run."""

    def __init__(self, timeline, replica):
        self.name = f"timeline/{timeline}/{replica}"
        self.replica = replica
        digest = hashlib.sha512(hashlib.sha256(replica.encode()).digest()).digest()
        self.secret = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.prefix = digest[32:]
        self.public = encoded(times(self.secret, BASE))
        self.id = hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]

    def sign(self, message):
        r = number(self.prefix, message) % ORDER
        point = encoded(times(r, BASE))
        s = (r + number(point, self.public, message) * self.secret) % ORDER
        return point + s.to_bytes(32, "little")

    @property
    def body(self):
        """The members of the body of the line that names the key."""
        key = base64.b64encode(b"\x01" + self.public).decode()
        vkey = f"{self.name}+{self.id.hex()}+{key}"
        return {"type": "log.member", "member": self.replica, "vkey": vkey}

    def head(self, lines):
        """The signed note over all lines of a log."""
        root = base64.b64encode(root_of([leaf_of(line) for line in lines])).decode()
        text = f"{self.name}\n{len(lines)}\n{root}\n"
        signature = base64.b64encode(self.id + self.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"
