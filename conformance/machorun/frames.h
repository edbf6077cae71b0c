// What the readers of unwind information give to the writer of frame records, and the writer's own pieces.
#ifndef FRAMES_H
#define FRAMES_H
#include "machorun.h"

// Where records are written: a block of CIEs and FDEs as .eh_frame has them, every pointer absolute.
struct block {
  uint8_t *start, *at, *end;
};

// One function, with addresses as they are in memory.
struct frame {
  uint64_t function, size;
  uint32_t encoding; // of compact unwind
  uint64_t personality, lsda;
};

// ---- frame-block.c
void put8(struct block *block, uint8_t value);
void put32(struct block *block, uint32_t value);
void put64(struct block *block, uint64_t value);
void put_uleb(struct block *block, uint64_t value);
void put_sleb(struct block *block, int64_t value);
void put_bytes(struct block *block, const uint8_t *from, uint64_t size);
// Begins a record and ends it: its length is written and it is padded with DW_CFA_nop.
uint8_t *begin_record(struct block *block);
void end_record(struct block *block, uint8_t *start);
// An FDE's head; its instructions follow.
void put_fde_head(struct block *block, const uint8_t *start, const uint8_t *cie, uint64_t function, uint64_t size);

// DWARF's numbers (DWARF 5, 7.24): the rules of registers.
void put_cfa(struct block *block, unsigned reg, uint64_t offset);
void put_saved(struct block *block, unsigned reg, uint64_t factor); // at the CFA minus 8 times `factor`

// ---- compact-x86-64.c or compact-arm64.c
extern const unsigned RETURN_COLUMN;
void put_initial_rules(struct block *block);
bool is_dwarf_mode(uint32_t encoding);
// The rules of a compact encoding that has a mode and is not DWARF's.
void put_compact_rules(const struct image *image, struct block *block, const struct frame *frame);

// ---- eh-frame.c
// Copies the FDE at an offset of __eh_frame with its CIE; `function` is what it must be of, or 0 when that is not
// known.
void copy_fde(const struct image *image, struct block *block, struct span eh_frame, uint64_t offset, uint64_t function);
void copy_all_fdes(const struct image *image, struct block *block, struct span eh_frame);

// ---- unwind-info.c
typedef void (*frame_reader)(const struct image *image, const struct frame *frame, void *data);
void read_unwind_info(const struct image *image, struct span info, frame_reader each, void *data);
#endif
