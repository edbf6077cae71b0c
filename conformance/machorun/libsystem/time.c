// Clocks (<time.h>): other numbers.
#include "../shims.h"
#include <errno.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static bool linux_clock(int clock, clockid_t *found) {
  switch (clock) {
  case 0: *found = CLOCK_REALTIME; return true;
  case 4:
  case 5: *found = CLOCK_MONOTONIC_RAW; return true;
  // CLOCK_UPTIME_RAW and mach_absolute_time are one clock, and so are they here.
  case 6:
  case 8:
  case 9: *found = CLOCK_MONOTONIC; return true;
  case 12: *found = CLOCK_PROCESS_CPUTIME_ID; return true;
  case 16: *found = CLOCK_THREAD_CPUTIME_ID; return true;
  default: errno = EINVAL; return false;
  }
}

static int clock_gettime_(int clock, struct timespec *time) {
  clockid_t linux;
  return linux_clock(clock, &linux) ? clock_gettime(linux, time) : -1;
}
static int clock_getres_(int clock, struct timespec *time) {
  clockid_t linux;
  return linux_clock(clock, &linux) ? clock_getres(linux, time) : -1;
}
static uint64_t clock_nanoseconds(int clock) {
  struct timespec time;
  return clock_gettime_(clock, &time) == 0 ? (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec : 0;
}

const struct shim TIME_SHIMS[] = {
    {"_clock_gettime", clock_gettime_},
    {"_clock_getres", clock_getres_},
    {"_clock_gettime_nsec_np", clock_nanoseconds},
    SAME(nanosleep),
    SAME(gettimeofday),
    SAME(time),
    SAME(usleep),
    SAME(sleep),
    SAME(localtime_r),
    SAME(gmtime_r),
    SAME(mktime),
    SAME(timegm),
    SAME(tzset),
    SAME(strftime),
    {NULL, NULL},
};
