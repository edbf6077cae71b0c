// /proc/self/maps, read without the C library's buffers: a suspended thread may be in the middle of an allocation.
#include "mappings.h"
#include "../mach-o.h"
#include <fcntl.h>
#include <unistd.h>

struct reader {
  int fd;
  char buffer[4096];
  long at, size;
};

// The next byte, or 0 at the end.
static char next(struct reader *reader) {
  if (reader->at == reader->size) {
    reader->at = 0;
    reader->size = read(reader->fd, reader->buffer, sizeof reader->buffer);
    if (reader->size <= 0) return (char)(reader->size = 0);
  }
  return reader->buffer[reader->at++];
}

// A hexadecimal number and the one character behind it.
static uint64_t number(struct reader *reader) {
  uint64_t value = 0;
  for (;;) {
    char c = next(reader);
    if (c >= '0' && c <= '9') value = value * 16 + (uint64_t)(c - '0');
    else if (c >= 'a' && c <= 'f') value = value * 16 + (uint64_t)(c - 'a') + 10;
    else return value;
  }
}

bool next_mapping(uint64_t address, struct mapping *found) {
  struct reader reader = {.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
  if (reader.fd < 0) return false;
  bool any = false;
  while (!any) {
    found->start = number(&reader);
    found->end = number(&reader);
    if (found->end == 0) break;
    found->protection = (next(&reader) == 'r' ? VM_PROT_READ : 0) | (next(&reader) == 'w' ? VM_PROT_WRITE : 0);
    found->protection |= next(&reader) == 'x' ? VM_PROT_EXECUTE : 0;
    any = found->end > address;
    char c;
    while ((c = next(&reader)) != 0 && c != '\n') continue;
  }
  close(reader.fd);
  return any;
}
