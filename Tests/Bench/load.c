// A load generator for one request a line: the same loop against timelined, Redis and NATS JetStream, so
// that what differs is the server.
//
//     load ours|redis|nats SOCKET CLIENTS IN_FLIGHT COUNT FILE
//
// SOCKET is a path, or for NATS, which has no Unix socket, a port of the loopback. FILE holds one event
// a line. Each client keeps IN_FLIGHT requests on the way until COUNT in all are answered. Prints:
// events/s, p50 and p99 of a request in microseconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

typedef struct {
  int fd;
  char *out;           // requests that are not sent yet
  size_t out_length, out_sent, out_capacity;
  double *begun;       // ring: when each request on the way was made
  long head, tail;     // made, answered
  long lines;          // LFs of replies so far
  int line_start;      // whether the next byte begins a reply line
  char kind;           // the first byte of the line that is being read
} Client;

static int is_redis, is_nats;
static const char *data, *cursor, *end;
static long made, answered, count;

static void make(Client *client, int depth, double time) {
  while (client->head - client->tail < depth && made < count) {
    const char *lf = memchr(cursor, '\n', end - cursor);
    size_t length = lf - cursor;
    size_t need = client->out_length + length + 128;
    if (need > client->out_capacity) {
      client->out_capacity = need * 2;
      client->out = realloc(client->out, client->out_capacity);
    }
    char *at = client->out + client->out_length;
    if (is_redis) {
      at += sprintf(at, "*5\r\n$4\r\nXADD\r\n$4\r\nmain\r\n$1\r\n*\r\n$1\r\ne\r\n$%zu\r\n", length);
      memcpy(at, cursor, length);
      at += length;
      memcpy(at, "\r\n", 2);
      at += 2;
    } else if (is_nats) {
      at += sprintf(at, "PUB main _INBOX.%d %zu\r\n", client->fd, length);
      memcpy(at, cursor, length);
      at += length;
      memcpy(at, "\r\n", 2);
      at += 2;
    } else {
      memcpy(at, "APPEND ", 7);
      memcpy(at + 7, cursor, length);
      at += length + 7;
      *at++ = '\n';
    }
    client->out_length = at - client->out;
    cursor = lf + 1 < end ? lf + 1 : data;
    client->begun[client->head++ % depth] = time;
    made++;
  }
}

static void flush(Client *client) {
  while (client->out_sent < client->out_length) {
    ssize_t sent = send(client->fd, client->out + client->out_sent, client->out_length - client->out_sent, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) return;
      die("send");
    }
    client->out_sent += sent;
  }
  client->out_sent = client->out_length = 0;
}

static int connected(const char *endpoint) {
  if (is_nats) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(endpoint))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connect(fd, (void *)&address, sizeof address) < 0) die(endpoint);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    dprintf(fd, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB _INBOX.%d 1\r\n", fd);
    return fd;
  }
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, endpoint, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (void *)&address, sizeof address) < 0) die(endpoint);
  return fd;
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: load ours|redis|nats SOCKET CLIENTS IN_FLIGHT COUNT FILE\n");
    return 2;
  }
  is_redis = !strcmp(argv[1], "redis");
  is_nats = !strcmp(argv[1], "nats");
  int clients = atoi(argv[3]), depth = atoi(argv[4]);
  count = atol(argv[5]);
  int file = open(argv[6], O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) < 0) die(argv[6]);
  data = cursor = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  end = data + status.st_size;
  int epoll = epoll_create1(0);
  Client *all = calloc(clients, sizeof *all);
  float *waits = malloc(count * sizeof *waits);
  for (int i = 0; i < clients; i++) {
    all[i].fd = connected(argv[2]);
    fcntl(all[i].fd, F_SETFL, O_NONBLOCK);
    all[i].begun = calloc(depth, sizeof(double));
    all[i].line_start = 1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &all[i]};
    epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
  }
  static char buffer[1 << 18];
  double start = now();
  for (int i = 0; i < clients; i++) {
    make(&all[i], depth, start);
    flush(&all[i]);
  }
  while (answered < count) {
    struct epoll_event events[64];
    int ready = epoll_wait(epoll, events, 64, -1);
    double time = now();
    for (int i = 0; i < ready; i++) {
      Client *client = events[i].data.ptr;
      for (;;) {
        ssize_t got = recv(client->fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EAGAIN) break;
        if (got <= 0) die("recv");
        for (char *at = buffer, *stop = buffer + got; at < stop;) {
          char kind = client->line_start ? *at : client->kind;
          client->kind = kind;
          if (kind == '-' || kind == 'E' || (kind == '{' && client->line_start && stop - at > 8 && !memcmp(at, "{\"error\"", 8))) {
            fprintf(stderr, "load: %.*s\n", (int)(stop - at > 200 ? 200 : stop - at), at);
            return 1;
          }
          char *lf = memchr(at, '\n', stop - at);
          client->line_start = lf != NULL;
          if (!lf) break;
          at = lf + 1;
          // A bulk reply of Redis is two lines; of NATS only {"stream":…,"seq":…} is an answer.
          if (is_nats ? kind != '{' : ++client->lines % (is_redis ? 2 : 1)) continue;
          waits[answered++] = (time - client->begun[client->tail++ % depth]) * 1e6;
        }
      }
      make(client, depth, time);
      flush(client);
    }
  }
  double took = now() - start;
  qsort(waits, count, sizeof *waits, compare);
  printf("%.0f %.1f %.1f\n", count / took, waits[count / 2], waits[(long)(count * 0.99)]);
  return 0;
}
