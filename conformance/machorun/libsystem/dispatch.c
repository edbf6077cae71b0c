// Waiting that is not pthread's: semaphores of libdispatch, unfair locks, and waiting on an address (__ulock_wait and
// os_sync_wait_on_address), on futexes.
#include "../shims.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FOREVER UINT64_MAX
#define SECOND 1000000000ull

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

// A time of dispatch_time: nanoseconds of the clock that mach_absolute_time reads.
static uint64_t dispatch_time_(uint64_t when, int64_t delta) {
  if (when == FOREVER) return FOREVER;
  uint64_t base = when == 0 ? now() : when;
  if (delta < 0) return base > (uint64_t)-delta ? base - (uint64_t)-delta : 1;
  return base + (uint64_t)delta > (uint64_t)INT64_MAX ? FOREVER : base + (uint64_t)delta;
}

static sem_t *semaphore_create(intptr_t value) {
  if (value < 0) return NULL;
  sem_t *semaphore = malloc(sizeof *semaphore);
  sem_init(semaphore, 0, (unsigned)value);
  return semaphore;
}

static intptr_t semaphore_wait(sem_t *semaphore, uint64_t until) {
  if (until == FOREVER) {
    while (sem_wait(semaphore) != 0) continue;
    return 0;
  }
  if (until == 0) return sem_trywait(semaphore) == 0 ? 0 : 49;
  struct timespec time = {(time_t)(until / SECOND), (long)(until % SECOND)};
  while (sem_clockwait(semaphore, CLOCK_MONOTONIC, &time) != 0)
    if (errno == ETIMEDOUT) return 49;
  return 0;
}

static intptr_t semaphore_signal(sem_t *semaphore) {
  sem_post(semaphore);
  return 0;
}

// Only semaphores can be had here.
static void release(sem_t *semaphore) {
  sem_destroy(semaphore);
  free(semaphore);
}

static long futex(uint32_t *at, int operation, uint32_t value, const struct timespec *time) {
  return syscall(SYS_futex, at, operation | FUTEX_PRIVATE_FLAG, value, time, NULL, 0);
}

// 0, or the error of Linux.
static int wait_on(uint32_t *at, uint64_t value, uint64_t nanoseconds) {
  struct timespec time = {(time_t)(nanoseconds / SECOND), (long)(nanoseconds % SECOND)};
  if (futex(at, FUTEX_WAIT, (uint32_t)value, nanoseconds == 0 ? NULL : &time) == 0) return 0;
  int error = errno;
  errno = 0;
  return error == EAGAIN ? 0 : error;
}

enum { COMPARE_AND_WAIT = 1, UNFAIR_LOCK = 2, COMPARE_AND_WAIT_SHARED = 3, WAKE_ALL = 0x100, NO_ERRNO = 0x1000000 };

static int given(uint32_t operation, int error) {
  if (error == 0) return 0;
  if (operation & NO_ERRNO) return -darwin_error(error);
  errno = error;
  return -1;
}

static int ulock_wait2(uint32_t operation, uint32_t *at, uint64_t value, uint64_t nanoseconds, uint64_t second) {
  (void)second;
  uint32_t kind = operation & 0xff;
  if (kind < COMPARE_AND_WAIT || kind > COMPARE_AND_WAIT_SHARED) return given(operation, EINVAL);
  return given(operation, wait_on(at, value, nanoseconds));
}
static int ulock_wait(uint32_t operation, uint32_t *at, uint64_t value, uint32_t microseconds) {
  return ulock_wait2(operation, at, value, microseconds * 1000ull, 0);
}
static int ulock_wake(uint32_t operation, uint32_t *at, uint64_t value) {
  (void)value;
  long woken = futex(at, FUTEX_WAKE, operation & WAKE_ALL ? INT_MAX : 1, NULL);
  return woken > 0 ? 0 : given(operation, ENOENT);
}

static int sync_wait(void *at, uint64_t value, size_t size, uint32_t flags) {
  (void)flags;
  int error = size == 4 ? wait_on(at, value, 0) : EINVAL;
  errno = error;
  return error == 0 ? 0 : -1;
}
static int sync_wait_timeout(void *at, uint64_t value, size_t size, uint32_t flags, uint32_t clock,
                             uint64_t nanoseconds) {
  (void)flags;
  (void)clock;
  int error = size == 4 && nanoseconds != 0 ? wait_on(at, value, nanoseconds) : EINVAL;
  errno = error;
  return error == 0 ? 0 : -1;
}
static int sync_wake(void *at, int most) {
  if (futex(at, FUTEX_WAKE, (uint32_t)most, NULL) > 0) return 0;
  errno = ENOENT;
  return -1;
}
static int sync_wake_any(void *at, size_t size, uint32_t flags) {
  (void)size;
  (void)flags;
  return sync_wake(at, 1);
}
static int sync_wake_all(void *at, size_t size, uint32_t flags) {
  (void)size;
  (void)flags;
  return sync_wake(at, INT_MAX);
}

// 0 free, 1 held, 2 held with others waiting.
static void unfair_lock(uint32_t *lock) {
  uint32_t seen = 0;
  if (__atomic_compare_exchange_n(lock, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
  while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0) wait_on(lock, 2, 0);
}
static bool unfair_trylock(uint32_t *lock) {
  uint32_t seen = 0;
  return __atomic_compare_exchange_n(lock, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
static void unfair_unlock(uint32_t *lock) {
  if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2) futex(lock, FUTEX_WAKE, 1, NULL);
}

const struct shim DISPATCH_SHIMS[] = {
    {"_dispatch_time", dispatch_time_},
    {"_dispatch_semaphore_create", semaphore_create},
    {"_dispatch_semaphore_wait", semaphore_wait},
    {"_dispatch_semaphore_signal", semaphore_signal},
    {"_dispatch_release", release},
    {"___ulock_wait", ulock_wait},
    {"___ulock_wait2", ulock_wait2},
    {"___ulock_wake", ulock_wake},
    {"_os_sync_wait_on_address", sync_wait},
    {"_os_sync_wait_on_address_with_timeout", sync_wait_timeout},
    {"_os_sync_wake_by_address_any", sync_wake_any},
    {"_os_sync_wake_by_address_all", sync_wake_all},
    {"_os_unfair_lock_lock", unfair_lock},
    {"_os_unfair_lock_trylock", unfair_trylock},
    {"_os_unfair_lock_unlock", unfair_unlock},
    {NULL, NULL},
};
