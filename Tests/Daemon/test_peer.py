"""A peer in another language, from the documents alone, and timelined: they pair, sync both ways, and agree."""

import base64
import json
import unittest

from team import Team

try:
    import cryptography
except ImportError:
    cryptography = None
else:
    from tlspeer import Peer, Refused, Wrong, membership


@unittest.skipUnless(cryptography, "cryptography is not installed: scripts/setup --tests")
class PeerTests(Team):
    def joined(self, host, role="write", name="py", by=None):
        """A peer that is a member, and its connection, on which both have said what they have."""
        peer = Peer(name)
        connect = (lambda host, device=None: peer.connect_by(by, device)) if by else peer.connect
        link = connect(host)
        answer = peer.join(link, self.invite(host, "--role", role, "--yes"))
        self.assertEqual((answer["name"], answer["role"]), ("main", role))
        link.close()
        return peer, self.open(peer, connect(host, peer.host))

    def open(self, peer, link):
        self.addCleanup(link.close)
        link.greet().have()
        return link

    def agree(self, peer, link, daemon):
        """Runs until both hold the same, and compares what follows from it."""
        link.run(lambda: peer.roots == self.roots(daemon))
        link.run(lambda: link.taken.get(peer.own.replica, len(peer.own.lines)) == len(peer.own.lines))
        self.assertEqual(peer.titles, self.titles(daemon))
        judged, rows = peer.judged, self.json("member", "list", daemon=daemon)
        for row in rows:
            for key in ("own", "connected"):
                del row[key]
            for log in row["logs"]:
                replica = log["replica"]
                self.assertEqual(judged.end(replica), log.get("end"))
                here = peer.logs[replica]
                self.assertEqual((log["lines"], log["signed"]), (len(here.lines), here.signed))
            self.assertEqual(
                sorted(log["replica"] for log in row.pop("logs")),
                [r for r in judged.logs() if membership.device_text(judged.device(r)) == row["device"]])
        theirs = [{key: row.get(key) for key in ("device", "name", "role", "rank", "by")} for row in rows]
        self.assertEqual(theirs, [{key: row[key] for key in theirs[0]} for row in judged.members()])

    def test_they_pair_and_agree_both_ways(self):
        host = self.machine()
        self.append(host, 3, "from the host")
        peer, link = self.joined(host)
        self.agree(peer, link, host)
        for number in range(5):
            peer.record(f"from the peer {number}")
        self.agree(peer, link, host)
        self.assertEqual(8, len(peer.titles))
        # Live, each way.
        self.append(host, 2, "live")
        peer.record("live too")
        self.agree(peer, link, host)
        # On another connection only what is new goes.
        link.close()
        self.append(host, 1, "meanwhile")
        peer.record("meanwhile too")
        link = self.open(peer, peer.connect(host, peer.host))
        self.agree(peer, link, host)
        # The daemon keeps the head that was signed here.
        keys = {key["replica"]: key for key in self.json("keys", daemon=host)}
        own = keys[peer.own.replica]
        self.assertEqual((own["lines"], own["signed"]), (len(peer.own.lines),) * 2)
        self.assertIn(base64.b64encode(b"\x01" + peer.own.public).decode(), own["vkey"])

    def test_a_long_log_is_proven_run_by_run(self):
        host = self.machine()
        client = host.client()
        for number in range(25):
            client.append(title=f"long {number}", summary="x" * 60_000)
        client.close()
        peer, link = self.joined(host)
        self.agree(peer, link, host)
        # One head over all of them was said before the first.
        self.assertGreater(len(link.proven), 1)
        self.assertTrue(any(link.proven), link.proven)

    def test_what_two_daemons_and_a_peer_share(self):
        a, b = self.team("bo")
        self.append(a, 2, "from a")
        self.append(b, 2, "from b")
        peer, link = self.joined(a, by=self.relay(a).split())
        peer.record("from the peer")
        self.agree(peer, link, a)
        self.in_sync(b, a)
        self.assertEqual(peer.titles, self.titles(b))
        self.assertEqual(peer.roots, self.roots(b))
        # Who wrote what, and how: words that are erased are gone here, and the tree stays.
        id = json.loads(self.done("log", "--jsonl", daemon=b).splitlines()[0])["id"]
        self.done("erase", id, "--reason", "a mistake", "--yes", daemon=a)
        self.in_sync(b, a)
        link.run(lambda: peer.roots == self.roots(a))
        later, link = self.joined(a, name="late")
        link.run(lambda: later.roots == self.roots(a))
        self.assertEqual(later.titles, self.titles(a))
        self.assertEqual(4, len(later.titles))

    def test_an_admin_in_python_brings_in_and_ends(self):
        host, guest = self.team("bo")
        peer, link = self.joined(host, "admin", "ad")
        self.agree(peer, link, host)
        other = Peer("friend")
        peer.own.write({"type": "log.member", "device": membership.device_text(other.device.id), "name": "friend",
                        "role": "write"})
        self.agree(peer, link, host)
        other.hash, other.timeline, other.host, other.founding = peer.hash, peer.timeline, peer.host, peer.founding
        other.own = other.new_log()
        other.record("by a friend of ad's")
        theirs = self.open(other, other.connect(host, other.host))
        self.agree(other, theirs, host)
        link.run(lambda: peer.roots == self.roots(host))
        self.assertEqual(self.members(host), {"the founder": "admin", "bo": "write", "ad": "admin", "friend": "write"})
        # It ends whom it brought in, at the line that it knows; whom it did not bring in it cannot.
        log = peer.logs[other.own.replica]
        for device, up_to in ((other.device.id, {log.replica: [len(log.lines), log_root(log)]}),
                              (membership.device_of(self.device(guest)), {})):
            peer.own.write({"type": "log.member-end", "device": membership.device_text(device), "up_to": up_to})
        self.agree(peer, link, host)
        self.assertEqual(self.members(host), {"the founder": "admin", "bo": "write", "ad": "admin", "friend": "ended"})
        with self.assertRaisesRegex(Refused, "member of the timeline no more"):
            theirs.run(lambda: False)
        self.in_sync(guest, host)
        self.assertEqual(self.members(guest), self.members(host))

    def test_a_reader_is_told_and_its_lines_are_not_asked_for(self):
        host = self.machine()
        self.append(host, 1)
        peer, link = self.joined(host, "read")
        peer.record("nobody asked")
        link.run(lambda: len(peer.logs) == 2 and peer.titles == self.titles(host))
        link.settle()
        self.assertNotIn(peer.own.replica, link.asked)
        self.assertEqual(list(self.roots(host)), [self.own(host)])

    def test_a_code_is_for_the_device_that_it_names(self):
        host, other = self.machine(), self.machine()
        code = self.invite(host)
        peer = Peer()
        link = peer.connect(other)
        with self.assertRaisesRegex(Wrong, "another device"):
            peer.join(link, code)
        link.close()
        self.assertEqual(set(self.members(host)), {"the founder"})


def log_root(log):
    return base64.b64encode(log.root).decode()


if __name__ == "__main__":
    unittest.main()
