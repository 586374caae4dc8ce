"""Machines that are members of a timeline: they listen with TLS, and become members by an invitation."""

import json
import pathlib
import re

from daemon import BINARIES, Daemon, free_port
from machines import Machines


class Team(Machines):
    """Each test has daemons of its own. `machine` starts one, `join` makes it a member."""

    @classmethod
    def setUpClass(cls):
        pass

    def machine(self, listens=True):
        daemon = Daemon(listen=[f"tls://127.0.0.1:{free_port()}"] if listens else []).start()
        self.addCleanup(daemon.remove)
        return daemon

    def relay(self, daemon):
        """The command that leads to it, as ssh would run it there."""
        return f"{BINARIES}/timelinectl --socket {daemon.socket} relay"

    def invite(self, host, *words):
        return self.json("peer", "invite", *words, daemon=host)["code"]

    def join(self, daemon, host, name, role="write", *words):
        """Both know each other behind it; whoever listens nowhere is joined through a command."""
        code = self.invite(host, "--role", role, "--yes")
        via = () if host.listen else ("--via", self.relay(host))
        while True:
            exit, out, err = self.ctl("peer", "join", code, "--name", name, "--json", *via, *words, daemon=daemon)
            if exit == 0:
                return json.loads(out)
            # All of these have one address, which begins four handshakes a second at most.
            assert "during the handshake" in err or "reset by peer" in err, err

    def team(self, *names, role="write", listens=True):
        """A host, and members of its main that are called so; all are in sync."""
        machines = [self.machine(listens) for _ in range(len(names) + 1)]
        for machine, name in zip(machines[1:], names):
            self.join(machine, machines[0], name, role)
        for machine in machines[1:]:
            self.done("sync", daemon=machine)
        return machines

    def in_sync(self, *machines):
        """Waits until they are, and looks whether they hold the same."""
        for machine in machines:
            if self.json("peer", "list", daemon=machine):
                self.done("sync", daemon=machine)
        # What came from one of them goes on to the others by itself.
        while len({json.dumps(self.roots(machine), sort_keys=True) for machine in machines}) > 1:
            pass
        self.assertEqual(1, len({self.done("log", "--jsonl", daemon=machine) for machine in machines}))

    def roots(self, daemon):
        """Size and root of each log, as the daemon finds them when it reads everything again."""
        return {log["replica"]: (log["lines"], log["root"]) for log in self.json("verify", daemon=daemon)["logs"]}

    def titles(self, daemon):
        return {json.loads(line)["title"] for line in self.done("log", "--jsonl", daemon=daemon).splitlines()}

    def members(self, daemon):
        """Names, with the roles that they have."""
        return {member.get("name", "the founder"): member.get("role", "ended")
                for member in self.json("member", "list", daemon=daemon)}

    def device(self, daemon):
        return next(member["device"] for member in self.json("member", "list", daemon=daemon) if member["own"])

    def wait_for_standing(self, daemon, words):
        """Waits until it says of a peer, which it tries meanwhile, why there is no sync."""
        client = daemon.client()
        while not any(words in (peer.get("error") or "") for peer in client.stream("PEERS")[0]):
            client.ok("SYNC")
        client.close()

    def wait_for_title(self, daemon, title):
        while title not in self.titles(daemon):
            pass

    def edit(self, daemon, name, change):
        """Changes a file of a daemon, which is stopped for it."""
        daemon.stop()
        path = pathlib.Path(daemon.data, name)
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content) + "\n")
        daemon.start()

    def memory(self, daemon):
        """What a daemon holds in memory, in MiB."""
        status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024



def body_of(line):
    """The members that the recorder said, as text (event-format.md, F-2): behind the envelope, before the check."""
    text = line.decode()
    start = re.match(r'\{"v":1,(?:"[a-z]+":(?:"(?:[^"\\\\]|\\\\.)*"|\d+),){5}', text).end()
    return "{" + text[start:text.rindex(',"crc32c":')] + "}"
