"""`import` takes all or nothing, and says what is wrong with which line of the file."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import unittest
import uuid

from ctl import SHIPPED, Ctl
from daemon import BINARIES, event, shipped_events


def lines(*events):
    return "".join(json.dumps(e) + "\n" for e in events)


OPENED = 'OK {"timeline":"%s","replica":"%s","position":{}}' % (uuid.uuid4(), uuid.uuid4())


class ImportTests(Ctl):
    def setUp(self):
        self.own = self.another()

    def count(self):
        return int(self.done("log", "--count", daemon=self.own))

    def run_import(self, exit, path, *words, **more):
        code, out, err = self.ctl("import", path, *words, "--json", daemon=self.own, **more)
        self.assertEqual(code, exit, err)
        return json.loads(out), err

    def test_an_id_that_says_two_things_in_one_file(self):
        events = [event("n%d" % n, id="name-%d" % n) for n in range(5000)]
        path = self.file("many.jsonl", lines(*events, event("other words", id="name-537")))
        result, err = self.run_import(1, path)
        self.assertEqual([p["line"] for p in result["error"]["problems"]], [5001])
        self.assertIn(path + ":5001: ", err)
        self.assertIn('id "name-537": line 538 has the same id', err)
        self.assertEqual(self.count(), 0)
        self.run_import(1, path, "--dry-run")
        result, _ = self.run_import(6, path, "--skip-bad")
        self.assertEqual((result["imported"], result["bad"]), (5000, 1))
        self.assertEqual(self.count(), 5000)

    def test_what_is_no_file_of_events_is_told_once(self):
        """Not once for each of its lines."""
        prose = "".join("root:x:%d:words of no event\n" % n for n in range(60))
        table = "date,type,actors,title,unsourced\n2026-01-01,test,PRK,one,true\n"
        for name, text, said in (("passwd", prose, "no line of it is a JSON object"), ("noise", os.urandom(999).replace(b"{", b""), "no line of it"),
                                 ("numbers.json", "[1,2]", "no line of it"), ("table", table, "it looks like CSV: --format csv")):
            path = self.file(name, text)
            for words in ((), ("--skip-bad",), ("--dry-run",)):
                result, err = self.run_import(1, path, *words)
                self.assertIn(said, err)
                self.assertEqual((len(result["error"]["problems"]), err.count("\n")), (1, 2), err)
        self.assertEqual(self.run_import(0, path, "--format", "csv")[0]["imported"], 1)
        # A file of events with a fault is told by its lines.
        err = self.run_import(1, self.file("cut.jsonl", '{"type":"test"'))[1]
        self.assertIn("cut.jsonl:1: ", err)
        self.assertNotIn("no line of it", err)
        self.assertEqual(self.run_import(0, self.file("none.json", "[]"))[0]["imported"], 0)

    def test_an_id_that_says_the_same_twice_is_one_event(self):
        one = event("same", id="twice")
        result, _ = self.run_import(0, self.file("a.jsonl", lines(one, dict(reversed(one.items())))))
        self.assertEqual((result["imported"], result["duplicates"]), (1, 1))

    def test_conflicts_with_what_is_recorded_are_known_before_the_first_is_sent(self):
        self.run_import(0, self.file("a.jsonl", lines(*(event("n%d" % n, id="name-%d" % n) for n in range(3000)))))
        changed = [event("n%d" % n, id="name-%d" % n) for n in range(2995, 3005)]
        changed[2]["title"] = changed[4]["title"] = "something else"
        path = self.file("b.jsonl", "\n" + lines(*changed))
        for words in ((), ("--dry-run",)):
            result, err = self.run_import(1, path, *words)
            error = result["error"]
            self.assertEqual([p["line"] for p in error["problems"]], [4, 6])
            self.assertEqual((error["new"], error["duplicates"], error["conflicts"]), (5, 3, 2))
            self.assertIn('b.jsonl:4: "name-2997" is recorded already and says something else (title)', err)
            self.assertIn("2 that say something else", err)
            self.assertEqual(self.count(), 3000)
        result, _ = self.run_import(6, path, "--skip-bad")
        self.assertEqual((result["imported"], result["duplicates"], result["conflicts"]), (5, 3, 2))
        self.assertEqual(self.count(), 3005)

    def test_dry_run_says_how_many_are_new(self):
        self.run_import(0, self.file("a.jsonl", lines(event("a", id="a"))))
        path = self.file("b.jsonl", lines(event("a", id="a"), event("b", id="b")))
        self.assertIn("1 new, 1 there already", self.done("import", path, "--dry-run", daemon=self.own))
        result, _ = self.run_import(0, path, "--dry-run")
        self.assertEqual((result["new"], result["duplicates"], result["imported"]), (1, 1, 0))
        self.assertEqual(self.count(), 1)

    def test_rows_of_a_table_have_the_lines_of_the_file(self):
        self.run_import(0, self.file("a.jsonl", lines(event("a", id="a"))))
        table = 'id,date,type,actors,title,unsourced\nb,2017,test,PRK,"two\nlines",true\nb,2017,test,PRK,t,true\na,2018,test,PRK,a,true\n'
        result, err = self.run_import(1, self.file("a.csv", table))
        self.assertEqual([p["line"] for p in result["error"]["problems"]], [2, 5])
        result, err = self.run_import(6, self.file("a.csv", table), "--skip-bad")
        self.assertEqual(result["imported"], 1)

    def test_an_export_with_corrections_comes_home_without_a_change(self):
        self.run_import(0, self.file("a.jsonl", lines(event("a", id="a"), event("b", id="b"))))
        self.done("correct", "b", "--title", "better", "--reason", "r", daemon=self.own)
        path = self.file("b.jsonl", self.done("log", "--jsonl", daemon=self.own))
        result, _ = self.run_import(0, path)
        self.assertEqual((result["imported"], result["duplicates"]), (0, 2))

    def test_lines_of_the_log_itself(self):
        first = event("a", id="11111111-1111-4111-8111-111111111111")
        change = {"type": "log.correct", "corrects": first["id"], "supersedes": [first["id"]], "reason": "r",
                  "body": event("b")}
        self.assertIn(":1: no event 1111", self.run_import(1, self.file("a.jsonl", lines(change)))[1])
        filler = [event("n%d" % n) for n in range(4000)]
        self.run_import(0, self.file("a.jsonl", lines(first, *filler, change)))
        self.assertEqual(self.done("log", "--count", "text~b", "id=11111111", daemon=self.own), "1\n")

    def test_a_mark_at_the_start_is_taken_and_wrong_bytes_are_not(self):
        good = lines(event("a", id="a")).encode()
        self.run_import(0, self.file("a.jsonl", b"\xef\xbb\xbf" + good))
        _, err = self.run_import(1, self.file("b.jsonl", good + b'{"title":"\xff"}\n'))
        self.assertIn("b.jsonl:2: not valid UTF-8, at byte 11", err)

    def test_a_json_array(self):
        self.run_import(0, SHIPPED)
        other = self.another()
        array = self.done("log", "--json", daemon=self.own)
        self.done("import", "-", stdin=array, daemon=other)
        self.assertEqual(self.done("log", "--count", daemon=other), f"{len(shipped_events())}\n")
        pretty = json.dumps([event("x", id="x"), event("y", id="y", date="2017-02-30")], indent=1)
        _, err = self.run_import(1, self.file("a.json", pretty))
        self.assertIn("a.json:%d: date:" % (pretty[:pretty.rindex("{")].count("\n") + 1), err)
        for broken in ("[", "[{}", "[1 ", "[] x"):
            self.assertIn("array", self.run_import(1, self.file("a.json", broken))[1])
        self.assertEqual(self.run_import(0, self.file("a.json", "[]"))[0]["read"], 0)

    def test_members_that_look_like_known_ones_are_named(self):
        odd = [{**event("a", id="a"), "titel": "x", "region": "east"}, {**event("b", id="b"), "titel": "y"}]
        result, err = self.run_import(0, self.file("a.jsonl", lines(*odd)))
        self.assertIn('a.jsonl:1: warning: "titel" is no known field, did you mean title?', err)
        self.assertIn("2 lines", err)
        self.assertNotIn("region", err)
        self.assertEqual(self.json("show", "a", daemon=self.own)["event"]["titel"], "x")

    def test_a_team_s_own_actors_travel(self):
        self.done("actor", "add", "SWE-MED", "--name", "Swedish mediators", "--alias", "mediators", daemon=self.own)
        self.run_import(0, self.file("a.jsonl", lines(event("a", id="a", actors=["SWE-MED"]), event("b", id="b"))))
        for form in ("--jsonl", "--csv", "--json"):
            export = self.done("log", form, "--with-actors", daemon=self.own)
            path = self.file("all." + form[2:], export)
            other = self.another()
            dry = self.json("import", path, "--dry-run", daemon=other)
            self.assertEqual((dry["new"], dry["imported"]), (3, 0), form)
            self.assertEqual(self.json("import", path, daemon=other)["imported"], 3)
            self.assertEqual(self.done("log", daemon=other), self.done("log", daemon=self.own))
            self.assertIn("SWE-MED", self.done("actor", "list", daemon=other))
            self.assertEqual(self.json("import", path, daemon=other)["duplicates"], 3)
            self.assertEqual(self.run_import(0, path)[0]["duplicates"], 3)
        clash = {"type": "log.actor", "code": "SWE-MED", "name": "Others", "kind": "group"}
        self.assertIn("SWE-MED is taken already", self.run_import(1, self.file("c.jsonl", lines(clash)))[1])
        without = self.file("d.jsonl", self.done("log", "--jsonl", daemon=self.own))
        self.assertIn('unknown actor "SWE-MED"', self.fails(1, "import", without, daemon=self.another()))

    def test_what_cannot_be_read(self):
        self.assertIn("No such file", self.fails(1, "import", "/nosuchfile", "--json"))
        self.assertIn("is a directory", self.fails(1, "import", "/", "--json"))
        self.assertIn("jsonl, json or csv, not xml", self.fails(2, "import", SHIPPED, "--format", "xml"))
        for command, word in (("import - <&-", "cannot read standard input"), ("status >&-", "cannot write the output")):
            result = subprocess.run(
                ["bash", "-c", "exec %s --socket %s %s" % (BINARIES / "timelinectl", self.own.socket, command)],
                capture_output=True, text=True, env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn(word, result.stderr)

    def scripted(self, *replies):
        """A daemon that takes each request of an import, and answers the APPENDMANYs as it is told."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = folder.name + "/sock"
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(path)
        server.listen()

        def serve():
            connection, _ = server.accept()
            rest = list(replies)
            with connection, connection.makefile("rb") as requests:
                for request in requests:
                    verb, *words = request.split()
                    answer = {b"OPEN": OPENED, b"ACTORS": 'ROW {"code":"PRK","name":"x","kind":"state"}\nEND {}'}.get(verb.split()[0])
                    if verb == b"APPENDMANY":
                        for _ in range(int(words[0])):
                            requests.readline()
                        if not rest:
                            return
                        answer = rest.pop(0)
                    connection.sendall(answer.encode() + b"\n")

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        return path

    def test_what_fails_on_the_way_says_how_far_it_came(self):
        path = self.file("many.jsonl", lines(*(event("n%d" % n, id="name-%d" % n) for n in range(5000))))
        taken = 'OK {"count":%d,"duplicates":0}'
        first = 1500  # More than the first request brings is said of no line.
        for replies, exit, said in (
            ((taken % first, 'ERR full line 2: no space on the disk\t{"line":2}'), 6, "%d events were recorded before that" % first),
            (('ERR full line 3: no space on the disk\t{"line":3}',), 1, "many.jsonl:3: no space on the disk; nothing was imported"),
            ((taken % first,), 5, "%d events were recorded for certain" % first),
        ):
            # After a failure nothing more is sent, but what is on its way is answered.
            more = () if exit == 5 else (replies[-1],)
            result = subprocess.run(
                [BINARIES / "timelinectl", "--socket", self.scripted(*replies, *more), "import", path, "--json"], capture_output=True, text=True)
            self.assertEqual(result.returncode, exit, result.stderr)
            self.assertIn(said, json.loads(result.stdout)["error"]["text"])
            self.assertNotIn("none of the lines", result.stderr)

    def test_links_to_what_is_nowhere_are_told(self):
        self.done("import", "-", stdin=lines(event("here", id="here", type="message")), daemon=self.own)

        def answer(name, target, rel="follows", **more):
            return event(name, id=name, type="message", date="2020-01-01", links=[{"rel": rel, "id": target, **more}])

        file = lines(answer("a", "here"), answer("b", "a"), answer("c", "mis-spelt", "fulfils", key="oil"), answer("d", "mis-spelt"))
        path = self.file("links.jsonl", file)
        for words in (("--dry-run",), ()):
            result, err = self.run_import(0, path, *words)
            (warning,) = result["warnings"]
            self.assertEqual(warning["line"], 3)
            self.assertRegex(warning["message"], "^fulfils:[0-9a-f-]{36}#oil leads to what is neither in this file nor here")
            self.assertIn(f"{path}:3: warning: fulfils:", err)
        self.assertEqual(result["imported"], 4)
        # Once it has come nothing is said, of however many.
        self.done("import", "-", stdin=lines(event("it", id="mis-spelt", type="message")), daemon=self.own)
        self.assertNotIn("warnings", self.run_import(0, path)[0])
        many = [event(f"e{n}", id=f"e{n}", type="message") for n in range(1200)]
        self.done("import", "-", stdin=lines(*many[:700], *many[701:]), daemon=self.own)
        path = self.file("many.jsonl", lines(*(answer(f"f{n}", f"e{n}") for n in range(1200))))
        self.assertEqual([w["line"] for w in self.run_import(0, path)[0]["warnings"]], [701])

    def test_long_work_tells_programs_how_far_it_is(self):
        many = self.file("many.jsonl", lines(*(event("n%d" % n, id="name-%d" % n) for n in range(25_000))))
        for verb in ("importing", "checking"):
            _, err = self.run_import(0, many)
            told = [json.loads(line) for line in err.splitlines()]
            self.assertGreater(len(told), 1)
            self.assertEqual({t["progress"] for t in told} - {"importing"}, {verb} - {"importing"})
            self.assertEqual(told[-1]["total"], 25_000)
        self.assertEqual(self.run_import(0, self.file("few.jsonl", lines(event("z", id="z"))))[1], "")


if __name__ == "__main__":
    unittest.main()
