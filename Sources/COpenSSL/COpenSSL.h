// OpenSSL 3's libcrypto (Debian: libssl-dev), for SHA-256, HMAC, Ed25519 and keys in PEM. Only the headers
// that TransparencyLog uses; nothing else lives here.
#pragma once

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
