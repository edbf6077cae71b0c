// machorun [OPTION…] PROGRAM [ARGUMENT…]: runs a macOS program on Linux of the same processor.
#include "machorun.h"
#include "mach-o.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

int program_argc;
char **program_argv;
const char *program_path;

// DYLD_INSERT_LIBRARIES: before what the program names itself, in the list behind it. Not on iOS, where dyld heeds it
// only in programs that are being debugged.
static void insert_libraries(void) {
  if (program_platform != PLATFORM_MACOS) return;
  const char *names = getenv("DYLD_INSERT_LIBRARIES");
  while (names != NULL && *names != 0) {
    const char *end = strchrnul(names, ':');
    char name[PATH_MAX], path[PATH_MAX];
    snprintf(name, sizeof name, "%.*s", (int)(end - names), names);
    if (*name != 0) {
      if (!resolve_path(name, main_image(), path, sizeof path))
        refuse(NULL, "%s is to be inserted and is not found", name);
      load_image(path, NULL, true);
    }
    names = *end == 0 ? NULL : end + 1;
  }
}

int main(int argc, char **argv) {
  int first = 1;
  for (; first < argc && strncmp(argv[first], "--", 2) == 0; first++) {
    if (strcmp(argv[first], "--verbose") == 0) verbose = true;
    else if (strcmp(argv[first], "--refuse-new-code") == 0) new_code = NEW_CODE_REFUSED;
    else if (strcmp(argv[first], "--kill-for-new-code") == 0) new_code = NEW_CODE_KILLS;
    else break;
  }
  if (first >= argc) {
    fprintf(stderr, "usage: machorun [--verbose] [--refuse-new-code | --kill-for-new-code] PROGRAM [ARGUMENT…]\n");
    return 2;
  }
  program_argc = argc - first;
  program_argv = argv + first;
  char real[PATH_MAX];
  if (realpath(argv[first], real) == NULL) refuse(NULL, "%s is not there", argv[first]);
  program_path = real;
  struct image *program = load_image(real, NULL, true);
  if (program->type != MH_EXECUTE) refuse(program, "is no executable");
  insert_libraries();
  const struct segment *segment = segment_at(program, (uint64_t)program->base + program->entry, 1);
  if (segment == NULL || !(segment->initial & VM_PROT_EXECUTE))
    refuse(program, "its entry 0x%lx lies in no executable segment", program->entry);
  initialise_images();
  char *apple[] = {NULL};
  int (*entry)(int, char **, char **, char **) =
      (int (*)(int, char **, char **, char **))(program->base + program->entry);
  exit(entry(program_argc, program_argv, environ, apple));
}
