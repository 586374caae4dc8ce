"""Three hosts on a network of their own, each in a network namespace: what a partition, a dead link, another address
and a kill leave behind is the same on all of them in the end. Needs the right to make namespaces."""

import ctypes
import os
import shutil
import signal
import subprocess
import unittest

from daemon import BINARIES, Daemon
from team import Team

IP = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
PREFIX = f"tl{os.getpid()}"
PORT = 7411
# Python has no word for it before 3.12.
LIBC, CLONE_NEWNET = ctypes.CDLL(None), 0x40000000


def ip(*words, **more):
    return subprocess.run([IP, *words], check=True, capture_output=True, **more)


def may_make_namespaces():
    try:
        ip("netns", "add", PREFIX)
        ip("-n", PREFIX, "link", "add", "one", "type", "veth", "peer", "name", "two")
        ip("-n", PREFIX, "link", "add", "bridge", "type", "bridge")
        return True
    except (OSError, TypeError, subprocess.CalledProcessError):
        return False
    finally:
        if IP:
            subprocess.run([IP, "netns", "del", PREFIX], capture_output=True)


class Host(Daemon):
    """A daemon in a namespace, behind a cable that leads to the switch of the network."""

    def __init__(self, network, name, number):
        super().__init__(listen=[f"tls://0.0.0.0:{PORT}"])
        self.space, self.switch, self.cable = f"{PREFIX}-{name}", network, f"to-{name}"
        ip("netns", "add", self.space)
        ip("link", "add", "cable", "netns", self.space, "type", "veth", "peer", "name", self.cable, "netns", network)
        ip("-n", network, "link", "set", self.cable, "master", "switch", "up")
        ip("-n", self.space, "link", "set", "lo", "up")
        ip("-n", self.space, "link", "set", "cable", "up")
        self.number = None
        self.call(number)

    def call(self, number):
        """Gives it another address."""
        if self.number:
            ip("-n", self.space, "addr", "del", f"{self.address}/24", "dev", "cable")
        self.number = number
        ip("-n", self.space, "addr", "add", f"{self.address}/24", "dev", "cable")

    @property
    def address(self):
        return f"10.77.0.{self.number}"

    def plug(self, is_in):
        """The cable is pulled at the switch: the host sees that there is none."""
        ip("-n", self.switch, "link", "set", self.cable, "up" if is_in else "down")

    def lose(self, loses):
        """All that goes to it or comes from it is lost, and nobody is told."""
        ip("-n", self.switch, "link", "set", self.cable, *(["nomaster"] if loses else ["master", "switch"]))

    def start(self, before=None):
        def enter():
            # As `ip netns exec` does, without another process in between.
            with open(f"/run/netns/{self.space}", "rb") as space:
                assert LIBC.setns(space.fileno(), CLONE_NEWNET) == 0
            if before:
                before()
        return super().start(before=enter)

    def remove(self):
        super().remove()
        subprocess.run([IP, "netns", "del", self.space], capture_output=True)


class Networks(Team):
    @classmethod
    def setUpClass(cls):
        if not may_make_namespaces():
            raise unittest.SkipTest("network namespaces may not be made here: that takes iproute2 and root")

    def setUp(self):
        network = f"{PREFIX}-net"
        ip("netns", "add", network)
        self.addCleanup(subprocess.run, [IP, "netns", "del", network], capture_output=True)
        ip("-n", network, "link", "add", "switch", "type", "bridge")
        ip("-n", network, "link", "set", "switch", "up")
        self.a, self.b, self.c = (Host(network, name, number) for number, name in enumerate("abc", 1))
        for host in (self.a, self.b, self.c):
            self.addCleanup(host.remove)
            host.start()
        # b is reached by its address, c by a command, as by ssh; b and c do not know each other.
        code = self.json("peer", "invite", daemon=self.a)
        self.assertEqual(code["addresses"], [f"tls://10.77.0.1:{PORT}"])
        self.done("peer", "join", code["code"], "--name", "bo", daemon=self.b)
        via = f"{IP} netns exec {self.a.space} {BINARIES}/timelinectl --socket {self.a.socket} relay"
        self.done("peer", "join", self.invite(self.a), "--name", "cy", "--via", via, daemon=self.c)
        self.in_sync(self.b, self.c, self.a)

    def everybody(self, word):
        """Each records something, wherever it is."""
        return {f"{word} {title} 0" for host, title in ((self.a, "a"), (self.b, "b"), (self.c, "c"))
                if self.append(host, 1, f"{word} {title}")}

    def agree(self, titles):
        """Waits until all have these, and looks whether all of it is the same everywhere."""
        for host in (self.a, self.b, self.c):
            while not titles <= self.titles(host):
                client = host.client()
                client.ok("SYNC")
                client.close()
        while len({str(sorted(self.roots(host).items())) for host in (self.a, self.b, self.c)}) > 1:
            pass
        self.assertEqual(1, len({self.done("log", "--jsonl", daemon=host) for host in (self.a, self.b, self.c)}))
        self.assertEqual(1, len({str(self.members(host)) for host in (self.a, self.b, self.c)}))

    def test_what_is_recorded_apart_comes_together(self):
        self.agree(self.everybody("together"))
        # The cable of b is out: it sees that.
        self.b.plug(False)
        apart = self.everybody("apart")
        self.assertNotIn("apart a 0", self.titles(self.b))
        self.b.plug(True)
        self.agree(apart)

    def test_a_link_that_dies_without_a_word(self):
        self.b.lose(True)
        lost = self.everybody("lost")
        self.b.lose(False)
        self.agree(lost)
        # And one whose other end is killed meanwhile: nobody tells a.
        self.b.lose(True)
        lost = self.everybody("lost too")
        self.b.stop(signal.SIGKILL)
        self.b.start()
        lost |= self.everybody("and more")
        self.b.lose(False)
        self.agree(lost)

    def test_another_address(self):
        self.b.stop()
        self.b.call(22)
        self.b.start()
        # a does not know it; b knows where a is.
        self.agree(self.everybody("moved"))
        self.a.stop()
        self.a.start()
        self.agree(self.everybody("moved, and back"))

    def test_all_are_killed_at_once_and_again(self):
        titles = set()
        for number in range(3):
            titles |= self.everybody(f"round {number}")
            for host in (self.a, self.b, self.c):
                host.stop(signal.SIGKILL)
            for host in (self.c, self.b, self.a):
                host.start()
        self.agree(titles)


if __name__ == "__main__":
    unittest.main()
