// Locks of pthread (<sys/_pthread/_pthread_types.h>): as on macOS a lock may be a constant that nobody has initialised,
// which is told by the signature in its first word; this machine's lock is made when it is first used. A mutex holds it
// behind the signature, the others, which would not fit, hold a pointer.
#include "../shims.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { MADE = 0x4d414445 };
enum {
  MUTEX_INIT = 0x32aaaba7,
  MUTEX_FIRSTFIT = 0x32aaaba3,
  MUTEX_RECURSIVE = 0x32aaaba2,
  MUTEX_ERRORCHECK = 0x32aaaba1
};
enum { COND_INIT = 0x3cb0b1bb, RWLOCK_INIT = 0x2da8b3b4, ONCE_INIT = 0x30b1bcba };

struct mutex {
  uint64_t signature;
  pthread_mutex_t linux;
};
_Static_assert(sizeof(struct mutex) <= 64, "a mutex of macOS has 64 bytes");
struct held {
  uint64_t signature;
  void *linux;
};

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

static void init_mutex(struct mutex *mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  pthread_mutex_init(&mutex->linux, &attributes);
  pthread_mutexattr_destroy(&attributes);
  __atomic_store_n(&mutex->signature, MADE, __ATOMIC_RELEASE);
}

// Null where it is no mutex at all.
static pthread_mutex_t *made_mutex(struct mutex *mutex) {
  if (__atomic_load_n(&mutex->signature, __ATOMIC_ACQUIRE) == MADE) return &mutex->linux;
  pthread_mutex_lock(&making);
  uint64_t signature = mutex->signature;
  if (signature == MUTEX_INIT || signature == MUTEX_FIRSTFIT) init_mutex(mutex, PTHREAD_MUTEX_NORMAL);
  if (signature == MUTEX_RECURSIVE) init_mutex(mutex, PTHREAD_MUTEX_RECURSIVE);
  if (signature == MUTEX_ERRORCHECK) init_mutex(mutex, PTHREAD_MUTEX_ERRORCHECK);
  bool made = mutex->signature == MADE;
  pthread_mutex_unlock(&making);
  return made ? &mutex->linux : NULL;
}

static int mutex_init(struct mutex *mutex, const int *attributes) {
  // 0 normal, 1 error-checking, 2 recursive.
  int type = attributes == NULL ? 0 : attributes[2];
  init_mutex(mutex, type == 2 ? PTHREAD_MUTEX_RECURSIVE : type == 1 ? PTHREAD_MUTEX_ERRORCHECK : PTHREAD_MUTEX_NORMAL);
  return 0;
}

#define EINVAL_ 22
static int mutex_lock(struct mutex *mutex) {
  pthread_mutex_t *linux = made_mutex(mutex);
  return linux == NULL ? EINVAL_ : RETURNED(pthread_mutex_lock(linux));
}
static int mutex_trylock(struct mutex *mutex) {
  pthread_mutex_t *linux = made_mutex(mutex);
  return linux == NULL ? EINVAL_ : RETURNED(pthread_mutex_trylock(linux));
}
static int mutex_unlock(struct mutex *mutex) {
  pthread_mutex_t *linux = made_mutex(mutex);
  return linux == NULL ? EINVAL_ : RETURNED(pthread_mutex_unlock(linux));
}
static int mutex_destroy(struct mutex *mutex) {
  pthread_mutex_t *linux = made_mutex(mutex);
  int result = linux == NULL ? EINVAL_ : RETURNED(pthread_mutex_destroy(linux));
  if (result == 0) mutex->signature = 0;
  return result;
}

// 16 bytes: a signature and what was set.
static int mutexattr_init(int *attributes) {
  attributes[0] = attributes[1] = attributes[2] = attributes[3] = 0;
  return 0;
}
static int mutexattr_settype(int *attributes, int type) {
  if (type < 0 || type > 2) return EINVAL_;
  attributes[2] = type;
  return 0;
}
static int nothing(void) { return 0; }

// What a held lock points to, made of the right size and kind when it is first used.
static void *held(struct held *lock, uint64_t constant, size_t size, int (*init)(void *)) {
  if (__atomic_load_n(&lock->signature, __ATOMIC_ACQUIRE) == MADE) return lock->linux;
  pthread_mutex_lock(&making);
  if (lock->signature == constant) {
    lock->linux = calloc(1, size);
    init(lock->linux);
    __atomic_store_n(&lock->signature, MADE, __ATOMIC_RELEASE);
  }
  void *made = lock->signature == MADE ? lock->linux : NULL;
  pthread_mutex_unlock(&making);
  return made;
}
static int drop(struct held *lock, int (*destroy)(void *)) {
  if (lock->signature == MADE) {
    destroy(lock->linux);
    free(lock->linux);
  }
  lock->signature = 0;
  return 0;
}

static int linux_cond_init(void *at) { return pthread_cond_init(at, NULL); }
static int linux_cond_destroy(void *at) { return pthread_cond_destroy(at); }
static pthread_cond_t *made_cond(struct held *cond) {
  return held(cond, COND_INIT, sizeof(pthread_cond_t), linux_cond_init);
}
static int cond_init(struct held *cond, const void *attributes) {
  (void)attributes;
  cond->signature = COND_INIT;
  made_cond(cond);
  return 0;
}
static int cond_destroy(struct held *cond) { return drop(cond, linux_cond_destroy); }
static int cond_signal(struct held *cond) { return RETURNED(pthread_cond_signal(made_cond(cond))); }
static int cond_broadcast(struct held *cond) { return RETURNED(pthread_cond_broadcast(made_cond(cond))); }
static int cond_wait(struct held *cond, struct mutex *mutex) {
  return RETURNED(pthread_cond_wait(made_cond(cond), made_mutex(mutex)));
}
static int cond_timedwait(struct held *cond, struct mutex *mutex, const struct timespec *until) {
  return RETURNED(pthread_cond_timedwait(made_cond(cond), made_mutex(mutex), until));
}
static int cond_wait_for(struct held *cond, struct mutex *mutex, const struct timespec *time) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  // What would overflow waits for ever.
  if (__builtin_add_overflow(until.tv_sec, time->tv_sec, &until.tv_sec)) return cond_wait(cond, mutex);
  until.tv_nsec += time->tv_nsec;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  return RETURNED(pthread_cond_clockwait(made_cond(cond), made_mutex(mutex), CLOCK_MONOTONIC, &until));
}

static int linux_rwlock_init(void *at) { return pthread_rwlock_init(at, NULL); }
static int linux_rwlock_destroy(void *at) { return pthread_rwlock_destroy(at); }
static pthread_rwlock_t *made_rwlock(struct held *lock) {
  return held(lock, RWLOCK_INIT, sizeof(pthread_rwlock_t), linux_rwlock_init);
}
static int rwlock_init(struct held *lock, const void *attributes) {
  (void)attributes;
  lock->signature = RWLOCK_INIT;
  made_rwlock(lock);
  return 0;
}
static int rwlock_destroy(struct held *lock) { return drop(lock, linux_rwlock_destroy); }
static int rwlock_rdlock(struct held *lock) { return RETURNED(pthread_rwlock_rdlock(made_rwlock(lock))); }
static int rwlock_wrlock(struct held *lock) { return RETURNED(pthread_rwlock_wrlock(made_rwlock(lock))); }
static int rwlock_tryrdlock(struct held *lock) { return RETURNED(pthread_rwlock_tryrdlock(made_rwlock(lock))); }
static int rwlock_trywrlock(struct held *lock) { return RETURNED(pthread_rwlock_trywrlock(made_rwlock(lock))); }
static int rwlock_unlock(struct held *lock) { return RETURNED(pthread_rwlock_unlock(made_rwlock(lock))); }

struct once {
  uint64_t signature;
  pthread_once_t linux;
};
static int once(struct once *once, void (*function)(void)) {
  pthread_mutex_lock(&making);
  if (once->signature == ONCE_INIT) {
    once->linux = PTHREAD_ONCE_INIT;
    once->signature = MADE;
  }
  pthread_mutex_unlock(&making);
  return RETURNED(pthread_once(&once->linux, function));
}

const struct shim LOCK_SHIMS[] = {
    {"_pthread_mutex_init", mutex_init},
    {"_pthread_mutex_lock", mutex_lock},
    {"_pthread_mutex_trylock", mutex_trylock},
    {"_pthread_mutex_unlock", mutex_unlock},
    {"_pthread_mutex_destroy", mutex_destroy},
    {"_pthread_mutexattr_init", mutexattr_init},
    {"_pthread_mutexattr_settype", mutexattr_settype},
    {"_pthread_mutexattr_destroy", nothing},
    {"_pthread_cond_init", cond_init},
    {"_pthread_cond_destroy", cond_destroy},
    {"_pthread_cond_signal", cond_signal},
    {"_pthread_cond_broadcast", cond_broadcast},
    {"_pthread_cond_wait", cond_wait},
    {"_pthread_cond_timedwait", cond_timedwait},
    {"_pthread_cond_timedwait_relative_np", cond_wait_for},
    {"_pthread_condattr_init", nothing},
    {"_pthread_condattr_destroy", nothing},
    {"_pthread_rwlock_init", rwlock_init},
    {"_pthread_rwlock_destroy", rwlock_destroy},
    {"_pthread_rwlock_rdlock", rwlock_rdlock},
    {"_pthread_rwlock_wrlock", rwlock_wrlock},
    {"_pthread_rwlock_tryrdlock", rwlock_tryrdlock},
    {"_pthread_rwlock_trywrlock", rwlock_trywrlock},
    {"_pthread_rwlock_unlock", rwlock_unlock},
    {"_pthread_once", once},
    {NULL, NULL},
};
