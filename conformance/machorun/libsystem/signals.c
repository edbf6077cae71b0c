// Signals (<sys/signal.h>): numbers, sets of 32 bits, handlers that are given macOS's siginfo.
#include "../shims.h"
#include "signals.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

// Linux's number at the index of macOS's; 7 (EMT) and 29 (INFO) have none.
static const uint8_t LINUX[32] = {
    0,       SIGHUP, SIGINT,  SIGQUIT, SIGILL,    SIGTRAP, SIGABRT,  0,       SIGFPE,  SIGKILL, SIGBUS,
    SIGSEGV, SIGSYS, SIGPIPE, SIGALRM, SIGTERM,   SIGURG,  SIGSTOP,  SIGTSTP, SIGCONT, SIGCHLD, SIGTTIN,
    SIGTTOU, SIGIO,  SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, 0,       SIGUSR1, SIGUSR2,
};

int linux_signal(int number) {
  return number == 0 ? 0 : number > 0 && number < 32 && LINUX[number] != 0 ? LINUX[number] : -1;
}

int darwin_signal(int number) {
  for (int i = 1; i < 32; i++)
    if (LINUX[i] == number) return i;
  return 0;
}

sigset_t linux_set(uint32_t darwin) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 1; i < 32; i++)
    if ((darwin >> (i - 1) & 1) && LINUX[i] != 0) sigaddset(&set, LINUX[i]);
  return set;
}

static uint32_t darwin_set(const sigset_t *set) {
  uint32_t found = 0;
  for (int i = 1; i < 32; i++)
    if (LINUX[i] != 0 && sigismember(set, LINUX[i])) found |= 1u << (i - 1);
  return found;
}

struct darwin_action {
  uint64_t handler;
  uint32_t mask;
  int32_t flags;
};
struct darwin_info {
  int32_t number, error, code, process;
  uint32_t user;
  int32_t status;
  void *address;
  uint64_t value, band, pad[7];
};

enum { DEFAULT = 0, IGNORE = 1 };
enum { ONSTACK = 1, RESTART = 2, RESETHAND = 4, NOCLDSTOP = 8, NODEFER = 0x10, NOCLDWAIT = 0x20, SIGINFO = 0x40 };
static const struct {
  int darwin, linux;
} FLAGS[] = {
    {ONSTACK, SA_ONSTACK},     {RESTART, SA_RESTART}, {RESETHAND, (int)SA_RESETHAND},
    {NOCLDSTOP, SA_NOCLDSTOP}, {NODEFER, SA_NODEFER}, {NOCLDWAIT, SA_NOCLDWAIT},
};

static struct darwin_action actions[32];

static void on_signal(int number, siginfo_t *from, void *context) {
  (void)context;
  int darwin = darwin_signal(number), kept = errno;
  struct darwin_action action = actions[darwin];
  struct darwin_info info = {.number = darwin, .error = darwin_error(from->si_errno), .code = from->si_code};
  if (number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGTRAP) {
    info.address = from->si_addr;
  } else {
    info.process = from->si_pid;
    info.user = from->si_uid;
  }
  // Of the registers nothing is given: a context of macOS has another form.
  static const uint64_t no_context[16];
  if (action.flags & SIGINFO)
    ((void (*)(int, struct darwin_info *, const void *))action.handler)(darwin, &info, no_context);
  else if (action.handler > IGNORE) ((void (*)(int))action.handler)(darwin);
  errno = kept;
}

static int sigaction_(int number, const struct darwin_action *new, struct darwin_action *old) {
  int linux = linux_signal(number);
  if (linux <= 0) {
    errno = EINVAL;
    return -1;
  }
  struct sigaction before;
  if (sigaction(linux, NULL, &before) != 0) return -1;
  if (old != NULL) {
    *old = actions[number];
    if (!(before.sa_flags & SA_SIGINFO)) old->handler = before.sa_handler == SIG_IGN ? IGNORE : DEFAULT;
  }
  if (new == NULL) return 0;
  struct sigaction action = {.sa_mask = linux_set(new->mask)};
  for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
    if (new->flags & FLAGS[i].darwin) action.sa_flags |= FLAGS[i].linux;
  if (new->handler <= IGNORE) {
    action.sa_handler = new->handler == IGNORE ? SIG_IGN : SIG_DFL;
  } else {
    action.sa_sigaction = on_signal;
    action.sa_flags |= SA_SIGINFO;
  }
  actions[number] = *new;
  return sigaction(linux, &action, NULL);
}

static uint64_t signal_(int number, uint64_t handler) {
  struct darwin_action new = {handler, 0, RESTART}, old;
  return sigaction_(number, &new, &old) == 0 ? old.handler : UINT64_MAX;
}

struct darwin_stack {
  void *start;
  uint64_t size;
  int32_t flags;
};

static int sigaltstack_(const struct darwin_stack *new, struct darwin_stack *old) {
  stack_t given, before;
  if (new != NULL)
    given = (stack_t){.ss_sp = new->start, .ss_size = new->size, .ss_flags = new->flags & 4 ? SS_DISABLE : 0};
  if (sigaltstack(new == NULL ? NULL : &given, &before) != 0) return -1;
  if (old != NULL)
    *old = (struct darwin_stack){before.ss_sp, before.ss_size,
                                 (before.ss_flags & SS_ONSTACK ? 1 : 0) | (before.ss_flags & SS_DISABLE ? 4 : 0)};
  return 0;
}

static int set_mask(int how, const uint32_t *new, uint32_t *old) {
  sigset_t given, before;
  if (new != NULL) given = linux_set(*new);
  // 1, 2 and 3 there are 0, 1 and 2 here.
  int result = pthread_sigmask(how - 1, new == NULL ? NULL : &given, &before);
  if (result == 0 && old != NULL) *old = darwin_set(&before);
  return result;
}
static int pthread_sigmask_(int how, const uint32_t *new, uint32_t *old) { return RETURNED(set_mask(how, new, old)); }
static int sigprocmask_(int how, const uint32_t *new, uint32_t *old) {
  int result = set_mask(how, new, old);
  if (result != 0) errno = result;
  return result == 0 ? 0 : -1;
}

static int sigemptyset_(uint32_t *set) { return (int)(*set = 0); }
static int sigfillset_(uint32_t *set) {
  *set = UINT32_MAX;
  return 0;
}
static int sigaddset_(uint32_t *set, int number) {
  *set |= 1u << (number - 1);
  return 0;
}
static int sigdelset_(uint32_t *set, int number) {
  *set &= ~(1u << (number - 1));
  return 0;
}
static int sigismember_(const uint32_t *set, int number) { return (int)(*set >> (number - 1) & 1); }
static int kill_(int process, int number) { return kill(process, linux_signal(number)); }
static int raise_(int number) { return raise(linux_signal(number)); }

const struct shim SIGNAL_SHIMS[] = {
    {"_sigaction", sigaction_},
    {"_signal", signal_},
    {"_sigaltstack", sigaltstack_},
    {"_pthread_sigmask", pthread_sigmask_},
    {"_sigprocmask", sigprocmask_},
    {"_sigemptyset", sigemptyset_},
    {"_sigfillset", sigfillset_},
    {"_sigaddset", sigaddset_},
    {"_sigdelset", sigdelset_},
    {"_sigismember", sigismember_},
    {"_kill", kill_},
    {"_raise", raise_},
    SAME(pause),
    SAME(alarm),
    {NULL, NULL},
};
