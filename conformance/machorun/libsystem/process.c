// The program's own surroundings and other processes (<crt_externs.h>, <sys/wait.h>).
#include "../shims.h"
#include "launch.h"
#include "signals.h"
#include <errno.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int *argument_count(void) { return &program_argc; }
static char ***arguments(void) { return &program_argv; }
static char ***environment(void) { return &environ; }
static const char *program_name(void) { return program_argc > 0 ? program_argv[0] : ""; }

enum { WNOHANG_ = 1, WUNTRACED_ = 2 };

// The status has the same form; numbers of signals in it differ.
static int given_status(int linux) {
  if (WIFSIGNALED(linux)) return darwin_signal(WTERMSIG(linux)) | (WCOREDUMP(linux) ? 0x80 : 0);
  if (WIFSTOPPED(linux)) return darwin_signal(WSTOPSIG(linux)) << 8 | 0x7f;
  return linux;
}
static int waitpid_(int process, int *status, int options) {
  int linux;
  int result = waitpid(process, &linux, (options & WNOHANG_ ? WNOHANG : 0) | (options & WUNTRACED_ ? WUNTRACED : 0));
  if (result > 0 && status != NULL) *status = given_status(linux);
  return result;
}

static int replace(const char *name, bool by_name, char *const arguments[], char *const environment[]) {
  struct launch launch;
  int error = prepare_launch(name, by_name, arguments, &launch);
  if (error == 0) {
    execve(launch.path, launch.arguments, environment);
    error = errno;
  }
  end_launch(&launch);
  errno = error;
  return -1;
}
static int execv_(const char *path, char *const arguments[]) { return replace(path, false, arguments, environ); }
static int execvp_(const char *name, char *const arguments[]) { return replace(name, true, arguments, environ); }
static int execve_(const char *path, char *const arguments[], char *const environment[]) {
  return replace(path, false, arguments, environment);
}

static int setgroups_(int count, const uint32_t *groups) { return setgroups((size_t)count, groups); }

const struct shim PROCESS_SHIMS[] = {
    {"__NSGetArgc", argument_count},
    {"__NSGetArgv", arguments},
    {"__NSGetEnviron", environment},
    {"_environ", &environ},
    {"_getprogname", program_name},
    {"_waitpid", waitpid_},
    {"_setgroups", setgroups_},
    {"_execv", execv_},
    {"_execvp", execvp_},
    {"_execve", execve_},
    SAME(fork),
    SAME(setsid),
    SAME(setpgid),
    SAME(getpgid),
    SAME(setuid),
    SAME(setgid),
    SAME(chroot),
    SAME(nice),
    {NULL, NULL},
};
