"""Our signed heads and proofs compared with programs that are not ours: the `aics-tlog` package from PyPI, and a
recount with hashlib and `cryptography` alone.

Fixtures/tlog/ours holds what our Swift code writes; TransparencyLogTests compares it to the byte, and here it
is accepted. Fixtures/tlog/theirs holds what aics-tlog writes; here it is compared to the byte, and there it is
accepted. `test_tlog.py --rewrite` writes theirs anew. Either log has the entries "entry 0", "entry 1", …"""

import base64
import hashlib
import pathlib
import sys
import unittest

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None
try:
    import aics_tlog
except ImportError:
    aics_tlog = None

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "tlog"
ENTRIES = [b"entry %d" % index for index in range(1000)]
SIZES = [0, 1, 2, 7, 64, 100, 1000]
INCLUSIONS = [(0, 1), (2, 7), (6, 7), (99, 100), (640, 1000)]
CONSISTENCIES = [(1, 2), (2, 7), (7, 100), (64, 1000), (100, 1000), (1000, 1000)]
MISSING = "the %s package is not installed: scripts/setup could not reach PyPI"


def read(name):
    return (FIXTURES / name).read_bytes()


def lines_of_hashes(data):
    return [base64.b64decode(line, validate=True) for line in data.decode().splitlines()]


def root(entries):
    """RFC 6962, 2.1, word by word."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    half = 1 << (len(entries) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(entries[:half]) + root(entries[half:])).digest()


def split_proof(data):
    """(extra, index, hashes, note) of a c2sp.org/tlog-proof file."""
    head, _, note = data.partition(b"\n\n")
    lines = head.decode().split("\n")
    assert lines.pop(0) == "c2sp.org/tlog-proof@v1"
    extra = base64.b64decode(lines.pop(0).removeprefix("extra ")) if lines[0].startswith("extra ") else b""
    index = int(lines.pop(0).removeprefix("index "))
    return extra, index, [base64.b64decode(line, validate=True) for line in lines], note


def theirs():
    """What aics-tlog writes, by file name."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
    witness = Ed25519PrivateKey.from_private_bytes(bytes(range(96, 128)))
    name = "example.com/python"
    tree = aics_tlog.MerkleTree(ENTRIES)

    def note(size):
        head = aics_tlog.Checkpoint(origin=name, size=size, root=tree.root(size))
        return aics_tlog.sign_checkpoint(head, private, name).to_bytes()

    def hashes(proof):
        return b"".join(base64.b64encode(hash) + b"\n" for hash in proof)

    files = {"key.vkey": aics_tlog.format_vkey(aics_tlog.vkey_from_ed25519(name, private.public_key())).encode() + b"\n"}
    for size in SIZES:
        files["checkpoint-%d.note" % size] = note(size)
    for index, size in INCLUSIONS:
        files["proof-%d-%d.tlog-proof" % (index, size)] = (
            b"c2sp.org/tlog-proof@v1\nindex %d\n" % index + hashes(tree.inclusion_proof(index, size)) + b"\n" + note(size))
    for old, new in CONSISTENCIES:
        files["consistency-%d-%d.txt" % (old, new)] = hashes(tree.consistency_proof(old, new))
    head = aics_tlog.Checkpoint(
        origin=name, size=100, root=tree.root(100), extension_lines=("an extension line", "another, é"))
    signed = aics_tlog.sign_checkpoint(head, private, name)
    others = (
        aics_tlog.sign_note(signed.text, stranger, "example.com/stranger"),
        aics_tlog.sign_cosignature(
            witness, "example.com/witness", 1_700_000_000, head.origin, head.size, head.root, head.extension_lines)[1])
    files["witnessed.note"] = aics_tlog.Note(
        text=signed.text, signatures=(others[0], *signed.signatures, others[1])).to_bytes()
    return files


@unittest.skipUnless(Ed25519PublicKey, MISSING % "cryptography")
class Recount(unittest.TestCase):
    """Roots, key id and signatures from the files and the entries alone."""

    def check_note(self, data):
        name, key_id, key = read("ours/key.vkey").decode().rstrip("\n").split("+", 2)
        kind_and_key = base64.b64decode(key, validate=True)
        self.assertEqual(hashlib.sha256(name.encode() + b"\n" + kind_and_key).hexdigest()[:8], key_id)
        text, _, signature = data.rpartition(b"\n\n")
        text += b"\n"
        mark, signer, blob = signature.decode().rstrip("\n").split(" ")
        blob = base64.b64decode(blob, validate=True)
        self.assertEqual((mark, signer, blob[:4].hex()), ("—", name, key_id))
        public = Ed25519PublicKey.from_public_bytes(kind_and_key[1:])
        public.verify(blob[4:], text)
        with self.assertRaises(InvalidSignature):
            public.verify(blob[4:], text + b"\n")
        origin, size, root_text = text.decode().rstrip("\n").split("\n")
        self.assertEqual(origin, name)
        self.assertEqual(base64.b64decode(root_text, validate=True), root(ENTRIES[:int(size)]))
        return int(size)

    def test_heads(self):
        for size in SIZES:
            self.assertEqual(self.check_note(read("ours/checkpoint-%d.note" % size)), size)

    def test_proofs(self):
        for index, size in INCLUSIONS:
            extra, stated, hashes, note = split_proof(read("ours/proof-%d-%d.tlog-proof" % (index, size)))
            self.assertEqual((stated, self.check_note(note)), (index, size))
            self.assertIn(extra, (b"", ENTRIES[index]))
            self.assertEqual(hashes, self.path(index, ENTRIES[:size]))

    def path(self, index, entries):
        """RFC 6962, 2.1.1, word by word."""
        if len(entries) == 1:
            return []
        half = 1 << (len(entries) - 1).bit_length() - 1
        if index < half:
            return self.path(index, entries[:half]) + [root(entries[half:])]
        return self.path(index - half, entries[half:]) + [root(entries[:half])]


@unittest.skipUnless(aics_tlog, MISSING % "aics-tlog")
class AicsTlog(unittest.TestCase):
    def setUp(self):
        self.key = aics_tlog.parse_vkey(read("ours/key.vkey").decode().rstrip("\n"))

    def head(self, data):
        note = aics_tlog.parse_note(data)
        self.assertEqual(note.to_bytes(), data)
        self.assertTrue(aics_tlog.verify_note(note, [self.key]))
        result = aics_tlog.verify_checkpoint(note, self.key, expected_origin="example.com/timeline")
        self.assertTrue(result.ok, result.error)
        return result

    def test_our_key(self):
        self.assertEqual(aics_tlog.format_vkey(self.key) + "\n", read("ours/key.vkey").decode())

    def test_our_heads(self):
        for size in SIZES:
            head = self.head(read("ours/checkpoint-%d.note" % size))
            self.assertEqual((head.size, head.root), (size, root(ENTRIES[:size])))

    def test_our_proofs(self):
        for index, size in INCLUSIONS:
            _, stated, hashes, note = split_proof(read("ours/proof-%d-%d.tlog-proof" % (index, size)))
            head = self.head(note)
            leaf = aics_tlog.leaf_hash(ENTRIES[index])
            self.assertTrue(aics_tlog.verify_inclusion(leaf, stated, head.size, hashes, head.root))
            self.assertFalse(aics_tlog.verify_inclusion(leaf, stated, head.size, hashes + hashes[:1] + [leaf], head.root))

    def test_our_consistency(self):
        for old, new in CONSISTENCIES:
            hashes = lines_of_hashes(read("ours/consistency-%d-%d.txt" % (old, new)))
            older, newer = (self.head(read("ours/checkpoint-%d.note" % size)) for size in (old, new))
            self.assertTrue(aics_tlog.verify_consistency(old, new, older.root, newer.root, hashes))

    def test_an_altered_head_is_refused(self):
        data = read("ours/checkpoint-100.note").replace(b"\n100\n", b"\n101\n")
        self.assertFalse(aics_tlog.verify_note(aics_tlog.parse_note(data), [self.key]))

    def test_theirs_are_as_swift_reads_them(self):
        files = theirs()
        self.assertEqual(sorted(files), sorted(path.name for path in (FIXTURES / "theirs").iterdir()))
        for name, data in files.items():
            self.assertEqual(data, read("theirs/" + name), name + ": test_tlog.py --rewrite writes it anew")


if __name__ == "__main__":
    if sys.argv[1:] == ["--rewrite"]:
        for name, data in theirs().items():
            (FIXTURES / "theirs" / name).write_bytes(data)
    else:
        unittest.main()
