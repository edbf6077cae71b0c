// The libraries of the system as tables of names. A name that is in none of them is not found: nothing is taken from
// this machine's C library unasked, as it may mean another thing there.
#include "../shims.h"
#include <iconv.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct shim *const TABLES[] = {
    DYLD_SHIMS,   C_SHIMS,       ERROR_SHIMS,    FILE_SHIMS,      FOLDER_SHIMS,      MEMORY_SHIMS,
    THREAD_SHIMS, LOCK_SHIMS,    DISPATCH_SHIMS, MACH_SHIMS,      MACH_THREAD_SHIMS, SIGNAL_SHIMS,
    TIME_SHIMS,   PROCESS_SHIMS, SYSTEM_SHIMS,   UNWIND_SHIMS,    SOCKET_SHIMS,      OPTION_SHIMS,
    NAME_SHIMS,   KQUEUE_SHIMS,  SPAWN_SHIMS,    FILE_TIME_SHIMS, FILE_COPY_SHIMS,
};

static struct shim *sorted;
static size_t count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct shim *)a)->name, ((const struct shim *)b)->name);
}

static void sort_tables(void) {
  for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++)
    for (const struct shim *each = TABLES[i]; each->name != NULL; each++) count++;
  sorted = calloc(count, sizeof *sorted);
  size_t at = 0;
  for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++)
    for (const struct shim *each = TABLES[i]; each->name != NULL; each++) sorted[at++] = *each;
  qsort(sorted, count, sizeof *sorted, by_name);
}

// Variants that differ in cancellation points or in conformance only; those with another layout have entries of their
// own.
static const char *const SAME_VARIANTS[] = {"$NOCANCEL", "$DARWIN_EXTSN", "$UNIX2003", NULL};

static const void *find_system(const char *name) {
  pthread_once(&once, sort_tables);
  struct shim key = {name, NULL};
  const struct shim *found = bsearch(&key, sorted, count, sizeof *sorted, by_name);
  if (found != NULL) return found->value;
  const char *variant = strchr(name, '$');
  for (int i = 0; variant != NULL && SAME_VARIANTS[i] != NULL; i++) {
    if (strcmp(variant, SAME_VARIANTS[i]) != 0) continue;
    char plain[256];
    size_t length = (size_t)(variant - name);
    if (length >= sizeof plain) return NULL;
    memcpy(plain, name, length);
    plain[length] = 0;
    return find_system(plain);
  }
  return NULL;
}

static const void *find_iconv(const char *name) {
  if (strcmp(name, "_iconv") == 0) return iconv;
  if (strcmp(name, "_iconv_open") == 0) return iconv_open;
  if (strcmp(name, "_iconv_close") == 0) return iconv_close;
  return NULL;
}

static const char *const SYSTEM_NAMES[] = {
    "/usr/lib/libSystem.B.dylib",
    "/usr/lib/libSystem.dylib",
    "/usr/lib/libc.dylib",
    "/usr/lib/libm.dylib",
    "/usr/lib/libpthread.dylib",
    "/usr/lib/libdl.dylib",
    NULL,
};
static const char *const ICONV_NAMES[] = {"/usr/lib/libiconv.2.dylib", "/usr/lib/libiconv.dylib", NULL};

static const struct built_in LIBRARIES[] = {{SYSTEM_NAMES, find_system}, {ICONV_NAMES, find_iconv}};

const struct built_in *find_built_in(const char *name) {
  for (size_t i = 0; i < sizeof LIBRARIES / sizeof *LIBRARIES; i++)
    for (const char *const *each = LIBRARIES[i].names; *each != NULL; each++)
      if (strcmp(*each, name) == 0) return &LIBRARIES[i];
  // What libSystem re-exports.
  return strncmp(name, "/usr/lib/system/", 16) == 0 ? &LIBRARIES[0] : NULL;
}
