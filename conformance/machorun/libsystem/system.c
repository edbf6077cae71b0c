// What a program asks of the system: sysconf, sysctl, limits, users (<unistd.h>, <sys/sysctl.h>, <sys/resource.h>).
#include "../shims.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

static long sysconf_(int name) {
  switch (name) {
  case 1: return sysconf(_SC_ARG_MAX);
  case 2: return sysconf(_SC_CHILD_MAX);
  case 3: return sysconf(_SC_CLK_TCK);
  case 4: return sysconf(_SC_NGROUPS_MAX);
  case 5: return sysconf(_SC_OPEN_MAX);
  case 29: return PAGE;
  case 56: return sysconf(_SC_IOV_MAX);
  case 57:
  case 58: return sysconf(_SC_NPROCESSORS_ONLN);
  case 70: return sysconf(_SC_GETGR_R_SIZE_MAX);
  case 71: return sysconf(_SC_GETPW_R_SIZE_MAX);
  case 72: return sysconf(_SC_HOST_NAME_MAX);
  case 200: return sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / PAGE;
  default: errno = EINVAL; return -1;
  }
}

static int give(void *to, size_t *size, const void *from, size_t length) {
  if (size == NULL) return 0;
  if (to != NULL) {
    if (*size < length) {
      errno = ENOMEM;
      return -1;
    }
    memcpy(to, from, length);
  }
  *size = length;
  return 0;
}
static int give32(void *to, size_t *size, long value) {
  int32_t number = (int32_t)value;
  return give(to, size, &number, sizeof number);
}
static int give64(void *to, size_t *size, uint64_t value) { return give(to, size, &value, sizeof value); }
static int give_text(void *to, size_t *size, const char *text) { return give(to, size, text, strlen(text) + 1); }

static uint64_t memory_size(void) { return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE); }

static int sysctlbyname_(const char *name, void *to, size_t *size, const void *new, size_t new_size) {
  (void)new_size;
  static const char *const PROCESSORS[] = {
      "hw.ncpu",        "hw.activecpu",       "hw.logicalcpu",          "hw.logicalcpu_max",
      "hw.physicalcpu", "hw.physicalcpu_max", "machdep.cpu.core_count", NULL,
  };
  if (new != NULL) {
    errno = EPERM;
    return -1;
  }
  for (int i = 0; PROCESSORS[i] != NULL; i++)
    if (strcmp(name, PROCESSORS[i]) == 0) return give32(to, size, sysconf(_SC_NPROCESSORS_ONLN));
  if (strcmp(name, "hw.pagesize") == 0) return give64(to, size, PAGE);
  if (strcmp(name, "hw.memsize") == 0) return give64(to, size, memory_size());
  if (strcmp(name, "kern.osrelease") == 0) return give_text(to, size, "22.0.0");
  if (strcmp(name, "kern.osproductversion") == 0) return give_text(to, size, "13.0");
  if (strcmp(name, "kern.ostype") == 0) return give_text(to, size, "Darwin");
  errno = ENOENT;
  return -1;
}

static int sysctl_(const int *name, unsigned count, void *to, size_t *size, const void *new, size_t new_size) {
  (void)new_size;
  if (new == NULL && count == 2 && name[0] == 6) {
    if (name[1] == 3 || name[1] == 25) return give32(to, size, sysconf(_SC_NPROCESSORS_ONLN));
    if (name[1] == 7) return give32(to, size, PAGE);
    if (name[1] == 24) return give64(to, size, memory_size());
  }
  if (new == NULL && count == 2 && name[0] == 1) {
    if (name[1] == 1) return give_text(to, size, "Darwin");
    if (name[1] == 2) return give_text(to, size, "22.0.0");
    if (name[1] == 8) return give32(to, size, sysconf(_SC_ARG_MAX));
  }
  errno = ENOENT;
  return -1;
}

// macOS's numbers of limits → Linux's.
static const int LIMITS[9] = {RLIMIT_CPU, RLIMIT_FSIZE,   RLIMIT_DATA,  RLIMIT_STACK, RLIMIT_CORE,
                              RLIMIT_AS,  RLIMIT_MEMLOCK, RLIMIT_NPROC, RLIMIT_NOFILE};
#define NO_LIMIT 0x7fffffffffffffffull

static int getrlimit_(int which, uint64_t limits[2]) {
  struct rlimit linux;
  if (which < 0 || which > 8) {
    errno = EINVAL;
    return -1;
  }
  if (getrlimit(LIMITS[which], &linux) != 0) return -1;
  limits[0] = linux.rlim_cur > NO_LIMIT ? NO_LIMIT : linux.rlim_cur;
  limits[1] = linux.rlim_max > NO_LIMIT ? NO_LIMIT : linux.rlim_max;
  return 0;
}
static int setrlimit_(int which, const uint64_t limits[2]) {
  if (which < 0 || which > 8) {
    errno = EINVAL;
    return -1;
  }
  struct rlimit linux = {limits[0] >= NO_LIMIT ? RLIM_INFINITY : limits[0],
                         limits[1] >= NO_LIMIT ? RLIM_INFINITY : limits[1]};
  return setrlimit(LIMITS[which], &linux);
}

static int getrusage_(int who, struct rusage *usage) {
  int result = getrusage(who, usage);
  if (result == 0) usage->ru_maxrss *= 1024; // bytes there
  return result;
}

// Five names of 256 bytes each.
static int uname_(char names[5][256]) {
  struct utsname own;
  if (uname(&own) != 0) return -1;
  snprintf(names[0], 256, "Darwin");
  snprintf(names[1], 256, "%s", own.nodename);
  snprintf(names[2], 256, "22.0.0");
  snprintf(names[3], 256, "Darwin Kernel Version 22.0.0 (machorun)");
#ifdef __aarch64__
  snprintf(names[4], 256, "arm64");
#else
  snprintf(names[4], 256, "x86_64");
#endif
  return 0;
}

static size_t confstr_(int name, char *buffer, size_t size) {
  // _CS_DARWIN_USER_TEMP_DIR, which std asks for temporary folders.
  if (name != 65537) {
    errno = EINVAL;
    return 0;
  }
  return (size_t)snprintf(buffer, size, "/tmp/") + 1;
}

struct darwin_passwd {
  char *name, *password;
  uint32_t user, group;
  int64_t change;
  char *class, *gecos, *folder, *shell;
  int64_t expire;
};

static int getpwuid_r_(uint32_t user, struct darwin_passwd *to, char *buffer, size_t size,
                       struct darwin_passwd **result) {
  struct passwd linux, *found = NULL;
  int status = getpwuid_r(user, &linux, buffer, size, &found);
  *result = NULL;
  if (status != 0 || found == NULL) return RETURNED(status);
  *to = (struct darwin_passwd){linux.pw_name,  linux.pw_passwd, linux.pw_uid, linux.pw_gid,   0,
                               linux.pw_gecos, linux.pw_gecos,  linux.pw_dir, linux.pw_shell, 0};
  *result = to;
  return 0;
}

const struct shim SYSTEM_SHIMS[] = {
    {"_sysconf", sysconf_},
    {"_sysctl", sysctl_},
    {"_sysctlbyname", sysctlbyname_},
    {"_getrlimit", getrlimit_},
    {"_setrlimit", setrlimit_},
    {"_getrusage", getrusage_},
    {"_uname", uname_},
    {"_confstr", confstr_},
    {"_getpwuid_r", getpwuid_r_},
    SAME(gethostname),
    SAME(getuid),
    SAME(geteuid),
    SAME(getgid),
    SAME(getegid),
    SAME(getpid),
    SAME(getppid),
    {NULL, NULL},
};
