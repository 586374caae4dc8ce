// OpenSSL 3's libssl (Debian: libssl-dev), for TLS 1.3. A module of its own, so that programs that speak no
// TLS do not load it. The functions are what OpenSSL offers as macros; nothing else lives here.
#pragma once

#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static inline int clibssl_set_versions(SSL_CTX *context, int lowest, int highest) {
  return SSL_CTX_set_min_proto_version(context, lowest) == 1
      && SSL_CTX_set_max_proto_version(context, highest) == 1;
}

static inline int clibssl_set_signatures(SSL_CTX *context, const char *names) {
  return SSL_CTX_set1_sigalgs_list(context, names) == 1
      && SSL_CTX_set1_client_sigalgs_list(context, names) == 1;
}

static inline int clibssl_set_groups(SSL_CTX *context, const char *names) {
  return SSL_CTX_set1_groups_list(context, names) == 1;
}

static const uint64_t clibssl_options =
    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;

static inline void clibssl_set_mode(SSL_CTX *context, long mode) {
  SSL_CTX_set_mode(context, mode);
}

static inline void clibssl_set_session_cache(SSL_CTX *context, long mode) {
  SSL_CTX_set_session_cache_mode(context, mode);
}

static inline void clibssl_set_max_cert_list(SSL_CTX *context, long bytes) {
  SSL_CTX_set_max_cert_list(context, bytes);
}

// How many certificates came, the leaf among them.
static inline int clibssl_chain_count(X509_STORE_CTX *store) {
  STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);
  return chain == NULL ? 0 : sk_X509_num(chain);
}

static inline void clibssl_want_more(BIO *bio) { BIO_set_retry_read(bio); }
static inline void clibssl_want_nothing(BIO *bio) { BIO_clear_retry_flags(bio); }
