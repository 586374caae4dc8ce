"""A backup, read by programs that are not ours: zstd, hashlib and `cryptography`, by docs/operating/backup.md alone."""

import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

# Behind: there are files of the same name here and there.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "Daemon"))
from ctl import SHIPPED, Ctl  # noqa: E402
from test_tlog import MISSING, Ed25519PublicKey  # noqa: E402
from test_verify import leaf_of, root_of  # noqa: E402

WORDS = "correct horse é battery"


@unittest.skipUnless(Ed25519PublicKey, MISSING % "cryptography")
@unittest.skipUnless(shutil.which("zstd"), "needs zstd")
class Backup(Ctl):
    def test_lines_head_and_key(self):
        self.done("import", SHIPPED)
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/backup"
            self.done("backup", path, "--with-key", TIMELINE_PASSPHRASE=WORDS)
            text = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
        before, _, end = text[:-1].rpartition(b"\n")
        end = json.loads(end.removeprefix(b"END "))
        self.assertEqual(end["sha256"], hashlib.sha256(before + b"\n").hexdigest())
        header, log, *lines, key = before.splitlines(keepends=True)
        self.assertEqual(len(lines), end["lines"])
        position = json.loads(header.removeprefix(b"timeline-backup 1 "))["position"]
        log = json.loads(log.removeprefix(b"LOG "))
        self.assertEqual(position, {log["replica"]: len(lines)})
        self.assertEqual([json.loads(line)["seq"] for line in lines], list(range(1, len(lines) + 1)))
        # The head: of these lines, signed with the key that the first of them names.
        signed, _, signature = log["head"].rpartition("\n\n")
        origin, size, root = signed.split("\n")
        self.assertEqual((int(size), base64.b64decode(root)), (len(lines), root_of([leaf_of(line) for line in lines])))
        public = base64.b64decode(json.loads(lines[0])["key"], validate=True)
        blob = base64.b64decode(signature.rstrip("\n").split(" ")[2], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], (signed + "\n").encode())
        timeline = json.loads(header.removeprefix(b"timeline-backup 1 "))["timeline"]
        self.assertEqual(origin, f"timeline/{timeline}/{log['replica']}")
        # The key: the private half of the same, for who has the passphrase.
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

        pem = json.loads(key.removeprefix(b"KEY "))["pem"].encode()
        private = load_pem_private_key(pem, WORDS.encode())
        self.assertEqual(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), public)
        with self.assertRaises(ValueError):
            load_pem_private_key(pem, WORDS.encode() + b" ")


if __name__ == "__main__":
    unittest.main()
