"""timelinectl as people and scripts use it."""

import csv
import fcntl
import io
import json
import os
import pathlib
import pty
import resource
import struct
import subprocess
import termios
import unittest

from daemon import BINARIES, ROOT, Daemon, event, shipped_events


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon().start()
        cls.addClassCleanup(cls.daemon.remove)
        code, out, err = cls.ctl("import", str(ROOT / "data" / "us-dprk.jsonl"))
        assert code == 0, err

    @classmethod
    def ctl(cls, *words, stdin=None, socket=None, **environment):
        result = subprocess.run(
            [BINARIES / "timelinectl", "--socket", socket or cls.daemon.socket, *words], input=stdin,
            capture_output=True, text=True, env={**os.environ, **environment})
        return result.returncode, result.stdout, result.stderr

    def done(self, *words, **more):
        code, out, err = self.ctl(*words, **more)
        self.assertEqual(code, 0, err)
        return out

    def test_import_twice_changes_nothing(self):
        again = json.loads(self.done("import", str(ROOT / "data" / "us-dprk.jsonl"), "--json"))
        self.assertEqual((again["imported"], again["duplicates"]), (0, len(shipped_events())))

    def test_a_wrong_line_is_named_and_nothing_is_imported(self):
        lines = [json.dumps(event("good")), "{", json.dumps(event("x", date="2017-02-30"))]
        code, out, err = self.ctl("import", "-", stdin="\n".join(lines))
        self.assertEqual(code, 1)
        self.assertIn("-:2: expected", err)
        self.assertIn("-:3: date: \"2017-02-30\": February 2017 has 28 days", err)
        self.assertEqual(self.ctl("import", "-", "--dry-run", stdin=lines[0])[0], 0)
        self.assertNotIn("good", self.done("log", "--jsonl", "date=2017-11-29"))

    def test_what_is_exported_imports_again(self):
        table = self.done("log", "--csv", "type=aid")
        rows = list(csv.DictReader(io.StringIO(table)))
        self.assertEqual(len(rows), sum(event["type"] == "aid" for event in shipped_events()))
        other = Daemon().start()
        self.addCleanup(other.remove)
        self.done("import", "-", "--format", "csv", stdin=table, socket=other.socket)
        self.assertEqual(self.done("log", "--csv", socket=other.socket), table)
        other = Daemon().start()
        self.addCleanup(other.remove)
        lines = self.done("log", "--jsonl", "party=PRK")
        self.done("import", "-", stdin=lines, socket=other.socket)
        self.assertEqual(
            self.done("log", "--count", "party=PRK", socket=other.socket), self.done("log", "--count", "party=PRK"))

    def test_unknown_column(self):
        code, _, err = self.ctl("import", "-", "--format", "csv", stdin="dat,type\n2017,test\n")
        self.assertEqual(code, 1)
        self.assertIn('unknown column "dat"; did you mean date?', err)

    def test_log_json_is_one_array_in_the_order_of_the_table(self):
        events = json.loads(self.done("log", "--json", "type=agreement"))
        self.assertEqual([e["date"] for e in events], sorted(e["date"] for e in events))
        newest = json.loads(self.done("log", "--json", "-n", "2", "type=agreement"))
        self.assertEqual(newest, events[-2:])
        self.assertEqual(json.loads(self.done("log", "--json", "text~nosuchword")), [])
        self.assertEqual(self.ctl("log", "text~nosuchword", "--exit-code")[0], 3)

    def test_show_by_prefix_and_by_name(self):
        whole = json.loads(self.done("show", "usdprk-2002-11-03-message-written", "--json"))["event"]
        short = self.done("show", whole["id"][:8])
        self.assertIn("Dong-A Ilbo", short)
        self.assertIn("PRK → USA", short)

    def test_add_correct_retract(self):
        reply = json.loads(self.done(
            "add", "--type", "test", "--date", "2026-11-20", "--actors", "PRK", "--title", "wrong",
            "--unsourced", "--tags", "ours", "--json"))
        id = reply["id"]
        self.assertIn("- title", self.done("correct", id, "--title", "right", "--dry-run"))
        self.done("correct", id[:10], "--title", "right", "--reason", "typo")
        self.assertEqual(json.loads(self.done("log", "--json", "tag=ours"))[0]["title"], "right")
        self.assertEqual(self.ctl("retract", id)[0], 2)
        self.done("retract", id, "--reason", "no such test")
        self.assertEqual(json.loads(self.done("log", "--json", "tag=ours")), [])
        self.assertIn("no such test", self.done("show", id))

    def test_editor(self):
        script = (
            "sed -i -e 's/^type:.*/type: report/' -e 's/^date:.*/date: 2026-11-01/' -e 's/^actors:.*/actors: USA,KOR/'"
            " -e 's/^title:.*/title: by editor/' -e 's/^unsourced:.*/unsourced: true/'")
        self.done("add", EDITOR=script)
        self.assertEqual(json.loads(self.done("log", "--json", "text~by editor"))[0]["actors"], ["USA", "KOR"])
        self.assertIn("nothing is recorded", self.ctl("add", EDITOR="true")[2])

    def test_actor(self):
        self.done("actor", "add", "SWE-MED", "--name", "Swedish mediators")
        self.assertIn("SWE-MED", self.done("actor", "list"))
        self.done("add", "--type", "report", "--date", "2026", "--actors", "SWE-MED", "--title", "t", "--unsourced")
        self.assertIn("taken already", self.ctl("actor", "add", "SWE-MED", "--name", "x")[2])

    def test_state_and_why(self):
        state = json.loads(self.done("state", "USA", "PRK", "--as-of", "2017-11-30", "--json"))
        self.assertEqual(state["phase"]["name"], "confrontation")
        message = [m for m in state["unanswered"] if m["date"] == "2002-11-03"]
        self.assertEqual([m["from"] for m in message], ["PRK"])
        self.assertEqual(state, json.loads(self.done("state", "PRK", "USA", "--as-of", "2017-11-30", "--json")))
        why = json.loads(self.done("why", "USA", "PRK", "climate", "--as-of", "2017-11-30", "--json"))
        self.assertAlmostEqual(sum(e["share"] for e in why["events"]), state["climate"]["total"], places=3)
        before = json.loads(self.done("state", "USA", "PRK", "--known-at", "2001-01-01", "--json"))
        self.assertEqual(before["events"], 0)
        for zone in ("Pacific/Kiritimati", "America/Los_Angeles"):
            self.assertEqual(state, json.loads(
                self.done("state", "USA", "PRK", "--as-of", "2017-11-30", "--json", TZ=zone)))

    def test_errors_are_json_too_and_have_their_codes(self):
        for code, word, words in (
            (2, "usage", ("frob",)), (2, "usage", ("log", "--frob")), (2, "usage", ("log", "colour=red")),
            (2, "usage", ("state", "USA")), (2, "usage", ("state", "USA", "PKR")),
            (1, "not-found", ("show", "ffffffff")), (1, "file", ("import", "/nosuchfile")),
        ):
            exit, out, err = self.ctl(*words, "--json")
            self.assertEqual((exit, json.loads(out)["error"]["code"]), (code, word), words)
            self.assertTrue(err.startswith("timelinectl: "))
        exit, out, err = self.ctl(
            "add", "--type", "test", "--date", "2017", "--actors", "USA", "--title", "t", "--unsourced", "--confidence", "sure", "--json")
        error = json.loads(out)["error"]
        self.assertEqual((exit, error["field"], error["value"]), (1, "confidence", "sure"), err)
        exit, out, err = self.ctl("status", "--json", socket="/nosuch/socket")
        self.assertEqual((exit, json.loads(out)["error"]["code"]), (5, "no-daemon"))
        self.assertIn("start one with `timelined", err)

    def test_a_refused_connection_is_told_why_every_time(self):
        """The daemon may have closed it before the request is sent: why still waits to be read."""
        own = Daemon()
        self.addCleanup(own.remove)
        limited = subprocess.Popen(
            [BINARIES / "timelined", "--data", own.data, "--socket", own.socket], stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48)))
        self.addCleanup(limited.stderr.close)
        self.addCleanup(limited.wait)
        self.addCleanup(limited.terminate)
        limited.stderr.readline()
        for _ in range(60):
            self.addCleanup(own.client().close)
        answers = {self.ctl("status", socket=own.socket) for _ in range(20)}
        self.assertEqual(answers, {(1, "", "timelinectl: too many connections; try again later\n")})
        exit, out, _ = self.ctl("import", "-", "--json", stdin="{}", socket=own.socket)
        self.assertEqual((exit, json.loads(out)["error"]["code"]), (1, "busy"))

    def on_terminal(self, *words, rows=24, columns=80, **environment):
        """What a terminal of that size shows."""
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        process = subprocess.Popen(
            [BINARIES / "timelinectl", "--socket", self.daemon.socket, *words], stdin=side, stdout=side, stderr=side,
            env={**{k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}, "TERM": "xterm", **environment})
        os.close(side)
        shown = b""
        try:
            while piece := os.read(main, 65536):
                shown += piece
        except OSError:  # The other end is closed.
            pass
        os.close(main)
        self.assertEqual(process.wait(), 0, shown)
        return shown.decode().replace("\r\n", "\n")

    def test_rows_fit_the_terminal(self):
        for columns in (40, 80, 200):
            shown = self.on_terminal("log", "-n", "12", columns=columns, PAGER="", NO_COLOR="1")
            rows = shown.splitlines()
            self.assertGreaterEqual(len(rows), 12)
            self.assertLessEqual(max(map(len, rows)), columns, shown)

    def test_colour_and_its_absence(self):
        self.assertIn("\x1b[1m", self.on_terminal("log", "-n", "2"))
        self.assertNotIn("\x1b", self.on_terminal("log", "-n", "2", NO_COLOR="1"))
        self.assertNotIn("\x1b", self.done("log", "-n", "2"))

    def test_long_text_goes_through_the_pager(self):
        mark = "sed s/^/paged:/"
        shown = self.on_terminal("log", "--all", PAGER=mark)
        self.assertTrue(all(line.startswith("paged:") for line in shown.splitlines()), shown[:200])
        self.assertNotIn("paged:", self.on_terminal("log", "-n", "3", PAGER=mark))
        self.assertNotIn("paged:", self.on_terminal("log", "--all", "--no-input", PAGER=mark))
        self.assertEqual(len(self.on_terminal("log", "--all", PAGER="no-such-pager 2>/dev/null").splitlines()) > 600, True)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run(
                [BINARIES / "timelinectl", "--socket", self.daemon.socket, "log"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No space left", result.stderr)

    def test_the_daemon_outlives_its_journal(self):
        daemon = Daemon().start()
        self.addCleanup(daemon.remove)
        daemon.process.stderr.close()
        # A peer that is not there is something to tell the journal of.
        subprocess.run(
            [BINARIES / "timelinectl", "--socket", daemon.socket, "peer", "add", "tcp://127.0.0.1:1"], check=True,
            stdout=subprocess.DEVNULL)
        client = daemon.client()
        self.assertIn("id", client.append())
        client.close()
        daemon.process.terminate()
        self.assertEqual(daemon.process.wait(), 0)

    def test_dates(self):
        code, out, _ = self.ctl("dates", "2014-07", "2017-02-30")
        self.assertEqual(code, 1)
        self.assertEqual(out.splitlines()[0], "ok 2014-07-01 2014-07-31")
        self.assertIn("February 2017 has 28 days", out)

    def test_help(self):
        overview = self.done("help")
        for command in ("add", "import", "log", "show", "correct", "retract", "state", "why", "watch", "status",
                        "actor", "peer", "sync"):
            self.assertIn("  " + command, overview)
            self.assertIn("Examples:", self.done(command, "--help"))

    def test_text_of_events_cannot_command_a_terminal(self):
        add = ["add", "--type", "report", "--date", "2026-11-02", "--actors", "USA", "--unsourced", "--tags", "escape"]
        self.assertIn("title", self.ctl(*add, "--title", "a\x1b[31mred")[2])
        self.done(*add, "--title", "plain", "--summary", "a\x1b[31mred")
        self.assertNotIn("\x1b", self.done("log", "tag=escape"))
        id = json.loads(self.done("log", "tag=escape", "--json"))[0]["id"]
        self.assertNotIn("\x1b", self.done("show", id))


if __name__ == "__main__":
    unittest.main()
