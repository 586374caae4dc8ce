"""Our dates compared with those of the `edtf` package from PyPI, on 5,000 generated texts, good and bad. Where
the two differ, docs/guide/dates.md says why; each reason stands here as a rule, and nothing else may differ."""

import contextlib
import os
import pathlib
import random
import re
import subprocess
import unittest

try:
    import edtf
except ImportError:
    edtf = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("TIMELINE_BIN", ROOT / ".build" / "debug"))
COUNT = 5000


def generate(chance):
    """A text that is a date more often than not."""
    def year():
        return chance.choice(["%04d" % chance.randrange(1, 2100), "19%02d" % chance.randrange(100), "-%04d" % chance.randrange(1, 3000)])

    def date():
        form = chance.randrange(10)
        if form == 0:
            text = year()
        elif form in (1, 2):
            text = "%s-%02d" % (year(), chance.randrange(0, 14))
        elif form in (3, 4, 5):
            text = "%s-%02d-%02d" % (year(), chance.randrange(1, 13), chance.randrange(0, 33))
        elif form == 6:
            text = "%s-%02d" % (year(), chance.randrange(20, 26))
        elif form == 7:
            text = chance.choice(["201X", "19XX", "%s-XX" % year(), "%s-%02d-XX" % (year(), chance.randrange(1, 13)), "%s-XX-XX" % year()])
        elif form == 8:
            text = "Y%s%d" % (chance.choice(["", "-"]), chance.randrange(10_000, 200_000))
        else:
            text = "%04d-%02d-%02dT%02d:%02d:%02d%s" % (
                chance.randrange(1900, 2030), chance.randrange(1, 13), chance.randrange(1, 29), chance.randrange(0, 25),
                chance.randrange(0, 61), chance.randrange(0, 61), chance.choice(["Z", "+09:00", "-05:00", ""]))
        return text + (chance.choice("?~%") if chance.random() < 0.15 else "")

    text = date()
    if chance.random() < 0.25:
        text = chance.choice(["%s/%s" % (text, date()), text + "/..", "../" + text, text + "/", "/" + text])
    if chance.random() < 0.2:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(["", chance.choice("0123456789-/X~?%.TZ:+Y ")]) + text[at + chance.randrange(2):]
    return text


def theirs(text):
    """(first, last) as we would write them, or None."""
    def day(moment):
        year = moment.tm_year
        name = "%s%04d" % ("-" if year < 0 else "", abs(year))
        return ("Y" if abs(year) > 9999 else "") + "%s-%02d-%02d" % (name, moment.tm_mon, moment.tm_mday)
    try:
        with contextlib.redirect_stdout(None):  # It prints what it tries.
            parsed = edtf.parse_edtf(text)
        if isinstance(parsed, edtf.Interval):
            known = [end for end in (parsed.lower, parsed.upper) if hasattr(end, "lower_strict")]
            first, last = day(known[0].lower_strict()), day(known[-1].upper_strict())
        else:
            first, last = day(parsed.lower_strict()), day(parsed.upper_strict())
    except Exception:  # It raises whatever went wrong inside.
        return None
    left, _, right = text.partition("/")
    return (".." if left == ".." else first), (".." if right == ".." else last)


# Why the two may differ: docs/guide/dates.md has a line for each. By what the text looks like, and by who
# takes it: `ours` and `theirs` are None where it is refused.
def only_ours(ours, theirs):
    return ours and not theirs


def only_theirs(ours, theirs):
    return theirs and not ours


def both(ours, theirs):
    return ours and theirs


REASONS = [
    ("open end", only_ours, r"\.\./|/\.\."),
    ("unknown end", both, r"^/|/$"),
    ("unknown end", only_ours, r"^/|/$"),
    ("winter", both, r"-24"),
    ("qualified season or long year", only_ours, r"-2[1-4][?~%]|Y-?\d+[?~%]"),
    ("time or long year in an interval", only_ours, r"T.*/|/.*T|Y.*/|/.*Y"),
    ("X in an interval", only_ours, r"X.*/|/.*X"),
    ("X before year 0", both, r"-\d{4}-(XX|\d\d-XX)"),
    ("X before year 0", both, r"^-\d+X"),
    ("reversed interval", only_theirs, r"/"),
    ("time without a zone", only_theirs, r"T\d\d:\d\d:\d\d$"),
    ("level 2", only_theirs, r"^[?~%]|[?~%]\d|\d[?~%]-|X\d|\d-\dX|X-\d|X-X\d|XX-|XXX|\dX-|-(2[5-9]|3\d|4[01])|S\d|E\d|-[?~%]|-X\d"),
    ("a space", only_theirs, r" "),
    ("years beyond five million", only_theirs, r"Y-?\d{7}"),
]


def reason(text, ours, theirs):
    return next((name for name, who, look in REASONS if who(ours, theirs) and re.search(look, text)), None)


@unittest.skipUnless(edtf, "the edtf package is not installed: scripts/setup could not reach PyPI")
class Dates(unittest.TestCase):
    def test_agreement(self):
        # The same texts every day: what another seed finds is a new row of the table above.
        seed = int(os.environ.get("DATES_SEED", 1))
        chance = random.Random(seed)
        texts = [generate(chance) for _ in range(COUNT)]
        run = subprocess.run(
            [BINARIES / "timelinectl", "dates", "-"], input="\n".join(texts) + "\n", capture_output=True, text=True)
        lines = run.stdout.splitlines()
        self.assertEqual(len(lines), COUNT)
        counts, unexplained = {"agree, good": 0, "agree, bad": 0}, []
        for text, line in zip(texts, lines):
            ours = tuple(line.split()[1:]) if line.startswith("ok ") else None
            other = theirs(text)
            why = reason(text, ours, other)
            if ours == other:
                counts["agree, good" if ours else "agree, bad"] += 1
            elif why:
                counts[why] = counts.get(why, 0) + 1
            else:
                unexplained.append((text, line, other))
        print("dates, seed %d: %s" % (seed, counts))
        self.assertEqual(unexplained, [], "seed %d" % seed)
        self.assertGreater(counts["agree, good"] + counts["agree, bad"], COUNT * 0.7)


if __name__ == "__main__":
    unittest.main()
