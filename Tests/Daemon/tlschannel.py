"""TLS 1.3 between devices over a socket, by the OpenSSL that timelined runs on as well: Python's `ssl` module does not
tell what both ends can export of a session (RFC 8446, 7.5), which an invitation is proven with."""

import ctypes
import ctypes.util
import datetime
import hashlib
import socket
import struct
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SSL = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
CRYPTO = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")

POINTER, INT, SIZE, LONG, BYTES = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_long, ctypes.c_char_p
VERIFY = ctypes.CFUNCTYPE(INT, POINTER, POINTER)
for _library, _name, _result, _arguments in (
    (SSL, "TLS_method", POINTER, []), (SSL, "SSL_CTX_new", POINTER, [POINTER]), (SSL, "SSL_CTX_free", None, [POINTER]),
    (SSL, "SSL_CTX_ctrl", LONG, [POINTER, INT, LONG, POINTER]),
    (SSL, "SSL_CTX_use_certificate_ASN1", INT, [POINTER, INT, BYTES]),
    (SSL, "SSL_CTX_use_PrivateKey_ASN1", INT, [INT, POINTER, BYTES, LONG]),
    (SSL, "SSL_CTX_set_alpn_protos", INT, [POINTER, BYTES, ctypes.c_uint]),
    (SSL, "SSL_CTX_set_verify", None, [POINTER, INT, POINTER]),
    (SSL, "SSL_CTX_set_cert_verify_callback", None, [POINTER, VERIFY, POINTER]),
    (SSL, "SSL_new", POINTER, [POINTER]), (SSL, "SSL_free", None, [POINTER]), (SSL, "SSL_set_fd", INT, [POINTER, INT]),
    (SSL, "SSL_connect", INT, [POINTER]), (SSL, "SSL_accept", INT, [POINTER]), (SSL, "SSL_shutdown", INT, [POINTER]),
    (SSL, "SSL_get_error", INT, [POINTER, INT]), (SSL, "SSL_get1_peer_certificate", POINTER, [POINTER]),
    (SSL, "SSL_read_ex", INT, [POINTER, POINTER, SIZE, ctypes.POINTER(SIZE)]),
    (SSL, "SSL_write_ex", INT, [POINTER, BYTES, SIZE, ctypes.POINTER(SIZE)]),
    (SSL, "SSL_export_keying_material", INT, [POINTER, POINTER, SIZE, BYTES, SIZE, POINTER, SIZE, INT]),
    (CRYPTO, "i2d_X509", INT, [POINTER, POINTER]), (CRYPTO, "X509_free", None, [POINTER]),
    (CRYPTO, "ERR_get_error", ctypes.c_ulong, []), (CRYPTO, "ERR_reason_error_string", BYTES, [ctypes.c_ulong]),
):
    _function = getattr(_library, _name)
    _function.restype, _function.argtypes = _result, _arguments

PROTOCOL = b"\x0ftimeline-sync/1"
BINDING = b"EXPORTER-Channel-Binding"
ED25519, TLS_1_3, MIN, MAX, BOTH_SHOW_KEYS, QUIET, FAREWELL = 1087, 0x0304, 123, 124, 3, 2, 6
# What stands before the 32 bytes of an Ed25519 key in a certificate.
KEY = bytes.fromhex("302a300506032b6570032100")


class TLSError(Exception):
    pass


class Device:
    """What a machine is known by: an Ed25519 key. The certificate around it says nothing."""

    def __init__(self):
        self.private = Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()
        self.id = hashlib.sha256(self.public).digest()
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "timeline")])
        certificate = x509.CertificateBuilder(
            issuer_name=name, subject_name=name, public_key=self.private.public_key(), serial_number=1,
            not_valid_before=datetime.datetime(1970, 1, 1), not_valid_after=datetime.datetime(2999, 1, 1))
        self.certificate = certificate.sign(self.private, None).public_bytes(serialization.Encoding.DER)
        self.key = self.private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


# Whoever shows a certificate with a key may: which one it is, is looked at behind the handshake.
ANYBODY = VERIFY(lambda *_: 1)


class Channel:
    """One session over a socket that waits; `device` is the id of the other end, `binding` what both export."""

    # For a word of the other side, in seconds; how long nothing came before it is looked whether that is enough.
    limit = 60
    pause = 0.1

    def __init__(self, plain, device, is_server=False):
        self.plain = plain
        plain.settimeout(None)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", self.limit, 0))
        context = SSL.SSL_CTX_new(SSL.TLS_method())
        SSL.SSL_CTX_ctrl(context, MIN, TLS_1_3, None)
        SSL.SSL_CTX_ctrl(context, MAX, TLS_1_3, None)
        SSL.SSL_CTX_use_certificate_ASN1(context, len(device.certificate), device.certificate)
        SSL.SSL_CTX_use_PrivateKey_ASN1(ED25519, context, device.key, len(device.key))
        SSL.SSL_CTX_set_alpn_protos(context, PROTOCOL, len(PROTOCOL))
        SSL.SSL_CTX_set_verify(context, BOTH_SHOW_KEYS, None)
        SSL.SSL_CTX_set_cert_verify_callback(context, ANYBODY, None)
        self.ssl = SSL.SSL_new(context)
        SSL.SSL_CTX_free(context)
        SSL.SSL_set_fd(self.ssl, plain.fileno())
        self.rest = b""
        self.device = self.binding = None
        try:
            self.check((SSL.SSL_accept if is_server else SSL.SSL_connect)(self.ssl))
        except TLSError:
            self.close()
            raise
        self.device = hashlib.sha256(self.peer_certificate().partition(KEY)[2][:32]).digest()
        self.binding = ctypes.create_string_buffer(32)
        self.check(SSL.SSL_export_keying_material(self.ssl, self.binding, 32, BINDING, len(BINDING), None, 0, 0))
        self.binding = self.binding.raw
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(self.pause * 1e6)))

    def peer_certificate(self):
        certificate = SSL.SSL_get1_peer_certificate(self.ssl)
        data = ctypes.create_string_buffer(CRYPTO.i2d_X509(certificate, None))
        CRYPTO.i2d_X509(certificate, ctypes.byref(ctypes.c_void_p(ctypes.addressof(data))))
        CRYPTO.X509_free(certificate)
        return data.raw

    def check(self, outcome):
        if outcome != 1:
            kind = SSL.SSL_get_error(self.ssl, outcome)
            reason = CRYPTO.ERR_reason_error_string(CRYPTO.ERR_get_error())
            raise TLSError(reason.decode() if reason else "ended" if kind == FAREWELL else f"ended or silent ({kind})")

    def send(self, data):
        done = SIZE()
        for start in range(0, len(data), 1 << 14):
            piece = data[start:start + (1 << 14)]
            self.check(SSL.SSL_write_ex(self.ssl, piece, len(piece), ctypes.byref(done)))

    def line(self, waits=True):
        """The next line, with its LF; empty at the end. None where nothing came and it is not to be waited for."""
        end = time.monotonic() + self.limit
        while b"\n" not in self.rest:
            space, count = ctypes.create_string_buffer(1 << 16), SIZE()
            outcome = SSL.SSL_read_ex(self.ssl, space, len(space), ctypes.byref(count))
            kind = SSL.SSL_get_error(self.ssl, outcome) if outcome != 1 else None
            if kind == FAREWELL:
                return b""
            if kind == QUIET and time.monotonic() < end:
                if waits or self.rest:
                    continue
                return None
            self.check(outcome)
            self.rest += space.raw[:count.value]
        line, _, self.rest = self.rest.partition(b"\n")
        return line + b"\n"

    def close(self):
        if self.ssl:
            if self.binding:
                SSL.SSL_shutdown(self.ssl)
            SSL.SSL_free(self.ssl)
        self.ssl = None
        self.plain.close()
