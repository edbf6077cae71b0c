// The load commands of an image: what each says is noted in the image, and what only one command may say is said once.
#include "machorun.h"
#include "mach-o.h"
#include <string.h>

#define MAX_COMMANDS 4096

static void copy_name(char name[17], const uint8_t *from) {
  memcpy(name, from, 16);
  name[16] = 0;
}

static void need(const struct image *image, struct span command, uint64_t size) {
  if (command.size < size)
    refuse(image, "load command 0x%x has 0x%lx bytes, less than 0x%lx", read32(command.at), command.size, size);
}

static void read_section(struct image *image, struct segment *segment, const uint8_t *at) {
  if (image->section_count == MAX_SECTIONS) refuse(image, "has over %d sections", MAX_SECTIONS);
  struct section *section = &image->sections[image->section_count++];
  char within[17];
  copy_name(section->name, at);
  copy_name(within, at + 16);
  if (strcmp(within, segment->name) != 0)
    refuse(image, "section %s says that it is in segment %s, but lies in %s", section->name, within, segment->name);
  section->segment = segment;
  section->address = read64(at + 32);
  section->size = read64(at + 40);
  section->offset = read32(at + 48);
  section->align = read32(at + 52);
  section->flags = read32(at + 64);
}

static void read_segment(struct image *image, struct span command) {
  need(image, command, 72);
  if (image->segment_count == MAX_SEGMENTS) refuse(image, "has over %d segments", MAX_SEGMENTS);
  const uint8_t *at = command.at;
  struct segment *segment = &image->segments[image->segment_count++];
  copy_name(segment->name, at + 8);
  segment->address = read64(at + 24);
  segment->size = read64(at + 32);
  segment->offset = read64(at + 40);
  segment->file_size = read64(at + 48);
  segment->maximum = read32(at + 56);
  segment->initial = read32(at + 60);
  segment->flags = read32(at + 68);
  uint32_t sections = read32(at + 64);
  if (sections > MAX_SECTIONS || command.size != 72 + 80ull * sections)
    refuse(image, "segment %s: %u sections do not fill its command of 0x%lx bytes", segment->name, sections,
           command.size);
  for (uint32_t i = 0; i < sections; i++) read_section(image, segment, at + 72 + 80 * i);
}

static const char *command_string(const struct image *image, struct span command, uint32_t least) {
  need(image, command, least);
  uint32_t offset = read32(command.at + 8);
  if (offset < least) refuse(image, "load command 0x%x: its string begins at 0x%x", read32(command.at), offset);
  return read_string(image, command, offset, "a load command");
}

static void read_dylib(struct image *image, struct span command) {
  if (image->dylib_count == MAX_DYLIBS) refuse(image, "names over %d dylibs", MAX_DYLIBS);
  uint32_t type = read32(command.at);
  image->dylibs[image->dylib_count++] = (struct dependency){
      .name = command_string(image, command, 24),
      .weak = type == LC_LOAD_WEAK_DYLIB,
      .reexported = type == LC_REEXPORT_DYLIB,
  };
}

// The bytes of __LINKEDIT that a command points to.
static struct span linkedit(const struct image *image, const uint8_t *fields, const char *what) {
  uint32_t offset = read32(fields), size = read32(fields + 4);
  if (size == 0) return (struct span){NULL, 0};
  return part(image, image->file, offset, size, what);
}

static void read_dyld_info(struct image *image, struct span command) {
  need(image, command, 48);
  image->has_dyld_info = true;
  image->rebase = linkedit(image, command.at + 8, "the rebase information");
  image->bind = linkedit(image, command.at + 16, "the bind information");
  image->weak_bind = linkedit(image, command.at + 24, "the weak bind information");
  image->lazy_bind = linkedit(image, command.at + 32, "the lazy bind information");
  image->exports = linkedit(image, command.at + 40, "the export trie");
}

static void read_platform(struct image *image, struct span command) {
  need(image, command, 16);
  uint32_t type = read32(command.at);
  image->platform = type == LC_BUILD_VERSION          ? read32(command.at + 8)
                    : type == LC_VERSION_MIN_IPHONEOS ? PLATFORM_IOS
                                                      : PLATFORM_MACOS;
  if (image->platform != PLATFORM_MACOS && image->platform != PLATFORM_IOS)
    refuse(image, "is for platform %u, neither for macOS (1) nor for iOS (2)", image->platform);
}

static void read_command(struct image *image, struct span command) {
  const uint8_t *at = command.at;
  switch (read32(at)) {
  case LC_SEGMENT_64: return read_segment(image, command);
  case LC_SYMTAB:
    need(image, command, 24);
    image->symbols_offset = read32(at + 8);
    image->symbol_count = read32(at + 12);
    image->strings_offset = read32(at + 16);
    image->strings_size = read32(at + 20);
    part(image, image->file, image->symbols_offset, 16ull * image->symbol_count, "the symbol table");
    part(image, image->file, image->strings_offset, image->strings_size, "the string table");
    if (image->symbol_count != 0 && image->symbols_offset % 8 != 0)
      refuse(image, "the symbol table at 0x%x is not aligned to 8", image->symbols_offset);
    return;
  case LC_DYSYMTAB: image->has_dynamic_symbols = true; return;
  case LC_LOAD_DYLIB:
  case LC_LOAD_WEAK_DYLIB:
  case LC_REEXPORT_DYLIB:
  case LC_LOAD_UPWARD_DYLIB: return read_dylib(image, command);
  case LC_ID_DYLIB:
    image->has_id = true;
    command_string(image, command, 24);
    return;
  case LC_RPATH:
    if (image->rpath_count == MAX_RPATHS) refuse(image, "has over %d run paths", MAX_RPATHS);
    image->rpaths[image->rpath_count++] = command_string(image, command, 12);
    return;
  case LC_LOAD_DYLINKER:
    if (strcmp(command_string(image, command, 12), "/usr/lib/dyld") != 0)
      refuse(image, "wants a loader that is not dyld");
    return;
  case LC_UUID:
    need(image, command, 24);
    image->has_uuid = true;
    return;
  case LC_DYLD_INFO:
  case LC_DYLD_INFO_ONLY: return read_dyld_info(image, command);
  case LC_DYLD_EXPORTS_TRIE:
    need(image, command, 16);
    image->exports = linkedit(image, at + 8, "the export trie");
    return;
  case LC_DYLD_CHAINED_FIXUPS:
    need(image, command, 16);
    image->chained = linkedit(image, at + 8, "the chained fixups");
    return;
  case LC_CODE_SIGNATURE:
    need(image, command, 16);
    image->signature = linkedit(image, at + 8, "the code signature");
    return;
  case LC_MAIN:
    need(image, command, 24);
    image->has_entry = true;
    image->entry = read64(at + 8);
    return;
  case LC_BUILD_VERSION:
  case LC_VERSION_MIN_IPHONEOS:
  case LC_VERSION_MIN_MACOSX: return read_platform(image, command);
  default:
    // What dyld must understand and this does not.
    if (read32(at) & LC_REQ_DYLD) refuse(image, "load command 0x%x is required and not known", read32(at));
  }
}

void read_load_commands(struct image *image) {
  uint32_t count = read32(image->file.at + 16), size = read32(image->file.at + 20);
  if (count > MAX_COMMANDS) refuse(image, "has %u load commands, more than %d", count, MAX_COMMANDS);
  struct span commands = part(image, image->file, 32, size, "the load commands");
  uint64_t offset = 0;
  for (uint32_t i = 0; i < count; i++) {
    struct span head = part(image, commands, offset, 8, "a load command");
    uint32_t length = read32(head.at + 4);
    if (length < 8 || length % 8 != 0) refuse(image, "load command %u has a size of 0x%x", i, length);
    read_command(image, part(image, commands, offset, length, "a load command"));
    offset += length;
  }
  if (offset != size) refuse(image, "the load commands have 0x%lx bytes, the header says 0x%x", offset, size);
}
