// Frame records as .eh_frame has them (LSB Core, Exception Frames), with absolute pointers: what the unwinder of this
// machine is given for an image's own unwind information.
#include "frames.h"
#include <string.h>

enum { DW_CFA_nop = 0, DW_CFA_offset_extended = 5, DW_CFA_def_cfa = 0xc, DW_CFA_offset = 0x80 };

void put8(struct block *block, uint8_t value) {
  if (block->at >= block->end)
    refuse(NULL, "unwind information is too large: over 0x%lx bytes", block->end - block->start);
  *block->at++ = value;
}

void put_bytes(struct block *block, const uint8_t *from, uint64_t size) {
  for (uint64_t i = 0; i < size; i++) put8(block, from[i]);
}

void put32(struct block *block, uint32_t value) { put_bytes(block, (const uint8_t *)&value, 4); }

void put64(struct block *block, uint64_t value) { put_bytes(block, (const uint8_t *)&value, 8); }

void put_uleb(struct block *block, uint64_t value) {
  do {
    uint8_t byte = value & 0x7f;
    value >>= 7;
    put8(block, byte | (value != 0 ? 0x80 : 0));
  } while (value != 0);
}

void put_sleb(struct block *block, int64_t value) {
  for (;;) {
    uint8_t byte = value & 0x7f;
    value >>= 7;
    bool last = (value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40));
    put8(block, byte | (last ? 0 : 0x80));
    if (last) return;
  }
}

uint8_t *begin_record(struct block *block) {
  uint8_t *start = block->at;
  put32(block, 0);
  return start;
}

void end_record(struct block *block, uint8_t *start) {
  while ((block->at - start) % 8 != 0) put8(block, DW_CFA_nop);
  uint32_t length = (uint32_t)(block->at - start) - 4;
  memcpy(start, &length, sizeof length);
}

void put_fde_head(struct block *block, const uint8_t *start, const uint8_t *cie, uint64_t function, uint64_t size) {
  put32(block, (uint32_t)(start + 4 - cie));
  put64(block, function);
  put64(block, size);
}

void put_cfa(struct block *block, unsigned reg, uint64_t offset) {
  put8(block, DW_CFA_def_cfa);
  put_uleb(block, reg);
  put_uleb(block, offset);
}

void put_saved(struct block *block, unsigned reg, uint64_t factor) {
  if (reg < 64) {
    put8(block, (uint8_t)(DW_CFA_offset | reg));
  } else {
    put8(block, DW_CFA_offset_extended);
    put_uleb(block, reg);
  }
  put_uleb(block, factor);
}
