"""The same lines in git: files of 10,000 lines each, which is how one would keep them there."""

import itertools
import os
import pathlib
import shutil
import subprocess

LINES = 10_000


class Repository:
    def __init__(self, path, origin=None):
        self.path = path
        if origin:
            subprocess.run(["git", "clone", "-q", "--no-local", origin.path, path], check=True)
        else:
            os.makedirs(path)
            self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "bench")
        self.git("config", "user.email", "bench@localhost")
        self.git("config", "core.fsync", "all")
        self.git("config", "gc.auto", "0")
        self.git("config", "fetch.unpackLimit", "1")

    def git(self, *words):
        return subprocess.run(
            ["git", "-C", self.path, *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True).stderr

    def add(self, name, lines):
        """Adds lines, behind what the files of that name have."""
        lines = iter(lines)
        number = len(list(pathlib.Path(self.path).glob(name + "-*")))
        if number:
            last = "%s/%s-%05d" % (self.path, name, number - 1)
            room = LINES - sum(1 for _ in open(last))
            with open(last, "a") as out:
                out.writelines(itertools.islice(lines, room))
        while piece := list(itertools.islice(lines, LINES)):
            with open("%s/%s-%05d" % (self.path, name, number), "w") as out:
                out.writelines(piece)
            number += 1
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "lines")

    def fetch(self, other):
        """Bytes that came: those of the pack."""
        before = self.pack_bytes()
        self.git("fetch", "-q", other.path, "main")
        return self.pack_bytes() - before

    def pack_bytes(self):
        return sum(pack.stat().st_size for pack in pathlib.Path(self.path).glob(".git/objects/pack/*.pack"))

    def remove(self):
        shutil.rmtree(self.path)
