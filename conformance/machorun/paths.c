// Where a library lies whose install name or dlopen name is given: @rpath, @executable_path, @loader_path, and the
// folders of DYLD_LIBRARY_PATH.
#include "machorun.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool exists(const char *path, char *found, size_t size) {
  char real[PATH_MAX];
  if (realpath(path, real) == NULL || access(real, R_OK) != 0 || strlen(real) >= size) return false;
  strcpy(found, real);
  return true;
}

static bool beside(const char *file, const char *rest, char *found, size_t size) {
  char path[2 * PATH_MAX];
  const char *slash = strrchr(file, '/');
  int folder = slash == NULL ? 0 : (int)(slash - file);
  snprintf(path, sizeof path, "%.*s/%s", folder, file, rest);
  return exists(path, found, size);
}

// A path that may begin with @executable_path or @loader_path.
static bool with_variables(const char *name, const struct image *from, char *found, size_t size) {
  if (strncmp(name, "@executable_path/", 17) == 0) return beside(program_path, name + 17, found, size);
  if (strncmp(name, "@loader_path/", 13) == 0 && from != NULL) return beside(from->path, name + 13, found, size);
  return exists(name, found, size);
}

static bool in_rpaths(const char *rest, const struct image *from, char *found, size_t size) {
  for (int i = 0; from != NULL && i < from->rpath_count; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", from->rpaths[i], rest);
    if (with_variables(path, from, found, size)) return true;
  }
  return false;
}

static bool in_folders(const char *variable, const char *name, char *found, size_t size) {
  const char *folders = getenv(variable);
  while (folders != NULL && *folders != 0) {
    const char *end = strchrnul(folders, ':');
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s/%s", (int)(end - folders), folders, name);
    if (exists(path, found, size)) return true;
    folders = *end == 0 ? NULL : end + 1;
  }
  return false;
}

bool resolve_path(const char *name, const struct image *from, char *found, size_t size) {
  const char *slash = strrchr(name, '/');
  const char *leaf = slash == NULL ? name : slash + 1;
  if (in_folders("DYLD_LIBRARY_PATH", leaf, found, size)) return true;
  if (strncmp(name, "@rpath/", 7) == 0) {
    if (in_rpaths(name + 7, from, found, size)) return true;
    if (from != main_image() && in_rpaths(name + 7, main_image(), found, size)) return true;
  } else if (with_variables(name, from, found, size)) {
    return true;
  }
  return in_folders("DYLD_FALLBACK_LIBRARY_PATH", leaf, found, size);
}
