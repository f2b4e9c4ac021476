// Clients that ask whether or not those before them were answered, each on a connection of its own.
//
//     flood PORT RATE SECONDS SEED SLOW FILE
//
// sends the request in FILE so many times a second, and prints a line for each: what it
// was answered with, or what else came of it, and after how many milliseconds since it was due.
// SLOW of them (0 to 1) send it in drops, or two thirds of it and then close their side.
// It is in C as it has to cost less than the server that it asks.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kWhole, kDrops, kHalf };
enum { kFiles = 1 << 16, kEvents = 512, kParts = 6, kRequest = 1 << 20 };
static const double kGivesUp = 45, kPause = 0.5;  // seconds

typedef struct {
  double due;     // when it was to be opened
  size_t number;  // of the connection that has this file; 0 for none
  size_t written;
  int how;
} Client;

typedef struct {
  double at;
  int file;
  size_t number;
} Wake;

typedef struct {  // of one delay, so that times are in order
  Wake* wakes;
  size_t first, end, room;
} Queue;

static Client clients[kFiles];
static Queue drops, ends;
static char request[kRequest];
static size_t size, opened, waiting;
static int polled;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static void push(Queue* queue, double at, int file) {
  if (queue->end == queue->room) {
    queue->room = queue->room ? 2 * queue->room : 1024;
    queue->wakes = realloc(queue->wakes, queue->room * sizeof(Wake));
    if (!queue->wakes) exit(3);
  }
  queue->wakes[queue->end++] = (Wake){at, file, clients[file].number};
}

// The next file whose time has come, if its connection is still the same; -1 for none.
static int woken(Queue* queue, double time) {
  while (queue->first < queue->end && queue->wakes[queue->first].at <= time) {
    Wake wake = queue->wakes[queue->first++];
    if (clients[wake.file].number == wake.number) return wake.file;
  }
  return -1;
}

static void ended(int file, const char* how) {
  printf("%s\t%.2f\n", how, 1e3 * (now() - clients[file].due));
  clients[file].number = 0;
  waiting--;
  close(file);
}

static void write_on(int file) {
  Client* client = &clients[file];
  size_t part = size / kParts + 1, most = size;
  if (client->how == kHalf) most = size - size / 3;
  if (client->how == kDrops && client->written + part < size) most = client->written + part;
  while (client->written < most) {
    ssize_t took = send(file, request + client->written, most - client->written, MSG_NOSIGNAL);
    if (took < 0) return;  // reading tells of an error
    client->written += took;
  }
  if (client->how == kHalf) shutdown(file, SHUT_WR);
  if (client->how == kDrops && most < size) push(&drops, now() + kPause, file);
}

static void open_one(struct sockaddr_in* to, double due, int how) {
  int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
  if (file < 0 || file >= kFiles) exit(2);
  setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  clients[file] = (Client){.due = due, .number = ++opened, .how = how};
  waiting++;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = file};
  epoll_ctl(polled, EPOLL_CTL_ADD, file, &event);
  push(&ends, due + kGivesUp, file);
  if (connect(file, (struct sockaddr*)to, sizeof *to) && errno != EINPROGRESS)
    ended(file, "not opened");
}

static void heard(int file, unsigned events) {
  char answer[4096], status[4] = "";
  Client* client = &clients[file];
  if (events & EPOLLOUT && (client->how == kWhole || !client->written)) write_on(file);
  ssize_t got = recv(file, answer, sizeof answer, 0);
  if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
  if (got >= 12) {
    memcpy(status, answer + 9, 3);
    ended(file, status);
  } else if (got < 0 && client->how != kHalf) {
    ended(file, strerror(errno));
  } else {
    ended(file, client->how == kHalf ? "cut off" : "closed");
  }
}

int main(int count, char** words) {
  if (count != 7) return 2;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  double rate = atof(words[2]), seconds = atof(words[3]), slow = atof(words[5]);
  srand48(atol(words[4]));
  FILE* from = fopen(words[6], "rb");
  if (!from || !(size = fread(request, 1, sizeof request, from))) return 2;
  polled = epoll_create1(0);
  struct epoll_event events[kEvents];
  double began = now(), past, time;
  for (int sending = 1; sending || waiting;) {
    time = now(), past = time - began;
    if (sending && past >= seconds) {
      fprintf(stderr, "sent\n");
      sending = 0;
    }
    for (int n = 0; sending && n < kEvents && opened < rate * past; n++) {
      double dice = drand48();
      open_one(&to, time, dice >= slow ? kWhole : dice < slow / 2 ? kDrops : kHalf);
    }
    for (int file; (file = woken(&drops, time)) >= 0;) write_on(file);
    for (int file; (file = woken(&ends, time)) >= 0;) ended(file, "late");
    int found = epoll_wait(polled, events, kEvents, 1);
    for (int n = 0; n < found; n++)
      if (clients[events[n].data.fd].number) heard(events[n].data.fd, events[n].events);
  }
  return 0;
}
