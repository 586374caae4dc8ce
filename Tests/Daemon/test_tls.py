"""What another machine's daemon meets, at an address or through `relay`: TLS 1.3 of devices, and nothing else."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import stat
import subprocess
import tempfile
import time
import unittest

from daemon import BINARIES, Daemon, event, free_port

OPENSSL = shutil.which("openssl")
# What stands before the 32 bytes of an Ed25519 key in a certificate.
KEY = bytes.fromhex("302a300506032b6570032100")


@unittest.skipUnless(OPENSSL, "openssl is not installed")
class TLSTests(unittest.TestCase):
    number = 0

    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.daemon = Daemon(listen=[f"tls://[::]:{cls.port}"]).start()
        cls.addClassCleanup(cls.daemon.remove)
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="timeline-keys-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        for name, options in {"one": ["ed25519"], "rsa": ["rsa:2048"]}.items():
            subprocess.run(
                [OPENSSL, "req", "-x509", "-newkey", *options, "-nodes", "-keyout", cls.place / f"{name}.key",
                 "-out", cls.place / f"{name}.pem", "-subj", "/CN=x", "-days", "1"], check=True, capture_output=True)

    def context(self, key="one", protocol="timeline-sync/1", version=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        if protocol:
            context.set_alpn_protocols([protocol])
        if key:
            context.load_cert_chain(self.place / f"{key}.pem", self.place / f"{key}.key")
        return context

    @contextlib.contextmanager
    def connected(self, host="127.0.0.1", source=None, **more):
        # An address begins four handshakes a second: each connection here comes from another.
        type(self).number += 1
        source = (source or f"127.0.1.{self.number}", 0) if host == "127.0.0.1" else None
        with socket.create_connection((host, self.port), timeout=20, source_address=source) as plain:
            with self.context(**more).wrap_socket(plain) as secure:
                yield secure

    @property
    def device(self):
        """As the key that the daemon keeps says."""
        pem = pathlib.Path(self.daemon.data, "keys/device.pem")
        der = subprocess.run([OPENSSL, "pkey", "-in", pem, "-pubout", "-outform", "DER"], check=True, capture_output=True)
        return hashlib.sha256(der.stdout[-32:]).hexdigest()

    def shown(self, connection):
        _, _, rest = connection.getpeercert(True).partition(KEY)
        return hashlib.sha256(rest[:32]).hexdigest()

    def test_a_device_is_met_at_every_address_and_keeps_its_key(self):
        path = pathlib.Path(self.daemon.data, "keys/device.pem")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        for host in ("127.0.0.1", "::1"):
            with self.connected(host) as connection:
                self.assertEqual(self.shown(connection), self.device)
                self.assertEqual(connection.version(), "TLSv1.3")
                self.assertEqual(connection.selected_alpn_protocol(), "timeline-sync/1")
        before = path.read_bytes()
        again = Daemon(path=tempfile.mkdtemp(prefix="timeline-"))
        self.addCleanup(again.remove)
        again.start().stop()
        key = pathlib.Path(again.data, "keys/device.pem").read_bytes()
        again.start()
        self.assertEqual(pathlib.Path(again.data, "keys/device.pem").read_bytes(), key)
        self.assertNotEqual(key, before)

    def test_a_stranger_is_greeted_and_told_of_no_timeline(self):
        timeline = self.daemon.main
        client = self.daemon.client()
        client.append(title="a secret")
        client.close()
        for words in (f'HAVE {timeline} {{"heads":{{}}}}', "FOLLOW main", "STATUS", "QUERY {}"):
            with self.connected() as connection:
                file = connection.makefile("rwb", buffering=0)
                file.write(b'HELLO timeline-sync 1 {"features":[]}\n')
                self.assertEqual(file.readline(), b'HELLO timeline-sync 1 {"features":[]}\n')
                file.write(words.encode() + b"\n")
                self.assertTrue(file.readline().startswith(b"ERR "), words)
                self.assertEqual(file.readline(), b"", words)
        for words in ("STATUS", "HELLO timeline 1", 'APPEND ' + json.dumps(event("x"))):
            with self.connected() as connection:
                file = connection.makefile("rwb", buffering=0)
                file.write(words.encode() + b"\n")
                self.assertTrue(file.readline().startswith(b"ERR denied here machines sync alone"), words)

    def refused(self, **more):
        """What the other side says of the refusal, which comes after its own last word."""
        try:
            with self.connected(**more) as connection:
                connection.sendall(b"HELLO timeline-sync 1\n")
                self.assertEqual(connection.recv(100), b"")
                return "ended"
        except (ssl.SSLError, ConnectionError) as error:
            return str(error).upper().replace("_", " ")

    def test_whoever_is_no_device_is_refused(self):
        self.assertIn("PROTOCOL VERSION", self.refused(version=ssl.TLSVersion.TLSv1_2))
        self.assertIn("CERTIFICATE REQUIRED", self.refused(key=None))
        self.assertIn("CERTIFICATE REQUIRED", self.refused(key="rsa"))
        self.assertIn("NO APPLICATION PROTOCOL", self.refused(protocol="h2"))
        self.assertIn(self.refused(protocol=None), ("ended", "[ERRNO 104] CONNECTION RESET BY PEER"))

    def test_plain_text_is_refused_at_once(self):
        for text in (b"HELLO timeline-sync 1\n", b"GET / HTTP/1.1\r\n\r\n", b"STATUS\n"):
            for family, address in (
                (socket.AF_INET, ("127.0.0.1", self.port)), (socket.AF_UNIX, self.daemon.socket + ".peer"),
            ):
                with socket.socket(family) as plain:
                    plain.settimeout(5)
                    plain.connect(address)
                    plain.sendall(text)
                    with contextlib.suppress(ConnectionResetError):
                        while heard := plain.recv(4096):
                            # An alert, in TLS.
                            self.assertEqual(heard[:2], b"\x15\x03")

    def test_an_address_has_four_places_and_ten_seconds(self):
        started = time.monotonic()
        here = "127.0.2.1"
        silent = [
            socket.create_connection(("127.0.0.1", self.port), source_address=(here, 0)) for _ in range(4)]
        for connection in silent:
            self.addCleanup(connection.close)
            connection.settimeout(20)
        time.sleep(0.3)
        with self.assertRaises((ssl.SSLError, ConnectionError)), self.connected(source=here):
            pass
        # Another address has places of its own.
        with self.connected():
            pass
        for connection in silent:
            self.assertEqual(connection.recv(1), b"")
        self.assertGreater(time.monotonic() - started, 9)
        with self.connected(source=here) as connection:
            self.assertEqual(self.shown(connection), self.device)

    # Through relay.

    def relay(self, *words, **more):
        process = subprocess.Popen(
            [BINARIES / "timelinectl", "relay", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0, env={**os.environ, "TIMELINE_SOCKET": self.daemon.socket}, **more)
        self.addCleanup(process.wait)
        for file in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(file.close)
        self.addCleanup(process.kill)
        return process

    def test_relay_leads_to_the_daemon_and_gives_no_rights(self):
        process = self.relay()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self.context().wrap_bio(incoming, outgoing)

        def through(action):
            while True:
                try:
                    result = action()
                    process.stdin.write(outgoing.read())
                    return result
                except ssl.SSLWantReadError:
                    process.stdin.write(outgoing.read())
                    heard = process.stdout.read(65536)
                    if heard:
                        incoming.write(heard)
                    else:
                        incoming.write_eof()

        through(session.do_handshake)
        self.assertEqual(self.shown(session), self.device)
        through(lambda: session.write(b'HELLO timeline-sync 1 {"features":[]}\n'))
        self.assertEqual(through(lambda: session.read(1000)), b'HELLO timeline-sync 1 {"features":[]}\n')
        through(lambda: session.write(b"STATUS\n"))
        self.assertTrue(through(lambda: session.read(1000)).startswith(b"ERR "))
        # The daemon has ended it, and so has relay.
        self.assertEqual(through(lambda: session.read(1000)), b"")
        self.assertEqual(process.wait(10), 0)

    def test_relay_ends_with_its_input_and_says_where_nobody_is(self):
        process = self.relay()
        process.stdin.close()
        self.assertEqual(process.wait(10), 0)
        self.assertEqual(process.stdout.read(), b"")
        process = self.relay("--peer-socket", self.daemon.path + "/none")
        self.assertEqual(process.wait(10), 5)
        self.assertIn(b"none", process.stderr.read())
        # Who reads its output is gone.
        process = self.relay()
        process.stdout.close()
        process.stdin.write(b"x" * 100)
        self.assertEqual(process.wait(10), 0)

    def test_the_peer_socket_is_the_owners_alone(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.daemon.socket + ".peer").st_mode) & 0o077, 0)
        daemon = Daemon()
        self.addCleanup(daemon.remove)
        daemon.start().stop()
        self.assertFalse(os.path.exists(daemon.socket + ".peer"))

    def test_an_address_that_is_not_in_digits_is_not_listened_on(self):
        for address in ("tls://no-such-machine.invalid:7411", "tls://localhost", "via:cat"):
            with tempfile.TemporaryDirectory() as place:
                result = subprocess.run(
                    [BINARIES / "timelined", "--data", place + "/d", "--socket", place + "/s", "--listen", address],
                    capture_output=True, text=True, timeout=20)
                self.assertIn(result.returncode, (1, 2), address)
                self.assertIn("tls://", result.stderr)
                self.assertFalse(os.path.exists(place + "/s"))


if __name__ == "__main__":
    unittest.main()
