// The list of images in the order of loading; loading one with all it depends on, initialisers, closing.
#include "machorun.h"
#include "mach-o.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern char **environ;
void __cxa_finalize(void *image);

#define MAX_IMAGES 16384
#define MAX_CALLBACKS 64

static struct image *images[MAX_IMAGES];
static int count;
static void (*callbacks[MAX_CALLBACKS])(const void *, intptr_t);
static int callback_count;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void lock_images(void) { pthread_mutex_lock(&lock); }
void unlock_images(void) { pthread_mutex_unlock(&lock); }
int image_count(void) { return count; }
struct image *image_at(int index) { return index >= 0 && index < count ? images[index] : NULL; }
struct image *main_image(void) {
  for (int i = 0; i < count; i++)
    if (images[i]->type == MH_EXECUTE) return images[i];
  return NULL;
}

struct image *image_of(const void *address) {
  for (int i = 0; i < count; i++)
    if (segment_at(images[i], (uint64_t)address, 1) != NULL) return images[i];
  return NULL;
}

static struct image *built_in_image(const struct built_in *library) {
  static struct image known[8];
  for (int i = 0; i < 8; i++) {
    if (known[i].built_in == library) return &known[i];
    if (known[i].built_in != NULL) continue;
    known[i].built_in = library;
    known[i].path = library->names[0];
    return &known[i];
  }
  refuse(NULL, "over 8 libraries of the system");
}

struct image *already_loaded(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) return NULL;
  for (int i = 0; i < count; i++)
    if (images[i]->device == status.st_dev && images[i]->inode == status.st_ino) return images[i];
  return NULL;
}

static void load_dependencies(struct image *image) {
  for (int i = 0; i < image->dylib_count; i++) {
    struct dependency *each = &image->dylibs[i];
    const struct built_in *library = find_built_in(each->name);
    char path[4096];
    if (library != NULL) {
      each->image = built_in_image(library);
    } else if (resolve_path(each->name, image, path, sizeof path)) {
      each->image = load_image(path, image, true);
    } else if (!each->weak) {
      refuse(image, "needs %s, which is not found", each->name);
    }
  }
}

static void fix_up(struct image *image) {
  if (image->chained.size != 0) apply_chained_fixups(image);
  else apply_dyld_info(image);
  refuse_missing(image);
  prepare_thread_locals(image);
  protect_image(image);
  register_frames(image);
}

// The image in the list before its dependencies, as on macOS; fixed up after them.
struct image *load_image(const char *path, struct image *from, bool linked) {
  struct image *image = already_loaded(path);
  if (image != NULL) {
    image->references++;
    image->linked |= linked;
    return image;
  }
  if (count == MAX_IMAGES) refuse(from, "over %d images are loaded", MAX_IMAGES);
  image = read_image(path);
  if (linked && from != NULL && image->type != MH_DYLIB)
    refuse(image, "is no dylib, but %s is linked with it", from->path);
  image->references = 1;
  image->linked = linked;
  map_image(image);
  images[count++] = image;
  load_dependencies(image);
  fix_up(image);
  return image;
}

typedef void (*initialiser)(int, char **, char **, char **, void *);

static void call_initialiser(const struct image *image, uint64_t address, const struct section *section) {
  const struct segment *segment = segment_at(image, address, 1);
  if (segment == NULL || !(segment->initial & VM_PROT_EXECUTE))
    refuse(image, "an initialiser of %s at %p lies in no executable segment", section->name, (void *)address);
  char *apple[] = {NULL};
  ((initialiser)address)(program_argc, program_argv, environ, apple, NULL);
}

static void call_initialisers(const struct image *image) {
  for (int i = 0; i < image->section_count; i++) {
    const struct section *section = &image->sections[i];
    uint8_t *at = (uint8_t *)(section->address + (uint64_t)image->slide);
    uint32_t type = section->flags & SECTION_TYPE;
    if (type == S_MOD_INIT_FUNC_POINTERS)
      for (uint64_t k = 0; k + 8 <= section->size; k += 8) call_initialiser(image, read64(at + k), section);
    if (type == S_INIT_FUNC_OFFSETS)
      for (uint64_t k = 0; k + 4 <= section->size; k += 4)
        call_initialiser(image, (uint64_t)image->base + read32(at + k), section);
  }
}

static void initialise(struct image *image) {
  if (image->initialised || image->built_in != NULL) return;
  image->initialised = true;
  for (int i = 0; i < image->dylib_count; i++)
    if (image->dylibs[i].image != NULL) initialise(image->dylibs[i].image);
  call_initialisers(image);
}

// Tells of images that were not told of, then initialises them: what each needs comes before it.
void initialise_images(void) {
  static int told;
  if (told > count) told = count;
  for (; told < count; told++)
    for (int i = 0; i < callback_count; i++) callbacks[i](images[told]->base, images[told]->slide);
  // The program is the first of the list and the last to begin: libraries that were inserted come before it.
  for (int i = 0; i < count; i++)
    if (images[i]->type != MH_EXECUTE) initialise(images[i]);
  initialise(main_image());
}

void when_image_added(void (*function)(const void *, intptr_t)) {
  if (callback_count == MAX_CALLBACKS) abort();
  callbacks[callback_count++] = function;
  for (int i = 0; i < count; i++) function(images[i]->base, images[i]->slide);
}

// Takes out of the list what came after `kept`: what is left of a load that was refused.
void forget_images(int kept) {
  while (count > kept) {
    struct image *image = images[--count];
    deregister_frames(image);
    unmap_image(image);
  }
}

// An image with thread-locals stays, as on macOS: a thread may have its destructors still to run.
void close_image(struct image *image) {
  if (--image->references > 0 || image->linked || image->thread_local_key != 0) return;
  // What it has registered to be done at the end, under the address of its header.
  __cxa_finalize(image->base);
  for (int i = 0; i < count; i++) {
    if (images[i] != image) continue;
    memmove(images + i, images + i + 1, (size_t)(count - i - 1) * sizeof *images);
    count--;
    break;
  }
  deregister_frames(image);
  unmap_image(image);
}
