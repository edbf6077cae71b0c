// Compact unwind encodings of x86_64 (<mach-o/compact_unwind_encoding.h>) as rules of DWARF.
#ifdef __x86_64__
#include "frames.h"

enum { MODE_RBP_FRAME = 1, MODE_STACK_IMMEDIATE = 2, MODE_STACK_INDIRECT = 3, MODE_DWARF = 4 };
enum { DWARF_RBP = 6, DWARF_RSP = 7, DWARF_RETURN = 16 };

const unsigned RETURN_COLUMN = DWARF_RETURN;

// Number of a register in an encoding → in DWARF: rbx, r12, r13, r14, r15, rbp.
static const unsigned REGISTERS[7] = {0, 3, 12, 13, 14, 15, DWARF_RBP};

static uint32_t mode_of(uint32_t encoding) { return encoding >> 24 & 15; }

bool is_dwarf_mode(uint32_t encoding) { return mode_of(encoding) == MODE_DWARF; }

void put_initial_rules(struct block *block) {
  put_cfa(block, DWARF_RSP, 8);
  put_saved(block, DWARF_RETURN, 1);
}

static void put_frame_rules(struct block *block, uint32_t encoding) {
  uint32_t offset = encoding >> 16 & 0xff, registers = encoding & 0x7fff;
  put_cfa(block, DWARF_RBP, 16);
  put_saved(block, DWARF_RETURN, 1);
  put_saved(block, DWARF_RBP, 2);
  for (uint32_t i = 0; i < 5; i++, registers >>= 3)
    if (registers & 7) put_saved(block, REGISTERS[registers & 7], 2 + offset - i);
}

// The order of `count` saved registers out of six is one number, its digits of falling radix.
static void unpack_permutation(uint32_t number, uint32_t count, unsigned found[6]) {
  bool used[7] = {false};
  for (uint32_t i = 0; i < count; i++) {
    uint32_t below = 1;
    for (uint32_t k = i + 1; k < count; k++) below *= 6 - k;
    uint32_t skip = number / below;
    number %= below;
    unsigned reg = 1;
    while (used[reg] || skip != 0) {
      if (!used[reg]) skip--;
      reg++;
    }
    used[reg] = true;
    found[i] = reg;
  }
}

static void put_frameless_rules(const struct image *image, struct block *block, const struct frame *frame) {
  uint32_t encoding = frame->encoding, count = encoding >> 10 & 7;
  uint64_t size = (encoding >> 16 & 0xff) * 8ull;
  if (mode_of(encoding) == MODE_STACK_INDIRECT) {
    // Too large for the encoding: the size is in the function's `sub rsp` instruction.
    if (segment_at(image, frame->function + (encoding >> 16 & 0xff), 4) == NULL)
      refuse(image, "the unwind encoding 0x%08x points out of its function", encoding);
    size = read32((const uint8_t *)frame->function + (encoding >> 16 & 0xff)) + (encoding >> 13 & 7) * 8ull;
  }
  if (count > 6 || size < 8 + 8ull * count)
    refuse(image, "the unwind encoding 0x%08x saves %u registers", encoding, count);
  unsigned found[6];
  unpack_permutation(encoding & 0x3ff, count, found);
  put_cfa(block, DWARF_RSP, size);
  put_saved(block, DWARF_RETURN, 1);
  for (uint32_t i = 0; i < count; i++) put_saved(block, REGISTERS[found[i]], 1 + count - i);
}

void put_compact_rules(const struct image *image, struct block *block, const struct frame *frame) {
  switch (mode_of(frame->encoding)) {
  case MODE_RBP_FRAME: put_frame_rules(block, frame->encoding); return;
  case MODE_STACK_IMMEDIATE:
  case MODE_STACK_INDIRECT: put_frameless_rules(image, block, frame); return;
  default: refuse(image, "the unwind encoding 0x%08x has an unknown mode", frame->encoding);
  }
}
#endif
