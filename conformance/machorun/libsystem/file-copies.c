// Copies of files (<copyfile.h>, <sys/clonefile.h>), as std's fs::copy makes them.
#include "../shims.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STAT = 2, DATA = 8, COPIED = 8 };

struct state {
  int64_t copied;
};

static struct state *state_alloc(void) { return calloc(1, sizeof(struct state)); }
static int state_free(struct state *state) {
  free(state);
  return 0;
}
static int state_get(const struct state *state, uint32_t what, int64_t *to) {
  if (what != COPIED) {
    errno = EINVAL;
    return -1;
  }
  *to = state->copied;
  return 0;
}

// No volume here can clone: the caller copies then.
static int cannot_clone(void) {
  errno = EOPNOTSUPP;
  return -1;
}

static int fcopyfile_(int from, int to, struct state *state, uint32_t flags) {
  char buffer[65536];
  struct stat status;
  ssize_t count;
  while ((flags & DATA) && (count = read(from, buffer, sizeof buffer)) != 0) {
    if (count < 0 || write(to, buffer, (size_t)count) != count) return -1;
    if (state != NULL) state->copied += count;
  }
  if ((flags & STAT) && (fstat(from, &status) != 0 || fchmod(to, status.st_mode & 07777) != 0)) return -1;
  return 0;
}

const struct shim FILE_COPY_SHIMS[] = {
    {"_fclonefileat", cannot_clone},
    {"_clonefile", cannot_clone},
    {"_fcopyfile", fcopyfile_},
    {"_copyfile_state_alloc", state_alloc},
    {"_copyfile_state_free", state_free},
    {"_copyfile_state_get", state_get},
    {NULL, NULL},
};
