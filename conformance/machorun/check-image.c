// The geometry of an image, as the kernel and dyld want it: segments aligned, apart and never writable and executable
// at once, sections inside their segments, tables inside __LINKEDIT.
#include "machorun.h"
#include "mach-o.h"
#include <string.h>

static uint64_t round_up(uint64_t value) { return (value + PAGE - 1) / PAGE * PAGE; }

static void check_protection(const struct image *image, const struct segment *segment) {
  uint32_t initial = segment->initial, maximum = segment->maximum;
  if ((initial | maximum) & ~7u)
    refuse(image, "segment %s has unknown protections 0x%x", segment->name, initial | maximum);
  if (initial & ~maximum)
    refuse(image, "segment %s begins with protection 0x%x, over its maximum 0x%x", segment->name, initial, maximum);
  if ((initial & VM_PROT_WRITE) && (initial & VM_PROT_EXECUTE))
    refuse(image, "segment %s is writable and executable at once", segment->name);
}

static void check_segment(const struct image *image, const struct segment *segment) {
  const char *name = segment->name;
  check_protection(image, segment);
  if (segment->address % PAGE != 0)
    refuse(image, "segment %s at 0x%lx is not aligned to a page of 0x%x", name, segment->address, PAGE);
  if (segment->size > (1ull << 40) || segment->address > (1ull << 47))
    refuse(image, "segment %s at 0x%lx of 0x%lx bytes is too large", name, segment->address, segment->size);
  if (segment->file_size == 0) return;
  if (segment->offset % PAGE != 0)
    refuse(image, "segment %s at offset 0x%lx is not aligned to a page of 0x%x", name, segment->offset, PAGE);
  if (segment->file_size > round_up(segment->size))
    refuse(image, "segment %s has 0x%lx bytes in the file and 0x%lx in memory", name, segment->file_size,
           segment->size);
  part(image, image->file, segment->offset, segment->file_size, name);
}

static bool page_zero(const struct segment *segment) { return strcmp(segment->name, "__PAGEZERO") == 0; }

static void check_segments(struct image *image) {
  const struct segment *text = NULL, *before = NULL;
  for (int i = 0; i < image->segment_count; i++) {
    const struct segment *segment = &image->segments[i];
    check_segment(image, segment);
    if (page_zero(segment)) {
      if (i != 0 || segment->address != 0 || segment->file_size != 0 || segment->maximum != 0)
        refuse(image, "__PAGEZERO is not the first segment, or there is something in it");
    }
    if (before != NULL) {
      // Sizes need not be whole pages, but what is mapped is.
      if (segment->address < before->address + round_up(before->size))
        refuse(image, "segment %s at 0x%lx overlaps %s, whose pages end at 0x%lx", segment->name, segment->address,
               before->name, before->address + round_up(before->size));
      if (segment->file_size != 0 && segment->offset < before->offset + before->file_size)
        refuse(image, "segment %s at offset 0x%lx overlaps %s, which ends at 0x%lx", segment->name, segment->offset,
               before->name, before->offset + before->file_size);
    }
    if (strcmp(segment->name, "__TEXT") == 0) text = segment;
    before = segment;
  }
  if (text == NULL) refuse(image, "has no segment __TEXT");
  uint64_t head = 32 + read32(image->file.at + 20);
  if (text->offset != 0 || text->file_size < head)
    refuse(image, "segment __TEXT does not begin with the header and its 0x%lx bytes of load commands", head);
  if (before == NULL || strcmp(before->name, "__LINKEDIT") != 0) refuse(image, "the last segment is not __LINKEDIT");
  if (before->initial != VM_PROT_READ) refuse(image, "segment __LINKEDIT has protection 0x%x", before->initial);
  if (before->offset + before->file_size != image->file.size)
    refuse(image, "segment __LINKEDIT ends at 0x%lx, the file at 0x%lx", before->offset + before->file_size,
           image->file.size);
  if (image->type == MH_EXECUTE && (!page_zero(&image->segments[0]) || image->segments[0].size < (1ull << 32)))
    refuse(image, "has no __PAGEZERO of 4 GiB");
}

static bool without_bytes(const struct section *section) {
  uint32_t type = section->flags & SECTION_TYPE;
  return type == S_ZEROFILL || type == S_GB_ZEROFILL || type == S_THREAD_LOCAL_ZEROFILL;
}

static void check_section(const struct image *image, const struct section *section) {
  const struct segment *segment = section->segment;
  uint64_t address = section->address, size = section->size;
  if (address < segment->address || size > segment->size || address - segment->address > segment->size - size)
    refuse(image, "section %s,%s at 0x%lx of 0x%lx bytes lies outside of its segment", segment->name, section->name,
           address, size);
  if (section->align > 15 || address % (1ull << section->align) != 0)
    refuse(image, "section %s,%s at 0x%lx is not aligned to 2^%u", segment->name, section->name, address,
           section->align);
  if (size == 0) return;
  if (without_bytes(section)) {
    // Linkers fill the file up to whole pages: what lies there must be zero.
    for (uint64_t at = address - segment->address; at < segment->file_size && at < address - segment->address + size;
         at++)
      if (image->file.at[segment->offset + at] != 0)
        refuse(image, "section %s,%s is filled with zeros, but its segment has 0x%02x at offset 0x%lx", segment->name,
               section->name, image->file.at[segment->offset + at], segment->offset + at);
    return;
  }
  if (section->offset < segment->offset || section->offset - segment->offset != address - segment->address ||
      address - segment->address + size > segment->file_size)
    refuse(image, "section %s,%s at 0x%lx has its bytes at offset 0x%x, which is not its place in the segment",
           segment->name, section->name, address, section->offset);
  if (segment->offset == 0 && section->offset < 32 + read32(image->file.at + 20))
    refuse(image, "section %s,%s at offset 0x%x lies in the load commands", segment->name, section->name,
           section->offset);
}

static void check_sections(const struct image *image) {
  for (int i = 0; i < image->section_count; i++) {
    const struct section *section = &image->sections[i];
    check_section(image, section);
    for (int k = 0; k < i; k++) {
      const struct section *other = &image->sections[k];
      if (section->address < other->address + other->size && other->address < section->address + section->size)
        refuse(image, "sections %s,%s and %s,%s overlap at 0x%lx", other->segment->name, other->name,
               section->segment->name, section->name, section->address);
    }
  }
}

static void check_in_linkedit(const struct image *image, struct span span, const char *what) {
  if (span.size == 0) return;
  uint64_t start = image->segments[image->segment_count - 1].offset;
  uint64_t offset = (uint64_t)(span.at - image->file.at);
  if (offset < start) refuse(image, "%s at offset 0x%lx lies before __LINKEDIT at 0x%lx", what, offset, start);
}

static void check_tables(const struct image *image) {
  check_in_linkedit(image, image->rebase, "the rebase information");
  check_in_linkedit(image, image->bind, "the bind information");
  check_in_linkedit(image, image->weak_bind, "the weak bind information");
  check_in_linkedit(image, image->lazy_bind, "the lazy bind information");
  check_in_linkedit(image, image->exports, "the export trie");
  check_in_linkedit(image, image->chained, "the chained fixups");
  check_in_linkedit(image, image->signature, "the code signature");
  struct span file = image->file;
  check_in_linkedit(image, (struct span){file.at + image->symbols_offset, image->symbol_count}, "the symbol table");
  check_in_linkedit(image, (struct span){file.at + image->strings_offset, image->strings_size}, "the string table");
  if (image->has_dyld_info && image->chained.size != 0)
    refuse(image, "has dyld information and chained fixups: only one may say what is fixed up");
}

uint32_t program_platform;

void check_image(struct image *image) {
  check_segments(image);
  check_sections(image);
  check_tables(image);
  if (!image->has_uuid) refuse(image, "has no LC_UUID");
  if (image->platform == 0) refuse(image, "says no platform (LC_BUILD_VERSION)");
  // The program is read first, and dyld loads nothing that is for another system.
  if (program_platform == 0) program_platform = image->platform;
  if (image->platform != program_platform)
    refuse(image, "is for platform %u, the program for %u", image->platform, program_platform);
  if (!image->has_dynamic_symbols) refuse(image, "has no LC_DYSYMTAB");
  if (image->type == MH_DYLIB && !image->has_id) refuse(image, "is a dylib without LC_ID_DYLIB");
  if (image->type == MH_EXECUTE && !image->has_entry) refuse(image, "is an executable without LC_MAIN");
  if (image->type == MH_EXECUTE || image->dylib_count != 0) return;
  refuse(image, "names no library at all, not even libSystem");
}
