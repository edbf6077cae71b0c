// Folders: DIR with the entry of macOS that it gave last (<sys/dirent.h>, 64-bit inodes).
#include "../shims.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct darwin_entry {
  uint64_t inode, seek;
  uint16_t record_length, name_length;
  uint8_t type;
  char name[1024];
};

struct folder {
  DIR *linux;
  struct darwin_entry entry;
};

static struct folder *opened(DIR *linux) {
  if (linux == NULL) return NULL;
  struct folder *folder = calloc(1, sizeof *folder);
  folder->linux = linux;
  return folder;
}

static struct folder *opendir_(const char *path) { return opened(opendir(path)); }
static struct folder *fdopendir_(int fd) { return opened(fdopendir(fd)); }
static int dirfd_(struct folder *folder) { return dirfd(folder->linux); }
static void rewinddir_(struct folder *folder) { rewinddir(folder->linux); }

static int closedir_(struct folder *folder) {
  int result = closedir(folder->linux);
  free(folder);
  return result;
}

static bool next(struct folder *folder, struct darwin_entry *to) {
  const struct dirent *from = readdir(folder->linux);
  if (from == NULL) return false;
  size_t length = strlen(from->d_name);
  to->inode = from->d_ino;
  to->seek = (uint64_t)from->d_off;
  to->record_length = (uint16_t)((offsetof(struct darwin_entry, name) + length + 8) & ~7ul);
  to->name_length = (uint16_t)length;
  to->type = from->d_type; // the same numbers
  memcpy(to->name, from->d_name, length + 1);
  return true;
}

static struct darwin_entry *readdir_(struct folder *folder) {
  return next(folder, &folder->entry) ? &folder->entry : NULL;
}

static int readdir_r_(struct folder *folder, struct darwin_entry *to, struct darwin_entry **result) {
  errno = 0;
  *result = next(folder, to) ? to : NULL;
  int status = *result == NULL ? darwin_error(errno) : 0;
  errno = 0;
  return status;
}

const struct shim FOLDER_SHIMS[] = {
    {INODE64("opendir"), opendir_},
    {INODE64("fdopendir"), fdopendir_},
    {INODE64("readdir"), readdir_},
    {INODE64("readdir_r"), readdir_r_},
    {INODE64("rewinddir"), rewinddir_},
    {"_closedir", closedir_},
    {"_dirfd", dirfd_},
    {NULL, NULL},
};
