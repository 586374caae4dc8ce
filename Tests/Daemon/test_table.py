"""CSV: what is exported comes back as it was, and tables as spreadsheets write them are read."""

import csv
import io
import json
import unittest

from ctl import SHIPPED, Ctl
from daemon import event, shipped_events

RICH = [
    event("An offer", id="o", type="message", subtype="letter", actors=["PRK"], targets=["USA", "KOR"], tags=["a", "b"],
          unsourced=None, weight=-2.5, weight_reason="coder's, \"quoted\"", author="ann, of the team",
          summary="two\nparagraphs, with a comma", sources=[
              {"title": "T", "publisher": "P", "doi": "10.1/x", "quote": "said; so"}, {"url": "https://x.example/?a,b"}],
          offer={"if": ["this"], "then": ["that"], "condition": "prior", "expires": "2018", "interests": ["assurance"]}),
    event("An agreement", id="g", type="agreement", subtype="accord", actors=["PRK", "USA"], commitments=[
        {"key": "freeze", "by": ["PRK"], "to": ["USA"], "what": "freeze", "due": "2018-01"}]),
    event("Its fulfilment", id="f", type="step", subtype="fulfilment", date="2018-01", targets=["USA"],
          links=[{"rel": "fulfils", "id": "g", "key": "freeze"}]),
    event("With more", id="m", place=" spaces ", region={"deep": [1, 2.5, None]}, sources=[{"url": "u", "page": 7}]),
]
for e in RICH:
    for key in [k for k, v in e.items() if v is None]:
        del e[key]

ROW = "2017-11-29,test,PRK,t,"
HEAD = "date,type,actors,title,unsourced\n"


class TableTests(Ctl):
    def setUp(self):
        self.own = self.another()

    def run_import(self, exit, text, *words, name="a.csv"):
        code, out, err = self.ctl("import", self.file(name, text), *words, "--json", daemon=self.own)
        self.assertEqual(code, exit, err)
        return json.loads(out), err

    def state(self, daemon):
        return self.json("state", "PRK", "USA", "--as-of", "2019-01-01", daemon=daemon)

    def test_a_round_trip(self):
        self.run_import(0, "".join(json.dumps(e) + "\n" for e in RICH), name="a.jsonl")
        self.done("import", "-", stdin=json.dumps(event("plain")), daemon=self.own)
        table = self.done("log", "--csv", daemon=self.own)
        self.assertEqual({None} & {k for row in csv.DictReader(io.StringIO(table)) for k in row}, set())
        result, _ = self.run_import(0, table)
        self.assertEqual((result["imported"], result["duplicates"]), (0, 5))
        other = self.another()
        self.done("import", self.file("b.csv", table), daemon=other)
        self.assertEqual(self.done("log", "--csv", daemon=other), table)
        self.assertEqual(self.state(other), self.state(self.own))
        self.assertEqual(self.state(other)["commitments"][0]["state"], "fulfilled")
        envelope = ("replica", "seq", "recorded", "salt", "crc32c")
        shown = [
            [{k: v for k, v in e.items() if k not in envelope} for e in self.json("log", daemon=d)]
            for d in (self.own, other)]
        self.assertEqual(*shown)

    def test_no_cell_is_a_formula(self):
        """A spreadsheet evaluates what begins so: opening an export must not run a stranger's words."""
        words = ["=HYPERLINK(\"http://x.example\",\"t\")", "+1+1", "-2+3", "@SUM(A1)", "'=1", "''@x", "'tis plain", "-5", "a=b", "a \"\u0301 b\"\u073f"]
        lines = "".join(json.dumps(event(w, id=f"e{n}", summary=w, place="\t" + w, sources=[{"title": w, "quote": "\n" + w}],
                                         unsourced=None, weight=-5, weight_reason=w)) + "\n" for n, w in enumerate(words))
        self.run_import(0, lines.replace('"unsourced": null, ', ""), name="a.jsonl")
        table = self.done("log", "--csv", daemon=self.own)
        rows = list(csv.DictReader(io.StringIO(table, newline="")))
        for row in rows:
            self.assertEqual(row["weight"], "-5")
            for name, cell in row.items():
                self.assertTrue(cell[:1] not in tuple("=+-@\t\r\n") or name == "weight" or cell == "-5", cell)
        self.assertIn("'tis plain", [row["title"] for row in rows])
        self.assertEqual(self.run_import(0, table)[0]["duplicates"], len(words))
        other = self.another()
        self.done("import", self.file("b.csv", table), daemon=other)
        self.assertEqual([e["title"] for e in self.json("log", daemon=other)], [e["title"] for e in self.json("log", daemon=self.own)])
        self.assertEqual({e["title"] for e in self.json("log", daemon=other)}, set(words))

    def test_the_shipped_events_as_a_table(self):
        self.assertEqual(self.ctl("import", SHIPPED, daemon=self.own)[0], 0)
        table = self.done("log", "--csv", daemon=self.own)
        self.assertEqual(self.run_import(0, table)[0]["duplicates"], len(shipped_events()))
        other = self.another()
        self.done("import", self.file("b.csv", table), daemon=other)
        self.assertEqual(self.state(other), self.state(self.own))

    def test_bytes_that_are_no_utf8(self):
        text = HEAD.encode() + ROW.encode() + b"true\n" + ROW.replace("t,", "caf\xe9,").encode("latin-1") + b"true\n"
        result, err = self.run_import(1, text)
        self.assertEqual([p["line"] for p in result["error"]["problems"]], [3])
        self.assertIn("not UTF-8: byte e9 at place", err)
        self.run_import(6, text, "--skip-bad")
        self.assertNotIn("\ufffd", self.done("log", "--jsonl", daemon=self.own))

    def test_a_wrong_header_is_fatal(self):
        for header, message in (
            ("dat,type,actors,title", 'unknown column "dat"; did you mean date?'), ("date,type,actors,title,Date", "date stands twice"),
            ("date,type,actors,title,", "has no name"), ("date,type,actors", "lacks the column title"),
            ("day,what,actors,title", 'unknown columns "day", "what"; columns are id, date'),
        ):
            for words in ((), ("--skip-bad",)):
                result, err = self.run_import(1, header + "\n2017,test,PRK,t,true\n", *words)
                self.assertIn(message, err)
                self.assertIn("a.csv:1: ", err)
                self.assertNotIn(" lines are wrong", err)

    def test_tables_as_spreadsheets_write_them(self):
        rows = (
            HEAD.upper() + ROW + "TRUE\n", " Date , TYPE,Actors,Title,Unsourced\r\n" + ROW + "yes\r\n",
            "\ufeff" + HEAD + ROW + "true\n,,,,\n", (HEAD + ROW + "x\n").replace(",", ";"), (HEAD + ROW + "1\n").replace(",", "\t"),
            "date,type,actors,title,Source URL\n" + ROW + "http://x\n",
        )
        for text in rows:
            for name in ("a.CSV", "a.csv"):
                self.assertEqual(self.run_import(0, text, "--dry-run", name=name)[0]["read"], 1, text)
        self.assertIn("write true", self.run_import(1, HEAD + ROW + "maybe\n")[1])
        self.assertIn("write true under unsourced", self.run_import(1, HEAD + ROW + "FALSE\n")[1])

    def test_commas_where_semicolons_were_meant(self):
        _, err = self.run_import(1, HEAD + '2017,test,"USA, PRK",t,true\n')
        self.assertIn("with a semicolon: USA;PRK", err)
        self.run_import(0, HEAD + "2017,exercise,USA; PRK,t,true\n")

    def test_json_in_a_cell(self):
        _, err = self.run_import(1, "date,type,actors,title,unsourced,offer\n2017,message,PRK,t,true,{x\n")
        self.assertIn("a.csv:2: offer: this column holds JSON", err)

    def test_help_names_the_columns(self):
        for word in ("further_sources", "commitments", "USA;KOR", "more"):
            self.assertIn(word, self.done("import", "--help"))


if __name__ == "__main__":
    unittest.main()
