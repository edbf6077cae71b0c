// Programs that a program starts: those for macOS need the loader before them.
#ifndef LAUNCH_H
#define LAUNCH_H
#include <stdbool.h>

// What is given to the kernel: the program itself, or the loader with the program as its first argument.
struct launch {
  char path[4096];
  char **arguments;
  bool owned; // `arguments` is to be freed
};

// Finds a program, in PATH where `by_name` is set and it has no slash. 0, or an error of Linux.
int prepare_launch(const char *name, bool by_name, char *const arguments[], struct launch *launch);
void end_launch(struct launch *launch);
#endif
