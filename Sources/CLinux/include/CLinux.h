// What Linux and the processor offer that Swift's Glibc module does not show: calls that are
// missing from its module map, macros, and the CRC-32C instruction. Nothing else lives here.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <unistd.h>

// accept4, which glibc shows under _GNU_SOURCE alone.
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

static inline int clinux_accept(int fd) {
  return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// The same, with the address that it came from.
static inline int clinux_accept_from(int fd, struct sockaddr_storage *address) {
  socklen_t length = sizeof *address;
  return accept4(fd, (struct sockaddr *)address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int pipe2(int descriptors[2], int flags);
static inline int clinux_pipe(int descriptors[2]) { return pipe2(descriptors, O_CLOEXEC); }

// Becomes readable when the process ends; -1 where the system has no such thing.
static inline int clinux_open_process(pid_t process) {
  return (int)syscall(434 /* pidfd_open, Linux 5.3 */, process, 0);
}

// A descriptor that becomes readable when an address or a route comes or goes; -1 where that is not told.
int clinux_open_network(void);
// Reads what there is to be read of it; whether something came.
int clinux_has_network_come(int fd);

// Starts a program that is looked for as a shell would, in a process group of its own, with no signal blocked or
// ignored; `joined` is its standard input and output, `errors` what it says besides. 0, or the error.
int clinux_start_joined(pid_t *process, char *const arguments[], int joined, int errors);

// The user who owns the other end of a Unix socket, or -1 (errno is set).
static inline int64_t clinux_peer_uid(int fd) {
  struct { int pid; unsigned uid; unsigned gid; } credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, 17 /* SO_PEERCRED */, &credentials, &length) != 0) return -1;
  return (int64_t)credentials.uid;
}

// A page of a mapped file that the disk cannot read raises SIGBUS where it is looked at. With the handler
// set, such a page of a mapping that was named here reads as zeros from then on, which no line's check
// fits; any other SIGBUS ends the process as before.
void clinux_survive_bad_pages(void);
void clinux_name_mapping(void *start, size_t length);
void clinux_forget_mapping(void *start);
// How many pages were bad since this was asked last.
uint64_t clinux_take_bad_pages(void);

// Fills from the system's generator; how many bytes it gave.
static inline size_t clinux_random(void *bytes, size_t count) {
  ssize_t given = getrandom(bytes, count, 0);
  return given < 0 ? 0 : (size_t)given;
}

// As many open files as the system allows this process.
static inline void clinux_raise_open_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Whether a path is a socket, or nothing at all.
static inline int clinux_is_socket_or_absent(const char *path) {
  struct stat status;
  return lstat(path, &status) != 0 ? errno == ENOENT : S_ISSOCK(status.st_mode);
}

// Writes all bytes; 0, or the error. Foundation's FileHandle ends the program instead.
static inline int clinux_write_all(int fd, const void *bytes, size_t count) {
  for (size_t done = 0; done < count;) {
    ssize_t written = write(fd, (const char *)bytes + done, count - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    done += (size_t)written;
  }
  return 0;
}

// Which glibc shows under _GNU_SOURCE alone.
int renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path,
              unsigned int flags);

// SIG_IGN is a macro with a cast, which Swift does not see.
static inline int clinux_is_ignored(const struct sigaction *action) {
  return action->sa_handler == SIG_IGN;
}

// Renames a file unless something of that name is there (EEXIST).
static inline int clinux_rename_new(const char *old_path, const char *new_path) {
  return renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, 1 /* RENAME_NOREPLACE */);
}

// Starts a program that is told to stop when we end, however that comes about (SIGTERM, prctl(2)), in a
// process group of its own, so that a Ctrl-C is ours to pass on. It writes what it says to `errors`.
// Its number, or -1.
static inline pid_t clinux_start(
    const char *path, char *const arguments[], char *const environment[], int errors) {
  pid_t parent = getpid();
  pid_t child = fork();
  if (child != 0) return child;
  // Of what another thread held when we forked nothing may be touched: system calls alone.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() == parent && dup2(errors, STDERR_FILENO) >= 0 && dup2(errors, STDOUT_FILENO) >= 0)
    execve(path, arguments, environment);
  _exit(127);
}

static inline int clinux_terminal_columns(int fd) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

static inline int clinux_terminal_rows(int fd) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_row;
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

// Sixteen bytes as one value: what every processor of both kinds has. Swift's own SIMD types are not
// specialized across its modules.
typedef uint8_t clinux_block __attribute__((vector_size(16)));

static inline int clinux_any(clinux_block block) {
  uint64_t words[2];
  memcpy(words, &block, 16);
  return (words[0] | words[1]) != 0;
}

static inline clinux_block clinux_load(const uint8_t *bytes) {
  clinux_block block;
  memcpy(&block, bytes, 16);
  return block;
}

// The offset of the first byte from `at` that is a quote, a backslash or below a space, or `count`.
static inline size_t clinux_skip_plain(const uint8_t *text, size_t at, size_t count) {
  for (; at + 16 <= count; at += 16) {
    clinux_block block = clinux_load(text + at);
    clinux_block hits =
        (clinux_block)(block == '"') | (clinux_block)(block == '\\') | (clinux_block)(block < 0x20);
    uint64_t words[2];
    memcpy(words, &hits, 16);
    if (words[0] != 0) return at + (size_t)__builtin_ctzll(words[0]) / 8;
    if (words[1] != 0) return at + 8 + (size_t)__builtin_ctzll(words[1]) / 8;
  }
  for (; at < count; at++) {
    if (text[at] == '"' || text[at] == '\\' || text[at] < 0x20) return at;
  }
  return at;
}

// The offset of the first byte from `at` that is not ASCII, or `count`.
static inline size_t clinux_skip_ascii(const uint8_t *text, size_t at, size_t count) {
  for (; at + 32 <= count; at += 32) {
    clinux_block high = (clinux_load(text + at) | clinux_load(text + at + 16)) >= 0x80;
    if (clinux_any(high)) break;
  }
  while (at < count && text[at] < 0x80) at++;
  return at;
}

// Bytes to look for, letters in lower case, and the two of them by which they are found: `*_case` is 0x20
// for a letter, else 0; `*_at` where they stand.
typedef struct {
  const uint8_t *bytes;
  size_t count;
  uint8_t one, one_case, two, two_case;
  size_t one_at, two_at;
} clinux_needle;

// The first place from `at` at which a needle that is not empty stands, in letters of either case, or a
// byte that is not plain: beyond ASCII, or a backslash. `count` where there is none.
size_t clinux_find(const uint8_t *text, size_t at, size_t count, clinux_needle needle);
