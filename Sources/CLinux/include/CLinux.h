// What Linux and the processor offer that Swift's Glibc module does not show: calls that are
// missing from its module map, macros, and the CRC-32C instruction. Nothing else lives here.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

// accept4, which glibc shows under _GNU_SOURCE alone.
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

static inline int clinux_accept(int fd) {
  return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// The user who owns the other end of a Unix socket, or -1 (errno is set).
static inline int64_t clinux_peer_uid(int fd) {
  struct { int pid; unsigned uid; unsigned gid; } credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, 17 /* SO_PEERCRED */, &credentials, &length) != 0) return -1;
  return (int64_t)credentials.uid;
}

// Fills from the system's generator; how many bytes it gave.
static inline size_t clinux_random(void *bytes, size_t count) {
  ssize_t given = getrandom(bytes, count, 0);
  return given < 0 ? 0 : (size_t)given;
}

static inline int clinux_terminal_columns(int fd) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

#if defined(__x86_64__)
static inline int clinux_has_crc32c(void) { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2")))
static inline uint32_t clinux_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
  uint64_t state = crc;
  while (count >= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    state = __builtin_ia32_crc32di(state, word);
    bytes += 8;
    count -= 8;
  }
  while (count > 0) {
    state = __builtin_ia32_crc32qi((uint32_t)state, *bytes);
    bytes += 1;
    count -= 1;
  }
  return (uint32_t)state;
}
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>

static inline int clinux_has_crc32c(void) { return (getauxval(AT_HWCAP) & (1 << 7)) != 0; }

__attribute__((target("crc")))
static inline uint32_t clinux_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
  while (count >= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    crc = __crc32cd(crc, word);
    bytes += 8;
    count -= 8;
  }
  while (count > 0) {
    crc = __crc32cb(crc, *bytes);
    bytes += 1;
    count -= 1;
  }
  return crc;
}
#else
static inline int clinux_has_crc32c(void) { return 0; }
static inline uint32_t clinux_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
  (void)bytes;
  (void)count;
  return crc;
}
#endif
