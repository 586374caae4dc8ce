"""Machines that sync, the heads that they sign, and what stands in their logs."""

import base64
import json
import pathlib

from ctl import Ctl
from daemon import greeted
from test_verify import checked, leaf_of, root_of


class Machines(Ctl):
    """Daemons that may sync, and what their files say."""

    def append(self, daemon, count=1, word="line"):
        client = daemon.client()
        ids = [client.append(title=f"{word} {number}")["id"] for number in range(count)]
        client.close()
        return ids

    def own(self, daemon):
        return json.loads(pathlib.Path(daemon.data, "timelines/main/timeline.json").read_text())["replica"]

    def log(self, daemon, replica=None):
        return pathlib.Path(daemon.data, "timelines/main/logs", replica or self.own(daemon))

    def lines(self, daemon, replica=None):
        paths = sorted(self.log(daemon, replica).glob("*.jsonl"))
        return [line for path in paths for line in path.read_bytes().splitlines(keepends=True)]

    def head(self, daemon, replica=None):
        """Origin, size and root of the head on disk."""
        text = (self.log(daemon, replica) / "checkpoint").read_text().split("\n")
        return text[0], int(text[1]), text[2]

    def root(self, lines):
        return base64.b64encode(root_of([leaf_of(line) for line in lines])).decode()

    def proof(self, daemon, id):
        return self.done("prove", id, "--output", "-", daemon=daemon)

    def key(self, daemon, replica=None):
        keys = {key["replica"]: key["vkey"] for key in self.json("keys", daemon=daemon)}
        return keys[replica or self.own(daemon)]

    def wait_for_head(self, daemon, replica, size):
        """Waits until a head of so many lines is known."""
        while True:
            keys = {key["replica"]: key["signed"] for key in self.json("keys", daemon=daemon)}
            if keys.get(replica, 0) >= size:
                return

    def peer(self, daemon, heads=None):
        """A raw peer, past the greeting."""
        return greeted(daemon.client(), daemon.main, heads)

    def feed(self, daemon, replica, lines, first=1):
        """Lines of a log as a peer sends them; what is said to it."""
        peer = self.peer(daemon)
        data = b"".join(lines)
        peer.send(f"LINES {daemon.main} {replica} {first} {len(lines)} {len(data)}\n".encode() + data)
        while True:
            reply = peer.reply()
            if reply.startswith(("TOOK", "ERR")):
                peer.close()
                return reply

    def foreign(self, bodies, replica="00000000-0000-4000-8000-00000000beef", first=1):
        """Lines of another machine's log: the members of their bodies, as text, with when each was recorded."""
        return [
            checked((f'{{"v":1,"replica":"{replica}","seq":{seq},"recorded":"{recorded}","id":"{replica[-8:]}-0000-4000-8000-{seq:012x}",'
                     f'"author":"eve",{members},"salt":"AAAAAAAAAAAAAAAAAAAAAA=="').encode())
            for seq, (recorded, members) in enumerate(bodies, first)]
