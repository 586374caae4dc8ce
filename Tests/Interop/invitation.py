"""Codes of invitations a second time, from docs/reference/invitations.md alone, every rule under its number. An
invitation is a dictionary with the members of J-1: `device`, `timelines` and `secret` are bytes."""

import base64
import hashlib
import hmac
import re

PREFIX = "TIMELINE-JOIN-"
SCHEME = b"tls://"


class NoInvitation(Exception):
    """Its text is the word that J-3 has in bold letters."""


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def base32(data):
    return base64.b32encode(data).decode().rstrip("=")


def unbase32(text):
    """None unless it is what is written for some bytes."""
    try:
        data = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        return None
    return data if base32(data) == text else None


# J-1

def is_invitation(invitation):
    return (len(invitation["addresses"]) <= 8 and 1 <= len(invitation["timelines"]) <= 16
            and all(re.fullmatch(rb"tls://[\x21-\x7e]{1,249}", address) for address in invitation["addresses"])
            and len(invitation["secret"]) == 16 and 0 <= invitation["expires"] < 1 << 40)


# J-2

def check(head, content):
    return crc32c(head.encode() + content).to_bytes(4, "big")


def code_of(invitation):
    assert is_invitation(invitation)
    addresses = [address.removeprefix(SCHEME) for address in invitation["addresses"]]
    content = b"".join([
        invitation["device"], invitation["secret"], invitation["expires"].to_bytes(5, "big"),
        bytes([len(invitation["timelines"])]), *invitation["timelines"],
        bytes([len(addresses)]), *[bytes([len(address)]) + address for address in addresses]])
    head = PREFIX + "1-"
    return head + base32(content + check(head, content))


# J-3

def invitation_of(text):
    text = re.sub(r"[ \t\n\r]", "", text)
    text = re.sub(r"[a-z]", lambda letter: letter[0].upper(), text)
    if not text.startswith(PREFIX):
        raise NoInvitation("not-a-code")
    parts = re.fullmatch(r"(TIMELINE-JOIN-([1-9][0-9]{0,8})-)([A-Z2-7]*)", text, re.ASCII)
    data = parts and unbase32(parts[3])
    if not data or len(data) < 4 or check(parts[1], data[:-4]) != data[-4:]:
        raise NoInvitation("damaged")
    if parts[2] != "1":
        raise NoInvitation("newer")
    return content_of(data[:-4])


def content_of(content):
    place = 0

    def take(count):
        nonlocal place
        place += count
        if place > len(content):
            raise NoInvitation("malformed")
        return content[place - count:place]

    invitation = {"device": take(32), "secret": take(16), "expires": int.from_bytes(take(5), "big")}
    invitation["timelines"] = [take(32) for _ in range(take(1)[0])]
    invitation["addresses"] = [SCHEME + take(take(1)[0]) for _ in range(take(1)[0])]
    if place < len(content) or not is_invitation(invitation):
        raise NoInvitation("malformed")
    return invitation


# J-4

def code_hash(secret):
    return hashlib.sha256(secret).digest()


# J-5

def proof_of(secret, channel_binding, host, joiner):
    return hmac.digest(secret, channel_binding + host + joiner, "sha256")
