// Compact unwind encodings of arm64 (<mach-o/compact_unwind_encoding.h>) as rules of DWARF.
#ifdef __aarch64__
#include "frames.h"

enum { MODE_FRAMELESS = 2, MODE_DWARF = 3, MODE_FRAME = 4 };
enum { DWARF_X19 = 19, DWARF_FP = 29, DWARF_LR = 30, DWARF_SP = 31, DWARF_D8 = 72 };

const unsigned RETURN_COLUMN = DWARF_LR;

static uint32_t mode_of(uint32_t encoding) { return encoding >> 24 & 15; }

bool is_dwarf_mode(uint32_t encoding) { return mode_of(encoding) == MODE_DWARF; }

void put_initial_rules(struct block *block) { put_cfa(block, DWARF_SP, 0); }

// Pairs from x19 and from d8 on lie below the frame record, downwards, in the order of their bits.
static void put_frame_rules(struct block *block, uint32_t encoding) {
  put_cfa(block, DWARF_FP, 16);
  put_saved(block, DWARF_LR, 1);
  put_saved(block, DWARF_FP, 2);
  uint64_t factor = 3;
  for (unsigned bit = 0; bit < 9; bit++) {
    if (!(encoding >> bit & 1)) continue;
    unsigned first = bit < 5 ? DWARF_X19 + 2 * bit : DWARF_D8 + 2 * (bit - 5);
    put_saved(block, first, factor++);
    put_saved(block, first + 1, factor++);
  }
}

void put_compact_rules(const struct image *image, struct block *block, const struct frame *frame) {
  uint32_t encoding = frame->encoding;
  switch (mode_of(encoding)) {
  case MODE_FRAME:
    // Bits 5 to 7 have no meaning: the pairs of the d registers are moved next to those of the x registers.
    if (encoding & 0xe0) refuse(image, "the unwind encoding 0x%08x has unknown registers", encoding);
    put_frame_rules(block, (encoding & 0x1f) | (encoding >> 3 & 0x1e0));
    return;
  case MODE_FRAMELESS:
    if (encoding & 0xfff) refuse(image, "the unwind encoding 0x%08x saves registers without a frame", encoding);
    put_cfa(block, DWARF_SP, (encoding >> 12 & 0xfff) * 16ull);
    return;
  default: refuse(image, "the unwind encoding 0x%08x has an unknown mode", encoding);
  }
}
#endif
