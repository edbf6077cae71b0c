// LC_DYLD_INFO: the rebase and bind opcodes (<mach-o/loader.h>). Lazy ones are bound at once, weak ones last.
#include "machorun.h"
#include "mach-o.h"
#include <string.h>

struct cursor {
  const uint8_t *at, *end;
  const char *what;
  struct image *image;
  unsigned segment;
  uint64_t offset;
  bool has_segment;
};

static uint64_t uleb(struct cursor *c) { return read_uleb(c->image, &c->at, c->end, c->what); }

static void set_segment(struct cursor *c, unsigned segment) {
  c->segment = segment;
  c->offset = uleb(c);
  c->has_segment = true;
}

static uint8_t *place(const struct cursor *c) {
  if (!c->has_segment) refuse(c->image, "%s: a fixup before any segment is set", c->what);
  return fixup_place(c->image, c->segment, c->offset, c->what);
}

static void rebase_times(struct cursor *c, uint64_t times, uint64_t skip) {
  for (uint64_t i = 0; i < times; i++) {
    uint8_t *at = place(c);
    uint64_t target = read64(at) + (uint64_t)c->image->slide;
    if (segment_at(c->image, target, 0) == NULL && segment_at(c->image, target - 1, 0) == NULL)
      refuse(c->image, "%s: the pointer at 0x%lx of segment %u points to 0x%lx, in no segment", c->what, c->offset,
             c->segment, read64(at));
    write64(at, target);
    c->offset += 8 + skip;
  }
}

static void apply_rebase(struct image *image) {
  struct span bytes = image->rebase;
  struct cursor c = {bytes.at, bytes.at + bytes.size, "the rebase information", image, 0, 0, false};
  while (c.at < c.end) {
    uint8_t opcode = *c.at++, immediate = opcode & 15;
    switch (opcode & 0xf0) {
    case REBASE_OPCODE_DONE: return;
    case REBASE_OPCODE_SET_TYPE_IMM:
      if (immediate != REBASE_TYPE_POINTER) refuse(image, "%s: type %u", c.what, immediate);
      break;
    case REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB: set_segment(&c, immediate); break;
    case REBASE_OPCODE_ADD_ADDR_ULEB: c.offset += uleb(&c); break;
    case REBASE_OPCODE_ADD_ADDR_IMM_SCALED: c.offset += immediate * 8u; break;
    case REBASE_OPCODE_DO_REBASE_IMM_TIMES: rebase_times(&c, immediate, 0); break;
    case REBASE_OPCODE_DO_REBASE_ULEB_TIMES: rebase_times(&c, uleb(&c), 0); break;
    case REBASE_OPCODE_DO_REBASE_ADD_ADDR_ULEB: rebase_times(&c, 1, uleb(&c)); break;
    case REBASE_OPCODE_DO_REBASE_ULEB_TIMES_SKIPPING_ULEB: {
      uint64_t times = uleb(&c);
      rebase_times(&c, times, uleb(&c));
      break;
    }
    default: refuse(image, "%s: opcode 0x%02x at 0x%lx", c.what, opcode, (uint64_t)(c.at - 1 - bytes.at));
    }
  }
}

struct binding {
  int ordinal;
  const char *symbol;
  bool weak_import;
  int64_t addend;
};

typedef void (*binder)(struct cursor *, const struct binding *);

static void bind_here(struct cursor *c, const struct binding *to) {
  uint8_t *at = place(c);
  if (to->symbol == NULL) refuse(c->image, "%s: a binding before any symbol is set", c->what);
  write64(at, bind_symbol(c->image, to->ordinal, to->symbol, to->weak_import, to->addend));
}

// Weak definitions coalesce: all images use the first. One that nobody else has stays what it is.
static void coalesce_here(struct cursor *c, const struct binding *to) {
  uint8_t *at = place(c);
  if (to->symbol == NULL) refuse(c->image, "%s: a binding before any symbol is set", c->what);
  uint64_t address = find_anywhere(to->symbol, NULL, NULL);
  if (address != 0) write64(at, address + (uint64_t)to->addend);
}

static void bind_times(struct cursor *c, const struct binding *to, binder bind, uint64_t times, uint64_t skip) {
  for (uint64_t i = 0; i < times; i++) {
    bind(c, to);
    c->offset += 8 + skip;
  }
}

static void set_symbol(struct cursor *c, struct binding *to, uint8_t flags) {
  const void *end = memchr(c->at, 0, (size_t)(c->end - c->at));
  if (end == NULL) refuse(c->image, "%s: a symbol's name has no end", c->what);
  to->symbol = (const char *)c->at;
  to->weak_import = (flags & BIND_SYMBOL_FLAGS_WEAK_IMPORT) != 0;
  c->at = (const uint8_t *)end + 1;
}

static void apply_bind(struct image *image, struct span bytes, const char *what, binder bind, bool lazy) {
  struct cursor c = {bytes.at, bytes.at + bytes.size, what, image, 0, 0, false};
  struct binding to = {0};
  while (c.at < c.end) {
    uint8_t opcode = *c.at++, immediate = opcode & 15;
    switch (opcode & 0xf0) {
    case BIND_OPCODE_DONE:
      if (!lazy) return; // lazy bindings are single records, each ended so
      break;
    case BIND_OPCODE_SET_DYLIB_ORDINAL_IMM: to.ordinal = immediate; break;
    case BIND_OPCODE_SET_DYLIB_ORDINAL_ULEB: {
      uint64_t ordinal = uleb(&c);
      if (ordinal > MAX_DYLIBS) refuse(image, "%s: library %lu", what, ordinal);
      to.ordinal = (int)ordinal;
      break;
    }
    case BIND_OPCODE_SET_DYLIB_SPECIAL_IMM: to.ordinal = immediate == 0 ? 0 : (int8_t)(0xf0 | immediate); break;
    case BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM: set_symbol(&c, &to, immediate); break;
    case BIND_OPCODE_SET_TYPE_IMM:
      if (immediate != BIND_TYPE_POINTER) refuse(image, "%s: type %u", what, immediate);
      break;
    case BIND_OPCODE_SET_ADDEND_SLEB: to.addend = read_sleb(image, &c.at, c.end, what); break;
    case BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB: set_segment(&c, immediate); break;
    case BIND_OPCODE_ADD_ADDR_ULEB: c.offset += uleb(&c); break;
    case BIND_OPCODE_DO_BIND: bind_times(&c, &to, bind, 1, 0); break;
    case BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB: {
      bind_times(&c, &to, bind, 1, 0);
      c.offset += uleb(&c);
      break;
    }
    case BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED: bind_times(&c, &to, bind, 1, immediate * 8u); break;
    case BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB: {
      uint64_t times = uleb(&c);
      bind_times(&c, &to, bind, times, uleb(&c));
      break;
    }
    default: refuse(image, "%s: opcode 0x%02x at 0x%lx", what, opcode, (uint64_t)(c.at - 1 - bytes.at));
    }
  }
}

void apply_dyld_info(struct image *image) {
  apply_rebase(image);
  apply_bind(image, image->bind, "the bind information", bind_here, false);
  apply_bind(image, image->lazy_bind, "the lazy bind information", bind_here, true);
  apply_bind(image, image->weak_bind, "the weak bind information", coalesce_here, false);
}
