"""timelinectl with a person at a terminal: the pager, the editor, what fits, what must not reach the screen."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

from daemon import BINARIES, ROOT, Daemon, event, shipped_events
from terminal import Terminal, plain


class TerminalCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon().start()
        cls.addClassCleanup(cls.daemon.remove)
        cls.scratch = tempfile.mkdtemp(prefix="timeline-editor-")
        cls.addClassCleanup(shutil.rmtree, cls.scratch)

    def ctl(self, *words, **environment):
        result = subprocess.run(
            [BINARIES / "timelinectl", "--socket", self.daemon.socket, *words], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, env={**os.environ, **environment})
        return result.returncode, result.stdout, result.stderr

    def done(self, *words, **environment):
        code, out, err = self.ctl(*words, **environment)
        self.assertEqual(code, 0, err)
        return out

    def add(self, *words):
        return json.loads(self.done("add", *words, "--json"))["id"]

    def terminal(self, *words, **more):
        return Terminal(self.daemon, *words, **more)

    def on_terminal(self, *words, **more):
        code, shown = self.terminal(*words, PAGER="", **more).end()
        self.assertEqual(code, 0, shown)
        return shown

    def program(self, body):
        """A program of its own; `ask` reads a line from the terminal."""
        number = len(list(pathlib.Path(self.scratch).iterdir()))
        path = pathlib.Path(self.scratch) / f"program-{number}"
        path.write_text(f"#!{sys.executable}\n" + textwrap.dedent("""\
            def ask(prompt):
                with open("/dev/tty", "r+b", buffering=0) as tty:
                    tty.write(prompt.encode())
                    return tty.readline().decode().strip()
            """) + textwrap.dedent(body))
        path.chmod(0o755)
        return str(path)

    def editor(self, body):
        """A program that edits: `text` in, `text` out; `turn` counts from 1."""
        number = len(list(pathlib.Path(self.scratch).iterdir()))
        turns = pathlib.Path(self.scratch) / f"turns-{number}"
        return self.program(textwrap.dedent(f"""\
            import pathlib, re, signal, sys
            signal.signal(signal.SIGINT, signal.default_int_handler)
            def fill(**fields):
                global text
                for name, value in fields.items():
                    text = re.sub(f"(?m)^{{name}}:.*$", f"{{name}}: {{value}}", text)
            turns = pathlib.Path({str(turns)!r})
            turn = int(turns.read_text()) + 1 if turns.exists() else 1
            turns.write_text(str(turn))
            file = pathlib.Path(sys.argv[1])
            text = file.read_text()
            """) + textwrap.dedent(body) + "\nfile.write_text(text)\n")


@unittest.skipUnless(shutil.which("less"), "less is not installed")
class Pager(TerminalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run(
            [BINARIES / "timelinectl", "--socket", cls.daemon.socket, "import", str(ROOT / "data" / "us-dprk.jsonl")],
            check=True, stdout=subprocess.DEVNULL)

    def test_less_shows_a_screen_and_takes_keys(self):
        terminal = self.terminal("log", "--all")
        self.assertIn("1985-", terminal.until("\n:"))
        terminal.send("G")
        self.assertIn("2026-04-19", plain(terminal.until("(END)")))
        terminal.send("q")
        self.assertEqual(terminal.end()[0], 0)

    def test_control_c_is_for_the_pager(self):
        pager = self.program("""
            import signal, sys
            signal.signal(signal.SIGINT, signal.default_int_handler)
            lines = sys.stdin.readlines()
            try:
                ask("key? ")
            except KeyboardInterrupt:
                print(f"went on with {len(lines)} lines")
            """)
        terminal = self.terminal("log", "--all", PAGER=pager)
        terminal.until("key? ")
        terminal.send("\x03")
        code, shown = terminal.end()
        self.assertEqual(code, 0, shown)
        # All of them, with a head and whatever else stands around the table.
        lines = int(re.search(r"went on with (\d+) lines", shown).group(1))
        self.assertIn(lines - len(shipped_events()), range(1, 5))

    def test_a_reader_who_leaves_early_is_no_failure(self):
        code, shown = self.terminal("log", "--all", PAGER="head -n 2").end()
        self.assertEqual((code, len(shown.splitlines())), (0, 2), shown)

    def test_the_decision_counts_rows_of_the_screen(self):
        # Eight lines that a terminal of forty columns shows in many more rows than it has.
        self.add("--type", "report", "--date", "2026-11-05", "--actors", "USA", "--title", "long", "--unsourced",
                 "--summary", "word " * 200, "--tags", "long")
        id = json.loads(self.done("log", "--json", "tag=long"))[0]["id"]
        code, shown = self.terminal("show", id, rows=12, columns=40, PAGER="sed s/^/paged:/").end()
        self.assertIn("paged:long", plain(shown))
        code, shown = self.terminal("show", id, rows=60, columns=80, PAGER="sed s/^/paged:/").end()
        self.assertNotIn("paged:", shown)


class Editor(TerminalCase):
    fields = "fill(type='report', date='2026-11-01', actors='USA', unsourced='true')"

    def test_an_editor_reads_keys_from_the_terminal(self):
        editor = self.editor(self.fields + "\nfill(title=ask('title? '))")
        terminal = self.terminal("add", EDITOR=editor)
        terminal.until("title? ")
        terminal.send("typed at the terminal\n")
        code, shown = terminal.end()
        self.assertEqual(code, 0, shown)
        self.assertIn("recorded", shown)
        self.assertIn("typed at the terminal", self.done("log", "--csv"))

    def test_control_c_is_for_the_editor(self):
        editor = self.editor(self.fields + textwrap.dedent("""
            try:
                ask('wait? ')
            except KeyboardInterrupt:
                fill(title='interrupted and went on')"""))
        terminal = self.terminal("add", EDITOR=editor)
        terminal.until("wait? ")
        terminal.send("\x03")
        code, shown = terminal.end()
        self.assertEqual(code, 0, shown)
        self.assertIn("interrupted and went on", self.done("log", "--csv"))

    def test_a_mistake_opens_the_editor_again_with_the_reason_on_top(self):
        editor = self.editor(self.fields + textwrap.dedent("""
            if turn == 1:
                fill(title='mended', date='2017-02-30')
            else:
                assert text.startswith('#! date: "2017-02-30": February 2017 has 28 days'), text
                fill(date='2017-02-28')"""))
        code, shown = self.terminal("add", EDITOR=editor).end()
        self.assertEqual(code, 0, shown)
        self.assertIn("2017-02-28", [e["date"] for e in json.loads(self.done("log", "--json", "text~mended"))])

    def test_who_gives_up_finds_the_text_again(self):
        editor = self.editor("if turn == 1:\n  " + self.fields + "; fill(title='kept', date='2017-02-30')")
        code, shown = self.terminal("add", EDITOR=editor, TMPDIR=self.scratch).end()
        self.assertEqual(code, 1)
        self.assertIn("February 2017 has 28 days", shown)
        path = pathlib.Path(re.search(r"kept in (\S+);", shown.replace("\n", ""))[1])
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        path.write_text(path.read_text().replace("2017-02-30", "2017-02-27"))
        self.done("add", "--from", str(path))
        self.assertEqual(json.loads(self.done("log", "--json", "text~kept"))[0]["date"], "2017-02-27")
        path.unlink()

    def test_a_correction_asks_for_its_reason_in_the_text(self):
        id = self.add("--type", "report", "--date", "2026-11-01", "--actors", "USA", "--title", "old", "--unsourced")
        editor = self.editor("""
            if turn == 1:
                fill(title='new')
            else:
                assert text.startswith('#! reason: '), text
                fill(reason='typo')""")
        code, shown = self.terminal("correct", id, EDITOR=editor).end()
        self.assertEqual(code, 0, shown)
        self.assertIn("typo", self.done("show", id))

    def test_an_empty_editor_is_none(self):
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
        shutil.copy(self.editor(self.fields + "\nfill(title='by vi')"), directory / "vi")
        code, shown = self.terminal(
            "add", EDITOR="", VISUAL="", PATH=f"{directory}:{os.environ['PATH']}").end()
        self.assertEqual(code, 0, shown)
        self.assertIn("by vi", self.done("log", "--csv"))
        code, out, err = self.ctl("add", EDITOR="", VISUAL="")
        self.assertEqual(code, 2)
        self.assertIn("set EDITOR", err)

    def test_no_such_editor(self):
        code, shown = self.terminal("add", EDITOR="no-such-editor 2>/dev/null").end()
        self.assertEqual(code, 1)
        self.assertIn("there is no editor", shown)


class Fits(TerminalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lines = [
            event(f"Event number {n} with a title of some length, so that it does not fit", date=date, id=f"fit-{n}",
                  type="talks", subtype="working-level", actors=actors)
            for n, (date, actors) in enumerate(
                [("2017-11-29", ["PRK"])] * 20
                + [("2016-03-07/2016-04-30", ["PRK", "USA"]), ("2018-06-12", ["USA", "PRK", "KOR", "JPN", "CHN", "RUS"])])
        ]
        subprocess.run(
            [BINARIES / "timelinectl", "--socket", cls.daemon.socket, "import", "-"], check=True, text=True,
            input="\n".join(map(json.dumps, lines)), stdout=subprocess.DEVNULL)

    def test_dates_and_ids_are_never_cut(self):
        events = json.loads(self.done("log", "--json"))
        for columns in (30, 40, 60, 80, 200):
            shown = self.on_terminal("log", columns=columns, NO_COLOR="1")
            self.assertLessEqual(max(map(len, shown.splitlines())), columns, shown)
            for one in events:
                self.assertIn(one["date"], shown)
                self.assertIn(one["id"][:8], shown)

    def test_figures_are_never_cut(self):
        why = json.loads(self.done("why", "USA", "PRK", "climate", "--as-of", "2018-06-13", "--json"))["events"]
        self.assertTrue(why)
        shown = self.on_terminal("why", "USA", "PRK", "climate", "--as-of", "2018-06-13", columns=40, NO_COLOR="1")
        for one in why:
            self.assertIn(f"{one['share']:.3f}", shown)
            self.assertIn(one["id"][:8], shown)
        self.assertLessEqual(max(map(len, shown.splitlines())), 40, shown)

    def test_one_long_row_does_not_squeeze_the_titles(self):
        shown = self.on_terminal("log", columns=80, NO_COLOR="1")
        usual = [line for line in shown.splitlines() if line.startswith("2017-11-29")]
        self.assertGreaterEqual(min(len(line[line.index("Event"):]) for line in usual), 30, shown)

    def test_what_is_cut_is_counted_and_wide_shows_it(self):
        shown = self.on_terminal("log", columns=80, NO_COLOR="1")
        count = sum(line.count("…") for line in shown.splitlines())
        self.assertIn(f"{count} cells are cut; --wide shows them whole", shown)
        wide = self.on_terminal("log", "--wide", columns=80, NO_COLOR="1")
        self.assertNotIn("…", wide)
        self.assertIn("so that it does not fit", wide)

    def test_narrow_terminals_lose_nothing_of_a_title(self):
        shown = self.on_terminal("log", columns=40, NO_COLOR="1")
        self.assertIn("Event number 21 with a title of some length, so that it does not fit",
                      re.sub(r"\s+", " ", shown))

    def test_a_nonsense_width_is_none(self):
        expected = self.on_terminal("log", columns=80, NO_COLOR="1")
        for nonsense in ("0", "1", "-3", "many"):
            self.assertEqual(self.on_terminal("log", columns=80, NO_COLOR="1", COLUMNS=nonsense), expected)
        self.assertLessEqual(
            max(map(len, self.on_terminal("log", columns=200, NO_COLOR="1", COLUMNS="70").splitlines())), 70)

    def test_state_and_show_wrap_at_words(self):
        id = self.add("--type", "report", "--date", "2026-11-01", "--actors", "USA", "--title", "paragraphs",
                      "--unsourced", "--summary", "One two three four five six seven eight nine.\n\nA second paragraph.")
        for words in (("state", "USA", "PRK", "--as-of", "2018-06-13"), ("show", id[:8])):
            shown = self.on_terminal(*words, columns=40, NO_COLOR="1")
            self.assertLessEqual(max(map(len, shown.splitlines())), 40, shown)
        self.assertIn("summary     One two three four five six\n            seven eight nine.\n\n"
                      "            A second paragraph.\n", shown)
        # In a pipe the lines are as they were written.
        self.assertIn("One two three four five six seven eight nine.\n\nA second paragraph.\n", self.done("show", id[:8]))

    def test_help_fits(self):
        for command in ("add", "actor", "correct", "import", "log", "retract", "show", "state", "watch", "why"):
            for line in self.done(command, "--help").splitlines():
                # A command in an example is for copying.
                if not line.startswith("  timelinectl"):
                    self.assertLessEqual(len(line), 80, command)


class Escapes(TerminalCase):
    mild = "red\u202eeulb\u2066"  # what a title may hold
    bad = "red\x1b[31m\x9b31m\u202eeulb\u2066\x07"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        client = cls.daemon.client()
        client.ok("APPEND " + json.dumps(
            {"type": "log.actor", "code": "EVIL", "name": cls.bad + "\nsecond line", "kind": "group"}))
        cls.id = client.append(
            title="bad " + cls.mild, summary=cls.bad + "\nnext", place=cls.bad, actors=["EVIL", "USA"], targets=["PRK"],
            author=cls.bad)["id"]
        client.ok("APPEND " + json.dumps({
            "type": "log.correct", "corrects": cls.id, "supersedes": [cls.id], "reason": cls.bad,
            "body": event("worse " + cls.mild, summary=cls.bad, actors=["EVIL", "USA"], targets=["PRK"])}))
        client.close()

    def test_nothing_of_a_log_commands_a_terminal(self):
        for words in (("log",), ("log", "--json"), ("log", "--jsonl"), ("log", "--csv"), ("show", self.id),
                      ("show", self.id, "--json"), ("actor", "list"), ("actor", "list", "--json"),
                      ("state", "USA", "PRK"), ("why", "USA", "PRK", "climate"), ("correct", self.id, "--title", "bad", "--dry-run")):
            with self.subTest(words):
                shown = self.on_terminal(*words)
                self.assertTrue("bad" in shown or "EVIL" in shown or "worse" in shown or words[0] == "state", shown)
                left = re.sub(r"\x1b\[[012]m|\r(?=\n)", "", shown)
                self.assertNotRegex(left, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
                if "--json" in words:
                    # Escaped, it is the same words still.
                    self.assertIn(self.bad, self.strings(json.loads(shown)))

    def strings(self, value):
        if isinstance(value, dict):
            return "".join(map(self.strings, value.values()))
        if isinstance(value, list):
            return "".join(map(self.strings, value))
        return str(value)

    def test_a_name_with_a_line_end_keeps_to_its_row(self):
        rows = [line for line in self.done("actor", "list").splitlines() if "EVIL" in line or "second line" in line]
        self.assertEqual(len(rows), 1)

    def test_names_that_would_spoil_a_table_are_refused(self):
        for name, said in ((self.bad, "U+001B"), ("two\nlines", "U+000A"), ("x" * 2000, "at most 120"), (" ", "is empty"),
                           ("a\u202eb", "U+202E")):
            code, out, err = self.ctl("actor", "add", "NEW", "--name", name)
            self.assertEqual(code, 2, err)
            self.assertIn(said, err)
        code, out, err = self.ctl("actor", "add", "NEW", "--name", "fine", "--alias", "prk")
        self.assertEqual(code, 2)
        self.assertIn("PRK", err)


if __name__ == "__main__":
    unittest.main()
