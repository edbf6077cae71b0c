// Opens a library and calls what it is told on standard input, a line `FUNCTION TAB INPUT` each (\n and \t spelt out in
// the input); prints `FUNCTION TAB OUTPUT`. Half of the calls are made from a thread of their own.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef size_t (*answer)(const char *, size_t, char *, size_t);
struct call { answer function; const char *input; size_t length; char *output; size_t room, size; };

static void *make(void *argument) {
  struct call *call = argument;
  call->size = call->function(call->input, call->length, call->output, call->room);
  return 0;
}

static size_t unspell(char *text) {
  char *to = text;
  for (char *from = text; *from; from++) {
    if (*from == '\\' && from[1]) from++, *to++ = *from == 'n' ? '\n' : *from == 't' ? '\t' : *from;
    else *to++ = *from;
  }
  *to = 0;
  return to - text;
}

static void spell(const char *text, size_t size) {
  for (size_t at = 0; at < size; at++) {
    if (text[at] == '\n') fputs("\\n", stdout);
    else if (text[at] == '\t') fputs("\\t", stdout);
    else if (text[at] == '\\') fputs("\\\\", stdout);
    else putchar(text[at]);
  }
}

int main(int count, char **words) {
  if (count != 2) return 2;
  void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 3;
  static char line[1 << 20], output[1 << 20];
  for (int number = 0; fgets(line, sizeof line, stdin); number++) {
    line[strcspn(line, "\n")] = 0;
    char *input = strchr(line, '\t');
    if (!input) return 4;
    *input++ = 0;
    struct call call = {(answer)dlsym(library, line), input, unspell(input), output, sizeof output, 0};
    if (!call.function) return fprintf(stderr, "%s\n", dlerror()), 5;
    pthread_t thread;
    if (number % 2 == 0) make(&call);
    else if (pthread_create(&thread, 0, make, &call) || pthread_join(thread, 0)) return 6;
    printf("%s\t", line);
    spell(output, call.size);
    putchar('\n');
    fflush(stdout);
  }
  return 0;
}
