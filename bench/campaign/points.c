// Preloaded into a training: counts the calls that change files below a folder, and at the n-th
// kills the process (of a write, half is done), or says that the disk is full from there on.
// `points_watch` begins; n = 0 only counts.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { kKill, kFull };

static char folder[4096];
static long asked, wanted;
static int mode, watching;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void points_watch(const char* below, long n, int how) {
  snprintf(folder, sizeof folder, "%s/", below);
  asked = 0, wanted = n, mode = how, watching = 1;
}

long points_asked(void) { return asked; }

static int below(const char* path) {
  return watching && path && !strncmp(path, folder, strlen(folder));
}

static const char* path_of(int handle) {
  static __thread char path[4096];
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = 0;
  return path;
}

// Returns whether the call at hand is to fail, for want of room.
static int point(const char* call) {
  asked++;
  if (!wanted || asked < wanted) return 0;
  if (mode == kFull) return 1;
  if (asked == wanted && strcmp(call, "write")) kill(getpid(), SIGKILL);
  return 0;
}

ssize_t write(int handle, const void* content, size_t size) {
  if (watching && below(path_of(handle))) {
    if (point("write")) return errno = ENOSPC, -1;
    if (asked == wanted && mode == kKill) {
      NEXT(write)(handle, content, size / 2);
      kill(getpid(), SIGKILL);
    }
  }
  return NEXT(write)(handle, content, size);
}

int fsync(int handle) {
  if (watching && below(path_of(handle)) && point("fsync")) return errno = ENOSPC, -1;
  return NEXT(fsync)(handle);
}

int rename(const char* from, const char* to) {
  if (below(to) && point("rename")) return errno = ENOSPC, -1;
  return NEXT(rename)(from, to);
}

int unlink(const char* path) {
  if (below(path)) point("unlink");  // a full disk lets files go
  return NEXT(unlink)(path);
}

int chmod(const char* path, mode_t bits) {
  if (below(path)) point("chmod");
  return NEXT(chmod)(path, bits);
}

static int made(const char* path, int flags) {
  return (flags & O_CREAT) && below(path) && point("create");
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t bits = va_arg(rest, mode_t);
  va_end(rest);
  return made(path, flags) ? (errno = ENOSPC, -1) : NEXT(open)(path, flags, bits);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t bits = va_arg(rest, mode_t);
  va_end(rest);
  return made(path, flags) ? (errno = ENOSPC, -1) : NEXT(open64)(path, flags, bits);
}
