"""Codes and proofs that Swift wrote (Tests/TimelineWireTests/InvitationTests.swift), beside invitation.py, which is
written from docs/reference/invitations.md alone."""

import base64
import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import invitation  # noqa: E402
import membership  # noqa: E402

FIXTURES = HERE.parent / "Fixtures" / "invitations"


def lines(name):
    return [json.loads(line) for line in (FIXTURES / name).read_text().splitlines()]


class Codes(unittest.TestCase):
    def test_they_are_read_and_written_the_same(self):
        for line in lines("codes.jsonl"):
            expected = {
                "addresses": [address.encode() for address in line["addresses"]],
                "device": membership.device_of(line["device"]),
                "timelines": [base64.b64decode(timeline) for timeline in line["timelines"]],
                "secret": base64.b64decode(line["secret"]), "expires": line["expires"]}
            code = line["code"]
            self.assertEqual(invitation.invitation_of(code), expected)
            self.assertEqual(invitation.code_of(expected), code)
            wrapped = "\r\n".join(code[start:start + 72].lower() for start in range(0, len(code), 72))
            self.assertEqual(invitation.invitation_of(" %s\t\n" % wrapped), expected)
            self.assertEqual(invitation.code_hash(expected["secret"]), base64.b64decode(line["code_hash"]))

    def test_what_is_none_says_why(self):
        for line in lines("refused.jsonl"):
            with self.assertRaises(invitation.NoInvitation, msg=line["text"]) as caught:
                invitation.invitation_of(line["text"])
            self.assertEqual(str(caught.exception), line["why"], line["text"])

    def test_the_example_of_the_page(self):
        page = (HERE.parent.parent / "docs" / "reference" / "invitations.md").read_text()
        self.assertIn("\n    %s\n" % lines("codes.jsonl")[1]["code"], page)

    def test_the_check_is_the_published_one(self):
        self.assertEqual(invitation.crc32c(b"123456789"), 0xE3069283)


class Proofs(unittest.TestCase):
    def test_they_are_made_the_same(self):
        for line in lines("proofs.jsonl"):
            proof = invitation.proof_of(
                base64.b64decode(line["secret"]), base64.b64decode(line["channel_binding"]),
                membership.device_of(line["host"]), membership.device_of(line["joiner"]))
            self.assertEqual(proof, base64.b64decode(line["proof"]))


if __name__ == "__main__":
    unittest.main()
