// Threads of the task, suspended and read (<mach/thread_act.h>): a suspended thread waits in the handler of a signal,
// which has noted its registers. Nothing here allocates: a suspended thread may be in the middle of that. A call that
// such a thread was waiting in may end with EINTR, which it would not on macOS.
#include "../shims.h"
#include "mach.h"
#include "protection.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX_THREADS 4096
#define SIGNAL (SIGRTMIN + 1)

enum { FREE, ASKED, STOPPED, GOING };

struct held {
  uint32_t thread;
  uint32_t state; // a futex
  uint32_t times; // a thread that is suspended twice is resumed twice
  ucontext_t *context;
};

static struct held held[MAX_THREADS];
static uint32_t lock; // of the table; a thread that holds it is never suspended, as it is the agent's own
static pthread_once_t once = PTHREAD_ONCE_INIT;

// Threads of the program. Not those that /proc lists: an emulator has some of its own there.
static uint32_t running[MAX_THREADS];
static uint32_t suspended; // how many are; a thread that begins meanwhile waits
static __thread int own_place = -1;

static long futex(uint32_t *at, int operation, uint32_t value) {
  return syscall(SYS_futex, at, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}
static uint32_t own_thread(void) { return (uint32_t)syscall(SYS_gettid); }

void thread_ends(void *unused) {
  (void)unused;
  if (own_place >= 0) __atomic_store_n(&running[own_place], 0, __ATOMIC_RELEASE);
  own_place = -1;
}

void thread_begins(void) {
  uint32_t own = own_thread();
  for (int i = 0; i < MAX_THREADS && own_place < 0; i++) {
    uint32_t none = 0;
    if (__atomic_compare_exchange_n(&running[i], &none, own, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) own_place = i;
  }
  uint32_t count;
  while ((count = __atomic_load_n(&suspended, __ATOMIC_ACQUIRE)) != 0) futex(&suspended, FUTEX_WAIT, count);
}

__attribute__((constructor)) static void main_begins(void) { thread_begins(); }

static struct held *find(uint32_t thread, uint32_t least) {
  for (int i = 0; i < MAX_THREADS; i++)
    if (__atomic_load_n(&held[i].thread, __ATOMIC_ACQUIRE) == thread && held[i].state >= least) return &held[i];
  return NULL;
}

static void on_suspend(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  int kept = errno;
  struct held *own = find(own_thread(), ASKED);
  if (own != NULL) {
    own->context = context;
    __atomic_store_n(&own->state, STOPPED, __ATOMIC_RELEASE);
    futex(&own->state, FUTEX_WAKE, INT_MAX);
    while (__atomic_load_n(&own->state, __ATOMIC_ACQUIRE) == STOPPED) futex(&own->state, FUTEX_WAIT, STOPPED);
    __atomic_store_n(&own->state, FREE, __ATOMIC_RELEASE);
    futex(&own->state, FUTEX_WAKE, INT_MAX);
  }
  errno = kept;
}

static void install(void) {
  struct sigaction action = {.sa_sigaction = on_suspend, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  sigaction(SIGNAL, &action, NULL);
}

static void take(void) {
  while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE) != 0) sched_yield();
}
static void give(void) { __atomic_store_n(&lock, 0, __ATOMIC_RELEASE); }

static bool alive(uint32_t thread) { return syscall(SYS_tgkill, getpid(), thread, 0) == 0; }

// Waits while the thread's entry has a state; false when the thread has ended meanwhile.
static bool wait_while(struct held *entry, uint32_t state) {
  struct timespec time = {0, 10000000};
  while (__atomic_load_n(&entry->state, __ATOMIC_ACQUIRE) == state) {
    syscall(SYS_futex, &entry->state, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, state, &time, NULL, 0);
    if (!alive(entry->thread)) return false;
  }
  return true;
}

static void let_go(struct held *entry) {
  entry->state = FREE;
  __atomic_store_n(&entry->thread, 0, __ATOMIC_RELEASE);
  __atomic_fetch_sub(&suspended, 1, __ATOMIC_ACQ_REL);
  futex(&suspended, FUTEX_WAKE, INT_MAX);
}

static int suspend(uint32_t thread) {
  pthread_once(&once, install);
  if (thread == own_thread()) return KERN_NOT_SUPPORTED;
  if (!alive(thread)) return KERN_TERMINATED;
  take();
  struct held *entry = find(thread, ASKED);
  int result = KERN_SUCCESS;
  if (entry != NULL) {
    entry->times++;
  } else if ((entry = find(0, FREE)) == NULL) {
    result = KERN_RESOURCE_SHORTAGE;
  } else {
    entry->times = 1;
    entry->state = ASKED;
    __atomic_store_n(&entry->thread, thread, __ATOMIC_RELEASE);
    __atomic_fetch_add(&suspended, 1, __ATOMIC_ACQ_REL);
    if (syscall(SYS_tgkill, getpid(), thread, SIGNAL) != 0 || !wait_while(entry, ASKED)) {
      let_go(entry);
      result = KERN_TERMINATED;
    }
  }
  give();
  errno = 0;
  return result;
}

static int resume(uint32_t thread) {
  take();
  struct held *entry = find(thread, STOPPED);
  int result = entry == NULL ? KERN_FAILURE : KERN_SUCCESS;
  if (entry != NULL && --entry->times == 0) {
    __atomic_store_n(&entry->state, GOING, __ATOMIC_RELEASE);
    futex(&entry->state, FUTEX_WAKE, INT_MAX);
    // It leaves its entry itself: only then may another have it.
    wait_while(entry, GOING);
    let_go(entry);
  }
  give();
  errno = 0;
  return result;
}

#ifdef __x86_64__
enum { FLAVOR = 4, WORDS = 42 }; // x86_THREAD_STATE64
static void copy_state(const mcontext_t *from, uint64_t *to) {
  static const int ORDER[] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RDI, REG_RSI, REG_RBP, REG_RSP, REG_R8,
                              REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP, REG_EFL};
  memset(to, 0, WORDS * 4);
  for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++) to[i] = (uint64_t)from->gregs[ORDER[i]];
}
#else
enum { FLAVOR = 6, WORDS = 68 }; // ARM_THREAD_STATE64
static void copy_state(const mcontext_t *from, uint64_t *to) {
  memset(to, 0, WORDS * 4);
  for (int i = 0; i < 31; i++) to[i] = from->regs[i];
  to[31] = from->sp;
  to[32] = from->pc;
  to[33] = from->pstate & 0xffffffff;
}
#endif

// Of a suspended thread only: another's registers are nowhere.
static int get_state(uint32_t thread, int flavor, uint32_t *state, uint32_t *count) {
  if (flavor != FLAVOR || *count < WORDS) return KERN_INVALID_ARGUMENT;
  struct held *entry = find(thread, STOPPED);
  if (entry == NULL || entry->state != STOPPED) return KERN_NOT_SUPPORTED;
  uint64_t words[WORDS / 2];
  copy_state(&entry->context->uc_mcontext, words);
  memcpy(state, words, sizeof words);
  *count = WORDS;
  return KERN_SUCCESS;
}

// The list is memory of its own, which the caller gives back with vm_deallocate: whole pages of macOS's size, or what lies
// beside it goes as well.
static int list_threads(uint32_t task, uint32_t **threads, uint32_t *count) {
  if (task != TASK) return KERN_INVALID_ARGUMENT;
  uint32_t *list = fresh_pages(MAX_THREADS * sizeof *list, PROT_READ | PROT_WRITE);
  if (list == NULL) return KERN_RESOURCE_SHORTAGE;
  uint32_t found = 0;
  for (int i = 0; i < MAX_THREADS; i++) {
    uint32_t thread = __atomic_load_n(&running[i], __ATOMIC_ACQUIRE);
    if (thread != 0 && alive(thread)) list[found++] = thread;
  }
  *threads = list;
  *count = found;
  return KERN_SUCCESS;
}

const struct shim MACH_THREAD_SHIMS[] = {
    {"_task_threads", list_threads},  {"_thread_suspend", suspend},      {"_thread_resume", resume},
    {"_thread_get_state", get_state}, {"_mach_thread_self", own_thread}, {NULL, NULL},
};
