// The least that a durable append can be: what load.c sends is found line by line, copied, written,
// synced and answered; nothing is parsed, hashed or indexed. A limit to compare with.
//
//     bare inline|thread SOCKET FILE
//
// `inline` commits on the loop that reads; `thread` on one of its own, while the loop reads on.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 1024, BUFFER = 1 << 18 };

typedef struct {
  char *bytes;
  size_t length, capacity;
  long lines[CLIENTS];  // by descriptor: how many are to be answered
} Batch;

static char *partial[CLIENTS];
static size_t partial_length[CLIENTS];
static Batch batches[2];
static Batch *filling = &batches[0], *committing = &batches[1];
static int file, is_busy, go, done;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void commit(Batch *batch) {
  for (size_t at = 0; at < batch->length;) {
    ssize_t wrote = write(file, batch->bytes + at, batch->length - at);
    if (wrote < 0) die("write");
    at += wrote;
  }
  if (fdatasync(file) < 0) die("fdatasync");
}

static void answer(Batch *batch) {
  static char replies[3 * 65536];
  if (!replies[0]) for (int i = 0; i < 65536; i++) memcpy(replies + 3 * i, "OK\n", 3);
  for (int client = 0; client < CLIENTS; client++) {
    while (batch->lines[client]) {
      long count = batch->lines[client] < 65536 ? batch->lines[client] : 65536;
      // The client reads whenever it can; a full socket is waited for.
      for (long at = 0; at < 3 * count;) {
        ssize_t sent = send(client, replies + at, 3 * count - at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) continue;
        if (sent < 0) break;
        at += sent;
      }
      batch->lines[client] -= count;
    }
  }
  batch->length = 0;
}

static void *committer(void *unused) {
  (void)unused;
  for (uint64_t n;;) {
    if (read(go, &n, sizeof n) < 0) die("go");
    commit(committing);
    n = 1;
    if (write(done, &n, sizeof n) < 0) die("done");
  }
  return NULL;
}

static void take(int client, const char *bytes, size_t length) {
  if (filling->length + length > filling->capacity) {
    filling->capacity = (filling->length + length) * 2;
    filling->bytes = realloc(filling->bytes, filling->capacity);
  }
  memcpy(filling->bytes + filling->length, bytes, length);
  filling->length += length;
  for (const char *at = bytes, *end = bytes + length; at < end; filling->lines[client]++) {
    at = (const char *)memchr(at, '\n', end - at) + 1;
  }
}

static void hear(int client) {
  for (;;) {
    if (!partial[client]) partial[client] = malloc(BUFFER);
    char *buffer = partial[client];
    size_t had = partial_length[client];
    ssize_t got = recv(client, buffer + had, BUFFER - had, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      partial_length[client] = 0;
      close(client);
      return;
    }
    size_t length = had + got;
    char *lf = memrchr(buffer, '\n', length);
    size_t whole = lf ? lf + 1 - buffer : 0;
    if (whole) take(client, buffer, whole);
    memmove(buffer, buffer + whole, length - whole);
    partial_length[client] = length - whole;
  }
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: bare inline|thread SOCKET FILE\n");
    return 2;
  }
  int is_threaded = !strcmp(argv[1], "thread");
  file = open(argv[3], O_CREAT | O_WRONLY | O_APPEND, 0600);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, argv[2], sizeof address.sun_path - 1);
  if (file < 0 || bind(listener, (void *)&address, sizeof address) < 0 || listen(listener, 64) < 0) die(argv[2]);
  go = eventfd(0, 0);
  done = eventfd(0, EFD_NONBLOCK);
  int epoll = epoll_create1(0);
  for (int i = 0; i < 2; i++) {
    int descriptor = i ? done : listener;
    epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &(struct epoll_event){.events = EPOLLIN, .data.fd = descriptor});
  }
  pthread_t thread;
  if (is_threaded) pthread_create(&thread, NULL, committer, NULL);
  puts("serving");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[64];
    int ready = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < ready; i++) {
      int descriptor = events[i].data.fd;
      if (descriptor == listener) {
        int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (client < 0) continue;
        epoll_ctl(epoll, EPOLL_CTL_ADD, client, &(struct epoll_event){.events = EPOLLIN, .data.fd = client});
      } else if (descriptor == done) {
        uint64_t n;
        if (read(done, &n, sizeof n) > 0) {
          answer(committing);
          is_busy = 0;
        }
      } else {
        hear(descriptor);
      }
    }
    if (!filling->length || is_busy) continue;
    if (is_threaded) {
      Batch *next = committing;
      committing = filling;
      filling = next;
      is_busy = 1;
      uint64_t n = 1;
      if (write(go, &n, sizeof n) < 0) die("go");
    } else {
      commit(filling);
      answer(filling);
    }
  }
}
