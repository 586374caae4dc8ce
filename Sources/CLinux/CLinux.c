// What the header only declares: a signal handler cannot be Swift, nor can code for a newer processor than
// the one that the rest is made for.
#include "CLinux.h"

typedef uint8_t wide __attribute__((vector_size(32)));

// Macros: a function that takes one of these would have another call on a processor without them.
#define LOAD(block, bytes) memcpy(&(block), (bytes), sizeof(wide))
#define ANY(block) \
  (((uint64_t __attribute__((vector_size(32))))(block))[0] | ((uint64_t __attribute__((vector_size(32))))(block))[1] \
   | ((uint64_t __attribute__((vector_size(32))))(block))[2] | ((uint64_t __attribute__((vector_size(32))))(block))[3])

#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
size_t clinux_next_block(
    const uint8_t *text, size_t at, size_t count, size_t length, clinux_pair pair, int *is_strange) {
  *is_strange = 0;
  for (; at + 31 + length <= count; at += 32) {
    wide block, one, two;
    LOAD(block, text + at);
    LOAD(one, text + at + pair.one_at);
    LOAD(two, text + at + pair.two_at);
    wide strange = (wide)(block >= 0x80) | (wide)(block == 0x5C);
    wide hits = (wide)((one | pair.one_case) == pair.one) & (wide)((two | pair.two_case) == pair.two);
    if (ANY(strange | hits) == 0) continue;
    *is_strange = ANY(strange) != 0;
    break;
  }
  return at;
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
