// What the header only declares: a signal handler cannot be Swift.
#include "CLinux.h"

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
