// What the loader's files know of each other: an image and its parts, and the steps from a file to running code.
// Terms are those of <mach-o/loader.h>; the numbers of that format are in mach-o.h.
#ifndef MACHORUN_H
#define MACHORUN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// arm64 macOS has pages of 16 KiB, x86_64 of 4 KiB; segments are aligned to them.
#ifdef __aarch64__
#define PAGE 0x4000u
#else
#define PAGE 0x1000u
#endif

#define MAX_SEGMENTS 64
#define MAX_SECTIONS 1024
#define MAX_DYLIBS 256
#define MAX_RPATHS 64

// Bytes inside a file or an image.
struct span {
  const uint8_t *at;
  uint64_t size;
};

struct segment {
  char name[17];
  uint64_t address, size, offset, file_size; // address as the file says it, without the slide
  uint32_t maximum, initial, flags;
};

struct section {
  char name[17];
  struct segment *segment;
  uint64_t address, size;
  uint32_t offset, align, flags;
};

struct image;

// A library that an image names: `image` is null where a weak one is not there.
struct dependency {
  const char *name;
  struct image *image;
  bool weak, reexported;
};

struct image {
  const char *path;
  uint64_t device, inode;
  struct span file; // a private copy of it, which cannot change after it was verified
  uint32_t type;
  uint32_t flags;
  uint8_t *base; // where __TEXT lies
  int64_t slide;
  uint64_t mapped; // size of the reservation, from the lowest address on
  uint8_t *reservation;
  struct segment segments[MAX_SEGMENTS];
  int segment_count;
  struct section *sections;
  int section_count;
  struct dependency dylibs[MAX_DYLIBS];
  int dylib_count;
  const char *rpaths[MAX_RPATHS];
  int rpath_count;
  struct span rebase, bind, weak_bind, lazy_bind, exports, chained, signature;
  uint32_t symbols_offset, symbol_count, strings_offset, strings_size;
  uint64_t entry;
  bool has_entry, has_uuid, has_dyld_info, has_id, has_dynamic_symbols;
  uint32_t platform;
  const struct built_in *built_in; // one that has no file: libSystem
  uint32_t thread_local_key;       // 0: no thread-locals
  struct span thread_local_template;
  uint64_t thread_local_align;
  void *frames; // the block registered with the unwinder
  int references;
  bool linked; // named by another image: never closed
  bool initialised;
};

// A name of libSystem and what stands for it here.
struct shim {
  const char *name;
  const void *value;
};

// A library of the system that is no file here.
struct built_in {
  const char *const *names; // install names it answers to, ended by null
  const void *(*find)(const char *symbol);
};

// ---- refuse.c: an image that is wrong ends its loading with a message
extern bool verbose;

// What becomes of a program that makes memory executable by itself; libraries that it opens are none of that. As systems
// do that let nothing run but what is signed: they say no, or end the program.
enum new_code { NEW_CODE_ALLOWED, NEW_CODE_REFUSED, NEW_CODE_KILLS };
extern enum new_code new_code;
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void refuse(const struct image *image, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Calls `load(argument)`; null and a message in last_refusal() where it was refused.
void *attempt(void *(*load)(void *), void *argument);
const char *last_refusal(void);

// ---- bytes.c
uint16_t read16(const void *at);
uint32_t read32(const void *at);
uint64_t read64(const void *at);
uint32_t read32be(const void *at);
void write64(void *at, uint64_t value);
// A part of a span; refuses what reaches over its end.
struct span part(const struct image *image, struct span whole, uint64_t offset, uint64_t size, const char *what);
uint64_t read_uleb(const struct image *image, const uint8_t **at, const uint8_t *end, const char *what);
int64_t read_sleb(const struct image *image, const uint8_t **at, const uint8_t *end, const char *what);
// The string at a place, ended inside the span.
const char *read_string(const struct image *image, struct span whole, uint64_t offset, const char *what);

// ---- read-image.c, load-commands.c, check-image.c, signature.c, sha256.c
struct image *read_image(const char *path);
void read_load_commands(struct image *image);
// Of the first image that was read, which is the program.
extern uint32_t program_platform;
void check_image(struct image *image);
void verify_signature(const struct image *image);
void sha256(const uint8_t *data, size_t size, uint8_t digest[32]);

// ---- map-image.c
void map_image(struct image *image);
void protect_image(struct image *image);
void unmap_image(struct image *image);
const struct segment *segment_at(const struct image *image, uint64_t address, uint64_t size);
const struct section *find_section(const struct image *image, const char *segment, const char *name);
// Where a fixup writes: refuses what is outside the segment or in one that is never writable.
uint8_t *fixup_place(const struct image *image, unsigned segment, uint64_t offset, const char *what);

// ---- symbols.c: names to addresses, by two-level namespace
bool find_export(const struct image *image, const char *name, uint64_t *address);
uint64_t bind_symbol(struct image *image, int ordinal, const char *name, bool weak, int64_t addend);
void refuse_missing(const struct image *image);
uint64_t find_anywhere(const char *name, const struct image *from, const struct image *only);

// ---- dyld-info.c, chained-fixups.c
void apply_dyld_info(struct image *image);
void apply_chained_fixups(struct image *image);

// ---- thread-locals.c
void prepare_thread_locals(struct image *image);
extern const char thread_local_thunk[];

// ---- unwind-info.c, frames.c, compact-*.c
void register_frames(struct image *image);
void deregister_frames(struct image *image);

// ---- images.c: the list, loading with dependencies, initialisers
struct image *load_image(const char *path, struct image *from, bool linked);
// Null where the file was not loaded yet.
struct image *already_loaded(const char *path);
struct image *main_image(void);
int image_count(void);
struct image *image_at(int index);
struct image *image_of(const void *address);
void lock_images(void);
void unlock_images(void);
void initialise_images(void);
void close_image(struct image *image);
void forget_images(int kept);
void when_image_added(void (*function)(const void *header, intptr_t slide));
bool resolve_path(const char *name, const struct image *from, char *found, size_t size);

// ---- dyld-api.c, program.c and libsystem/
extern int program_argc;
extern char **program_argv;
extern const char *program_path;
const struct built_in *find_built_in(const char *install_name);
#endif
