"""Recording with help: what is refused and why, what may be there already, which links an event could have."""

import json
import os
import pathlib
import shlex
import tempfile
import unittest

from ctl import Ctl
from terminal import Terminal, plain

LETTER = "usdprk-2002-11-03-message-written"
FRAMEWORK = "usdprk-1994-10-21-agreement-framework"
ADD = ("add", "--unsourced", "--actors", "USA", "--targets", "PRK", "--title", "x")


class Refused(Ctl):
    """Bad input, said where it is recorded."""

    shipped = True

    def setUp(self):
        self.count = self.done("log", "--count")
        self.addCleanup(lambda: self.assertEqual(self.done("log", "--count"), self.count, "something was recorded"))

    def test_links_by_options(self):
        for more, said in (
                (("--type", "message", "--date", "2002-11-02", "--link", "answers:" + LETTER),
                 ("links[0].id: answers 0cee1b2b \"A written personal message", "(2002-11-03), which begins after this event does (2002-11-02)", "mend the date")),
                (("--type", "message", "--date", "2002-11", "--link", "answers:" + LETTER), ("2002-11, which counts from 2002-11-01",)),
                (("--type", "step", "--date", "1995-01-01", "--link", "fulfils:" + FRAMEWORK + "#freez"),
                 ("links[0].key: \"freez\" is no commitment of d9273edf \"The Agreed Framework", "did you mean freeze?")),
                (("--type", "step", "--date", "2003-01-01", "--link", "fulfils:" + LETTER + "#k"), ("has no commitments",)),
                # Who is not asked, or has no part in it. ADD is by the United States, to North Korea.
                (("--type", "statement", "--date", "2018-01-05", "--link", "answers:usdprk-2018-01-01-offer-talks"),
                 ("links[0]: answers ", "which was said to KOR, and none of those acts in this event")),
                (("--type", "statement", "--date", "2017-12-13", "--link", "declines:usdprk-2017-12-12-offer-talks"),
                 ("links[0]: declines ", "and that is USA's own: nobody answers himself")),
                (("--type", "step", "--date", "2018-05-02", "--link", "withdraws:usdprk-2018-04-27-agreement-summit-inter-korean#leaflets"),
                 ("links[0]: withdraws ", "none of those who act in this event may say so: that is for ", "KOR")),
                (("--type", "statement", "--date", "2018-01-05", "--link", "withdraws:usdprk-2018-01-01-offer-talks"), ("that is for PRK;",)),
                (("--type", "agreement", "--date", "2007-02-13", "--commitment", "key=k; by=PRK; what=w; due=2006-12"),
                 ("commitments[0].due: 2006-12 is over before the event begins, on 2007-02-13",)),
                (("--type", "agreement", "--date", "2007-02-13", "--commitment", "key=k; what=w"), ("commitments[0].by: missing",)),
                (("--type", "agreement", "--date", "2007-02-13", "--commitment", "by=PRK; what=w"), ("commitments[0].key: missing",)),
                (("--type", "agreement", "--date", "2007-02-13", "--commitment", "key=k; by=PRK"), ("commitments[0].what: missing",)),
                (("--type", "message", "--date", "2007-02-13", "--offer-then", "y", "--offer-condition", "none", "--offer-expires", "2007-02-12"),
                 ("offer.expires: 2007-02-12 is over before the event begins",)),
                (("--type", "talks", "--date", "2007-02-13/2007-02-01"), ("ends before it begins",)),
                (("--type", "step", "--date", "1995-01-01") + 2 * ("--link", "fulfils:" + FRAMEWORK + "#trade"),
                 ("links[1]: says what a link before it says; leave it out",)),
        ):
            with self.subTest(more):
                for dry in ((), ("--dry-run",)):
                    err = self.fails(1, *ADD, *more, *dry, "--json")
                    for words in said:
                        self.assertIn(words, err)

    def test_corrections(self):
        for more, said in (
                (("--link", "answers:" + LETTER), "that is this event itself"),
                (("--link", "answers:usdprk-2017-11-29-test-hwasong-15"), "begins after this event does")):
            if self.ctl("show", more[1].split(":")[1])[0]:
                more = ("--link", "answers:84ce6fd0")
            self.assertIn(said, self.fails(1, "correct", LETTER, *more, "--reason", "r"))
        # What answers it cannot be answered by it.
        state = self.json("state", "USA", "PRK", "--as-of", "2008-01-01")
        offer = next(o for o in state["offers"] if o["state"] == "declined")
        err = self.fails(1, "correct", offer["id"], "--date", self.json("show", offer["by"])["event"]["date"],
                         "--link", "answers:" + offer["by"], "--reason", "r")
        self.assertIn("lead back to this event (at once)", err)

    def test_a_file_is_checked_as_a_whole(self):
        own = self.another()
        say = lambda id, date="2001-01-01", **more: {
            "id": id, "type": "message", "date": date, "actors": ["PRK"], "targets": ["USA"], "title": "of " + id, "unsourced": True, **more}
        link = lambda rel, id, **more: {"links": [{"rel": rel, "id": id, **more}]}
        filler = [say(f"filler-{n}", f"1990-01-{n % 28 + 1:02d}") for n in range(4000)]
        deal = {**say("deal", "2002-01-01"), "type": "agreement", "commitments": [{"key": "shut", "by": ["PRK"], "what": "w"}]}
        lines = [
            say("ring-a", **link("follows", "ring-c")), *filler, say("ring-b", **link("follows", "ring-a")), say("ring-c", **link("follows", "ring-b")),
            say("early", "2000-01-01", **link("answers", "ring-b")), say("step", "2003-01-01", **link("fulfils", "deal", key="shutt")), deal,
            say("own", **link("answers", "own")), say("good", "2003-01-01", **link("fulfils", "deal", key="shut")),
            say("part", "2001-12-31", **link("part-of", "deal")), say("open", **link("answers", "not-here"))]
        path = self.file("a.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        for dry in ((), ("--dry-run",)):
            code, out, err = self.ctl("import", path, "--json", *dry, daemon=own)
            self.assertEqual(code, 1)
            problems = {p["line"]: p["message"] for p in json.loads(out)["error"]["problems"]}
            self.assertEqual(sorted(problems), [1, 4002, 4003, 4004, 4005, 4007])
            self.assertIn("follows ring-c \"of ring-c\"", problems[1])
            self.assertIn("lead back to this event (by ring-b)", problems[1])
            self.assertIn("answers ring-b", problems[4004])
            self.assertIn("begins after", problems[4004])
            self.assertIn("\"shutt\" is no commitment of deal", problems[4005])
            self.assertIn("this event itself", problems[4007])
            self.assertEqual(self.done("log", "--count", daemon=own), "0\n")
        result = json.loads(self.ctl("import", path, "--skip-bad", "--json", daemon=own)[1])
        self.assertEqual((result["imported"], result["bad"]), (len(lines) - 6, 6))
        (finding,) = self.json("lint", "--kind", "missing-target", daemon=own)["findings"]
        self.assertEqual(finding["title"], "of open")
        # Against what is there too, and again it is the same.
        self.assertEqual(json.loads(self.ctl("import", path, "--skip-bad", "--json", daemon=own)[1])["duplicates"], len(lines) - 6)
        late = self.file("b.jsonl", json.dumps(say("late", "2001-06-01", **link("answers", "deal"))) + "\n")
        self.assertIn("b.jsonl:1: links[0].id: answers", self.fails(1, "import", late, daemon=own))

    def test_a_circle_of_ten_thousand_lines(self):
        own = self.another()
        count = 10_000
        lines = "".join(json.dumps({
            "id": f"n{n}", "type": "message", "date": "2001-01-01", "actors": ["PRK"], "title": f"t{n}", "unsourced": True,
            "links": [{"rel": "follows", "id": f"n{(n + 1) % count}"}]}) + "\n" for n in range(count))
        code, out, err = self.ctl("import", self.file("ring.jsonl", lines), "--json", daemon=own)
        self.assertEqual(code, 1)
        self.assertEqual(len(json.loads(out)["error"]["problems"]), count)
        self.assertIn("one of 10000 events of the file whose links lead round", err)
        # Without its last link it is a chain.
        chain = "".join(lines.splitlines(keepends=True)[:-1])
        self.assertEqual(self.json("import", self.file("chain.jsonl", chain), daemon=own)["imported"], count - 1)


class Proposed(Ctl):
    shipped = True

    def terminal(self, *words, **more):
        return Terminal(self.daemon, *words, **more)

    def test_a_proposal_is_taken_as_it_stands(self):
        code, out, err = self.ctl("add", "--unsourced", "--type", "statement", "--date", "2002-11-13", "--actors", "USA", "--targets", "PRK",
                                  "--title", "A statement on the message", "--suggest")
        self.assertEqual(code, 0, err)
        id = out.split()[1].rstrip(":")
        self.assertIn(f"it could be linked, by timelinectl correct {id} --reason linked and one of these:", err)
        line = next(line for line in err.splitlines() if "A written personal message" in line)
        self.assertIn("an offer of PRK, open for 10 days (or accepts, declines, counters)", line)
        flag, link = line.split()[:2]
        before = self.json("state", "USA", "PRK", "--as-of", "2002-11-14")["unanswered"]
        self.done("correct", id, "--reason", "linked", flag, link)
        after = self.json("state", "USA", "PRK", "--as-of", "2002-11-14")["unanswered"]
        self.assertEqual(len(after), len(before) - 1)
        self.done("retract", id, "--reason", "only tried")

    def test_steps_offers_talks_and_verifications(self):
        def suggestions(*words):
            reply = self.json(*ADD, *words, "--suggest", "--dry-run")
            for one in reply["suggestions"]:
                self.assertEqual(one["json"]["id"][:8], one["link"].split(":")[1][:8])
            return [s["link"].split(":")[0] for s in reply["suggestions"]], reply["suggestions"]

        kinds, all_ = suggestions("--type", "step", "--subtype", "fulfilment", "--date", "2008-02-15", "--title", "Heavy fuel oil is shipped")
        self.assertEqual(all_[0]["json"]["key"], "oil")
        self.assertEqual(kinds[0], "fulfils")
        kinds, _ = suggestions("--type", "step", "--subtype", "suspension", "--date", "2008-02-15")
        self.assertEqual(kinds[0], "suspends")
        # Who verifies is mostly none of the two.
        kinds, all_ = suggestions("--type", "step", "--subtype", "verification", "--date", "2007-07-18", "--actors", "IAE", "--targets", "PRK",
                                  "--title", "The IAEA confirms the shutdown")
        self.assertEqual(kinds[0], "verifies")
        self.assertIn("shut-down", [s["json"].get("key") for s in all_])
        kinds, _ = suggestions("--type", "statement", "--date", "2005-09-15")
        self.assertIn("part-of", kinds)
        kinds, _ = suggestions("--type", "message", "--date", "2005-09-15", "--actors", "PRK", "--targets", "USA",
                               "--offer-then", "y", "--offer-condition", "none")
        self.assertIn("follows", kinds)
        kinds, _ = suggestions("--type", "statement", "--date", "2002-11-13", "--link", "answers:" + LETTER)
        self.assertEqual(kinds, [])
        kinds, _ = suggestions("--type", "test", "--subtype", "srbm", "--date", "2008-02-15")
        self.assertEqual(kinds, [])

    def test_off_a_terminal_nothing_is_told_unless_asked(self):
        words = ("add", "--unsourced", "--type", "test", "--subtype", "icbm", "--date", "2017-11-29", "--actors", "PRK", "--title", "Hwasong-15 ICBM flight", "--dry-run")
        code, out, err = self.ctl(*words)
        self.assertEqual((code, err), (0, ""))
        self.assertNotIn("suggestions", self.json(*words))
        code, out, err = self.ctl(*words, "--suggest")
        self.assertIn("it may be recorded already:\n  84ce6fd0  2017-11-29  First Hwasong-15 ICBM flight\n", err)
        reply = self.json(*words, "--suggest")
        self.assertEqual([id[:8] for id in reply["duplicates"]], ["84ce6fd0"])

    def test_a_duplicate_is_known_by_more_than_its_title(self):
        def likes(*words, title="Other words", **more):
            fields = {"type": "test", "subtype": "icbm", "date": "2017-11-29", "actors": "PRK", **more}
            flags = [word for name, value in fields.items() if value for word in ("--" + name, value)]
            reply = self.json("add", "--unsourced", "--dry-run", "--suggest", "--title", title, *flags)
            return [id[:8] for id in reply["duplicates"]]
        self.assertEqual(likes(), ["84ce6fd0"])
        self.assertEqual(likes(targets="USA"), ["84ce6fd0"])
        self.assertEqual(likes(title="A Hwasong-15 is launched"), ["84ce6fd0"])
        # Another day, kind, party, or a number that says that it is another one.
        for other in ({"date": "2017-11-28"}, {"subtype": "srbm"}, {"subtype": None}, {"type": "incident", "subtype": "attack"},
                      {"actors": "PRK,RUS"}, {"targets": "JPN"}, {"title": "A Hwasong-14 is launched"}):
            self.assertEqual(likes(**other), [], other)
        # Where no kind is stated, another title is another event.
        self.assertEqual(likes(subtype=None, date="2017-03-22"), [])
        # Lint's own rule holds beside it.
        self.assertEqual(likes(title="A Hwasong-15 ICBM flight", subtype=None), ["84ce6fd0"])

    def added(self, *words, exit=0):
        code, out, err = self.ctl("add", "--unsourced", "--date", "2026-11-01", "--actors", "PRK", "--targets", "USA", "--title", "x", *words, "--dry-run", "--json")
        self.assertEqual(code, exit, err)
        return json.loads(out), err

    def test_a_step_says_which_commitment_it_keeps(self):
        step = ("--type", "step", "--subtype", "fulfilment")
        for link in ("fulfils:ccefe664", "verifies:ccefe664"):
            reply, err = self.added(*step, "--link", link, exit=2)
            self.assertIn(link + " does not say which of its 6 commitments; write " + link + "#KEY with one of guarantees, ", err)
        # A break may be of the whole agreement; where there is nothing to choose, nothing is asked.
        for link in ("suspends:ccefe664", "fulfils:ccefe664#remains", "fulfils:84ce6fd0"):
            self.assertEqual(self.added(*step, "--link", link)[1], "")
        id = self.json("add", "--unsourced", "--type", "agreement", "--date", "2026-10-01", "--actors", "PRK,USA", "--title", "One promise",
                       "--commitment", "key=freeze; by=PRK; what=Freeze")["id"]
        reply, err = self.added(*step, "--link", "fulfils:" + id[:8])
        self.assertEqual(reply["event"]["links"], [{"rel": "fulfils", "id": id, "key": "freeze"}])
        self.assertEqual(err, "timelinectl: link: taken as fulfils:%s#freeze, its one commitment\n" % id[:8])
        # What stands without a key is not in the way of another correction.
        client = self.daemon.client()
        self.addCleanup(client.close)
        other = client.ok("APPEND " + json.dumps({"type": "step", "date": "2026-10-02", "actors": ["PRK"], "title": "s", "unsourced": True,
                                                  "links": [{"rel": "fulfils", "id": "ccefe664-8812-5e53-865c-81d292782a6a"}]}))["id"]
        self.done("correct", other, "--title", "t", "--reason", "r")
        self.assertIn("6 commitments", self.fails(2, "what-if", "USA", "PRK", "--add", "--unsourced", "--date", "2026-11-01", "--actors",
                                                  "PRK", "--title", "x", *step, "--link", "fulfils:ccefe664"))
        for one in (id, other):
            self.done("retract", one, "--reason", "only tried")

    def test_an_interest_that_nobody_has_is_told(self):
        offer = ("--type", "message", "--offer-then", "y", "--offer-condition", "none")
        reply, err = self.added(*offer, "--offer-interests", "freez,guarantees,verification")
        self.assertEqual(reply["event"]["offer"]["interests"], ["freez", "guarantees", "verification"])
        first, second = err.splitlines()
        self.assertEqual(first, 'timelinectl: interest "freez" is in no table of interests: it is kept, and speaks to nothing; did you mean nuclear-freeze?')
        self.assertIn('interest "guarantees" is one of PRK, and the offer is made to USA', second)
        self.assertIn("those of USA are nuclear-freeze, denuclearisation, ", second)
        self.assertIn('"verificaton" is in no table of interests: it is kept, and speaks to nothing; did you mean verification?',
                      self.added(*offer, "--tags", "interest:verificaton")[1])
        self.assertEqual(self.added(*offer, "--offer-interests", "verification")[1], "")
        # By the table that holds here; and of a correction only what is new.
        own = self.another()
        rows = self.done("rules", "show", "interests", "--csv", daemon=own) + "1,USA,freez,A freeze,,\n"
        self.done("rules", "set", "interests", self.file("i.csv", rows), "--version", "OURS", "--reason", "r", daemon=own)
        words = ("add", "--unsourced", "--date", "2026-11-01", "--actors", "PRK", "--targets", "USA", "--title", "x", *offer)
        code, out, err = self.ctl(*words, "--offer-interests", "freez,peace", "--json", daemon=own)
        self.assertEqual((code, err.count("\n")), (0, 1))
        self.assertIn('"peace" is in no table', err)
        code, out, err = self.ctl("correct", json.loads(out)["id"], "--offer-interests", "peace,war", "--reason", "r", daemon=own)
        self.assertEqual((code, err.count("\n")), (0, 1))
        self.assertIn('"war" is in no table', err)

    def test_a_duplicate_is_asked_about_at_a_terminal(self):
        words = ("add", "--unsourced", "--type", "test", "--subtype", "icbm", "--date", "2017-11-29", "--actors", "PRK", "--title", "Hwasong-15 ICBM flight")
        before = self.done("log", "--count")
        terminal = self.terminal(*words)
        shown = plain(terminal.until("[y/N] "))
        self.assertIn("84ce6fd0", shown)
        terminal.send("n\n")
        code, shown = terminal.end()
        self.assertIn("nothing is recorded", shown)
        self.assertEqual(self.done("log", "--count"), before)
        code, shown = self.terminal(*words, "--no-input", "--dry-run").end()
        self.assertEqual(code, 0)
        self.assertIn("it may be recorded already", shown)
        terminal = self.terminal(*words)
        terminal.until("[y/N] ")
        terminal.send("y\n")
        code, shown = terminal.end()
        id = plain(shown).split("recorded ")[-1][:8]
        self.done("retract", id, "--reason", "only tried")
        self.assertEqual(self.done("log", "--count"), before)

    def editor(self, body):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "editor.sh"
        path.write_text("#!/bin/sh\n" + body)
        path.chmod(0o755)
        return folder.name, str(path)

    def test_the_editor_opens_once_more_with_what_could_be_linked(self):
        folder, path = self.editor('''
if [ -e "$(dirname "$0")/once" ]; then
  cp "$1" "$(dirname "$0")/second"
  # What is proposed is taken by removing what stands before it.
  link=$(sed -n 's/^#! \\(link: answers:[0-9a-f]*\\).*/\\1/p' "$1" | head -1)
  echo "$link" >> "$1"
else
  touch "$(dirname "$0")/once"
  printf 'type: statement\\ndate: 2002-11-14\\nactors: USA\\ntargets: PRK\\ntitle: One more answer\\nunsourced: true\\n' > "$1"
fi
''')
        code, shown = self.terminal("add", EDITOR=shlex.quote(path)).end()
        self.assertEqual(code, 0, shown)
        second = pathlib.Path(folder, "second").read_text()
        self.assertTrue(second.startswith("#! It could have one of these lines:\n#! link: answers:"), second)
        self.assertIn("delete all to give up", second)
        id = plain(shown).split("recorded ")[-1][:8]
        links = self.json("show", id)["event"]["links"]
        self.assertEqual([(l["rel"], l["id"][:8]) for l in links], [("answers", "0cee1b2b")])
        self.assertNotIn("it could be linked", shown)
        self.done("retract", id, "--reason", "only tried")

    def test_who_leaves_the_editor_as_it_was_records_it_as_it_is(self):
        folder, path = self.editor('''
grep -q '^#! ' "$1" || printf 'type: statement\\ndate: 2002-11-14\\nactors: USA\\ntargets: PRK\\ntitle: One more answer\\nunsourced: true\\n' > "$1"
''')
        code, shown = self.terminal("add", EDITOR=shlex.quote(path)).end()
        self.assertEqual(code, 0, shown)
        id = plain(shown).split("recorded ")[-1][:8]
        self.assertNotIn("links", self.json("show", id)["event"])
        # The text of a correction has the same lines, as comments.
        folder, path = self.editor('cp "$1" "$(dirname "$0")/text"\n')
        self.terminal("correct", id, EDITOR=shlex.quote(path)).end()
        text = pathlib.Path(folder, "text").read_text()
        self.assertIn("# it could have one of these:\n# link: answers:0cee1b2b\n", text)
        self.done("retract", id, "--reason", "only tried")
        folder, path = self.editor('''
if grep -q '^#! ' "$1"; then : > "$1"; else printf 'type: statement\\ndate: 2002-11-14\\nactors: USA\\ntargets: PRK\\ntitle: No more\\nunsourced: true\\n' > "$1"; fi
''')
        code, shown = self.terminal("add", EDITOR=shlex.quote(path)).end()
        self.assertEqual(code, 0)
        self.assertIn("nothing is recorded", shown)
        self.assertEqual(self.done("log", "--count", "text~No-more"), "0\n")

    def test_an_unknown_party_is_said_by_its_name(self):
        self.assertIn("did you mean PRK", self.fails(1, "add", "--unsourced", "--type", "test", "--date", "2017-11-29", "--actors", "North Korea", "--title", "x", "--suggest"))
        self.assertIn("did you mean test", self.fails(1, "add", "--unsourced", "--type", "tset", "--date", "2017-11-29", "--actors", "PRK", "--title", "x", "--suggest"))


if __name__ == "__main__":
    unittest.main()
