// How an image is refused: the message says which, what and where, and loading ends there. dlopen gives it to the
// program, at the program's start it ends everything.
#include "machorun.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool verbose;

static __thread jmp_buf *inside;
static __thread char message[4096];

void say(const char *format, ...) {
  if (!verbose) return;
  va_list arguments;
  va_start(arguments, format);
  fputs("machorun: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
}

void refuse(const struct image *image, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int start = image == NULL ? 0 : snprintf(message, sizeof message, "%s: ", image->path);
  if (start >= (int)sizeof message) start = 0;
  vsnprintf(message + start, sizeof message - (size_t)start, format, arguments);
  va_end(arguments);
  if (inside != NULL) longjmp(*inside, 1);
  fprintf(stderr, "machorun: %s\n", message);
  exit(126);
}

void *attempt(void *(*load)(void *), void *argument) {
  jmp_buf here;
  jmp_buf *const outer = inside;
  void *result = NULL;
  inside = &here;
  if (setjmp(here) == 0) {
    message[0] = 0;
    result = load(argument);
  } else {
    result = NULL;
  }
  inside = outer;
  return result;
}

const char *last_refusal(void) { return message; }
