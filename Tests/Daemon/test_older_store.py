"""A data directory that an older timelined wrote opens, and answers what it answered there."""

import json
import pathlib
import shutil
import unittest

from ctl import Ctl
from daemon import ROOT, Daemon

OLDER = ROOT / "Tests" / "Fixtures" / "store-version-1"


class OlderStore(Ctl):
    def setUp(self):
        self.old = Daemon()
        self.addCleanup(self.old.remove)
        shutil.copytree(OLDER / "data", self.old.data)
        pathlib.Path(self.old.data).chmod(0o700)
        self.old.start()
        self.answers = json.loads((OLDER / "answers.json").read_text())

    def test_its_answers_are_the_same(self):
        client = self.old.client()
        opened = client.ok("OPEN main")
        self.assertEqual(opened["position"], self.answers["position"])
        self.assertEqual(opened["replica"], self.answers["replica"])
        self.assertEqual(client.ok("COUNT {}")["count"], self.answers["count"])
        client.close()
        self.assertEqual(self.done("log", "--jsonl", daemon=self.old), (OLDER / "log.jsonl").read_text())
        self.assertEqual(
            self.json("state", "USA", "PRK", "--as-of", "2017-11-30", daemon=self.old), self.answers["state"])
        self.assertEqual(self.json("verify", daemon=self.old), self.answers["verify"])

    def test_words_of_an_index_by_its_older_name_do_not_outlast_an_erasure(self):
        self.old.stop()
        index = pathlib.Path(self.old.data, "timelines/main/index")
        index.mkdir(exist_ok=True)
        for name in ("checkpoint", "checkpoint.new"):
            (index / name).write_text("words of events")
        self.old.start()
        self.assertEqual([path.name for path in index.iterdir() if path.name.startswith("checkpoint")], [])
        self.assertEqual(self.json("verify", daemon=self.old), self.answers["verify"])

    def test_it_goes_on(self):
        client = self.old.client()
        before = client.ok("OPEN main")["position"]
        client.append(title="recorded by the newer one")
        self.assertGreater(client.ok("OPEN main")["position"][self.answers["replica"]], before[self.answers["replica"]])
        client.close()
        self.old.stop()
        self.old.start()
        self.assertIn("recorded by the newer one", self.done("log", "--jsonl", daemon=self.old))
        self.done("verify", daemon=self.old)


if __name__ == "__main__":
    unittest.main()
