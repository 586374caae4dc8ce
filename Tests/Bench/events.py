"""The generated events: see generate.c, which writes them."""

import json
import os
import subprocess

from machine import ROOT, compiled


class Generator:
    """Events between forty parties; their kinds are as frequent as in the shipped data."""

    def __init__(self, path):
        self.program = compiled("generate", path)
        self.table = path + "/kinds"
        shipped = [json.loads(line) for line in open(ROOT / "data" / "us-dprk.jsonl")]
        named = {code for event in shipped for code in event["actors"] + event.get("targets", [])}
        codes = sorted(named) + [line.split(",")[0] for line in open(ROOT / "data" / "actors.csv")][1:]
        codes = list(dict.fromkeys(codes))[:40]
        assert {"USA", "PRK"} <= set(codes)
        with open(self.table, "w") as table:
            for code in codes:
                table.write("code %s\n" % code)
            for event in shipped:
                table.write("kind %s %s\n" % (event["type"], event.get("subtype", "")))

    def write(self, first, count, path, ids=True):
        subprocess.run(
            [self.program, self.table, str(first), str(count), "ids" if ids else "noids", path], check=True)
        return path


class Events:
    """The same events as a file with names, and as one without, where the server makes the ids."""

    def __init__(self, path, count):
        self.count = count
        self.generator = Generator(path)
        self.named = self.generator.write(0, count, path + "/named.jsonl")
        self.unnamed = self.generator.write(0, min(count, 200_000), path + "/unnamed.jsonl", ids=False)

    def piece(self, first, count, path, ids=True):
        return self.generator.write(first, count, path, ids)


def remove(path):
    if os.path.exists(path):
        os.unlink(path)
