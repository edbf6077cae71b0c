// LC_DYLD_CHAINED_FIXUPS (<mach-o/fixup-chains.h>): per page of a segment a chain of pointers, each of which says what
// becomes of it and how far the next one is.
#include "machorun.h"
#include "mach-o.h"
#include <stdlib.h>

static const char *const WHAT = "the chained fixups";

struct imports {
  uint64_t *addresses; // each import is looked up once
  uint32_t count;
};

static int ordinal_of(uint32_t raw, uint32_t bits) {
  // Over 0xf0 of 8 bits (0xfff0 of 16) are the special ones, as negative numbers.
  return raw > (1u << bits) - 16 ? (int)raw - (1 << bits) : (int)raw;
}

static uint64_t look_up(struct image *image, struct span table, struct span names, uint32_t format, uint32_t index) {
  uint64_t size = format == DYLD_CHAINED_IMPORT ? 4 : format == DYLD_CHAINED_IMPORT_ADDEND ? 8 : 16;
  const uint8_t *entry = part(image, table, index * size, size, "the imports of the chained fixups").at;
  if (format == DYLD_CHAINED_IMPORT_ADDEND64) {
    uint64_t word = read64(entry);
    const char *name = read_string(image, names, word >> 32, WHAT);
    return bind_symbol(image, ordinal_of(word & 0xffff, 16), name, (word >> 16 & 1) != 0, (int64_t)read64(entry + 8));
  }
  uint32_t word = read32(entry);
  int64_t addend = format == DYLD_CHAINED_IMPORT_ADDEND ? (int32_t)read32(entry + 4) : 0;
  const char *name = read_string(image, names, word >> 9, WHAT);
  return bind_symbol(image, ordinal_of(word & 0xff, 8), name, (word >> 8 & 1) != 0, addend);
}

static struct imports read_imports(struct image *image, const uint8_t *header) {
  struct span all = image->chained;
  uint32_t imports = read32(header + 8), symbols = read32(header + 12), count = read32(header + 16);
  uint32_t format = read32(header + 20), compressed = read32(header + 24);
  if (format < DYLD_CHAINED_IMPORT || format > DYLD_CHAINED_IMPORT_ADDEND64)
    refuse(image, "%s have imports of format %u", WHAT, format);
  if (compressed != 0) refuse(image, "%s have compressed names (%u)", WHAT, compressed);
  if (imports > all.size || symbols > all.size || count > all.size / 4)
    refuse(image, "%s: imports at 0x%x, names at 0x%x, %u imports in 0x%lx bytes", WHAT, imports, symbols, count,
           all.size);
  struct span table = part(image, all, imports, symbols - imports, "the imports of the chained fixups");
  struct span names = part(image, all, symbols, all.size - symbols, "the names of the chained fixups");
  struct imports result = {calloc(count + 1, 8), count};
  for (uint32_t i = 0; i < count; i++) result.addresses[i] = look_up(image, table, names, format, i);
  return result;
}

static uint64_t fixed_up(struct image *image, uint16_t format, uint64_t value, const struct imports *imports) {
  if (value >> 63) {
    uint32_t index = value & 0xffffff;
    if (index >= imports->count) refuse(image, "%s: import %u of %u", WHAT, index, imports->count);
    if (value >> 32 & 0x7ffff) refuse(image, "%s: a bind 0x%lx with reserved bits", WHAT, value);
    return imports->addresses[index] == 0 ? 0 : imports->addresses[index] + (value >> 24 & 0xff);
  }
  uint64_t target = value & 0xfffffffff, high = value >> 36 & 0xff;
  if (value >> 44 & 0x7f) refuse(image, "%s: a rebase 0x%lx with reserved bits", WHAT, value);
  uint64_t address =
      format == DYLD_CHAINED_PTR_64_OFFSET ? (uint64_t)image->base + target : target + (uint64_t)image->slide;
  if (segment_at(image, address, 0) == NULL) refuse(image, "%s: a pointer to 0x%lx, in no segment", WHAT, target);
  return address | high << 56;
}

static void follow_chain(struct image *image, unsigned segment, uint64_t offset, uint64_t end, uint16_t format,
                         const struct imports *imports) {
  for (;;) {
    uint8_t *at = fixup_place(image, segment, offset, WHAT);
    uint64_t value = read64(at), next = value >> 51 & 0xfff;
    write64(at, fixed_up(image, format, value, imports));
    if (next == 0) return;
    offset += next * 4;
    if (offset >= end) refuse(image, "%s: a chain of segment %u leaves its page at 0x%lx", WHAT, segment, offset);
  }
}

static void fix_up_segment(struct image *image, unsigned segment, struct span starts, const struct imports *imports) {
  uint32_t size = read32(part(image, starts, 0, 22, WHAT).at);
  starts = part(image, starts, 0, size, WHAT);
  uint16_t page_size = read16(part(image, starts, 0, 22, WHAT).at + 4), format = read16(starts.at + 6);
  uint64_t offset = read64(starts.at + 8);
  uint16_t pages = read16(starts.at + 20);
  if (page_size != 0x1000 && page_size != 0x4000) refuse(image, "%s: pages of 0x%x bytes", WHAT, page_size);
  if (format != DYLD_CHAINED_PTR_64 && format != DYLD_CHAINED_PTR_64_OFFSET)
    refuse(image, "%s: pointers of format %u; known are 2 and 6", WHAT, format);
  if (segment >= (unsigned)image->segment_count)
    refuse(image, "%s: segment %u of %d", WHAT, segment, image->segment_count);
  uint64_t begins = image->segments[segment].address - ((uint64_t)image->base - (uint64_t)image->slide);
  if (offset != begins)
    refuse(image, "%s: segment %u begins at 0x%lx of the image, not at 0x%lx", WHAT, segment, begins, offset);
  for (uint16_t page = 0; page < pages; page++) {
    uint16_t start = read16(part(image, starts, 22 + 2ull * page, 2, WHAT).at);
    if (start == DYLD_CHAINED_PTR_START_NONE) continue;
    if (start & DYLD_CHAINED_PTR_START_MULTI || start >= page_size)
      refuse(image, "%s: page %u of segment %u begins its chain at 0x%x", WHAT, page, segment, start);
    uint64_t at = (uint64_t)page * page_size;
    follow_chain(image, segment, at + start, at + page_size, format, imports);
  }
}

void apply_chained_fixups(struct image *image) {
  struct span all = image->chained;
  const uint8_t *header = part(image, all, 0, 28, WHAT).at;
  if (read32(header) != 0) refuse(image, "%s have version %u", WHAT, read32(header));
  struct imports imports = read_imports(image, header);
  uint32_t starts = read32(header + 4);
  struct span table = part(image, all, starts, all.size - (starts > all.size ? all.size : starts), WHAT);
  uint32_t segments = read32(part(image, table, 0, 4, WHAT).at);
  if (segments > (uint32_t)image->segment_count)
    refuse(image, "%s: %u segments of %d", WHAT, segments, image->segment_count);
  for (uint32_t i = 0; i < segments; i++) {
    uint32_t at = read32(part(image, table, 4 + 4ull * i, 4, WHAT).at);
    if (at == 0) continue;
    fix_up_segment(image, i, part(image, table, at, table.size - (at > table.size ? table.size : at), WHAT), &imports);
  }
  free(imports.addresses);
}
