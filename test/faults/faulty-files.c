// A layer between a program and its files, loaded with LD_PRELOAD. It counts each change to a file below FAULT_DIR, and at the
// FAULT_AT-th one does what FAULT_KIND says. It appends a line for each change to FAULT_LOG. The program may set these variables
// while it runs; it counts from the start when FAULT_DIR changes. Reads are counted apart from changes.
//
//   kill    end the process before the change
//   torn    end the process in the middle of a write, or after another change
//   full    from there on, the disk is full
//   lost    from there on, the disk can only be read
//   broken  this change fails with an input/output error
//   unread  this read fails with an input/output error
//   slow    every change takes 20 milliseconds
//   plain   the disk has no hard links and no locks, cannot sync, and does not say how large it is
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int numChanges, numReads;

static const char* setting(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}

static int isKind(const char* kind) { return !strcmp(setting("FAULT_KIND"), kind); }

static int isBelow(const char* path) {
  const char* dir = setting("FAULT_DIR");
  return *dir && !strncmp(path, dir, strlen(dir));
}

static int isOpenBelow(int fd, char* path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = 0;
  return length > 0 && isBelow(path);
}

static void note(const char* call, const char* path, size_t bytes) {
  const char* log = setting("FAULT_LOG");
  if (!*log) return;
  char line[PATH_MAX + 64];
  const int length = snprintf(line, sizeof line, "%s %zu %s\n", call, bytes, path);
  const int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, length);
  syscall(SYS_close, fd);
}

static void end(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

enum Outcome { PROCEED, FAIL, HALF, END_AFTER };

static void startCounting(void) {
  static char dir[PATH_MAX];
  if (!strcmp(dir, setting("FAULT_DIR"))) return;
  snprintf(dir, sizeof dir, "%s", setting("FAULT_DIR"));
  atomic_store(&numChanges, 0);
  atomic_store(&numReads, 0);
}

/** Decides whether a read fails; sets errno if it does. */
static int failsToRead(const char* path) {
  startCounting();
  const int number = atomic_fetch_add(&numReads, 1) + 1;
  note("read", path, 0);
  if (!isKind("unread") || number != atoi(setting("FAULT_AT"))) return 0;
  errno = EIO;
  return 1;
}

/** Decides what becomes of a change; sets errno if it fails. */
static enum Outcome decide(const char* call, const char* path, size_t bytes) {
  startCounting();
  const int number = atomic_fetch_add(&numChanges, 1) + 1;
  note(call, path, bytes);
  if (isKind("slow")) usleep(20000);
  if (isKind("plain") && (!strcmp(call, "sync") || !strcmp(call, "hard link"))) {
    errno = *call == 's' ? EINVAL : EPERM;
    return FAIL;
  }
  const int at = atoi(setting("FAULT_AT"));
  if (at == 0 || number < at) return PROCEED;
  if (isKind("lost")) {
    errno = EROFS;
    return FAIL;
  }
  if (isKind("full")) {
    const int takesRoom = strstr(call, "write") || !strcmp(call, "create") || !strcmp(call, "mkdir");
    if (!takesRoom) return PROCEED;
    if (number == at && bytes > 1) return HALF;
    errno = ENOSPC;
    return FAIL;
  }
  if (number > at) return PROCEED;
  if (isKind("kill")) end();
  if (isKind("torn")) return bytes > 1 ? HALF : END_AFTER;
  if (isKind("broken")) {
    errno = EIO;
    return FAIL;
  }
  return PROCEED;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/** Runs a change that is no write. */
#define CHANGE(call, path, run)                           \
  do {                                                    \
    const enum Outcome outcome = decide(call, path, 0);   \
    if (outcome == FAIL) return -1;                       \
    const int result = (run);                             \
    if (outcome == END_AFTER) end();                      \
    return result;                                        \
  } while (0)

#define OPEN(name)                                                                      \
  int name(const char* path, int flags, ...) {                                          \
    va_list rest;                                                                       \
    va_start(rest, flags);                                                              \
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;       \
    va_end(rest);                                                                       \
    if (!isBelow(path)) return REAL(name)(path, flags, mode);                           \
    if (!(flags & (O_CREAT | O_TRUNC))) return failsToRead(path) ? -1 : REAL(name)(path, flags, mode); \
    CHANGE("create", path, REAL(name)(path, flags, mode));                              \
  }
OPEN(open)
OPEN(open64)

#define AT(name)                                                                        \
  int name(int dir, const char* path, int flags, ...) {                                 \
    va_list rest;                                                                       \
    va_start(rest, flags);                                                              \
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;       \
    va_end(rest);                                                                       \
    if (!isBelow(path)) return REAL(name)(dir, path, flags, mode);                      \
    if (!(flags & (O_CREAT | O_TRUNC))) return failsToRead(path) ? -1 : REAL(name)(dir, path, flags, mode); \
    CHANGE("create", path, REAL(name)(dir, path, flags, mode));                         \
  }
AT(openat)
AT(openat64)

#define READ(fd, run)                                                 \
  do {                                                                \
    char path[PATH_MAX];                                              \
    return isOpenBelow(fd, path) && failsToRead(path) ? -1 : (run);   \
  } while (0)

ssize_t read(int fd, void* data, size_t bytes) { READ(fd, REAL(read)(fd, data, bytes)); }
ssize_t readv(int fd, const struct iovec* parts, int count) { READ(fd, REAL(readv)(fd, parts, count)); }
ssize_t pread(int fd, void* data, size_t bytes, off_t at) { READ(fd, REAL(pread)(fd, data, bytes, at)); }
ssize_t pread64(int fd, void* data, size_t bytes, off64_t at) { READ(fd, REAL(pread64)(fd, data, bytes, at)); }
ssize_t preadv(int fd, const struct iovec* parts, int count, off_t at) {
  READ(fd, REAL(preadv)(fd, parts, count, at));
}
ssize_t preadv64(int fd, const struct iovec* parts, int count, off64_t at) {
  READ(fd, REAL(preadv64)(fd, parts, count, at));
}

typedef int (*Filter)(const struct dirent*);
typedef int (*Order)(const struct dirent**, const struct dirent**);
int scandir(const char* path, struct dirent*** names, Filter filter, Order order) {
  return isBelow(path) && failsToRead(path) ? -1 : REAL(scandir)(path, names, filter, order);
}

/** Runs a write; `half` writes the first half of the bytes. */
#define WRITE(call, fd, bytes, run, half)                                     \
  do {                                                                        \
    char path[PATH_MAX];                                                      \
    if (!isOpenBelow(fd, path)) return run;                                   \
    const enum Outcome outcome = decide(call, path, bytes);                   \
    if (outcome == FAIL) return -1;                                           \
    const ssize_t result = outcome == HALF ? (half) : (run);                  \
    if (outcome == END_AFTER || (outcome == HALF && isKind("torn"))) end();   \
    return result;                                                            \
  } while (0)

ssize_t write(int fd, const void* data, size_t bytes) {
  WRITE("write", fd, bytes, REAL(write)(fd, data, bytes), REAL(write)(fd, data, bytes / 2));
}
ssize_t pwrite(int fd, const void* data, size_t bytes, off_t at) {
  WRITE("write", fd, bytes, REAL(pwrite)(fd, data, bytes, at), REAL(pwrite)(fd, data, bytes / 2, at));
}
ssize_t pwrite64(int fd, const void* data, size_t bytes, off64_t at) {
  WRITE("write", fd, bytes, REAL(pwrite64)(fd, data, bytes, at), REAL(pwrite64)(fd, data, bytes / 2, at));
}

static size_t total(const struct iovec* parts, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += parts[i].iov_len;
  return bytes;
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  WRITE("write", fd, total(parts, count), REAL(writev)(fd, parts, count),
        REAL(write)(fd, parts[0].iov_base, parts[0].iov_len / 2));
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t at) {
  WRITE("write", fd, total(parts, count), REAL(pwritev)(fd, parts, count, at),
        REAL(pwrite)(fd, parts[0].iov_base, parts[0].iov_len / 2, at));
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t at) {
  WRITE("write", fd, total(parts, count), REAL(pwritev64)(fd, parts, count, at),
        REAL(pwrite64)(fd, parts[0].iov_base, parts[0].iov_len / 2, at));
}

#define ON_FILE(name, call)                                     \
  int name(int fd) {                                            \
    char path[PATH_MAX];                                        \
    if (!isOpenBelow(fd, path)) return REAL(name)(fd);          \
    CHANGE(call, path, REAL(name)(fd));                         \
  }
ON_FILE(fsync, "sync")
ON_FILE(fdatasync, "sync")

#define TRUNCATE(name, type)                                    \
  int name(int fd, type length) {                               \
    char path[PATH_MAX];                                        \
    if (!isOpenBelow(fd, path)) return REAL(name)(fd, length);  \
    CHANGE("truncate", path, REAL(name)(fd, length));           \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int rename(const char* from, const char* to) {
  if (!isBelow(to)) return REAL(rename)(from, to);
  CHANGE("rename", to, REAL(rename)(from, to));
}
int link(const char* from, const char* to) {
  if (!isBelow(to)) return REAL(link)(from, to);
  CHANGE("hard link", to, REAL(link)(from, to));
}
int symlink(const char* from, const char* to) {
  if (!isBelow(to)) return REAL(symlink)(from, to);
  CHANGE("link", to, REAL(symlink)(from, to));
}
int flock(int fd, int operation) {
  char path[PATH_MAX];
  if (!isKind("plain") || !isOpenBelow(fd, path)) return REAL(flock)(fd, operation);
  errno = ENOLCK;
  return -1;
}

static int hide(const char* path, int result, struct statfs* found) {
  if (!result && isKind("plain") && isBelow(path)) found->f_blocks = found->f_bfree = found->f_bavail = 0;
  return result;
}
int statfs(const char* path, struct statfs* found) { return hide(path, REAL(statfs)(path, found), found); }
int statfs64(const char* path, struct statfs64* found) {
  return hide(path, REAL(statfs64)(path, found), (struct statfs*)found);
}

int unlink(const char* path) {
  if (!isBelow(path)) return REAL(unlink)(path);
  CHANGE("remove", path, REAL(unlink)(path));
}
int rmdir(const char* path) {
  if (!isBelow(path)) return REAL(rmdir)(path);
  CHANGE("remove", path, REAL(rmdir)(path));
}
int mkdir(const char* path, mode_t mode) {
  struct stat found;
  if (!isBelow(path) || !stat(path, &found)) return REAL(mkdir)(path, mode);
  CHANGE("mkdir", path, REAL(mkdir)(path, mode));
}
