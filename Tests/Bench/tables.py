"""The events in databases."""

import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import time

INSERT = "insert into event values (?,?,?,?,?,?,?,?)"
INDEXED = ("type", "date", "actor", "target", "author")


def rows(path):
    """(id, type, date, actor, target, author, tags, line) of each line."""
    for line in open(path):
        event = json.loads(line)
        yield (event["id"], event["type"], event["date"], event["actors"][0], event["targets"][0],
               event["author"], " ".join(event["tags"]), line)


def sqlite(path):
    """With an index for each column that is asked for."""
    for end in ("", "-wal", "-shm"):
        pathlib.Path(path + end).unlink(missing_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("pragma synchronous=full")
    database.execute(
        "create table event (id text primary key, type text, date text, actor text, target text, author text, "
        "tags text, body text)")
    for column in INDEXED:
        database.execute("create index event_%s on event (%s)" % (column, column))
    return database


def sqlite_import(path, events, a_transaction=1000):
    database = sqlite(path)
    begin = time.perf_counter()
    chunk = []

    def put():
        database.execute("begin")
        database.executemany(INSERT, chunk)
        database.execute("commit")
        chunk.clear()
    for row in rows(events):
        chunk.append(row)
        if len(chunk) == a_transaction:
            put()
    put()
    took = time.perf_counter() - begin
    database.close()
    return took


def sqlite_for_questions(path, events):
    """The same with the indexes that each question would choose, and tags in a table."""
    sqlite_import(path, events, a_transaction=100_000)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("begin")
    database.execute("create table tag (tag text, date text, id text, event integer)")
    for event, date, name, tags in database.execute("select rowid, date, id, tags from event").fetchall():
        database.executemany("insert into tag values (?,?,?,?)", [(tag, date, name, event) for tag in tags.split()])
    database.execute("create index tag_all on tag (tag, date, id)")
    database.execute("create index best_date on event (date, id)")
    for column in ("type", "actor", "author"):
        database.execute("create index best_%s on event (%s, date, id)" % (column, column))
    database.execute("commit")
    database.execute("analyze")
    return database


def duckdb(path, events):
    """A table with an index for each column that is asked for."""
    import duckdb
    database = duckdb.connect(path)
    database.execute("create table event as select * from (%s)" % duckdb_scan(events))
    for column in ("type", "date", "actor", "author"):
        database.execute("create index event_%s on event (%s)" % (column, column))
    return database


def duckdb_scan(events):
    """The file itself as a table."""
    return (
        "select id, type, subtype, date, actors[1] as actor, targets[1] as target, author, tags, title, summary "
        "from read_json('%s', format='newline_delimited', columns={id:'VARCHAR', type:'VARCHAR', subtype:'VARCHAR', "
        "date:'VARCHAR', actors:'VARCHAR[]', targets:'VARCHAR[]', author:'VARCHAR', tags:'VARCHAR[]', "
        "title:'VARCHAR', summary:'VARCHAR'})" % events)


class Postgres:
    """COPY into a table with the same indexes; a server of its own, as the user postgres."""

    def __init__(self, bench):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        self.path, self.bin = bench.path + "/postgres", found[-1] if found else None
        if not self.bin or os.getuid() != 0:
            self.bin = None
            return
        os.makedirs(self.path)
        os.chmod(bench.path, 0o755)
        shutil.chown(self.path, "postgres")
        self.run("%s/initdb -D %s/db -A trust" % (self.bin, self.path))
        self.run("%s/pg_ctl -w -D %s/db -l %s/log -o '-k %s -c listen_addresses= -c max_wal_size=4GB' start" % (
            self.bin, self.path, self.path, self.path))
        self.file = bench.path + "/postgres.tsv"
        with open(self.file, "w") as out:
            for row in rows(bench.events.named):
                out.write("\t".join(row[:-1]) + "\t" + row[-1].strip().replace("\\", "\\\\") + "\n")
        os.chmod(self.file, 0o644)

    def run(self, command):
        subprocess.run(["su", "postgres", "-c", command], check=True, stdout=subprocess.DEVNULL)

    def sql(self, command):
        subprocess.run(["psql", "-q", "-h", self.path, "-U", "postgres", "-c", command], check=True)

    def load(self):
        self.sql(
            "create table event (id text primary key, type text, date date, actor text, target text, author text, "
            "tags text, body jsonb)")
        for column in INDEXED:
            self.sql("create index on event (%s)" % column)
        begin = time.perf_counter()
        self.sql("copy event from '%s'" % self.file)
        took = time.perf_counter() - begin
        self.sql("drop table event")
        return took

    def remove(self):
        self.run("%s/pg_ctl -D %s/db -m fast stop" % (self.bin, self.path))
        os.unlink(self.file)
