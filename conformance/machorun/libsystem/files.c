// Files and descriptors: flags of open and fcntl, and the layout of stat (<sys/fcntl.h>, <sys/stat.h>).
#include "../shims.h"
#include "files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct flag {
  int darwin, linux;
};

static const struct flag OPEN_FLAGS[] = {
    {0x4, O_NONBLOCK},   {0x8, O_APPEND},         {0x40, O_ASYNC},     {0x80, O_SYNC},
    {0x100, O_NOFOLLOW}, {0x200, O_CREAT},        {0x400, O_TRUNC},    {0x800, O_EXCL},
    {0x20000, O_NOCTTY}, {0x100000, O_DIRECTORY}, {0x400000, O_DSYNC}, {0x1000000, O_CLOEXEC},
};

static bool linux_open_flags(int flags, int *found) {
  *found = flags & 3;
  flags &= ~3;
  for (size_t i = 0; i < sizeof OPEN_FLAGS / sizeof *OPEN_FLAGS; i++) {
    if (!(flags & OPEN_FLAGS[i].darwin)) continue;
    *found |= OPEN_FLAGS[i].linux;
    flags &= ~OPEN_FLAGS[i].darwin;
  }
  if (flags != 0) errno = EINVAL;
  return flags == 0;
}

static int darwin_open_flags(int flags) {
  int found = flags & 3;
  for (size_t i = 0; i < sizeof OPEN_FLAGS / sizeof *OPEN_FLAGS; i++)
    if ((flags & OPEN_FLAGS[i].linux) == OPEN_FLAGS[i].linux) found |= OPEN_FLAGS[i].darwin;
  return found;
}

int linux_folder(int fd) { return fd == -2 ? AT_FDCWD : fd; }

int linux_at_flags(int flags) {
  return (flags & 0x20 ? AT_SYMLINK_NOFOLLOW : 0) | (flags & 0x40 ? AT_SYMLINK_FOLLOW : 0) |
         (flags & 0x80 ? AT_REMOVEDIR : 0) | (flags & 0x10 ? AT_EACCESS : 0);
}

static int open_(const char *path, int flags, AFTER_TWO long mode) {
  int linux;
  return linux_open_flags(flags, &linux) ? open(path, linux, (mode_t)mode) : -1;
}

static int openat_(int fd, const char *path, int flags, AFTER_THREE long mode) {
  int linux;
  return linux_open_flags(flags, &linux) ? openat(linux_folder(fd), path, linux, (mode_t)mode) : -1;
}

struct darwin_flock {
  int64_t start, length;
  int32_t process;
  int16_t type, whence;
};

static int lock_range(int fd, int command, struct darwin_flock *lock) {
  static const short TYPES[4] = {-1, F_RDLCK, F_UNLCK, F_WRLCK};
  struct flock linux = {
      .l_type = TYPES[lock->type & 3], .l_whence = lock->whence, .l_start = lock->start, .l_len = lock->length};
  int result = fcntl(fd, command, &linux);
  if (command == F_GETLK && result == 0) {
    lock->type = linux.l_type == F_RDLCK ? 1 : linux.l_type == F_UNLCK ? 2 : 3;
    lock->start = linux.l_start;
    lock->length = linux.l_len;
    lock->process = linux.l_pid;
  }
  return result;
}

static int path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, 1023);
  if (length < 0) return -1;
  path[length] = 0;
  return 0;
}

static int fcntl_(int fd, int command, AFTER_TWO long value) {
  switch (command) {
  case 0: return note_copy(fd, fcntl(fd, F_DUPFD, (int)value));
  case 67: return note_copy(fd, fcntl(fd, F_DUPFD_CLOEXEC, (int)value));
  case 1: return fcntl(fd, F_GETFD);
  case 2: return fcntl(fd, F_SETFD, (int)value);
  case 3: {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? flags : darwin_open_flags(flags);
  }
  case 4: {
    int linux;
    // O_CREAT and the like have no say here, as on both systems.
    return linux_open_flags((int)value & (0x4 | 0x8 | 0x40 | 3), &linux) ? fcntl(fd, F_SETFL, linux) : -1;
  }
  case 7: return lock_range(fd, F_GETLK, (void *)value);
  case 8: return lock_range(fd, F_SETLK, (void *)value);
  case 9: return lock_range(fd, F_SETLKW, (void *)value);
  case 44:
  case 45:
  case 48: return 0; // F_RDADVISE, F_RDAHEAD, F_NOCACHE: only hints
  case 50: return path_of(fd, (char *)value);
  case 51:
  case 85: return fsync(fd); // F_FULLFSYNC, F_BARRIERFSYNC
  case 73: return 0;         // F_SETNOSIGPIPE: sockets are written with MSG_NOSIGNAL
  default: errno = EINVAL; return -1;
  }
}

static int ioctl_(int fd, unsigned long request, AFTER_TWO long value) {
  switch (request) {
  case 0x8004667e: return ioctl(fd, FIONBIO, (void *)value);
  case 0x4004667f: return ioctl(fd, FIONREAD, (void *)value);
  case 0x20006601: return ioctl(fd, FIOCLEX);
  case 0x20006602: return ioctl(fd, FIONCLEX);
  case 0x40087468: return ioctl(fd, TIOCGWINSZ, (void *)value);
  default: errno = ENOTTY; return -1;
  }
}

// struct stat with 64-bit inodes, 144 bytes.
static int give_stat(int result, const struct stat *from, uint8_t *to) {
  if (result != 0) return result;
  memset(to, 0, 144);
  const struct timespec times[] = {from->st_atim, from->st_mtim, from->st_ctim, from->st_ctim};
  uint32_t device = (uint32_t)from->st_dev, raw = (uint32_t)from->st_rdev, block = (uint32_t)from->st_blksize;
  uint16_t mode = (uint16_t)from->st_mode, links = (uint16_t)from->st_nlink;
  memcpy(to, &device, 4);
  memcpy(to + 4, &mode, 2);
  memcpy(to + 6, &links, 2);
  write64(to + 8, from->st_ino);
  memcpy(to + 16, &from->st_uid, 4);
  memcpy(to + 20, &from->st_gid, 4);
  memcpy(to + 24, &raw, 4);
  memcpy(to + 32, times, sizeof times);
  write64(to + 96, (uint64_t)from->st_size);
  write64(to + 104, (uint64_t)from->st_blocks);
  memcpy(to + 112, &block, 4);
  return 0;
}

static int stat_(const char *path, uint8_t *to) {
  struct stat status;
  return give_stat(stat(path, &status), &status, to);
}
static int lstat_(const char *path, uint8_t *to) {
  struct stat status;
  return give_stat(lstat(path, &status), &status, to);
}
static int fstat_(int fd, uint8_t *to) {
  struct stat status;
  return give_stat(fstat(fd, &status), &status, to);
}
static int fstatat_(int fd, const char *path, uint8_t *to, int flags) {
  struct stat status;
  return give_stat(fstatat(linux_folder(fd), path, &status, linux_at_flags(flags)), &status, to);
}

static int close_(int fd) {
  note_closed(fd);
  return close(fd);
}
static int dup_(int fd) { return note_copy(fd, dup(fd)); }
static int dup2_(int fd, int to) {
  if (fd != to) note_closed(to);
  return note_copy(fd, dup2(fd, to));
}
static int faccessat_(int fd, const char *path, int mode, int flags) {
  return faccessat(linux_folder(fd), path, mode, linux_at_flags(flags));
}
static int unlinkat_(int fd, const char *path, int flags) {
  return unlinkat(linux_folder(fd), path, linux_at_flags(flags));
}
static int linkat_(int from, const char *path, int to, const char *name, int flags) {
  return linkat(linux_folder(from), path, linux_folder(to), name, linux_at_flags(flags));
}
static int renameat_(int from, const char *path, int to, const char *name) {
  return renameat(linux_folder(from), path, linux_folder(to), name);
}
const struct shim FILE_SHIMS[] = {
    {"_open", open_},
    {"_openat", openat_},
    {"_fcntl", fcntl_},
    {"_ioctl", ioctl_},
    {INODE64("stat"), stat_},
    {INODE64("lstat"), lstat_},
    {INODE64("fstat"), fstat_},
    {INODE64("fstatat"), fstatat_},
    {"_faccessat", faccessat_},
    {"_unlinkat", unlinkat_},
    {"_linkat", linkat_},
    {"_renameat", renameat_},
    {"_close", close_},
    {"_dup", dup_},
    {"_dup2", dup2_},
    SAME(read),
    SAME(write),
    SAME(readv),
    SAME(writev),
    SAME(pread),
    SAME(pwrite),
    SAME(lseek),
    SAME(ftruncate),
    SAME(truncate),
    SAME(fsync),
    SAME(rename),
    SAME(unlink),
    SAME(mkdir),
    SAME(rmdir),
    SAME(chmod),
    SAME(fchmod),
    SAME(chown),
    SAME(fchown),
    SAME(lchown),
    SAME(link),
    SAME(symlink),
    SAME(readlink),
    SAME(realpath),
    SAME(getcwd),
    SAME(chdir),
    SAME(access),
    SAME(pipe),
    SAME(isatty),
    SAME(flock),
    SAME(mkstemp),
    SAME(mkdtemp),
    SAME(umask),
    SAME(preadv),
    SAME(pwritev),
    SAME(mkfifo),
    SAME(fchdir),
    {NULL, NULL},
};
