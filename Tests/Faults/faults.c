// Calls of the C library that fail on demand, for a program that was not built for it: to be preloaded
// (LD_PRELOAD). One kind of call on paths below one directory fails, the N-th, or from the N-th on.
//
//     FAULT_ROOT      the directory, as an absolute path without links
//     FAULT_KIND      open write fsync fdatasync rename unlink ftruncate mkdir mmap readdir flock fstat
//     FAULT_CONTROL   a file of struct control, shared with the test: it may be changed at any time
//     FAULT_TRACE     a file to which the calls below the directory are written, one a line; may be
//                     left out
//
//     cc -shared -fPIC -o faults.so faults.c

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  // In place of an errno: half is written; half is written, and then there is no room.
  HALF = -1,
  HALF_THEN_FULL = -2,
};

struct control {
  int number;  // the call that fails, from 1; 0 for none
  int error;
  int goes_on;
  int calls;
  int hits;
};

static struct control *control;
static const char *root, *kind;
static int trace = -1;

// Through the kernel: what is replaced here must not be used here.
__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULT_CONTROL"), *traced = getenv("FAULT_TRACE");
  root = getenv("FAULT_ROOT");
  kind = getenv("FAULT_KIND");
  if (!path || !root || !kind) return;
  int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  void *memory = (void *)syscall(
      SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0L);
  syscall(SYS_close, file);
  if (memory == MAP_FAILED) abort();
  if (traced)
    trace = syscall(
        SYS_openat, AT_FDCWD, traced, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  control = memory;
}

/// What is to become of a call: 0 for nothing.
static int fate(const char *call, const char *path) {
  size_t length = control ? strlen(root) : 0;
  if (!control || strncmp(path, root, length) || (path[length] && path[length] != '/')) return 0;
  if (trace >= 0) {
    char line[PATH_MAX + 16];
    int count = snprintf(line, sizeof line, "%s %s\n", call, path);
    syscall(SYS_write, trace, line, count);
  }
  if (strcmp(call, kind)) return 0;
  int number = control->number, error = control->error;
  int past = __atomic_add_fetch(&control->calls, 1, __ATOMIC_SEQ_CST) - number;
  if (error == HALF_THEN_FULL) {
    if (past == 0) error = HALF;
    if (past > 0) error = ENOSPC;
    if (past == 1) past = 0;
  }
  if (!number || past < 0 || (past > 0 && !control->goes_on)) return 0;
  __atomic_add_fetch(&control->hits, 1, __ATOMIC_SEQ_CST);
  return error;
}

static int fate_of_file(const char *call, int file) {
  char link[32], path[PATH_MAX];
  if (!control || file < 0) return 0;
  int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return 0;
  path[length] = 0;
  return fate(call, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(found, outcome) \
  do {                       \
    int cause = (found);     \
    if (cause) {             \
      errno = cause;         \
      return outcome;        \
    }                        \
  } while (0)

static int open_at(int directory, const char *path, int flags, va_list rest) {
  mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
  FAIL(fate("open", path), -1);
  return syscall(SYS_openat, directory, path, flags, mode);
}

#define OPEN(name)                                     \
  int name(const char *path, int flags, ...) {         \
    va_list rest;                                      \
    va_start(rest, flags);                             \
    int file = open_at(AT_FDCWD, path, flags, rest);   \
    va_end(rest);                                      \
    return file;                                       \
  }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                         \
  int name(int directory, const char *path, int flags, ...) { \
    va_list rest;                                             \
    va_start(rest, flags);                                    \
    int file = open_at(directory, path, flags, rest);         \
    va_end(rest);                                             \
    return file;                                              \
  }
OPEN_AT(openat)
OPEN_AT(openat64)

DIR *opendir(const char *path) {
  FAIL(fate("open", path), NULL);
  return NEXT(opendir)(path);
}

struct dirent *readdir(DIR *directory) {
  FAIL(fate_of_file("readdir", dirfd(directory)), NULL);
  return NEXT(readdir)(directory);
}

ssize_t write(int file, const void *bytes, size_t count) {
  int error = fate_of_file("write", file);
  if (error == HALF) count = (count + 1) / 2;
  else FAIL(error, -1);
  return syscall(SYS_write, file, bytes, count);
}

int fsync(int file) {
  FAIL(fate_of_file("fsync", file), -1);
  return NEXT(fsync)(file);
}

int fdatasync(int file) {
  FAIL(fate_of_file("fdatasync", file), -1);
  return NEXT(fdatasync)(file);
}

int ftruncate(int file, off_t length) {
  FAIL(fate_of_file("ftruncate", file), -1);
  return NEXT(ftruncate)(file, length);
}

int flock(int file, int operation) {
  FAIL(fate_of_file("flock", file), -1);
  return syscall(SYS_flock, file, operation);
}

int fstat(int file, struct stat *status) {
  FAIL(fate_of_file("fstat", file), -1);
  return NEXT(fstat)(file, status);
}

int rename(const char *path, const char *new) {
  FAIL(fate("rename", path), -1);
  return NEXT(rename)(path, new);
}

int renameat2(int old_directory, const char *path, int new_directory, const char *new, unsigned int flags) {
  FAIL(fate("rename", path), -1);
  return NEXT(renameat2)(old_directory, path, new_directory, new, flags);
}

int unlink(const char *path) {
  FAIL(fate("unlink", path), -1);
  return NEXT(unlink)(path);
}

int mkdir(const char *path, mode_t mode) {
  FAIL(fate("mkdir", path), -1);
  return NEXT(mkdir)(path, mode);
}

void *mmap(void *start, size_t length, int protection, int flags, int file, off_t offset) {
  FAIL(fate_of_file("mmap", file), MAP_FAILED);
  return (void *)syscall(SYS_mmap, start, length, protection, flags, file, offset);
}
