"""Lines of another machine, which need not hold to what is refused here: made by hand, sent as a peer sends them."""

import json

from daemon import greeted
from signing import Signer

CRC = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0x82F63B78 if _byte & 1 else 0)
    CRC.append(_byte)


def checked(text):
    """A line with its CRC-32C (RFC 3720)."""
    crc = 0xFFFFFFFF
    for byte in text.encode():
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 0xFF]
    return f'{text},"crc32c":"{crc ^ 0xFFFFFFFF:08x}"}}\n'.encode()


class Elsewhere:
    """A log that somebody else wrote."""

    def __init__(self, number=1):
        self.replica = f"00000000-0000-4000-8000-0000000f{number:04x}"
        self.lines = []

    def id(self, number):
        return f"eeeeeeee-0000-4000-8000-{number:012x}"

    def add(self, id, **body):
        seq = len(self.lines) + 1
        envelope = {"v": 1, "replica": self.replica, "seq": seq, "id": id, "author": "eve"}
        head = json.dumps({**envelope, "recorded": f"2026-01-01T00:00:{seq // 1000 % 60:02d}.{seq % 1000:03d}001Z"})
        # In the order of the format.
        parts = json.loads(head)
        ordered = {key: parts[key] for key in ("v", "replica", "seq", "recorded", "id", "author")}
        text = json.dumps({**ordered, **body, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}, separators=(",", ":"), ensure_ascii=False)
        self.lines.append(checked(text[:-1]))
        return id

    def send(self, daemon):
        """Past the greeting, 2,000 lines at a time; and the head, under which they go on to others."""
        timeline = daemon.main
        signer = Signer(timeline, self.replica)
        if not any(b'"type":"log.member"' in line for line in self.lines):
            self.add("eeeeeeee-0000-4000-8000-ffff" + self.replica[-8:], **signer.body)
        client = greeted(daemon.client(), timeline)
        for start in range(0, len(self.lines), 2000):
            some = self.lines[start:start + 2000]
            client.send(f"LINES {timeline} {self.replica} {start + 1} {len(some)} {sum(map(len, some))}\n".encode() + b"".join(some))
            last = f"TOOK {timeline} {self.replica} {start + len(some)}"
            # What this machine has of its own comes in between.
            while (reply := client.reply()) != last:
                assert reply and not reply.startswith("ERR"), reply
        client.send(f"HEAD {timeline} {self.replica} {len(self.lines)} " + json.dumps(signer.head(self.lines), ensure_ascii=False))
        # So that it has come before this connection goes.
        client.send("PING")
        while client.reply() != "PONG":
            pass
        client.close()
