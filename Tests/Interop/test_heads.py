"""What a running daemon signed and proved, checked by programs that are not ours: `aics-tlog` from PyPI, and hashlib
and `cryptography` from the files alone, by docs/reference/event-format.md."""

import base64
import hashlib
import json
import pathlib
import sys
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Daemon"))
from ctl import SHIPPED, Ctl  # noqa: E402
from test_tlog import MISSING, Ed25519PublicKey, aics_tlog, split_proof  # noqa: E402
from test_verify import leaf_of, root_of, stub_of  # noqa: E402


class Heads(Ctl):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        code, _, err = cls.ctl("import", SHIPPED)
        assert code == 0, err
        cls.events = json.loads(cls.ctl("log", "--json")[1])
        [key] = json.loads(cls.ctl("keys", "--json")[1])
        cls.vkey = key["vkey"]
        cls.proofs = {
            event["seq"]: cls.ctl("prove", event["id"], "--output", "-")[1].encode()
            for event in cls.events if event["seq"] % 90 == 5 or event["seq"] in (3, 256, 257, 512, 513, 600)}
        [cls.segment] = pathlib.Path(cls.daemon.data, "timelines/main/logs").glob("*/*.jsonl")
        cls.lines = cls.segment.read_bytes().splitlines(keepends=True)
        cls.note = (cls.segment.parent / "checkpoint").read_bytes()

    @unittest.skipUnless(Ed25519PublicKey, MISSING % "cryptography")
    def test_root_and_signature_recounted_from_the_files(self):
        first = json.loads(self.lines[0])
        name, key_id, key = self.vkey.split("+", 2)
        self.assertEqual(first["type"], "log.replica")
        self.assertEqual(base64.b64decode(key, validate=True)[1:], base64.b64decode(first["key"], validate=True))
        self.assertEqual(name, f"timeline/{self.timeline()}/{first['replica']}")
        text, _, signature = self.note.rpartition(b"\n\n")
        signer, blob = signature.decode().rstrip("\n").removeprefix("— ").split(" ")
        blob = base64.b64decode(blob, validate=True)
        self.assertEqual((signer, blob[:4].hex()), (name, key_id))
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True)[1:]).verify(blob[4:], text + b"\n")
        origin, size, root = text.decode().split("\n")
        self.assertEqual((origin, int(size)), (name, len(self.lines)))
        self.assertEqual(base64.b64decode(root), root_of([leaf_of(line) for line in self.lines]))

    def test_the_timeline_s_id_is_the_hash_of_line_2(self):
        second = json.loads(self.lines[1])
        body = json.dumps({key: second[key] for key in ("type", "name", "key", "nonce", "recovery")}, separators=(",", ":"))
        self.assertIn(body[1:-1].encode() + b',"salt"', self.lines[1])
        self.assertEqual((second["type"], second["name"]), ("log.timeline", "main"))
        # The founder's device, which line 1 names too.
        self.assertEqual(second["key"], json.loads(self.lines[0])["device"])
        self.assertEqual(len(base64.b64decode(second["nonce"], validate=True)), 16)
        digest = bytearray(hashlib.sha256(b"timeline-id\n" + body.encode()).digest()[:16])
        digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80  # RFC 9562, 5.8
        self.assertEqual(str(uuid.UUID(bytes=bytes(digest))), self.timeline())

    def timeline(self):
        return json.loads((self.segment.parents[2] / "timeline.json").read_text())["timeline"]

    @unittest.skipUnless(aics_tlog, MISSING % "aics-tlog")
    def test_aics_tlog_takes_the_head_and_every_proof(self):
        key = aics_tlog.parse_vkey(self.vkey)
        self.assertEqual(aics_tlog.format_vkey(key), self.vkey)
        tree = aics_tlog.MerkleTree([stub_of(line) + b"}" for line in self.lines])
        for seq, proof in self.proofs.items():
            extra, index, hashes, note = split_proof(proof)
            self.assertEqual((index, extra), (seq - 1, self.lines[seq - 1]))
            head = aics_tlog.verify_checkpoint(
                aics_tlog.parse_note(note), key, expected_origin=self.vkey.split("+")[0])
            self.assertTrue(head.ok, head.error)
            self.assertEqual(head.root, tree.root(head.size))
            leaf = aics_tlog.leaf_hash(stub_of(extra) + b"}")
            self.assertEqual(leaf, hashlib.sha256(b"\0" + stub_of(extra) + b"}").digest())
            self.assertTrue(aics_tlog.verify_inclusion(leaf, index, head.size, hashes, head.root))
            self.assertFalse(aics_tlog.verify_inclusion(leaf, index + 1, head.size, hashes, head.root))
        self.assertGreater(len(self.proofs), 10)

    @unittest.skipUnless(Ed25519PublicKey, MISSING % "cryptography")
    def test_the_key_file_is_one_that_others_read(self):
        from cryptography.hazmat.primitives import serialization
        pem = pathlib.Path(self.daemon.data, "keys/heads.pem").read_bytes()
        public = serialization.load_pem_private_key(pem, None).public_key()
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.assertEqual(base64.b64decode(self.vkey.split("+", 2)[2])[1:], raw)


if __name__ == "__main__":
    unittest.main()
