// Times of files (<sys/stat.h>, <sys/attr.h>): utimensat's special values, and setattrlist, of which times alone are
// done.
#include "../shims.h"
#include "files.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

// UTIME_NOW is -1 and UTIME_OMIT -2 there.
static void linux_times(const struct timespec from[2], struct timespec to[2]) {
  for (int i = 0; i < 2; i++) {
    to[i] = from[i];
    if (from[i].tv_nsec == -1) to[i].tv_nsec = UTIME_NOW;
    if (from[i].tv_nsec == -2) to[i].tv_nsec = UTIME_OMIT;
  }
}
static int utimensat_(int fd, const char *path, const struct timespec times[2], int flags) {
  struct timespec linux[2];
  if (times != NULL) linux_times(times, linux);
  return utimensat(linux_folder(fd), path, times == NULL ? NULL : linux, linux_at_flags(flags));
}
static int futimens_(int fd, const struct timespec times[2]) {
  struct timespec linux[2];
  if (times != NULL) linux_times(times, linux);
  return futimens(fd, times == NULL ? NULL : linux);
}

struct attributes {
  uint16_t count, reserved;
  uint32_t of_all, of_volume, of_folder, of_file, of_fork;
};
enum { CREATION = 0x200, MODIFICATION = 0x400, ACCESS = 0x1000 };

// The values stand in the order of their bits. The time of creation cannot be set here and is passed over.
static bool times_of(const struct attributes *list, const struct timespec *values, size_t size,
                     struct timespec times[2]) {
  size_t at = 0, count = size / sizeof *values;
  times[0] = times[1] = (struct timespec){0, UTIME_OMIT};
  if (list->of_volume || list->of_folder || list->of_file ||
      (list->of_all & ~(uint32_t)(CREATION | MODIFICATION | ACCESS))) {
    errno = EINVAL;
    return false;
  }
  if (list->of_all & CREATION) at++;
  if ((list->of_all & MODIFICATION) && at < count) times[1] = values[at++];
  if ((list->of_all & ACCESS) && at < count) times[0] = values[at++];
  return true;
}
static int setattrlist_(const char *path, const struct attributes *list, const void *values, size_t size,
                        uint32_t options) {
  struct timespec times[2];
  // FSOPT_NOFOLLOW is 1.
  return times_of(list, values, size, times) ? utimensat(AT_FDCWD, path, times, options & 1 ? AT_SYMLINK_NOFOLLOW : 0)
                                             : -1;
}
static int fsetattrlist_(int fd, const struct attributes *list, const void *values, size_t size, uint32_t options) {
  (void)options;
  struct timespec times[2];
  return times_of(list, values, size, times) ? futimens(fd, times) : -1;
}

const struct shim FILE_TIME_SHIMS[] = {
    {"_utimensat", utimensat_},
    {"_futimens", futimens_},
    {"_setattrlist", setattrlist_},
    {"_fsetattrlist", fsetattrlist_},
    {NULL, NULL},
};
