"""What was measured: printed as medians, spreads and ratios."""

import collections
import json
import statistics
import sys


class Figures:
    """Collects runs by (work, who). Those of one work are interleaved, so that ratios are taken run by
    run."""

    def __init__(self):
        self.runs = collections.defaultdict(lambda: collections.defaultdict(list))
        self.shown = []

    def add(self, work, who, value):
        self.runs[work][who].append(value)

    def show(self, work, unit, goals=()):
        """Ours first; a goal is (peer, ratio, whether less is better), without peer an absolute value."""
        runs = self.runs[work]
        if not runs:
            return
        print("\n" + work)
        for who, values in runs.items():
            note = ""
            if who != "timeline" and "timeline" in runs:
                ratio, low, high = self.ratio(work, who)
                note = "  timeline is %s x (%s to %s)" % (number(ratio), number(low), number(high))
            print("  %-34s %10s %s  (%s to %s)%s" % (
                who, number(statistics.median(values)), unit, number(min(values)), number(max(values)), note))
        for peer, wanted, less in goals:
            if "timeline" not in runs or peer and peer not in runs:
                continue
            have = self.ratio(work, peer)[0] if peer else statistics.median(runs["timeline"])
            reached = have <= wanted if less else have >= wanted
            half = have <= wanted * 2 if less else have >= wanted / 2
            print("  goal: %s %g%s: %s" % (
                "at most" if less else "at least", wanted, " x " + peer if peer else " " + unit,
                "reached" if reached else "half of it" if half else "NOT reached"))
        self.shown.append({"work": work, "unit": unit, "runs": runs, "goals": list(goals)})
        sys.stdout.flush()

    def ratio(self, work, peer):
        """Ours to a peer's: of the medians, and the smallest and largest of one run."""
        ours, theirs = self.runs[work]["timeline"], self.runs[work][peer]
        each = [a / b for a, b in zip(ours, theirs) if b] or [float("nan")]
        whole = statistics.median(theirs)
        return statistics.median(ours) / whole if whole else float("nan"), min(each), max(each)

    def growth(self, work, unit, limit=None):
        """Figures by size, ours alone: the last to the first."""
        runs = self.runs[work]
        if not runs:
            return
        print("\n" + work)
        medians = [statistics.median(values) for values in runs.values()]
        for (size, values), median in zip(runs.items(), medians):
            print("  %-34s %10s %s  (%s to %s)  %s x the first" % (
                "at %s events" % format(size, ","), number(median), unit, number(min(values)), number(max(values)),
                number(median / medians[0])))
        if limit and len(medians) > 1:
            # A rate that falls is a cost that grows.
            grown = medians[0] / medians[-1] if unit.endswith("/s") else medians[-1] / medians[0]
            print("  goal: at most %g x from first to last: %s (%s x)" % (
                limit, "reached" if grown <= limit else "NOT reached", number(grown)))
        self.shown.append({"work": work, "unit": unit, "runs": {str(k): v for k, v in runs.items()}})
        sys.stdout.flush()

    def write(self, path):
        with open(path, "w") as out:
            json.dump(self.shown, out, indent=1)


def number(value):
    return "%.0f" % value if value >= 100 else "%.2f" % value if value >= 0.1 else "%.4f" % value
