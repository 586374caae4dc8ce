"""What nobody should send, and what should not happen: the daemon says one clear thing and goes on."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import unittest

from daemon import BINARIES, Client, Daemon, crc32c, event, free_port, greeted
from elsewhere import Elsewhere


class Remote(Client):
    """The same over TCP."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Hostile(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.daemon = Daemon(listen=[f"tcp://127.0.0.1:{self.port}"])
        self.addCleanup(self.daemon.remove)
        self.daemon.start()
        self.timeline = self.daemon.main
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def fill(self, count):
        client = self.daemon.client()
        for start in range(0, count, 5000):
            many = min(5000, count - start)
            lines = "".join(json.dumps(event(f"number {start + n}", actors=["PRK", "USA"])) + "\n" for n in range(many))
            client.send(f"APPENDMANY {many}\n{lines}".encode())
            self.assertTrue(client.reply().startswith("OK"))
        client.close()

    def refuses(self, request, code):
        reply = self.client.ask(request)
        self.assertTrue(reply.startswith(f"ERR {code} "), f"{request[:80]}: {reply[:200]}")
        return reply

    def test_long_answers_arrive_whole(self):
        self.fill(6000)
        for _ in range(8):
            client = self.daemon.client()
            events, end = client.stream("QUERY {}")
            self.assertEqual((len(events), end["count"]), (6000, 6000))
            client.send('WATCH {"after":{}}')
            client.reply()
            for _ in range(6000):
                self.assertTrue(client.reply().startswith("EVENT "))
            client.close()

    def test_answers_a_little_longer_than_what_is_written_at_once(self):
        """A client that reads as fast as it is written to takes a piece whole: the next has to come all the same."""
        self.client.send("APPENDMANY 600\n" + "\n".join(json.dumps(event(f"number {n}", summary="x" * 1000)) for n in range(600)))
        self.assertTrue(self.client.reply().startswith("OK"))
        for limit in range(150, 600, 10):
            self.assertEqual(len(self.client.stream('QUERY {"limit":%d}' % limit)[0]), limit)
        self.client.send(b"ACTORS\n" * 50)
        ends = 0
        while ends < 50:
            ends += self.client.reply().startswith("END ")

    def test_many_answers_arrive_whole_after_a_half_close(self):
        client = self.daemon.client()
        client.send(b"ACTORS\n" * 100)
        client.socket.shutdown(socket.SHUT_WR)
        ends = sum(line.startswith(b"END ") for line in client.file)
        self.assertEqual(ends, 100)
        client.close()

    def test_an_answer_goes_to_who_asked(self):
        self.fill(21_000)
        for _ in range(20):
            gone = self.daemon.client()
            gone.send('COUNT {"text":"number"}')
            gone.close()
            client = self.daemon.client()
            self.assertEqual(client.ok('COUNT {"text":"zebra"}'), {"count": 0})
            client.close()

    def test_filters_say_what_they_mean(self):
        for year in (2016, 2017, 2017, 2018):
            self.client.append(title=f"of {year}", date=f"{year}-03-01")
        for request, count in [
            ('{"date":["2016","2017"]}', 3), ('{"where":"date=2016 date=2018"}', 2),
            ('{"text":["of 2016","of 2018"]}', 2), ('{"date":"2017","from":"2017-04"}', 0),
            ('{"limit":0}', 0), ('{"limit":2}', 2), ('{"known_at":"1999-01-01T00:00Z"}', 0),
            ('{"known_at":"2999-01-01T00:00:00+09:00"}', 4), ('{"known_at":"2999-12"}', 4),
        ]:
            self.assertEqual(self.client.ok("COUNT " + request), {"count": count}, request)
        for request in [
            "COUNT []", "COUNT null", "COUNT type=test", 'COUNT foo {}', 'COUNT {"where":5}',
            'COUNT {"type":["test",5]}', 'COUNT {"type":[]}', 'COUNT {"form":"2016"}',
            'COUNT {"known_at":"Y5000000"}', 'COUNT {"known_at":"yesterday"}',
            'COUNT {"where":"date>=2016 date>=2017"}', "COUNT " + json.dumps({"text": ["a"] * 17}),
            "COUNT " + json.dumps({"text": "a" * 300}), 'WATCH {"limit":3}', 'WATCH {"actor":"ZZZ"}',
            'STATE {"parties":["USA","PRK"],"as_off":"2017-01-01"}',
            "STATE " + json.dumps({"parties": ["A" * 60_000, "PRK"]}), "APPENDMANY 9000000000000000000",
        ]:
            self.refuses(request, "bad-request")
        self.assertEqual(self.client.ask("PING"), "OK")

    def test_an_error_is_one_line_of_plain_words(self):
        for request in [
            'COUNT {"from":"%s"}', 'COUNT {"type":"%s"}', 'COUNT {"actor":"%s"}', 'COUNT {"where":"%s"}', 'COUNT {"at":"%s"}',
            'EXPLAIN {"parties":["USA","PRK"],"figure":"%s"}', 'STATE {"parties":["%s","PRK"]}', 'APPEND {"type":"%s"}', "%s",
        ]:
            for words in ("\\nOK 5", "\\u001b[31m", "\\u0000", "\\u0085", "\\u2028", "\x1b[31m", "\x7f"):
                reply = self.client.ask(request % words)
                self.assertTrue(reply.startswith("ERR "), reply)
                # One TAB stands before the structure.
            said = reply.replace("\t", "", 1)
            self.assertFalse([c for c in said if not c.isprintable() and c != " "], ascii(reply))
        self.assertEqual(self.client.ask("PING"), "OK")

    def test_events_that_only_the_log_may_write(self):
        id = self.client.append(title="one")["id"]
        other = self.client.append(title="two")["id"]
        correction = {"type": "log.correct", "corrects": id, "supersedes": [id], "reason": "x"}
        for fields, code in [
            ({"type": "log.erase", "id": id}, "exists"), ({"type": "log.erase"}, "unsupported"),
            (event(version="1"), "bad-event"), (event(contested=[]), "bad-event"),
            (event("tab\there"), "bad-event"), (event("line\u2028two"), "bad-event"),
            ({**correction, "supersedes": [other], "body": event()}, "bad-event"),
            ({**correction, "body": event(id=id)}, "bad-event"), ({**correction, "body": event(version="1")}, "bad-event"),
            (event(author=""), "bad-event"), (event(author=7), "bad-event"),
        ]:
            if code != "exists":
                self.refuses("APPEND " + json.dumps(fields), code)
        self.assertEqual(self.client.ok("COUNT {}"), {"count": 2})

    def test_a_watch_that_wants_nothing_holds_nobody_up(self):
        self.fill(20_000)
        watchers = [self.daemon.client() for _ in range(3)]
        for watcher in watchers:
            self.addCleanup(watcher.close)
            watcher.send('WATCH {"tag":"zebra","after":{}}')
            self.assertTrue(watcher.reply().startswith("OK"))
        self.assertEqual(self.client.ask("PING"), "OK")
        self.client.append(title="striped", tags=["zebra"])
        for watcher in watchers:
            self.assertIn('"striped"', watcher.reply())

    def test_values_may_be_spelled_with_escapes(self):
        spelled = json.dumps(event(targets=["USA"], tags=["kept"])).replace('"PRK"', '"\\u0050RK"').replace(
            '"kept"', '"\\u006bept"').replace('"2017-11-29"', '"2017\\u002d11-29"').replace('"icbm"', '"\\u0069cbm"')
        self.client.ok("APPEND " + spelled)
        for filter in ({"actor": "PRK"}, {"tag": "kept"}, {"date": "2017-11-29"}, {"subtype": "icbm"}):
            self.assertEqual(self.client.ok("COUNT " + json.dumps(filter)), {"count": 1}, filter)
        for bare in ("PING x", "ACTORS x", "STATUS {}", "SYNC now", "PEERS x"):
            self.refuses(bare, "bad-request")

    def test_what_stands_in_the_index_s_place_is_passed_over(self):
        self.client.append(title="kept")
        index = self.daemon.data + "/timelines/main/index"
        for make in (lambda: os.makedirs(index + "/events.idx"), lambda: pathlib.Path(index).write_text("words")):
            self.daemon.stop()
            shutil.rmtree(index, ignore_errors=True)
            make()
            self.daemon.start()
            client = self.daemon.client()
            self.assertEqual(client.ok("COUNT {}"), {"count": 1})
            client.close()

    def test_an_actor_can_be_named_by_what_follows_it(self):
        actor = {"type": "log.actor", "code": "X-ONE", "name": "One of ours"}
        lines = [json.dumps(actor), json.dumps(event(actors=["X-ONE"]))]
        self.client.send(("APPENDMANY 2\n" + "\n".join(lines) + "\n").encode())
        self.assertTrue(self.client.reply().startswith("OK"))
        self.client.send(("APPENDMANY 2\n" + "\n".join([lines[0].replace("ONE", "TWO"), lines[1], lines[1]][:2]) + "\n").encode())
        self.assertTrue(self.client.reply().startswith("OK"))
        again = json.dumps({**actor, "code": "X-NEW"})
        self.client.send(f"APPEND {again}\nAPPEND {again}\n".encode())
        self.assertEqual([self.client.reply()[:3] for _ in range(2)], ["OK ", "ERR"])

    def test_an_event_corrected_two_thousand_times(self):
        """Each correction in the place of the one before; in order, and from another machine with the last first."""
        count = 2000
        other = Elsewhere()
        theirs = other.add(other.id(0), **event("v0"))
        for number in range(count, 0, -1):
            other.add(other.id(number), type="log.correct", corrects=theirs, supersedes=[other.id(number - 1)],
                      body=event(f"v{number}"), reason="x")
        other.send(self.daemon)
        id = self.client.append(title="v0")["id"]
        last = id
        for number in range(1, count + 1):
            last = self.client.ok("APPEND " + json.dumps({
                "type": "log.correct", "corrects": id, "supersedes": [last], "body": event(f"v{number}"), "reason": "x"}))["id"]
        for one in (id, theirs):
            events, _ = self.client.stream("GET " + one)
            self.assertEqual((events[0]["title"], events[0].get("contested")), (f"v{count}", None))
        # One more word on the first version contests.
        self.client.ok("APPEND " + json.dumps({
            "type": "log.correct", "corrects": id, "supersedes": [id], "body": event("aside"), "reason": "x"}))
        events, _ = self.client.stream("GET " + id)
        self.assertEqual((events[0]["title"], len(events[0]["contested"])), ("aside", 2))

    def test_check_says_what_append_would(self):
        id = "01234567-89ab-4cde-8f01-23456789abcd"
        self.client.append(title="there", id=id)
        lines = [event("new"), event("there", id=id), event("other", id=id), event(date="2017-02-30")]
        self.client.send(("CHECKMANY 4\n" + "".join(json.dumps(l) + "\n" for l in lines)).encode())
        rows = [json.loads(self.client.reply().partition(" ")[2]) for _ in range(2)]
        self.assertEqual([(r["line"], r["error"]) for r in rows], [(3, "exists"), (4, "bad-event")])
        self.assertEqual(json.loads(self.client.reply()[4:]), {"count": 4, "new": 1, "duplicates": 1, "bad": 2})
        self.assertEqual(self.client.ok("COUNT {}"), {"count": 1})

    def test_a_far_date_does_not_hold_up_its_dyad(self):
        for date in ["Y5000000", "Y-5000000", "9999-12-31", "-9999", "2017-11-29"]:
            self.client.append(date=date, actors=["PRK"], targets=["USA"])
        for day in ["2017-12-01", "9999-12-31"]:
            state = self.client.ok(json.dumps({"parties": ["USA", "PRK"], "as_of": day}).join(["STATE ", ""]))
            self.assertEqual(state["day"], day)
        self.assertEqual(self.client.ok('STATE {"parties":["USA","PRK"],"as_of":"2017-12-01"}')["phase"]["name"], "estranged")

    # MARK: What is no peer, and says so by its first word

    def alone(self, words):
        """What is said over TCP until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection, connection.makefile("rb") as file:
            connection.sendall(words)
            return file.read().decode()

    def test_over_tcp_machines_sync_and_nothing_else(self):
        self.client.append(title="secret")
        before = self.client.ok("STATUS")
        append = "APPEND " + json.dumps(event("from outside"))
        for words in (
            "PING", "HELLO timeline 1", "OPEN main", "TIMELINES", "COUNT {}", "QUERY {}", 'WATCH {"after":{}}', "STATUS", "KEYS",
            "BACKUP", "PEERS", "PEER add tcp://127.0.0.1:9", "TIMELINE create more", append, f"APPENDMANY 1\n{append[7:]}", "HELP",
            "", "\n" + append, " HELLO timeline-sync 1 {}", "hello timeline-sync 1 {}", "\x16\x03\x01", f"PING\nHELLO timeline-sync 1 {{}}",
        ):
            self.assertRegex(self.alone(words.encode() + b"\n"), r"\AERR denied here machines sync alone[^\n]*\n\Z", words)
        # Nor on a line that never ends: nobody waits for the rest of it.
        with Remote(self.port) as endless:
            with contextlib.suppress(OSError):
                endless.send(b"x" * (1 << 20))
            self.assertTrue(endless.reply().startswith("ERR denied "))
        self.assertEqual(self.client.ok("STATUS"), before)
        self.assertEqual(self.client.stream("PEERS")[0], [])
        self.assertEqual(len(self.client.stream("TIMELINES")[0]), 1)

    def test_what_a_web_page_posts_is_not_obeyed(self):
        """A page in a browser can have anything sent to a port of this machine, behind a first line of HTTP."""
        body = "\n".join(["APPEND " + json.dumps(event("from a page")), 'PEER add tcp://127.0.0.1:9', "HELLO timeline-sync 1 {}",
                          f"HAVE {self.timeline} " + '{"heads":{}}', ""])
        head = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)
        for first in (head, "OPTIONS / HTTP/1.1\r\n", "GET /?HELLO%20timeline-sync%201 HTTP/1.1\r\n"):
            self.assertRegex(self.alone((first + body).encode()), r"\AERR denied [^\n]*\n\Z")
        # The body by itself, as browsers send it, comes too late.
        with socket.create_connection(("127.0.0.1", self.port)) as page, page.makefile("rb") as file:
            page.sendall(head.encode())
            self.assertTrue(file.readline().startswith(b"ERR denied "))
            with contextlib.suppress(OSError):
                page.sendall(body.encode())
            with contextlib.suppress(OSError):
                self.assertEqual(file.read(), b"")
        self.assertEqual(self.client.ok("STATUS")["position"], {})
        self.assertEqual(self.client.stream("PEERS")[0], [])

    def peers(self):
        return self.client.stream("PEERS")[0]

    def until(self, state):
        """Waits until the one peer stands so; no reason of before is said meanwhile, but where it waits."""
        while True:
            [row] = self.peers()
            self.assertTrue("error" not in row or row["state"] == "waiting", row)
            if row["state"] == state and (state != "waiting" or "error" in row):
                return row

    def listed(self):
        return subprocess.run(
            [BINARIES / "timelinectl", "--socket", self.daemon.socket, "peer", "list"], check=True, capture_output=True,
            text=True).stdout

    def test_a_peer_that_says_nothing(self):
        port = free_port()
        self.client.ok(f"PEER add tcp://127.0.0.1:{port}")
        self.assertIn("refused", self.until("waiting")["error"])
        with socket.create_server(("127.0.0.1", port)) as silent:
            self.client.ok("SYNC")
            with silent.accept()[0] as connection:
                self.assertTrue(connection.recv(4096))
                self.assertFalse(self.until("greeting")["connected"])
                self.assertIn("connected, no greeting yet", self.listed())
                self.assertNotIn("refused", self.listed())
            # It has ended the connection, without a word.
            self.assertIn("no timelined: it ended the connection without a greeting", self.until("waiting")["error"])
        self.client.ok(f"PEER remove tcp://127.0.0.1:{port}")
        self.assertEqual(self.peers(), [])

    def test_something_else_at_a_peer_s_address(self):
        for said in ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n",
                     "220 mail ESMTP\r\n", "\x15\x03\x01\x00\x02\n", "HAVE x {}\n", "OK\n"):
            with socket.create_server(("127.0.0.1", 0)) as other:
                address = "tcp://127.0.0.1:%d" % other.getsockname()[1]
                self.client.ok(f"PEER add {address}")
                with other.accept()[0] as connection:
                    self.assertIn(f"HELLO timeline-sync 1 ".encode(), connection.recv(4096))
                    connection.sendall(said.encode())
                    error = self.until("waiting")["error"]
                    self.assertIn("what answers there is no timelined: it said", error)
                    self.assertIn(json.dumps(said.splitlines()[0].rstrip())[1:-1].split(" ")[0][:12], error)
                    self.assertIn("no timelined", self.listed())
                    # It is told, and let go.
                    self.assertTrue(connection.makefile("rb").read().rpartition(b"ERR ")[2])
                self.client.ok(f"PEER remove {address}")

    def test_a_peer_that_is_removed_while_it_is_called(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = "tcp://127.0.0.1:%d" % silent.getsockname()[1]
            self.client.send(f"PEER add {address}\nPEER remove {address}\nPING")
            self.assertEqual([self.client.reply()[:2] for _ in range(3)], ["OK"] * 3)
            self.client.ok(f"PEER add {address}")
            connection = silent.accept()[0]
            self.client.ok(f"PEER remove {address}")
            # All that were made are ended.
            with connection, connection.makefile("rb") as file:
                file.read()
            open_files = os.listdir(f"/proc/{self.daemon.process.pid}/fd")
            self.client.ok(f"PEER add {address}")
            self.until("greeting")
            self.client.ok(f"PEER remove {address}")
            self.assertEqual(self.peers(), [])
            self.assertLessEqual(len(os.listdir(f"/proc/{self.daemon.process.pid}/fd")), len(open_files))

    # MARK: Peers

    def sync(self):
        """A peer that has said its HELLO and HAVE, and has heard what the daemon has."""
        peer = Remote(self.port)
        self.addCleanup(peer.close)
        greeted(peer, self.timeline)
        self.assertTrue(peer.reply().startswith(f"HAVE {self.timeline} "))
        return peer

    def test_a_peer_that_breaks_the_protocol_is_told_why(self):
        replica = "00000000-0000-4000-8000-000000000001"
        logs = os.path.join(self.daemon.data, "timelines/main/logs")
        for words in [
            f"LINES {self.timeline} {replica} 18446744073709551615 2 100", f"LINES {self.timeline} {replica} 1 1 3\nabc",
            f"LINES {self.timeline} {replica} 1 1 99\nabc", f"LINES {self.timeline} {replica} 1 1 66000\n" + "a" * 70_000,
            f"HAVE {self.timeline} {{}}", f"LINES main {replica} 1 1 9\nabc",
        ]:
            peer = self.sync()
            peer.send(words)
            self.assertTrue(peer.reply().startswith("ERR "), words[:60])
            self.assertEqual(peer.file.read(), b"")
        self.assertEqual(os.listdir(logs) if os.path.exists(logs) else [], [])
        self.client.append(title="goes on")

    def test_a_peer_cannot_write_our_log_ahead_of_time(self):
        self.client.append(title="ours")
        line = self.client.ask("GET " + self.client.stream("QUERY {}")[0][0]["id"])[6:]
        self.client.reply()
        replica = json.loads(line)["replica"]
        body = line[: line.index(',"crc32c"')].replace('"seq":3,', '"seq":4,')
        start, end = body.index('"recorded":"') + 12, body.index('Z","id"')
        # From a time that has not come, or as if it had been written now: nobody signed it here.
        now = body[start:end][:-6] + "999999"
        for time, why in [("9999-12-31T23:59:59.999999", "future"), (now, "without the signed head")]:
            forged = body[:start] + time + body[end:]
            forged += f',"crc32c":"{crc32c(forged.encode()):08x}"}}\n'
            peer = self.sync()
            peer.send(f"LINES {self.timeline} {replica} 4 1 {len(forged)}\n{forged}".encode())
            replies = peer.file.read().decode().splitlines()
            self.assertIn(why, replies[-1], replies)
        self.assertEqual(self.client.append(title="goes on")["seq"], 4)

    # MARK: What the system refuses

    def test_out_of_descriptors(self):
        self.daemon.stop()
        command = [BINARIES / "timelined", "--data", self.daemon.data, "--socket", self.daemon.socket]
        limited = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48)))
        self.addCleanup(limited.stderr.close)
        self.addCleanup(limited.wait)
        self.addCleanup(limited.terminate)
        limited.stderr.readline()
        kept, refused = [], 0
        for _ in range(80):
            client = self.daemon.client()
            try:
                client.send("PING")
            except BrokenPipeError:
                pass  # It was turned away at once; why, stands in the reply.
            reply = client.reply()
            if reply == "OK":
                kept.append(client)
            else:
                self.assertTrue(reply.startswith("ERR busy"), reply)
                refused += 1
                client.close()
        self.assertGreater(refused, 0)
        ids = set()
        for _ in range(3000):
            reply = kept[0].ask("APPEND " + json.dumps(event()))
            # The first segment needs a descriptor too: that passes, and nothing is lost by it.
            if reply.startswith("ERR busy"):
                kept.pop().close()
                continue
            self.assertTrue(reply.startswith("OK"), reply)
            ids.add(json.loads(reply[3:])["id"])
        self.assertEqual(kept[0].ok("COUNT {}")["count"], len(ids))
        # The head is signed aside: that work, too, may find no descriptor left, and says so.
        reply = kept[0].ask("PROVE " + ids.pop())
        self.assertTrue(reply.startswith(("OK", "ERR busy")), reply)
        self.assertEqual(kept[0].ask("PING"), "OK")
        for client in kept:
            client.close()

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_a_failed_sync_acknowledges_nothing(self):
        for error in ["ENOSPC", "EIO", "EDQUOT"]:
            with self.subTest(error):
                daemon = Daemon()
                self.addCleanup(daemon.remove)
                daemon.start()
                client = daemon.client()
                client.append(title="before")
                trace = subprocess.Popen(
                    ["strace", "-f", "-qq", "-p", str(daemon.process.pid), "-o", "/dev/null", "-e", "trace=fdatasync",
                     "-e", f"inject=fdatasync:error={error}:when=2"], stderr=subprocess.PIPE)
                # Attached once a traced call has been seen to succeed.
                while "TracerPid:\t0" in pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text():
                    pass
                replies = [client.ask("APPEND " + json.dumps(event(f"event {n}"))) for n in range(4)]
                trace.terminate()
                trace.communicate()
                self.assertTrue(replies[0].startswith("OK"))
                for reply in replies[1:]:
                    self.assertTrue(reply.startswith("ERR read-only "), reply)
                self.assertTrue(client.ok("STATUS")["read_only"])
                # What is not to be recorded can still be asked.
                client.send('WHATIF 1 {"parties":["USA","PRK"],"as_of":"2020-01-01"}\n' + json.dumps(event("what if")))
                answer = client.reply()
                self.assertTrue(answer.startswith("OK"), answer)
                self.assertEqual(len(json.loads(answer[3:])["events"]), 1)
                titles = [e["title"] for e in client.stream("QUERY {}")[0]]
                self.assertEqual(sorted(titles), ["before", "event 0"])
                client.close()
                daemon.stop()
                daemon.start()
                client = daemon.client()
                self.assertEqual(sorted(e["title"] for e in client.stream("QUERY {}")[0]), ["before", "event 0"])
                self.assertEqual(client.append(title="after")["seq"], 5)
                client.close()

    def test_a_file_in_the_socket_s_place_is_left_alone(self):
        path = self.daemon.path + "/precious"
        with open(path, "w") as file:
            file.write("words")
        result = subprocess.run(
            [BINARIES / "timelined", "--data", self.daemon.path + "/other", "--socket", path], capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no socket", result.stderr)
        self.assertEqual(pathlib.Path(path).read_text(), "words")

    def test_logs_without_their_timeline_file(self):
        self.client.append(title="kept")
        self.daemon.stop()
        os.remove(self.daemon.data + "/timelines/main/timeline.json")
        result = subprocess.run(
            [BINARIES / "timelined", "--data", self.daemon.data, "--socket", self.daemon.socket], capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("timeline.json", result.stderr)


if __name__ == "__main__":
    unittest.main()
