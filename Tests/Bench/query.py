"""Questions to a full store: by date, actor, type, tag and author, by words, for states."""

import os
import random
import sqlite3
import subprocess

import tables
from machine import SEED, median_ms, p99_ms, timed

BEST = "SQLite, an index for the question"
PLAIN = "SQLite, an index a column"
DUCK = "DuckDB, indexed"
SCAN = "DuckDB, scan of the .jsonl"
TAG = "select event.body from tag join event on event.rowid = tag.event where tag = '%s' order by tag.date, tag.id limit 100"
# name, filter, condition in SQLite, condition in DuckDB, whether each question begins at another year
QUESTIONS = [
    ("date range and actor", '"actor":"PRK"', "actor = 'PRK'", None, True),
    ("date range", "", "true", None, True),
    ("frequent type", '"type":"test"', "type = 'test'", None, True),
    ("rare type, 0.5%", '"type":"deployment"', "type = 'deployment'", None, True),
    ("frequent author, 5%", '"author":"officer-03"', "author = 'officer-03'", None, True),
    ("rare author, 1 in 50,000", '"author":"auditor"', "author = 'auditor'", None, False),
    ("frequent tag, 25%", '"tag":"often"', "tag", "list_contains(tags, 'often')", False),
    ("rare tag, 1 in 50,000", '"tag":"seldom"', "tag", "list_contains(tags, 'seldom')", False),
    ("rare tag of an actor", '"tag":"seldom","actor":"PRK"', None, "list_contains(tags, 'seldom') and actor = 'PRK'", False),
]


def run(bench):
    daemon = bench.filled()
    best = tables.sqlite_for_questions(bench.path + "/questions.db", bench.events.named)
    duck = tables.duckdb(bench.path + "/questions.duckdb", bench.events.named)
    scan = "(%s)" % tables.duckdb_scan(bench.events.named)
    plain = bench.path + "/import.db"
    if not os.path.exists(plain):
        tables.sqlite_import(plain, bench.events.named, a_transaction=100_000)
    plain = sqlite3.connect(plain)
    chance = random.Random(SEED)
    for _ in range(bench.runs):
        for question in QUESTIONS:
            ask(bench, question, chance, daemon, best, plain, duck, scan)
        words(bench, daemon, chance)
        states(bench, daemon, plain, chance)
    for name, *_ in QUESTIONS:
        work = "query, %s, at most 100 rows" % name
        bench.figures.show(work + ", median", "ms", [
            (peer, 0.2, True) for peer in (BEST, PLAIN, DUCK) if peer in bench.figures.runs[work + ", median"]
        ] if name == "date range and actor" else [])
        bench.figures.show(work + ", p99", "ms")
    bench.figures.show("free text over all events", "ms", [("ripgrep -i -c", 1.0, True)])
    bench.figures.show("state of a dyad on any day, first question", "ms")
    bench.figures.show("state of a dyad on any day, p99 after it", "ms", [
        (None, 1.0, True), ("SQLite, fold of the climate alone", 0.01, True)])
    bench.figures.show("states of a dyad, every month of 40 years", "ms", [(None, 50.0, True)])
    bench.figures.show("state of a dyad after a late event of 1986, worst of ten", "ms")
    bench.figures.show("what if there had been talks in 1986, worst of ten", "ms")
    bench.figures.show("diary of a dyad, every day of 40 years", "ms")


def ask(bench, question, chance, daemon, best, plain, duck, scan):
    name, filter, sqlite_where, duck_where, moves = question
    work = "query, %s, at most 100 rows" % name
    years = [chance.randrange(1985, 2025) for _ in range(100)]

    def since(column="date"):
        return " and %s >= '%%d-03'" % column if moves else ""

    def add(who, waits):
        bench.figures.add(work + ", median", who, median_ms(waits))
        if len(waits) >= 100:
            bench.figures.add(work + ", p99", who, p99_ms(waits))

    members = [filter] * bool(filter) + ['"from":"%d-03"'] * moves + ['"limit":100']
    text = "QUERY {%s}" % ",".join(members)
    daemon.ask("COUNT {}")
    add("timeline", daemon.ask(*(text % year if moves else text for year in years)))
    found = daemon.rows
    if sqlite_where == "tag":
        sql = TAG % ("often" if "often" in filter else "seldom")
    else:
        sql = sqlite_where and "select body from event where %s%s order by date, id limit 100" % (sqlite_where, since())
    rows = []

    def fetch(database, sql, year):
        def work():
            rows[:] = database.execute(sql % year if moves else sql).fetchall()
        return timed(work)
    if sql:
        add(BEST, [fetch(best, sql, year) for year in years])
        assert len(rows) == found, (name, len(rows), found)
    if name == "date range and actor":
        add(PLAIN, [fetch(plain, sql, year) for year in years[:20]])
    for who, source, asked in ((DUCK, "event", 10), (SCAN, scan, 1)):
        sql = "select * from %s where %s%s order by date, id limit 100" % (source, duck_where or sqlite_where, since())
        add(who, [fetch(duck, sql, year) for year in years[-asked:]])
        assert len(rows) == found, (name, who, len(rows), found)


def words(bench, daemon, chance):
    words = "event %d" % chance.randrange(bench.events.count)
    bench.figures.add("free text over all events", "timeline", median_ms(daemon.ask('COUNT {"text":"%s"}' % words)))
    bench.figures.add("free text over all events", "ripgrep -i -c", timed(lambda: subprocess.run(
        ["rg", "-i", "-c", words, bench.events.named], stdout=subprocess.DEVNULL)) * 1000)


def states(bench, daemon, database, chance):
    days = ["%d-06-%02d" % (chance.randrange(1986, 2026), chance.randrange(1, 29)) for _ in range(200)]
    waits = daemon.ask(*(
        'STATE {"parties":["USA","PRK"],"as_of":"%s"}' % day for day in ["2020-01-01"] + days))
    bench.figures.add("state of a dyad on any day, first question", "timeline", waits[0] * 1000)
    bench.figures.add("state of a dyad on any day, p99 after it", "timeline", p99_ms(waits[1:]))
    bench.figures.add("states of a dyad, every month of 40 years", "timeline", median_ms(daemon.ask(*[
        'STATE {"parties":["USA","PRK"],"every":"month","from":"1985-06-01","to":"2025-05-01"}'] * 5)))
    # A late event is put in its place: the first question after it shows what that cost.
    late = []
    for number in range(10):
        late += ['APPEND {"type":"talks","subtype":"official","date":"1986-03-%02d","actors":["USA","PRK"],'
                 '"title":"Late event %d","unsourced":true}' % (number + 1, number),
                 'STATE {"parties":["USA","PRK"],"as_of":"2020-01-01"}']
    bench.figures.add("state of a dyad after a late event of 1986, worst of ten", "timeline",
                      max(daemon.ask(*late)[1::2]) * 1000)
    pair = '"parties":["USA","PRK"]'
    talks = '{"type":"talks","subtype":"official","date":"1986-03-%02d","actors":["USA","PRK"],"title":"If","unsourced":true}'
    bench.figures.add("what if there had been talks in 1986, worst of ten", "timeline", max(daemon.ask(*(
        'WHATIF 1 {%s,"as_of":"2020-01-01"}\n' % pair + talks % (number + 1) for number in range(10)))) * 1000)
    bench.figures.add("diary of a dyad, every day of 40 years", "timeline", median_ms(daemon.ask(*[
        'CHANGES {%s,"every":"day","from":"1985-06-01","to":"2025-05-01"}' % pair] * 5)))
    # One part of a state, the climate, as SQL can fold it.
    waits = [timed(lambda: database.execute(
        "select sum(pow(0.5, (julianday(?) - julianday(date)) / 90.0)) from event where date <= ? and "
        "((actor = 'PRK' and target = 'USA') or (actor = 'USA' and target = 'PRK'))", (day, day)).fetchall())
        for day in days[:20]]
    bench.figures.add("state of a dyad on any day, p99 after it", "SQLite, fold of the climate alone", p99_ms(waits))
