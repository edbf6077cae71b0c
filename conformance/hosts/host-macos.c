// As host.c, for macOS and without its headers: opens a library and calls what standard input says, a line
// `FUNCTION TAB INPUT` each (\n and \t spelt out in the input); prints `FUNCTION TAB OUTPUT`. Half of the calls are made
// from a thread of their own.
typedef unsigned long size_t;
extern void *dlopen(const char *, int);
extern void *dlsym(void *, const char *);
extern char *dlerror(void);
extern long read(int, void *, size_t);
extern long write(int, const void *, size_t);
extern size_t strlen(const char *);
extern int pthread_create(void **, const void *, void *(*)(void *), void *);
extern int pthread_join(void *, void **);

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
    if (text[at] == '\n') write(1, "\\n", 2);
    else if (text[at] == '\t') write(1, "\\t", 2);
    else if (text[at] == '\\') write(1, "\\\\", 2);
    else write(1, text + at, 1);
  }
}

static int fail(const char *why, int status) {
  write(2, why, strlen(why));
  return status;
}

int main(int count, char **words) {
  if (count != 2) return 2;
  void *library = dlopen(words[1], 2);
  if (!library) return fail(dlerror(), 3);
  static char lines[1 << 20], output[1 << 20];
  size_t size = 0;
  for (long more; (more = read(0, lines + size, sizeof lines - 1 - size)) > 0;) size += more;
  char *line = lines;
  for (int number = 0; *line; number++) {
    char *end = line, *input = 0;
    for (; *end && *end != '\n'; end++) if (*end == '\t' && !input) *end = 0, input = end + 1;
    if (!*end || !input) return 4;
    *end = 0;
    struct call call = {(answer)dlsym(library, line), input, unspell(input), output, sizeof output, 0};
    if (!call.function) return fail(dlerror(), 5);
    void *thread;
    if (number % 2 == 0) make(&call);
    else if (pthread_create(&thread, 0, make, &call) || pthread_join(thread, 0)) return 6;
    write(1, line, strlen(line));
    write(1, "\t", 1);
    spell(output, call.size);
    write(1, "\n", 1);
    line = end + 1;
  }
  return 0;
}
