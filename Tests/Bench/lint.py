"""Gaps and faults looked for in all events."""


def run(bench):
    daemon = bench.filled()
    work = "lint of all events"
    for _ in range(bench.runs):
        bench.figures.add(work, "timeline", daemon.ask("LINT {}")[0])
    bench.figures.show(work, "s", [(None, 5, True)])
