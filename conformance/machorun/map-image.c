// An image's segments in memory: a reservation for all of them, the bytes copied in while it is writable, then each
// with its own protection. Never writable and executable at once.
#include "machorun.h"
#include "mach-o.h"
#include <string.h>
#include <sys/mman.h>

static uint64_t page_end(uint64_t value) { return (value + PAGE - 1) / PAGE * PAGE; }

static bool occupies(const struct segment *segment) { return segment->size != 0 && segment->maximum != 0; }

void map_image(struct image *image) {
  uint64_t low = UINT64_MAX, high = 0, text = 0;
  for (int i = 0; i < image->segment_count; i++) {
    // __PAGEZERO too: std takes all addresses that it would have for the program's, so no library may lie there.
    const struct segment *segment = &image->segments[i];
    if (segment->address < low) low = segment->address;
    if (page_end(segment->address + segment->size) > high) high = page_end(segment->address + segment->size);
    if (strcmp(segment->name, "__TEXT") == 0) text = segment->address;
  }
  image->mapped = high - low + PAGE;
  image->reservation = mmap(NULL, image->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (image->reservation == MAP_FAILED) refuse(image, "0x%lx bytes of address space are not to be had", image->mapped);
  uint64_t start = page_end((uint64_t)image->reservation);
  image->slide = (int64_t)(start - low);
  image->base = (uint8_t *)(text + (uint64_t)image->slide);
  for (int i = 0; i < image->segment_count; i++) {
    const struct segment *segment = &image->segments[i];
    if (!occupies(segment)) continue;
    uint8_t *at = (uint8_t *)(segment->address + (uint64_t)image->slide);
    if (mprotect(at, page_end(segment->size), PROT_READ | PROT_WRITE) != 0)
      refuse(image, "segment %s could not be mapped", segment->name);
    memcpy(at, image->file.at + segment->offset, segment->file_size);
  }
}

static int protection_of(const struct segment *segment) {
  uint32_t initial = segment->initial;
  // __DATA_CONST and the like: written by fixups only.
  if (segment->flags & SG_READ_ONLY) initial &= ~VM_PROT_WRITE;
  return (initial & VM_PROT_READ ? PROT_READ : 0) | (initial & VM_PROT_WRITE ? PROT_WRITE : 0) |
         (initial & VM_PROT_EXECUTE ? PROT_EXEC : 0);
}

void protect_image(struct image *image) {
  for (int i = 0; i < image->segment_count; i++) {
    const struct segment *segment = &image->segments[i];
    if (!occupies(segment)) continue;
    uint8_t *at = (uint8_t *)(segment->address + (uint64_t)image->slide);
    if (mprotect(at, page_end(segment->size), protection_of(segment)) != 0)
      refuse(image, "segment %s could not be given protection 0x%x", segment->name, segment->initial);
    if (segment->initial & VM_PROT_EXECUTE) __builtin___clear_cache((char *)at, (char *)at + segment->size);
  }
  say("%s: mapped at %p", image->path, (void *)image->base);
}

void unmap_image(struct image *image) {
  if (image->reservation != NULL && image->reservation != MAP_FAILED) munmap(image->reservation, image->mapped);
  image->reservation = NULL;
  image->mapped = 0;
}

const struct segment *segment_at(const struct image *image, uint64_t address, uint64_t size) {
  for (int i = 0; i < image->segment_count; i++) {
    const struct segment *segment = &image->segments[i];
    uint64_t start = segment->address + (uint64_t)image->slide;
    if (!occupies(segment) || address < start || size > segment->size || address - start > segment->size - size)
      continue;
    return segment;
  }
  return NULL;
}

const struct section *find_section(const struct image *image, const char *segment, const char *name) {
  for (int i = 0; i < image->section_count; i++) {
    const struct section *section = &image->sections[i];
    if (strcmp(section->name, name) == 0 && strcmp(section->segment->name, segment) == 0) return section;
  }
  return NULL;
}

uint8_t *fixup_place(const struct image *image, unsigned index, uint64_t offset, const char *what) {
  if (index >= (unsigned)image->segment_count)
    refuse(image, "%s: a fixup in segment %u of %d", what, index, image->segment_count);
  const struct segment *segment = &image->segments[index];
  if (segment->size < 8 || offset > segment->size - 8)
    refuse(image, "%s: a fixup at 0x%lx lies outside of segment %s of 0x%lx bytes", what, offset, segment->name,
           segment->size);
  if (!(segment->initial & VM_PROT_WRITE))
    refuse(image, "%s: a fixup at 0x%lx of segment %s, which is not writable", what, offset, segment->name);
  return (uint8_t *)(segment->address + (uint64_t)image->slide + offset);
}
