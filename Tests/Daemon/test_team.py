"""Machines become members by an invitation, and share a timeline over TLS: what people type, and what they are told."""

import base64
import json
import pathlib
import signal
import sys
import unittest

from daemon import ROOT, free_port
from team import Team, body_of

sys.path.append(str(ROOT / "Tests" / "Interop"))
from invitation import invitation_of  # noqa: E402
from membership import device_of, parse, timeline_hash  # noqa: E402

FORM = ("--type", "test", "--subtype", "srbm", "--date", "2026-11-20", "--actors", "PRK", "--unsourced")


class Inviting(Team):
    def test_an_invitation_says_how_to_join(self):
        host = self.machine()
        self.append(host)
        text = self.done("peer", "invite", daemon=host)
        self.assertIn("On the other machine, until 20", text)
        self.assertIn("  timelinectl peer join TIMELINE-JOIN-1-", text)
        self.assertIn("can join main once, with the role write: send it as you would a password", text)
        self.assertNotIn("does not listen", text)
        reply = self.json("peer", "invite", "--role", "read", daemon=host)
        self.assertEqual((reply["role"], reply["timeline"], reply["addresses"]), ("read", "main", host.listen))
        # The code is read a second time.
        code = invitation_of(reply["code"])
        self.assertEqual(code["addresses"], [address.encode() for address in host.listen])
        hash = base64.b64decode(timeline_hash(parse(body_of(self.lines(host)[1]))))
        self.assertEqual((code["timelines"], code["device"]), ([hash], device_of(self.device(host))))
        one, other = (invitation_of(self.invite(host, "--expires", time)) for time in ("1h", "2h"))
        self.assertTrue(3590 < other["expires"] - one["expires"] < 3700)
        self.assertNotEqual(one["secret"], other["secret"])
        named = self.json("peer", "invite", "--address", "tls://lab.example.org:7411", daemon=host)
        self.assertEqual(named["addresses"], ["tls://lab.example.org:7411"])

    def test_who_listens_nowhere_is_told_of_the_way_through_a_command(self):
        text = self.done("peer", "invite", daemon=self.machine(listens=False))
        self.assertIn("does not listen for other machines", text)
        self.assertIn("--via 'ssh THIS-HOST timelinectl relay'", text)

    def test_what_is_no_invitation_is_a_matter_of_usage(self):
        host = self.machine()
        self.assertIn("--yes", self.fails(2, "peer", "invite", "--role", "admin", daemon=host))
        self.assertIn("read, write, admin", self.fails(2, "peer", "invite", "--role", "owner", daemon=host))
        self.fails(2, "peer", "invite", "--expires", "soon", daemon=host)
        self.fails(2, "peer", "invite", "--expires", "31d", daemon=host)
        self.fails(2, "peer", "invite", "--expires", "0s", daemon=host)
        # No code names a command, and so no invitation does.
        for address in ("via:cat", "ssh lab", "tls://", "tls://host"):
            self.fails(2, "peer", "invite", "--address", address, "--json", daemon=host)
        self.assertEqual([], json.loads(pathlib.Path(host.data, "invitations.json").read_text())["invitations"]
                         if pathlib.Path(host.data, "invitations.json").exists() else [])


class Joining(Team):
    def test_one_command_on_each_side_and_both_hold_the_same(self):
        host, guest = self.machine(), self.machine()
        self.append(host, 2, "from the host")
        code = self.invite(host)
        # As mail wraps it, in small letters.
        words = [code[start:start + 40].lower() for start in range(0, len(code), 40)]
        said = self.done("peer", "join", *words, "--name", "bo's laptop", daemon=guest)
        self.assertEqual(said, "joined main with the role write; timelinectl sync waits until both agree\n")
        self.assertEqual(self.done("sync", daemon=guest), "in sync with 1 peer\n")
        self.append(guest, 2, "from the guest")
        self.in_sync(guest, host)
        everything = {"from the host 0", "from the host 1", "from the guest 0", "from the guest 1"}
        self.assertEqual(self.titles(host), everything)
        self.assertEqual(self.members(host), {"the founder": "admin", "bo's laptop": "write"})
        self.assertEqual(self.members(guest), self.members(host))
        # Each knows where the other is.
        for daemon, other in ((host, guest), (guest, host)):
            self.assertEqual([peer["address"] for peer in self.json("peer", "list", daemon=daemon)], other.listen)
        # Live, both ways.
        for daemon, other in ((host, guest), (guest, host)):
            watcher = other.client()
            watcher.ok("WATCH {}")
            self.append(daemon, 1, "live")
            self.assertEqual(json.loads(watcher.reply()[6:])["title"], "live 0")
            watcher.close()

    def test_what_programs_are_told(self):
        host, guest = self.machine(), self.machine()
        reply = self.join(guest, host, "bo")
        self.assertEqual(reply, {"timelines": [{"name": "main", "timeline": host.main, "role": "write"}]})
        self.done("sync", daemon=guest)
        founder, member = self.json("member", "list", daemon=guest)
        self.assertEqual((founder["role"], founder["rank"], founder["by"]), ("admin", 1, "founding"))
        self.assertEqual((member["name"], member["rank"], member["by"]), ("bo", 2, founder["device"]))
        self.assertEqual((founder["own"], member["own"]), (False, True))
        self.assertEqual(founder["logs"], [{"replica": self.own(host), "lines": 3, "signed": 3}])
        end = self.json("member", "end", "bo", daemon=host)
        self.assertEqual((end["replica"], end["seq"]), (self.own(host), 4))

    def test_a_timeline_of_the_same_name_with_lines_stays(self):
        host, guest = self.machine(), self.machine()
        self.append(host, 1, "the host's")
        self.append(guest, 1, "the guest's own")
        code = self.invite(host)
        before = self.done("log", "--jsonl", daemon=guest)
        said = self.fails(1, "peer", "join", code, "--name", "bo", daemon=guest)
        self.assertIn("--as", said)
        self.assertEqual(before, self.done("log", "--jsonl", daemon=guest))
        # The same code still holds, for the same device.
        said = self.done("peer", "join", code, "--name", "bo", "--as", "lab", daemon=guest)
        self.assertIn("joined lab with the role write; timelinectl --timeline lab sync", said)
        self.done("--timeline", "lab", "sync", daemon=guest)
        joined = self.done("--timeline", "lab", "log", "--jsonl", daemon=guest)
        self.assertEqual(joined, self.done("log", "--jsonl", daemon=host))
        self.assertEqual(before, self.done("log", "--jsonl", daemon=guest))
        # Two timelines never meet by their names.
        self.assertEqual({"lab", "main"}, {row["name"] for row in self.json("timeline", "list", daemon=guest)})
        self.assertEqual(self.titles(host), {"the host's 0"})

    def test_a_timeline_that_is_not_main_is_joined_under_its_name(self):
        host, guest = self.machine(), self.machine()
        self.done("timeline", "create", "paper", daemon=host)
        client = host.client()
        client.ok("OPEN paper")
        client.append(title="in the paper")
        client.close()
        code = self.json("--timeline", "paper", "peer", "invite", daemon=host)["code"]
        said = self.done("peer", "join", code, "--name", "bo", daemon=guest)
        self.assertIn("joined paper with the role write; timelinectl --timeline paper sync", said)
        self.done("--timeline", "paper", "sync", daemon=guest)
        self.assertIn("in the paper", self.done("--timeline", "paper", "log", "--jsonl", daemon=guest))
        # Its main is its own.
        self.assertNotEqual(guest.main, host.main)
        self.assertEqual(self.json("peer", "list", daemon=guest), [])

    def test_codes_that_do_not_hold(self):
        host, guest, other = self.machine(), self.machine(), self.machine()
        code = self.invite(host)
        for text, said in ((code[:-1], "cut off or mistyped"), ("hello", "no invitation code"),
                           (code.replace("JOIN-1", "JOIN-2"), "cut off or mistyped")):
            self.assertIn(said, self.fails(2, "peer", "join", text, daemon=guest))
        self.assertIn("from this machine", self.fails(2, "peer", "join", code, daemon=host))
        self.fails(2, "peer", "join", code, "--as", "not a name", daemon=guest)
        self.done("peer", "join", code, "--name", "bo", daemon=guest)
        # Another device with the code; the same device again.
        self.assertIn("another device has joined", self.fails(4, "peer", "join", code, "--json", daemon=other))
        self.assertEqual(self.json("peer", "join", code, daemon=guest)["timelines"][0]["role"], "write")
        self.assertEqual(set(self.members(host)), {"the founder", "bo"})
        # One that has expired.
        late = self.invite(host)

        def expire(file):
            file["invitations"][-1]["expires"] = 1_700_000_000

        self.edit(host, "invitations.json", expire)
        self.assertIn("has expired", self.fails(4, "peer", "join", late, daemon=other))
        # Whoever is a member is answered, whatever became of the code.
        self.edit(host, "invitations.json", lambda file: file["invitations"].clear())
        self.done("peer", "join", code, daemon=guest)
        self.assertIn("not known here", self.fails(4, "peer", "join", late, daemon=other))
        self.assertEqual(set(self.members(host)), {"the founder", "bo"})
        self.assertEqual(self.json("timeline", "list", daemon=other)[0]["timeline"], other.main)

    def test_nobody_or_somebody_else_behind_the_address(self):
        host, other, guest = self.machine(), self.machine(), self.machine()
        nobody = f"tls://127.0.0.1:{free_port()}"
        code = self.json("peer", "invite", "--address", nobody, daemon=host)["code"]
        self.assertIn("refused", self.fails(1, "peer", "join", code, daemon=guest).lower())
        # The secret is not said to another device than that of the code.
        code = self.json("peer", "invite", "--address", other.listen[0], daemon=host)["code"]
        said = self.fails(1, "peer", "join", code, daemon=guest)
        self.assertIn(self.device(other), said)
        # Of several addresses the one that answers is found.
        words = [word for address in (nobody, other.listen[0], host.listen[0]) for word in ("--address", address)]
        code = self.json("peer", "invite", *words, daemon=host)["code"]
        self.done("peer", "join", code, "--name", "bo", daemon=guest)
        self.done("sync", daemon=guest)
        self.assertEqual(set(self.members(guest)), {"the founder", "bo"})

    def test_a_command_leads_to_a_machine_that_listens_nowhere(self):
        host, guest = self.machine(listens=False), self.machine(listens=False)
        self.append(host)
        code = self.invite(host)
        self.assertIn("--via", self.fails(1, "peer", "join", code, daemon=guest))
        self.fails(1, "peer", "join", code, "--via", "/nowhere/at/all", daemon=guest)
        self.fails(1, "peer", "join", code, "--via", "false", daemon=guest)
        self.done("peer", "join", code, "--via", self.relay(host), "--name", "bo", daemon=guest)
        self.append(guest, 1, "back")
        self.in_sync(guest, host)
        peer = self.json("peer", "list", daemon=guest)[0]
        self.assertEqual((peer["address"], peer["state"]), ("via:" + self.relay(host), "in-sync"))
        self.assertEqual(self.json("peer", "list", daemon=host), [])
        self.assertTrue(self.json("member", "list", daemon=host)[1]["connected"])


class Members(Team):
    def test_what_each_role_may(self):
        host = self.machine()
        reader, writer, admin = (self.machine() for _ in range(3))
        for daemon, role in ((reader, "read"), (writer, "write"), (admin, "admin")):
            self.join(daemon, host, role, role)
            self.done("sync", daemon=daemon)
        self.assertEqual(
            self.members(reader), {"the founder": "admin", "read": "read", "write": "write", "admin": "admin"})
        self.fails(4, "add", *FORM, "--title", "no", daemon=reader)
        self.done("add", *FORM, "--title", "yes", daemon=writer)
        for daemon in (reader, writer):
            self.assertIn("ask one of its admins", self.fails(4, "peer", "invite", daemon=daemon))
            self.fails(4, "member", "end", "admin", daemon=daemon)
        # Who was brought in does not end who brought him in, nor his like.
        self.assertIn("recovery code can", self.fails(4, "member", "end", "write", daemon=admin))
        self.assertIn("recovery code can", self.fails(4, "member", "end", self.device(host), daemon=admin))
        # Each may go.
        self.done("member", "end", "write", daemon=writer)
        for daemon in (writer, host, reader):
            while self.members(daemon)["write"] != "ended":
                pass
        self.assertIn("no more", self.fails(4, "add", *FORM, "--title", "late", daemon=writer))

    def test_roles_are_lowered_only(self):
        host, guest = self.team("bo")
        for role in ("write", "admin"):
            self.assertIn("lowered only", self.fails(2, "member", "role", "bo", role, daemon=host))
        self.fails(2, "member", "role", "bo", "owner", daemon=host)
        said = self.fails(1, "member", "role", "al", "read", daemon=host)
        self.assertIn('no device of this timeline is called "al"', said)
        self.append(guest, 1, "while it could")
        self.in_sync(guest, host)
        self.assertEqual(self.done("member", "role", "bo", "read", daemon=host), "bo has the role read from now on; what it recorded until now counts\n")
        while self.members(guest)["bo"] != "read":
            pass
        self.fails(4, "add", *FORM, "--title", "no", daemon=guest)
        self.append(host, 1, "still heard")
        self.in_sync(guest, host)
        self.assertEqual(self.titles(guest), {"while it could 0", "still heard 0"})

    def test_a_member_is_named_in_three_ways(self):
        host, *_ = self.team("bo", "cy", "di")
        devices = {member.get("name"): member["device"] for member in self.json("member", "list", daemon=host)}
        for word, name in (("bo", "bo"), (devices["cy"].lower(), "cy"), (devices["di"].partition("-")[0], "di")):
            self.done("member", "end", word, daemon=host)
            self.assertEqual(self.members(host)[name], "ended")
        rows = self.done("member", "list", daemon=host)
        self.assertEqual(3, rows.count(" ended "))
        self.assertIn("this machine", rows)

    def test_who_is_ended_hears_and_says_nothing_more(self):
        host, ended, other = self.team("bo", "cy")
        self.append(ended, 1, "while a member")
        self.in_sync(ended, host, other)
        code = self.invite(host)
        self.assertEqual(self.done("member", "end", "bo", daemon=host),
                         "bo is no longer a member; what it recorded until now counts\n")
        self.append(host, 1, "not for bo")
        self.wait_for_standing(ended, "this device is a member of the timeline no more")
        self.fails(8, "sync", "--timeout", "0s", daemon=ended)
        # Nor does the host call it, which knows where it is.
        self.in_sync(other)
        for daemon in (host, ended):
            daemon.stop()
        for daemon in (ended, host):
            daemon.start()
        self.append(host, 1, "nor this")
        self.in_sync(other)
        self.wait_for_standing(host, "its device is a member of the timeline no more")
        self.fails(8, "sync", "--timeout", "0s", daemon=host)
        self.assertEqual(self.titles(ended), {"while a member 0"})
        self.assertEqual(self.titles(other), {"while a member 0", "not for bo 0", "nor this 0"})
        self.assertIn("final", self.fails(4, "peer", "join", code, daemon=ended))
        # The peer is put away, and all is in sync again.
        self.done("peer", "remove", ended.listen[0], daemon=host)
        self.done("sync", daemon=host)

    def test_both_start_again_and_go_on(self):
        host, guest = self.team("bo")
        members = self.members(host)
        for kill in (signal.SIGTERM, signal.SIGKILL):
            for daemon in (host, guest):
                daemon.stop(kill)
            host.start()
            self.append(host, 1, f"the guest was away {kill}")
            guest.start()
            self.append(guest, 1, f"back {kill}")
            self.in_sync(guest, host)
        self.assertEqual(len(self.titles(host)), 4)
        self.assertEqual((self.members(host), self.members(guest)), (members, members))

    def test_a_member_that_only_reads_leads_two_others_to_each_other(self):
        a, b, c = self.machine(), self.machine(), self.machine(listens=False)
        self.join(b, a, "bo", "admin")
        self.done("sync", daemon=b)
        self.join(c, b, "cy")
        self.in_sync(b, a)
        # c knows the address of b alone, and nobody knows one of c.
        self.done("member", "role", "bo", "read", daemon=a)
        self.append(a, 2, "from a")
        self.append(c, 2, "from c")
        while len(self.titles(a)) < 4 or len(self.titles(c)) < 4:
            pass
        self.in_sync(c, b, a)
        self.assertEqual([peer["address"] for peer in self.json("peer", "list", daemon=c)], b.listen)
        self.assertEqual(self.members(c), {"the founder": "admin", "bo": "read", "cy": "write"})
        self.fails(4, "add", *FORM, "--title", "no", daemon=b)
        # Live, and when the one between was away.
        b.stop(signal.SIGKILL)
        self.append(a, 1, "b away")
        self.append(c, 1, "b away too")
        b.start()
        self.wait_for_title(a, "b away too 0")
        self.wait_for_title(c, "b away 0")
        self.in_sync(c, b, a)
        # Whatever b relays, it is under the head that its machine signed.
        for daemon in (a, b, c):
            for key in self.json("keys", daemon=daemon):
                self.assertEqual(key["signed"], key["lines"])


if __name__ == "__main__":
    unittest.main()
