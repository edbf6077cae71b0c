// __unwind_info (<mach-o/compact_unwind_encoding.h>): two levels of pages that give each function's encoding, its
// personality routine and its language-specific data. Each function's end is the beginning of the next.
#include "frames.h"
#include "mach-o.h"

static const char *const WHAT = "__unwind_info";

struct table {
  const struct image *image;
  struct span bytes;
  uint32_t common, common_count, personalities, personality_count, index, index_count;
};

struct walk {
  const struct table *table;
  frame_reader each;
  void *data;
  struct frame pending;
  bool has_pending;
  uint32_t lsda_from, lsda_to; // of the page: where its part of the LSDA index lies
};

static uint32_t word(const struct table *table, uint64_t offset) {
  return read32(part(table->image, table->bytes, offset, 4, WHAT).at);
}

static uint64_t personality_of(const struct table *table, uint32_t encoding) {
  uint32_t number = encoding >> 28 & 3;
  if (number == 0) return 0;
  if (number > table->personality_count)
    refuse(table->image, "%s: an encoding 0x%08x has personality %u of %u", WHAT, encoding, number,
           table->personality_count);
  uint64_t at = (uint64_t)table->image->base + word(table, table->personalities + 4ull * (number - 1));
  if (segment_at(table->image, at, 8) == NULL)
    refuse(table->image, "%s: personality %u lies in no segment", WHAT, number);
  return read64((const void *)at);
}

static uint64_t lsda_of(const struct walk *walk, uint32_t function) {
  const struct table *table = walk->table;
  uint32_t low = 0, high = (walk->lsda_to - walk->lsda_from) / 8;
  while (low < high) {
    uint32_t middle = (low + high) / 2, at = word(table, walk->lsda_from + 8ull * middle);
    if (at == function) return (uint64_t)table->image->base + word(table, walk->lsda_from + 8ull * middle + 4);
    if (at < function) low = middle + 1;
    else high = middle;
  }
  refuse(table->image, "%s: the function at 0x%x should have an LSDA and has none in the index", WHAT, function);
}

static void finish(struct walk *walk, uint64_t end) {
  if (!walk->has_pending) return;
  walk->pending.size = end - walk->pending.function;
  walk->each(walk->table->image, &walk->pending, walk->data);
}

static void add(struct walk *walk, uint32_t offset, uint32_t encoding) {
  const struct image *image = walk->table->image;
  uint64_t function = (uint64_t)image->base + offset;
  if (walk->has_pending && function <= walk->pending.function)
    refuse(image, "%s: the function at 0x%x is not behind the one before it", WHAT, offset);
  finish(walk, function);
  const struct segment *segment = segment_at(image, function, 1);
  if (encoding != 0 && (segment == NULL || !(segment->initial & VM_PROT_EXECUTE)))
    refuse(image, "%s: the function at 0x%x lies in no executable segment", WHAT, offset);
  walk->pending = (struct frame){.function = function, .encoding = encoding};
  walk->has_pending = true;
  walk->pending.personality = personality_of(walk->table, encoding);
  if (encoding & UNWIND_HAS_LSDA) walk->pending.lsda = lsda_of(walk, offset);
}

static void read_regular(struct walk *walk, uint64_t page) {
  const struct table *table = walk->table;
  uint32_t head = word(table, page + 4), entries = head & 0xffff, count = head >> 16;
  for (uint32_t i = 0; i < count; i++)
    add(walk, word(table, page + entries + 8ull * i), word(table, page + entries + 8ull * i + 4));
}

static void read_compressed(struct walk *walk, uint64_t page, uint32_t first) {
  const struct table *table = walk->table;
  uint32_t head = word(table, page + 4), entries = head & 0xffff, count = head >> 16;
  uint32_t own = word(table, page + 8), own_at = own & 0xffff, own_count = own >> 16;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t entry = word(table, page + entries + 4ull * i), number = entry >> 24;
    if (number >= table->common_count + own_count)
      refuse(table->image, "%s: encoding %u of %u", WHAT, number, table->common_count + own_count);
    uint32_t encoding = number < table->common_count
                            ? word(table, table->common + 4ull * number)
                            : word(table, page + own_at + 4ull * (number - table->common_count));
    add(walk, first + (entry & 0xffffff), encoding);
  }
}

void read_unwind_info(const struct image *image, struct span info, frame_reader each, void *data) {
  struct table table = {.image = image, .bytes = info};
  if (word(&table, 0) != 1) refuse(image, "%s has version %u", WHAT, word(&table, 0));
  table.common = word(&table, 4);
  table.common_count = word(&table, 8);
  table.personalities = word(&table, 12);
  table.personality_count = word(&table, 16);
  table.index = word(&table, 20);
  table.index_count = word(&table, 24);
  struct walk walk = {.table = &table, .each = each, .data = data};
  for (uint32_t i = 0; i < table.index_count; i++) {
    uint64_t at = table.index + 12ull * i;
    uint32_t first = word(&table, at), page = word(&table, at + 4);
    walk.lsda_from = word(&table, at + 8);
    if (page == 0) {
      // The sentinel: where the last function ends.
      if (walk.has_pending && (uint64_t)image->base + first < walk.pending.function)
        refuse(image, "%s: its end 0x%x lies before the last function", WHAT, first);
      finish(&walk, (uint64_t)image->base + first);
      walk.has_pending = false;
      continue;
    }
    walk.lsda_to = i + 1 < table.index_count ? word(&table, at + 12 + 8) : walk.lsda_from;
    if (walk.lsda_to < walk.lsda_from) refuse(image, "%s: the LSDA index of page %u has no end", WHAT, i);
    uint32_t kind = word(&table, page);
    if (kind == UNWIND_SECOND_LEVEL_REGULAR) read_regular(&walk, page);
    else if (kind == UNWIND_SECOND_LEVEL_COMPRESSED) read_compressed(&walk, page, first);
    else refuse(image, "%s: a page of kind %u", WHAT, kind);
  }
  if (walk.has_pending) refuse(image, "%s has no end: its index ends without a sentinel", WHAT);
}
