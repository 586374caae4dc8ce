"""add, correct, retract, show and watch: what a person says is what is recorded, and nothing else changes."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest

from daemon import BINARIES, Daemon, event

ENVELOPE = {"v", "replica", "seq", "recorded", "id", "author", "salt", "crc32c", "version", "contested"}
SOURCES = [
    {"title": "T1", "publisher": "P1", "date": "2026-11-01", "url": "https://one.example/a;b=c", "doi": "10.1/x",
     "quote": "First line.\nSecond: line.\n\ntitle: third", "archive": "kept"},
    {"title": "T2"},
]


class Record(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon().start()
        cls.addClassCleanup(cls.daemon.remove)
        cls.scratch = tempfile.mkdtemp(prefix="timeline-record-")
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.raw = cls.daemon.client()
        cls.addClassCleanup(cls.raw.close)

    def ctl(self, *words, stdin="", **environment):
        kept = {key: value for key, value in os.environ.items() if key not in ("EDITOR", "VISUAL")}
        result = subprocess.run(
            [BINARIES / "timelinectl", "--socket", self.daemon.socket, *words], capture_output=True, text=True,
            input=stdin, env={**kept, "TMPDIR": self.scratch, **environment})
        return result.returncode, result.stdout, result.stderr

    def done(self, *words, **more):
        code, out, err = self.ctl(*words, **more)
        self.assertEqual(code, 0, err)
        return out

    def refused(self, code, *words, **more):
        """What is said to it; with --json the same on standard output."""
        found, out, err = self.ctl(*words, **more)
        self.assertEqual(found, code, (out, err))
        self.assertTrue(err.startswith("timelinectl: "), err)
        if "--json" in words:
            self.assertIn(json.loads(out)["error"]["text"], err)
        return err

    def add(self, **fields):
        return self.raw.append(**fields)["id"]

    def promise(self, title, key):
        """An agreement with one promise."""
        return self.add(
            title=title, type="agreement", subtype="accord", commitments=[{"key": key, "by": ["PRK"], "what": "w"}])

    def body(self, id):
        return {key: value for key, value in self.event(id).items() if key not in ENVELOPE}

    def event(self, id):
        return json.loads(self.done("show", id, "--json"))["event"]

    def versions(self, id):
        return max(1, len(json.loads(self.done("show", id, "--json"))["versions"]))

    def correct(self, id, *words, **more):
        return self.done("correct", id, *words, "--reason", "a test", **more)

    def text(self, id):
        """The event as an editor has it, but for the reason."""
        # What an editor says is no output of ours.
        return self.ctl("correct", id, EDITOR="cat")[2].replace("reason:\n", "").replace("nothing changed, nothing is recorded\n", "")

    def edited(self, id, *changes, words=(), reason="by editor"):
        """Corrects by an editor that replaces texts."""
        script = pathlib.Path(self.scratch) / "editor.py"
        script.write_text(
            "import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\ntext = file.read_text()\n"
            f"for old, new in {list(changes) + [('reason:', f'reason: {reason}')]!r}:\n"
            "    assert old in text, old + ' is not in\\n' + text\n    text = text.replace(old, new, 1)\n"
            "file.write_text(text)\n")
        return self.ctl("correct", id, *words, EDITOR=f"python3 {script}")


class Correcting(Record):
    def test_source_options_change_parts_of_the_first_source(self):
        id = self.with_sources()
        self.correct(id, "--source-publisher", "P2")
        expected = [{**SOURCES[0], "publisher": "P2"}, SOURCES[1]]
        self.assertEqual(self.body(id)["sources"], expected)
        self.correct(id, "--source-date", "", "--source-doi", "10.1/y")
        first = {**expected[0], "doi": "10.1/y"}
        # The last one counts.
        self.correct(id, "--source-publisher", "P3", "--source-publisher", "P2")
        del first["date"]
        self.assertEqual(self.body(id)["sources"], [first, SOURCES[1]])

    def with_sources(self, **more):
        body = event(**{"sources": SOURCES, **more})
        del body["unsourced"]
        return self.raw.ok("APPEND " + json.dumps(body))["id"]

    def test_sources_come_and_go_one_by_one(self):
        id = self.with_sources()
        self.correct(id, "--add-source", "title=Third; one=two; url=https://x.example/?a=b;c=d; quote=So: it was")
        third = {"title": "Third; one=two", "url": "https://x.example/?a=b;c=d", "quote": "So: it was"}
        self.assertEqual(self.body(id)["sources"], SOURCES + [third])
        self.correct(id, "--no-source", "1", "--no-source", "2")
        self.assertEqual(self.body(id)["sources"], [third])
        self.assertIn("1 sources", self.refused(2, "correct", id, "--no-source", "2", "--reason", "r", "--json"))
        self.assertIn("did you mean publisher", self.refused(
            2, "correct", id, "--add-source", "title=x; publsher=y", "--reason", "r", "--json"))

    def test_a_source_ends_unsourced_and_the_reverse(self):
        id = self.add()
        self.correct(id, "--source-title", "S")
        self.assertEqual(self.body(id)["sources"], [{"title": "S"}])
        self.assertNotIn("unsourced", self.body(id))
        self.correct(id, "--unsourced")
        self.assertNotIn("sources", self.body(id))
        self.assertIs(self.body(id)["unsourced"], True)
        self.refused(2, "correct", id, "--unsourced", "--source-title", "S", "--reason", "r")

    def test_links_are_added_and_taken_away(self):
        first, second = self.promise("first", "freeze"), self.add(title="second")
        id = self.add(links=[{"rel": "follows", "id": first}])
        self.correct(id, "--link", f"part-of:{second[:10]}", "--link", f"fulfils={first}#freeze")
        self.assertEqual(self.body(id)["links"], [
            {"rel": "follows", "id": first}, {"rel": "part-of", "id": second}, {"rel": "fulfils", "id": first, "key": "freeze"}])
        self.correct(id, "--no-link", f"{first}#freeze")
        self.correct(id, "--no-link", second[:8])
        self.assertEqual(self.body(id)["links"], [{"rel": "follows", "id": first}])
        self.correct(id, "--no-link", f"follows:{first}")
        self.assertNotIn("links", self.body(id))
        self.assertIn("no such link", self.refused(2, "correct", id, "--no-link", first, "--reason", "r"))
        self.assertIn("did you mean follows", self.refused(2, "correct", id, "--link", f"folows:{first}", "--reason", "r"))

    def test_an_empty_value_takes_a_field_away(self):
        id = self.add(place="here", summary="s", confidence="high", targets=["USA"], tags=["a"])
        self.correct(id, "--place", "", "--summary=", "--confidence", "", "--targets", "", "--tags", "", "--subtype", "")
        self.assertEqual(set(self.body(id)), {"type", "date", "actors", "title", "unsourced"})
        for field in ("type", "date", "actors", "title"):
            self.assertIn(field, self.refused(1, "correct", id, f"--{field}", "", "--reason", "r", "--json"))

    def test_an_untouched_editor_changes_nothing(self):
        id = self.with_sources(summary="One.\n\n  Two.\n", note={"z": 1, "a": [2]}, offer={
            "then": ["fuel"], "if": ["freeze"], "condition": "prior", "mood": "odd"}, type="message", subtype="letter")
        before = self.event(id)
        code, out, err = self.ctl("correct", id, EDITOR="true")
        self.assertEqual((code, out), (0, ""))
        self.assertIn("nothing changed", err)
        self.assertEqual(json.loads(self.done("correct", id, "--json", EDITOR="true")), {"changed": False, "id": id})
        self.assertEqual(json.loads(self.done("correct", id, "--title", before["title"], "--json"))["changed"], False)
        self.assertEqual(self.versions(id), 1)
        self.assertEqual(self.event(id), before)

    def test_an_edit_changes_what_it_touches_alone(self):
        summary = "One: two.\n\n# no comment\ndate: 1999\n  indented"
        id = self.with_sources(summary=summary, note={"z": 1})
        before = self.body(id)
        code, out, err = self.edited(id, ("title: a test", "title: another"))
        self.assertEqual(code, 0, err)
        self.assertEqual(self.body(id), {**before, "title": "another"})
        self.assertEqual(list(self.body(id)), list(before))
        # One part of one source.
        code, out, err = self.edited(id, ("publisher: P1", "publisher: P9"))
        self.assertEqual(self.body(id)["sources"], [{**SOURCES[0], "publisher": "P9"}, SOURCES[1]])
        # The first source goes, the second stays what it was.
        first = self.text(id).split("source:\n")[1]
        code, out, err = self.edited(id, ("source:\n" + first, ""))
        self.assertEqual(self.body(id)["sources"], [SOURCES[1]])
        self.assertEqual(self.body(id)["summary"], summary)

    def test_lines_and_paragraphs(self):
        id = self.add(summary="old")
        code, out, err = self.edited(id, (
            "summary: old", "summary:\n  First: line,\n  second.\n\n  # Third\nnot indented, and no field"))
        self.assertEqual(code, 0, err)
        self.assertEqual(self.body(id)["summary"], "First: line,\nsecond.\n\n# Third\nnot indented, and no field")
        code, out, err = self.edited(id, ("title: a test", "title: a title\n  that was broken"))
        self.assertEqual(self.body(id)["title"], "a title that was broken")

    def test_lines_that_belong_nowhere_are_refused_and_kept(self):
        id = self.add()
        for line, said in (("titel: x", "did you mean title?"), ("more", "belongs to no field")):
            code, out, err = self.edited(id, ("date: 2017-11-29", f"date: 2017-11-29\n{line}"), words=("--json",))
            self.assertEqual(code, 2)
            self.assertIn(said, err)
            text = json.loads(out)["error"]["text"]
            path = text.split(" --from ")[1]
            self.assertIn(line, pathlib.Path(path).read_text())
        kept = pathlib.Path(path).read_text().replace("\nmore", "").replace("title: a test", "title: mended")
        self.done("correct", id, "--from", "-", stdin=kept)
        self.assertEqual(self.body(id)["title"], "mended")
        self.assertIn("stands 2 times", self.refused(2, "correct", id, "--from", "-", stdin=kept + "\ntitle: again\n"))
        self.assertIn("cannot read /nosuchfile", self.refused(1, "correct", id, "--from", "/nosuchfile", "--json"))

    def test_a_reason_is_needed_and_can_stand_in_the_text(self):
        id = self.add()
        self.assertIn("--reason", self.refused(2, "correct", id, "--title", "x"))
        code, out, err = self.edited(id, ("title: a test", "title: y"), reason="")
        self.assertEqual(code, 2)
        self.assertIn("reason: say why", err)
        self.edited(id, ("title: a test", "title: y"), reason="written there")
        self.assertIn("written there", self.done("show", id))

    def test_dry_runs_refuse_what_the_real_ones_would(self):
        id = self.add()
        for words, code in (
            (("add", "--type", "test", "--date", "2017-02-30", "--actors", "PRK", "--title", "x", "--unsourced"), 1),
            (("add", "--type", "test", "--date", "2017", "--actors", "PKR", "--title", "x", "--unsourced"), 1),
            (("add", "--type", "test", "--date", "2017", "--actors", "PRK", "--title", "x"), 1),
            (("add", "--type", "test", "--link", "answers:ffffffff"), 1),
            (("correct", id, "--date", "2017-02-30", "--reason", "r"), 1),
            (("correct", id, "--actors", "PKR", "--reason", "r"), 1),
            (("correct", id, "--weight", "heavy", "--reason", "r"), 2),
            (("retract", "ffffffff", "--reason", "r"), 1),
        ):
            with self.subTest(words):
                self.assertEqual(
                    self.refused(code, *words, "--dry-run", "--json"), self.refused(code, *words, "--json"))

    def test_dry_runs_show_and_record_nothing(self):
        id = self.add(place="here")
        count = self.done("log", "--count")
        words = ("add", "--type", "test", "--date", "2017", "--actors", "PRK", "--title", "x", "--unsourced", "--dry-run")
        self.assertEqual(json.loads(self.done(*words, "--json")), {"dry_run": True, "event": {
            "type": "test", "date": "2017", "actors": ["PRK"], "title": "x", "unsourced": True}})
        self.assertIn("nothing was", self.done(*words))
        out = json.loads(self.done("correct", id, "--place", "", "--title", "new", "--dry-run", "--json"))
        self.assertEqual(out["changes"], [
            {"field": "title", "before": "a test", "after": "new"}, {"field": "place", "before": "here"}])
        self.assertEqual(out["event"]["title"], "new")
        self.assertEqual(json.loads(self.done("retract", id, "--dry-run", "--json"))["event"]["id"], id)
        self.assertEqual((self.done("log", "--count"), self.versions(id)), (count, 1))

    def test_switches_take_no_value(self):
        self.assertIn("--unsourced takes no value", self.refused(2, "add", "--unsourced=false", "--type", "test", "--json"))


class Retracting(Record):
    def test_a_retracted_event_is_brought_back(self):
        id = self.add(title="first wording", tags=["back"])
        self.correct(id, "--title", "last wording")
        self.assertIn("--restore", self.done("retract", id, "--reason", "gone"))
        self.assertIn("retracted already", self.refused(1, "retract", id, "--reason", "again", "--json"))
        self.done("correct", id, "--restore", "--reason", "it did happen")
        self.assertEqual(self.body(id)["title"], "last wording")
        self.assertEqual(self.done("log", "--count", "tag=back"), "1\n")
        self.done("retract", id, "--reason", "gone again")
        self.correct(id, "--title", "newest wording")
        self.assertEqual(self.body(id)["title"], "newest wording")
        self.assertNotIn("contested", self.event(id))
        self.assertIn("was not retracted", self.refused(2, "correct", id, "--restore", "--reason", "r"))

    def test_an_editor_brings_it_back_where_a_reason_is_written(self):
        id = self.add(title="wording")
        self.done("retract", id, "--reason", "gone")
        self.assertEqual(json.loads(self.done("correct", id, "--json", EDITOR="true"))["changed"], False)
        self.edited(id, reason="there it is")
        self.assertEqual(self.body(id)["title"], "wording")

    def test_a_retracted_event_shows_what_it_was(self):
        id = self.add(title="was here")
        self.done("retract", id, "--reason", "no such thing")
        shown = self.done("show", id)
        self.assertIn("was here", shown)
        self.assertRegex(shown, r"retracted   20\S+ by \S+: no such thing")


class Adding(Record):
    def test_every_field_has_an_option(self):
        other = self.promise("an agreement", "shutdown")
        id = json.loads(self.done(
            "add", "--type", "message", "--subtype", "letter", "--date", "2026-11-01", "--actors", "PRK", "--targets", "USA,KOR",
            "--title", "t", "--summary", "s", "--place", "p", "--confidence", "low", "--tags", "a,b",
            "--source-title", "S", "--source-quote", "q", "--source-doi", "10.1/x", "--add-source", "publisher=P; date=2026",
            "--offer-if", "freeze", "--offer-if", "seal", "--offer-then", "fuel", "--offer-condition", "prior",
            "--offer-expires", "2027", "--offer-interests", "sanctions-relief", "--link", f"fulfils:{other}#shutdown",
            "--weight", "-4.5", "--weight-reason", "because", "--json"))["id"]
        self.assertEqual(self.body(id), {
            "type": "message", "subtype": "letter", "date": "2026-11-01", "actors": ["PRK"], "targets": ["USA", "KOR"],
            "title": "t", "summary": "s", "place": "p",
            "sources": [{"title": "S", "doi": "10.1/x", "quote": "q"}, {"publisher": "P", "date": "2026"}],
            "confidence": "low", "offer": {
                "if": ["freeze", "seal"], "then": ["fuel"], "condition": "prior", "expires": "2027",
                "interests": ["sanctions-relief"]},
            "links": [{"rel": "fulfils", "id": other, "key": "shutdown"}], "tags": ["a", "b"], "weight": -4.5,
            "weight_reason": "because"})
        self.correct(id, "--offer-then", "food", "--offer-expires", "")
        self.assertEqual(self.body(id)["offer"], {
            "if": ["freeze", "seal"], "then": ["food"], "condition": "prior", "interests": ["sanctions-relief"]})
        self.correct(id, "--no-offer", "--weight", "")
        self.assertFalse({"offer", "weight", "weight_reason"} & set(self.body(id)))

    def test_a_commitment_is_made_and_fulfilled(self):
        id = json.loads(self.done(
            "add", "--type", "agreement", "--date", "2007-02-13", "--actors", "PRK,USA", "--title", "plan", "--unsourced",
            "--commitment", "key=shutdown; by=PRK; to=USA, KOR; what=Shut down; and seal; due=2007-04; verifier=IAE",
            "--commitment", "key=fuel; by=USA; what=Fuel", "--json"))["id"]
        self.assertEqual(self.body(id)["commitments"], [
            {"key": "shutdown", "by": ["PRK"], "to": ["USA", "KOR"], "what": "Shut down; and seal", "due": "2007-04",
             "verifier": ["IAE"]}, {"key": "fuel", "by": ["USA"], "what": "Fuel"}])
        self.done("add", "--type", "step", "--subtype", "fulfilment", "--date", "2007-03-01", "--actors", "PRK",
                  "--targets", "USA", "--title", "shut", "--unsourced", "--link", f"fulfils:{id[:8]}#shutdown")
        state = json.loads(self.done("state", "USA", "PRK", "--as-of", "2007-06-01", "--json"))
        self.assertEqual({c["key"]: c["state"] for c in state["commitments"]}, {"shutdown": "fulfilled", "fuel": "open"})
        self.correct(id, "--commitment", "key=fuel; due=2007-05", "--no-commitment", "shutdown")
        self.assertEqual(self.body(id)["commitments"], [{"key": "fuel", "by": ["USA"], "what": "Fuel", "due": "2007-05"}])
        self.assertIn("are fuel", self.refused(2, "correct", id, "--no-commitment", "x", "--reason", "r"))

    def test_every_field_has_a_place_in_the_text(self):
        other = self.promise("linked", "k")
        text = f"""
type: talks
subtype: summit
date: 2026-11-02
actors: USA, KOR
targets: PRK
title: from a text
summary: one
  two
place: p
source:
  title: A; b
  quote: q1
    q2
source: publisher=P; date=2026
confidence: high
tags: a, b
link: answers:{other[:12]}
link: verifies:{other}#k
offer:
  if: one
  if: two
  then: three
  condition: simultaneous
weight: 3
weight_reason: so
"""
        id = json.loads(self.done("add", "--from", "-", "--json", stdin=text))["id"]
        self.assertEqual(self.body(id), {
            "type": "talks", "subtype": "summit", "date": "2026-11-02", "actors": ["USA", "KOR"], "targets": ["PRK"],
            "title": "from a text", "summary": "one\ntwo", "place": "p",
            "sources": [{"title": "A; b", "quote": "q1\nq2"}, {"publisher": "P", "date": "2026"}],
            "confidence": "high", "offer": {"if": ["one", "two"], "then": ["three"], "condition": "simultaneous"},
            "links": [{"rel": "answers", "id": other}, {"rel": "verifies", "id": other, "key": "k"}],
            "tags": ["a", "b"], "weight": 3, "weight_reason": "so"})
        # The text of the event reads as the event.
        self.done("add", "--from", "-", stdin=self.text(id))
        twins = json.loads(self.done("log", "--json", "--text", "from a text"))
        self.assertEqual(len(twins), 2)
        self.assertEqual(*[{k: v for k, v in twin.items() if k not in ENVELOPE} for twin in twins])
        text = "type: agreement\ndate: 2026\nactors: USA\ntitle: t\nunsourced: true\n" \
            "commitment:\n  key: k\n  by: USA, KOR\n  what: w\n  due: 2027\ncommitment: key=l; by=KOR; what=x; and y\n"
        id = json.loads(self.done("add", "--from", "-", "--json", stdin=text))["id"]
        self.assertEqual(self.body(id)["commitments"], [
            {"key": "k", "by": ["USA", "KOR"], "what": "w", "due": "2027"}, {"key": "l", "by": ["KOR"], "what": "x; and y"}])

    def test_an_untouched_text_records_nothing(self):
        self.assertEqual(json.loads(self.done("add", "--json", EDITOR="true")), {"changed": False})
        self.assertEqual(sorted(p.name for p in pathlib.Path(self.scratch).glob("timeline-event-*")), [])

    def test_a_near_miss_of_a_subtype_is_kept_and_said(self):
        words = ("add", "--type", "test", "--date", "2026", "--actors", "PRK", "--title", "t", "--unsourced", "--subtype")
        code, out, err = self.ctl(*words, "ibcm", "--json")
        self.assertEqual(code, 0)
        self.assertIn("did you mean icbm?", err)
        self.assertEqual(self.body(json.loads(out)["id"])["subtype"], "ibcm")
        self.assertEqual(self.ctl(*words, "icbm")[2], "")
        self.assertEqual(self.ctl(*words, "something-new")[2], "")

    def test_help_names_the_subtypes(self):
        text = self.done("add", "--help")
        for word in ("working-level", "track-1.5", "satellite-launch", "family-reunion"):
            self.assertIn(word, text)


class Showing(Record):
    def test_versions_with_what_differs(self):
        id = self.add(title="one", place="here")
        self.correct(id, "--title", "two", "--place", "")
        self.done("retract", id, "--reason", "gone", "--author", "bob")
        self.done("correct", id, "--restore", "--reason", "back", "--author", "eve")
        lines = json.loads(self.done("show", id, "--json"))["versions"]
        self.assertEqual(len(lines), 4)
        shown = self.done("show", id)
        for line in lines:
            self.assertIn(f"{line['id'][:8]}  {line['recorded']}", shown)
        for text in ("corrected by", ": a test", "- title: one", "+ title: two", "- place: here", "retracted by bob: gone",
                     "corrected by eve: back (this one shows)"):
            self.assertIn(text, shown)
        # By the id of a version it is the same event.
        self.assertEqual(self.done("show", lines[1]["id"]), shown)

    def test_a_conflict_shows_both_wordings(self):
        id = self.add(title="one")
        for author, title in (("ann", "hers"), ("bob", "his")):
            self.raw.ok("APPEND " + json.dumps({
                "type": "log.correct", "corrects": id, "supersedes": [id], "author": author, "reason": "sure",
                "body": event(title)}))
        shown = self.done("show", id)
        self.assertIn("contested", shown)
        self.assertRegex(shown, r"title, by ann in \w{8}: hers")
        self.assertRegex(shown, r"title, by bob in \w{8}: his")
        self.correct(id, "--title", "ours")
        self.assertNotIn("contested", self.done("show", id))

    def test_a_correction_and_a_retraction_at_once(self):
        id = self.add(title="one")
        self.raw.ok("APPEND " + json.dumps({
            "type": "log.correct", "corrects": id, "supersedes": [id], "author": "ann", "reason": "sure", "body": event("hers")}))
        self.raw.ok("APPEND " + json.dumps(
            {"type": "log.retract", "retracts": id, "supersedes": [id], "author": "bob", "reason": "no such thing"}))
        shown = self.done("show", id)
        for text in ("hers", "contested", "retracted by bob", "no such thing"):
            self.assertIn(text, shown)
        self.done("correct", id, "--restore", "--reason", "there it is")
        self.assertEqual(self.body(id)["title"], "hers")
        self.assertNotIn("contested", self.event(id))

    def test_watch_names_the_event(self):
        id = self.add(title="watched")
        with Watch(self.daemon, self) as watch:
            self.correct(id, "--title", "still watched")
            self.assertRegex(watch.line(), rf"2017-11-29  test/icbm  PRK  {id[:8]}  still watched \(corrected by \S+: a test\)")
            self.done("retract", id, "--reason", "gone")
            self.assertRegex(watch.line(), rf"{id[:8]}  still watched \(retracted by \S+: gone\)")
            self.done("actor", "add", "WATCHED", "--name", "A watched group")
            self.assertRegex(watch.line(), r"actor WATCHED \(A watched group\) added by")


class Watch:
    """A `watch` that is known to watch: it has told of an event."""

    def __init__(self, daemon, test):
        self.process = subprocess.Popen(
            [BINARIES / "timelinectl", "--socket", daemon.socket, "watch"], stdout=subprocess.PIPE, text=True)
        seen = threading.Event()
        reader = threading.Thread(target=lambda: (self.line(), seen.set()))
        reader.start()
        while not seen.is_set():
            test.add(title="a call")
        reader.join()
        # The calls that it saw besides.
        test.add(title="the last call")
        while "the last call" not in self.line():
            pass

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


if __name__ == "__main__":
    unittest.main()
