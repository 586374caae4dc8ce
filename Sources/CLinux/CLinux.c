// What the header only declares: a signal handler cannot be Swift, nor can code for a newer processor than
// the one that the rest is made for.
#include "CLinux.h"

typedef uint8_t wide __attribute__((vector_size(32)));
typedef _Bool wide_bits __attribute__((ext_vector_type(32)));

// Macros: a function that takes one of these would have another call on a processor without them.
#define LOAD(block, bytes) memcpy(&(block), (bytes), sizeof(wide))
// The top bits of the bytes of `block`.
#define TOP_BITS(bits, block)                                             \
  do {                                                                    \
    wide_bits each = __builtin_convertvector((block) >= 0x80, wide_bits); \
    memcpy(&(bits), &each, sizeof(uint32_t));                             \
  } while (0)
// Sets the top bits of the bytes that are not plain, or at which the needle's two bytes stand.
#define LOOK(hits, text, needle)                                                            \
  do {                                                                                      \
    wide here, one, two;                                                                    \
    LOAD(here, (text));                                                                     \
    LOAD(one, (text) + (needle).one_at);                                                    \
    LOAD(two, (text) + (needle).two_at);                                                    \
    (hits) = here | (wide)(here == '\\')                                                    \
        | ((wide)((one | (needle).one_case) == (needle).one)                                \
           & (wide)((two | (needle).two_case) == (needle).two));                            \
  } while (0)

static inline uint8_t lower(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; }

static inline int stands(const uint8_t *text, clinux_needle needle) {
  for (size_t i = 0; i < needle.count; i++)
    if (lower(text[i]) != needle.bytes[i]) return 0;
  return 1;
}

#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
size_t clinux_find(const uint8_t *text, size_t at, size_t count, clinux_needle needle) {
  // Blocks, as long as the needle may begin at each place of one; the last overlaps the one before it.
  size_t end = count >= needle.count + 31 ? count - needle.count + 1 : 0;
  while (at < end) {
    wide hits, more;
    uint32_t bits = 0;
    for (; at + 64 <= end; at += 64) {
      LOOK(hits, text + at, needle);
      LOOK(more, text + at + 32, needle);
      TOP_BITS(bits, hits | more);
      if (bits != 0) break;
    }
    size_t block = at + 32 <= end ? at : end - 32;
    LOOK(hits, text + block, needle);
    TOP_BITS(bits, hits);
    // What is before `at` was looked at already.
    for (bits = bits >> (at - block) << (at - block); bits != 0; bits &= bits - 1) {
      size_t place = block + (size_t)__builtin_ctz(bits);
      if (text[place] >= 0x80 || text[place] == '\\' || stands(text + place, needle)) return place;
    }
    at = block + 32;
  }
  for (; at < count; at++) {
    if (text[at] >= 0x80 || text[at] == '\\') return at;
    if (at + needle.count <= count && stands(text + at, needle)) return at;
  }
  return count;
}

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

// Segments of logs: more than these are not looked after.
enum { mappings_max = 4096 };
static _Atomic(uintptr_t) mapping_starts[mappings_max];
static _Atomic(size_t) mapping_lengths[mappings_max];
static atomic_uint_fast64_t bad_pages;

void clinux_name_mapping(void *start, size_t length) {
  for (int i = 0; i < mappings_max; i++) {
    uintptr_t empty = 0;
    if (!atomic_compare_exchange_strong(&mapping_starts[i], &empty, (uintptr_t)start)) continue;
    atomic_store(&mapping_lengths[i], length);
    return;
  }
}

void clinux_forget_mapping(void *start) {
  for (int i = 0; i < mappings_max; i++) {
    if (atomic_load(&mapping_starts[i]) != (uintptr_t)start) continue;
    atomic_store(&mapping_lengths[i], 0);
    atomic_store(&mapping_starts[i], 0);
    return;
  }
}

uint64_t clinux_take_bad_pages(void) { return atomic_exchange(&bad_pages, 0); }

static void take_bad_page(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  int before = errno;
  uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)4095;
  for (int i = 0; i < mappings_max; i++) {
    uintptr_t start = atomic_load(&mapping_starts[i]);
    if (start == 0 || page < start || page - start >= atomic_load(&mapping_lengths[i])) continue;
    if (mmap((void *)page, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) break;
    atomic_fetch_add(&bad_pages, 1);
    errno = before;
    return;
  }
  // Not ours: it happens again, and ends the process.
  signal(signal_number, SIG_DFL);
}

void clinux_survive_bad_pages(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = take_bad_page;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, NULL);
}

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

int clinux_open_network(void) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -1;
  struct sockaddr_nl address;
  memset(&address, 0, sizeof address);
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

int clinux_has_network_come(int fd) {
  _Alignas(struct nlmsghdr) char buffer[16 << 10];
  int has_come = 0;
  for (;;) {
    ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EINTR) continue;
    // More was said than was kept for us: something may have come.
    if (count < 0 && errno == ENOBUFS) return 1;
    if (count <= 0) return has_come;
    size_t left = (size_t)count;
    for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == RTM_NEWADDR || header->nlmsg_type == RTM_NEWROUTE) has_come = 1;
    }
  }
}

extern char **environ;

int clinux_start_joined(pid_t *process, char *const arguments[], int joined, int errors) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int error = posix_spawn_file_actions_init(&files);
  if (error != 0) return error;
  error = posix_spawnattr_init(&how);
  if (error == 0) {
    posix_spawn_file_actions_adddup2(&files, joined, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, joined, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
    posix_spawnattr_setflags(
        &how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    error = posix_spawnp(process, arguments[0], &files, &how, arguments, environ);
    posix_spawnattr_destroy(&how);
  }
  posix_spawn_file_actions_destroy(&files);
  return error;
}
