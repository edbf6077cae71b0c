// Finds what is to be started, and whether it is a program for macOS. The loader's own path is in MACHORUN where it is
// itself run by an emulator.
#include "launch.h"
#include "../machorun.h"
#include "../mach-o.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int find_in_path(const char *name, char found[4096]) {
  const char *folders = getenv("PATH");
  int error = ENOENT;
  while (folders != NULL && *folders != 0) {
    const char *end = strchrnul(folders, ':');
    snprintf(found, 4096, "%.*s/%s", (int)(end - folders), folders, name);
    if (access(found, X_OK) == 0) return 0;
    if (errno == EACCES) error = EACCES;
    folders = *end == 0 ? NULL : end + 1;
  }
  return error;
}

static bool for_macos(const char *path) {
  uint8_t magic[4] = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool whole = read(fd, magic, sizeof magic) == sizeof magic;
  close(fd);
  return whole && (read32(magic) == MH_MAGIC_64 || read32be(magic) == FAT_MAGIC);
}

static int own_path(char path[4096]) {
  const char *given = getenv("MACHORUN");
  if (given != NULL) return snprintf(path, 4096, "%s", given) < 4096 ? 0 : ENAMETOOLONG;
  ssize_t length = readlink("/proc/self/exe", path, 4095);
  if (length < 0) return errno;
  path[length] = 0;
  return 0;
}

int prepare_launch(const char *name, bool by_name, char *const arguments[], struct launch *launch) {
  *launch = (struct launch){.arguments = (char **)(uintptr_t)arguments};
  int error = 0;
  if (by_name && strchr(name, '/') == NULL) error = find_in_path(name, launch->path);
  else if (snprintf(launch->path, sizeof launch->path, "%s", name) >= (int)sizeof launch->path) error = ENAMETOOLONG;
  // A relative path may mean another file in the folder that the child is to be in.
  else if (*name == '/' && access(name, X_OK) != 0) error = errno;
  errno = 0;
  if (error != 0 || !for_macos(launch->path)) return error;
  int count = 0;
  while (arguments[count] != NULL) count++;
  char **with_loader = calloc((size_t)count + 3, sizeof *with_loader);
  with_loader[1] = strdup(launch->path);
  for (int i = 1; i < count; i++) with_loader[i + 1] = arguments[i];
  error = own_path(launch->path);
  with_loader[0] = strdup(launch->path);
  launch->arguments = with_loader;
  launch->owned = true;
  return error;
}

void end_launch(struct launch *launch) {
  if (!launch->owned) return;
  free(launch->arguments[0]);
  free(launch->arguments[1]);
  free(launch->arguments);
}
