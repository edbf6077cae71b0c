// Names to addresses. Each name is looked up in the library that the ordinal beside it says (two-level namespace), by
// that library's export trie. Names that are not there are collected and told together.
#include "machorun.h"
#include "mach-o.h"
#include <stdio.h>
#include <string.h>

#define MAX_TOLD 64
#define MAX_REEXPORTS 16

static __thread char missing[4096];
static __thread int missing_count;

struct export {
  uint64_t flags, address, ordinal;
  const char *renamed; // of a re-export: its name in that library, or null
};

// Walks the trie; every step reads behind what it has read or follows one edge, and edges are never longer than the
// name.
static bool walk_trie(const struct image *image, const char *name, struct export *found) {
  struct span trie = image->exports;
  const char *what = "the export trie", *rest = name;
  uint64_t offset = 0, steps = 0;
  const uint8_t *end = trie.at + trie.size;
  while (trie.size != 0) {
    if (++steps > 4096) refuse(image, "%s has a loop", what);
    if (offset >= trie.size) refuse(image, "%s: a node at 0x%lx lies outside of 0x%lx bytes", what, offset, trie.size);
    const uint8_t *at = trie.at + offset;
    uint64_t size = read_uleb(image, &at, end, what);
    struct span terminal = part(image, trie, (uint64_t)(at - trie.at), size, what);
    if (*rest == 0) {
      if (size == 0) return false;
      const uint8_t *t = terminal.at, *terminal_end = terminal.at + terminal.size;
      found->flags = read_uleb(image, &t, terminal_end, what);
      if (found->flags & EXPORT_SYMBOL_FLAGS_REEXPORT) {
        found->ordinal = read_uleb(image, &t, terminal_end, what);
        found->renamed = read_string(image, terminal, (uint64_t)(t - terminal.at), what);
      } else {
        found->address = read_uleb(image, &t, terminal_end, what);
      }
      return true;
    }
    at = terminal.at + size;
    if (at >= end) refuse(image, "%s is cut off", what);
    unsigned edges = *at++;
    bool followed = false;
    for (unsigned i = 0; i < edges && !followed; i++) {
      const char *edge = read_string(image, trie, (uint64_t)(at - trie.at), what);
      size_t length = strlen(edge);
      at += length + 1;
      uint64_t child = read_uleb(image, &at, end, what);
      if (strncmp(rest, edge, length) != 0) continue;
      rest += length;
      offset = child;
      followed = true;
    }
    if (!followed) return false;
  }
  return false;
}

static bool export_of(const struct image *image, const char *name, int depth, uint64_t *address, bool *weak) {
  if (image->built_in != NULL) {
    *address = (uint64_t)image->built_in->find(name);
    *weak = false;
    return *address != 0;
  }
  if (depth > MAX_REEXPORTS) refuse(image, "the re-exports of %s go round", name);
  struct export found = {0};
  if (walk_trie(image, name, &found)) {
    *weak = (found.flags & EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION) != 0;
    if (found.flags & EXPORT_SYMBOL_FLAGS_REEXPORT) {
      if (found.ordinal == 0 || found.ordinal > (uint64_t)image->dylib_count)
        refuse(image, "%s is re-exported from library %lu of %d", name, found.ordinal, image->dylib_count);
      const struct image *from = image->dylibs[found.ordinal - 1].image;
      const char *there = *found.renamed == 0 ? name : found.renamed;
      return from != NULL && export_of(from, there, depth + 1, address, weak);
    }
    if (found.flags & EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER) refuse(image, "%s is exported by a resolver", name);
    bool absolute = (found.flags & EXPORT_SYMBOL_FLAGS_KIND_MASK) == EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE;
    *address = absolute ? found.address : (uint64_t)image->base + found.address;
    if (!absolute && segment_at(image, *address, 0) == NULL)
      refuse(image, "the export %s at 0x%lx lies in no segment", name, found.address);
    return true;
  }
  for (int i = 0; i < image->dylib_count; i++) {
    const struct dependency *each = &image->dylibs[i];
    if (each->reexported && each->image != NULL && export_of(each->image, name, depth + 1, address, weak)) return true;
  }
  return false;
}

bool find_export(const struct image *image, const char *name, uint64_t *address) {
  bool weak;
  return export_of(image, name, 0, address, &weak);
}

// The first definition that is not weak, else the first, in the order of loading; `from` and later ones only.
uint64_t find_anywhere(const char *name, const struct image *from, const struct image *only) {
  uint64_t first = 0;
  bool started = from == NULL;
  for (int i = 0; i < image_count(); i++) {
    struct image *each = image_at(i);
    if (each == from) started = true;
    if (!started || (only != NULL && each != only)) continue;
    uint64_t address;
    bool weak;
    if (!export_of(each, name, 0, &address, &weak)) continue;
    if (!weak) return address;
    if (first == 0) first = address;
  }
  const struct built_in *system = find_built_in("/usr/lib/libSystem.B.dylib");
  if (first == 0 && only == NULL) return (uint64_t)system->find(name);
  return first;
}

static const char *library_name(const struct image *image, int ordinal) {
  if (ordinal > 0 && ordinal <= image->dylib_count) return image->dylibs[ordinal - 1].name;
  return ordinal == BIND_SPECIAL_DYLIB_SELF ? "itself" : "any image";
}

static void note_missing(const struct image *image, int ordinal, const char *name) {
  if (missing_count++ >= MAX_TOLD) return;
  size_t used = strlen(missing);
  snprintf(missing + used, sizeof missing - used, "%s%s (of %s)", used == 0 ? "" : ", ", name,
           library_name(image, ordinal));
}

uint64_t bind_symbol(struct image *image, int ordinal, const char *name, bool weak, int64_t addend) {
  uint64_t address = 0;
  bool found, absent = false;
  if (ordinal > image->dylib_count || ordinal < BIND_SPECIAL_DYLIB_WEAK_LOOKUP)
    refuse(image, "%s is to be bound to library %d of %d", name, ordinal, image->dylib_count);
  if (ordinal == BIND_SPECIAL_DYLIB_FLAT_LOOKUP || ordinal == BIND_SPECIAL_DYLIB_WEAK_LOOKUP) {
    address = find_anywhere(name, NULL, NULL);
    found = address != 0;
  } else {
    const struct image *in = ordinal == BIND_SPECIAL_DYLIB_SELF              ? image
                             : ordinal == BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE ? main_image()
                                                                             : image->dylibs[ordinal - 1].image;
    absent = in == NULL;
    found = in != NULL && find_export(in, name, &address);
  }
  if (found) return address + (uint64_t)addend;
  // A weak library that is not there has null for all its names.
  if (!weak && !absent) note_missing(image, ordinal, name);
  return 0;
}

void refuse_missing(const struct image *image) {
  if (missing_count == 0) return;
  char told[sizeof missing];
  memcpy(told, missing, sizeof told);
  int count = missing_count;
  missing[0] = 0;
  missing_count = 0;
  refuse(image, "%d symbols are not found: %s%s", count, told, count > MAX_TOLD ? ", and more" : "");
}
