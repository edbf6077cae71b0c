// Threads (<pthread.h>): what has other numbers or other sizes there.
#include "../shims.h"
#include "mach.h"
#include "signals.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int __cxa_thread_atexit_impl(void (*function)(void *), void *argument, void *image);
extern void *__dso_handle;

// At the thread's end, before its thread-locals go.
static void thread_local_at_exit(void (*function)(void *), void *argument) {
  __cxa_thread_atexit_impl(function, argument, &__dso_handle);
}

struct start {
  void *(*function)(void *);
  void *argument;
};

static void *run(void *data) {
  struct start start = *(struct start *)data;
  free(data);
  thread_begins();
  // The first of what is done at the end is done last, behind the program's own thread-locals.
  __cxa_thread_atexit_impl(thread_ends, NULL, &__dso_handle);
  return start.function(start.argument);
}

static int create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument) {
  struct start *start = malloc(sizeof *start);
  *start = (struct start){function, argument};
  int error = pthread_create(thread, attributes, run, start);
  if (error != 0) free(start);
  return darwin_error(error);
}
static int join(pthread_t thread, void **result) { return RETURNED(pthread_join(thread, result)); }
static int detach(pthread_t thread) { return RETURNED(pthread_detach(thread)); }

static bool stack_of(pthread_t thread, void **start, size_t *size) {
  pthread_attr_t attributes;
  if (pthread_getattr_np(thread, &attributes) != 0) return false;
  pthread_attr_getstack(&attributes, start, size);
  pthread_attr_destroy(&attributes);
  return true;
}
// Its upper end.
static void *stack_address(pthread_t thread) {
  void *start = NULL;
  size_t size = 0;
  return stack_of(thread, &start, &size) ? (char *)start + size : NULL;
}
static size_t stack_size(pthread_t thread) {
  void *start = NULL;
  size_t size = 0;
  return stack_of(thread, &start, &size) ? size : 0;
}

static int thread_id(pthread_t thread, uint64_t *id) {
  if (thread != 0 && thread != pthread_self()) return 3; // ESRCH: of others it is not known
  *id = (uint64_t)syscall(SYS_gettid);
  return 0;
}
static int set_name(const char *name) {
  char cut[16];
  strncpy(cut, name, sizeof cut - 1);
  cut[sizeof cut - 1] = 0;
  return RETURNED(pthread_setname_np(pthread_self(), cut));
}
static int get_name(pthread_t thread, char *name, size_t size) {
  char own[16];
  int result = pthread_getname_np(thread, own, sizeof own);
  if (result == 0 && size != 0) strncpy(name, own, size);
  return RETURNED(result);
}
static int main_thread(void) { return syscall(SYS_gettid) == getpid(); }
static uint32_t mach_thread(pthread_t thread) { return thread == pthread_self() ? (uint32_t)syscall(SYS_gettid) : 0; }
static int kill_thread(pthread_t thread, int number) { return RETURNED(pthread_kill(thread, linux_signal(number))); }

// A key is 8 bytes there.
static int key_create(uint64_t *key, void (*destructor)(void *)) {
  pthread_key_t linux;
  int result = pthread_key_create(&linux, destructor);
  *key = linux;
  return RETURNED(result);
}
static int key_delete(uint64_t key) { return RETURNED(pthread_key_delete((pthread_key_t)key)); }
static void *get_specific(uint64_t key) { return pthread_getspecific((pthread_key_t)key); }
static int set_specific(uint64_t key, const void *value) {
  return RETURNED(pthread_setspecific((pthread_key_t)key, value));
}
static int at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  return RETURNED(pthread_atfork(prepare, parent, child));
}

// Fewer than this system's least are rounded up: macOS has 16 KiB or less.
static int set_stack_size(pthread_attr_t *attributes, size_t size) {
  if (size % PAGE != 0) return 22;
  size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
  return RETURNED(pthread_attr_setstacksize(attributes, size < least ? least : size));
}
static int set_detached(pthread_attr_t *attributes, int state) {
  // 1 is joinable there, 2 detached.
  return RETURNED(
      pthread_attr_setdetachstate(attributes, state == 2 ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE));
}
static int ignore(void) { return 0; }

const struct shim THREAD_SHIMS[] = {
    {"__tlv_atexit", thread_local_at_exit},
    {"_pthread_create", create},
    {"_pthread_join", join},
    {"_pthread_detach", detach},
    {"_pthread_get_stackaddr_np", stack_address},
    {"_pthread_get_stacksize_np", stack_size},
    {"_pthread_threadid_np", thread_id},
    {"_pthread_setname_np", set_name},
    {"_pthread_getname_np", get_name},
    {"_pthread_main_np", main_thread},
    {"_pthread_mach_thread_np", mach_thread},
    {"_pthread_kill", kill_thread},
    {"_pthread_key_create", key_create},
    {"_pthread_key_delete", key_delete},
    {"_pthread_getspecific", get_specific},
    {"_pthread_setspecific", set_specific},
    {"_pthread_atfork", at_fork},
    {"_pthread_attr_setstacksize", set_stack_size},
    {"_pthread_attr_setdetachstate", set_detached},
    {"_pthread_set_qos_class_self_np", ignore},
    SAME(pthread_self),
    SAME(pthread_equal),
    SAME(pthread_exit),
    SAME(pthread_attr_init),
    SAME(pthread_attr_destroy),
    SAME(pthread_attr_getstacksize),
    SAME(sched_yield),
    {NULL, NULL},
};
