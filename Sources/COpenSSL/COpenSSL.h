// OpenSSL 3's libcrypto (Debian: libssl-dev), for SHA-256 and Ed25519. Only the headers that
// TransparencyLog uses; nothing else lives here.
#pragma once

#include <openssl/evp.h>
