// Numbers and strings in a file's bytes, each read inside given bounds.
#include "machorun.h"
#include <string.h>

uint16_t read16(const void *at) {
  uint16_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

uint32_t read32(const void *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

uint64_t read64(const void *at) {
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

uint32_t read32be(const void *at) { return __builtin_bswap32(read32(at)); }

void write64(void *at, uint64_t value) { memcpy(at, &value, sizeof value); }

struct span part(const struct image *image, struct span whole, uint64_t offset, uint64_t size, const char *what) {
  if (offset > whole.size || size > whole.size - offset)
    refuse(image, "%s reaches from 0x%lx over 0x%lx bytes, but there are 0x%lx", what, offset, size, whole.size);
  return (struct span){whole.at + offset, size};
}

uint64_t read_uleb(const struct image *image, const uint8_t **at, const uint8_t *end, const char *what) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (*at >= end) refuse(image, "%s: a ULEB128 number is cut off", what);
    uint8_t byte = *(*at)++;
    if (shift >= 64 || (shift == 63 && (byte & 0x7e))) refuse(image, "%s: a ULEB128 number has over 64 bits", what);
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
}

int64_t read_sleb(const struct image *image, const uint8_t **at, const uint8_t *end, const char *what) {
  uint64_t value = 0;
  for (unsigned shift = 0;;) {
    if (*at >= end) refuse(image, "%s: an SLEB128 number is cut off", what);
    uint8_t byte = *(*at)++;
    if (shift >= 64) refuse(image, "%s: an SLEB128 number has over 64 bits", what);
    value |= (uint64_t)(byte & 0x7f) << shift;
    shift += 7;
    if (byte & 0x80) continue;
    if (shift < 64 && (byte & 0x40)) value |= ~(uint64_t)0 << shift;
    return (int64_t)value;
  }
}

const char *read_string(const struct image *image, struct span whole, uint64_t offset, const char *what) {
  if (offset >= whole.size)
    refuse(image, "%s: a string at 0x%lx lies outside of 0x%lx bytes", what, offset, whole.size);
  const char *start = (const char *)whole.at + offset;
  if (memchr(start, 0, whole.size - offset) == NULL) refuse(image, "%s: the string at 0x%lx has no end", what, offset);
  return start;
}
