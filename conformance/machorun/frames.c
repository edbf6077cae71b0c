// An image's unwind information, registered with this machine's unwinder, so that panics, destructors and backtraces go
// through its functions. As on macOS __unwind_info has the say: a function that it gives no encoding has none, and
// __eh_frame counts only where it points there (or where there is no __unwind_info).
#include "frames.h"
#include "mach-o.h"
#include <sys/mman.h>

void __register_frame(void *begin);
void __deregister_frame(void *begin);

// A CIE and an FDE per function at most, each under 128 bytes but for copied instructions: 256 MB are never reached.
#define BLOCK_SIZE (256ull << 20)

struct registered {
  struct block block;
  struct span eh_frame;
  const uint8_t *cies[5];
  uint64_t personalities[5];
  uint64_t compact, dwarf, none;
};

static struct span section_bytes(const struct image *image, const char *name) {
  const struct section *section = find_section(image, "__TEXT", name);
  if (section == NULL) return (struct span){NULL, 0};
  return (struct span){(const uint8_t *)(section->address + (uint64_t)image->slide), section->size};
}

static const uint8_t *put_cie(struct block *block, uint64_t personality) {
  uint8_t *start = begin_record(block);
  put32(block, 0);
  put8(block, 3);
  put_bytes(block, (const uint8_t *)(personality != 0 ? "zRPL" : "zR"), personality != 0 ? 5 : 3);
  put_uleb(block, 1);
  put_sleb(block, -8);
  put_uleb(block, RETURN_COLUMN);
  put_uleb(block, personality != 0 ? 11 : 1);
  put8(block, 0);
  if (personality != 0) {
    put8(block, 0);
    put64(block, personality);
    put8(block, 0);
  }
  put_initial_rules(block);
  end_record(block, start);
  return start;
}

// There are at most three personalities and none.
static const uint8_t *cie_for(struct registered *to, uint64_t personality) {
  int i = 0;
  while (to->cies[i] != NULL && to->personalities[i] != personality) i++;
  if (to->cies[i] == NULL) {
    to->cies[i] = put_cie(&to->block, personality);
    to->personalities[i] = personality;
  }
  return to->cies[i];
}

static void put_frame(const struct image *image, const struct frame *frame, void *data) {
  struct registered *to = data;
  if (frame->size == 0) return;
  if (is_dwarf_mode(frame->encoding)) {
    copy_fde(image, &to->block, to->eh_frame, frame->encoding & 0xffffff, frame->function);
    to->dwarf++;
    return;
  }
  if ((frame->encoding >> 24 & 15) == 0) {
    to->none++;
    return;
  }
  const uint8_t *cie = cie_for(to, frame->personality);
  uint8_t *start = begin_record(&to->block);
  put_fde_head(&to->block, start, cie, frame->function, frame->size);
  put_uleb(&to->block, frame->personality != 0 ? 8 : 0);
  if (frame->personality != 0) put64(&to->block, frame->lsda);
  put_compact_rules(image, &to->block, frame);
  end_record(&to->block, start);
  to->compact++;
}

void register_frames(struct image *image) {
  struct registered to = {.eh_frame = section_bytes(image, "__eh_frame")};
  struct span info = section_bytes(image, "__unwind_info");
  if (info.size == 0 && to.eh_frame.size == 0) return;
  uint8_t *bytes = mmap(NULL, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bytes == MAP_FAILED) refuse(image, "no memory for its unwind information");
  to.block = (struct block){bytes, bytes, bytes + BLOCK_SIZE - 8};
  image->frames = bytes;
  if (info.size != 0) read_unwind_info(image, info, put_frame, &to);
  else copy_all_fdes(image, &to.block, to.eh_frame);
  put32(&to.block, 0);
  say("%s: %lu functions with compact unwind, %lu with DWARF, %lu with none", image->path, to.compact, to.dwarf,
      to.none);
  uint64_t used = ((uint64_t)(to.block.at - bytes) + 0xffff) & ~0xffffull;
  munmap(bytes + used, BLOCK_SIZE - used);
  if (read32(bytes) != 0) __register_frame(bytes);
}

void deregister_frames(struct image *image) {
  if (image->frames != NULL && read32(image->frames) != 0) __deregister_frame(image->frames);
  image->frames = NULL;
}
