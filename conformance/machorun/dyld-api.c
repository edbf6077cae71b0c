// What programs ask dyld (<mach-o/dyld.h>, <dlfcn.h>): the list of images, opening libraries, names of addresses.
#include "machorun.h"
#include "mach-o.h"
#include "shims.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RTLD_NOLOAD 0x10
enum { HANDLE_NEXT = -1, HANDLE_DEFAULT = -2, HANDLE_SELF = -3, HANDLE_MAIN_ONLY = -5 };

static __thread char error[4096];
static __thread bool has_error;

static void *fail(const char *what, const char *name) {
  snprintf(error, sizeof error, "%s%s", what, name);
  has_error = true;
  return NULL;
}

static uint32_t image_count_(void) {
  lock_images();
  int result = image_count();
  unlock_images();
  return (uint32_t)result;
}

static struct image *nth(uint32_t index) {
  lock_images();
  struct image *image = image_at((int)index);
  unlock_images();
  return image;
}

static const void *image_header(uint32_t index) { return nth(index) == NULL ? NULL : nth(index)->base; }
static const char *image_name(uint32_t index) { return nth(index) == NULL ? NULL : nth(index)->path; }
static intptr_t image_slide(uint32_t index) { return nth(index) == NULL ? 0 : nth(index)->slide; }

static void register_for_added(void (*function)(const void *, intptr_t)) {
  lock_images();
  when_image_added(function);
  unlock_images();
}

static int executable_path(char *buffer, uint32_t *size) {
  uint32_t needed = (uint32_t)strlen(program_path) + 1;
  if (*size < needed) {
    *size = needed;
    return -1;
  }
  memcpy(buffer, program_path, needed);
  return 0;
}

struct opening {
  const char *name;
  struct image *from;
  int mode;
};

static void *open_library(void *data) {
  struct opening *opening = data;
  char path[4096];
  if (!resolve_path(opening->name, opening->from, path, sizeof path)) refuse(NULL, "%s: not found", opening->name);
  if ((opening->mode & RTLD_NOLOAD) && already_loaded(path) == NULL) refuse(NULL, "%s: not loaded", opening->name);
  return load_image(path, opening->from, false);
}

static void *dlopen_(const char *name, int mode) {
  if (name == NULL) return main_image();
  const struct built_in *library = find_built_in(name);
  if (library != NULL) return (void *)library;
  struct opening opening = {name, image_of(__builtin_return_address(0)), mode};
  lock_images();
  int before = image_count();
  struct image *image = attempt(open_library, &opening);
  if (image == NULL) {
    forget_images(before);
    fail(last_refusal(), "");
  } else {
    initialise_images();
  }
  unlock_images();
  return image;
}

static bool is_image(const void *handle) {
  for (int i = 0; i < image_count(); i++)
    if (image_at(i) == handle) return true;
  return false;
}

static uint64_t look_up(void *handle, const char *name, const void *caller) {
  switch ((intptr_t)handle) {
  case HANDLE_DEFAULT: return find_anywhere(name, NULL, NULL);
  case HANDLE_MAIN_ONLY: return find_anywhere(name, NULL, main_image());
  case HANDLE_SELF: return find_anywhere(name, image_of(caller), NULL);
  case HANDLE_NEXT: {
    const struct image *self = image_of(caller);
    for (int i = 0; i + 1 < image_count(); i++)
      if (image_at(i) == self) return find_anywhere(name, image_at(i + 1), NULL);
    return (uint64_t)find_built_in("/usr/lib/libSystem.B.dylib")->find(name);
  }
  }
  uint64_t address = 0;
  // The program's own handle stands for all, as RTLD_DEFAULT does.
  if (handle == main_image()) return find_anywhere(name, NULL, NULL);
  if (is_image(handle)) {
    const struct image *image = handle;
    if (find_export(image, name, &address)) return address;
    for (int i = 0; i < image->dylib_count; i++)
      if (image->dylibs[i].image != NULL && find_export(image->dylibs[i].image, name, &address)) return address;
    return 0;
  }
  const struct built_in *library = handle;
  return (uint64_t)library->find(name);
}

struct looking {
  void *handle;
  const char *name;
  const void *caller;
};

static void *look_up_attempt(void *data) {
  struct looking *looking = data;
  return (void *)look_up(looking->handle, looking->name, looking->caller);
}

static void *dlsym_(void *handle, const char *name) {
  char symbol[4096];
  snprintf(symbol, sizeof symbol, "_%s", name);
  struct looking looking = {handle, symbol, __builtin_return_address(0)};
  lock_images();
  void *found = handle == NULL ? NULL : attempt(look_up_attempt, &looking);
  unlock_images();
  if (found != NULL) return found;
  return fail("symbol not found: ", name);
}

static int dlclose_(void *handle) {
  lock_images();
  bool known = is_image(handle);
  if (known) close_image(handle);
  unlock_images();
  return known ? 0 : -1;
}

static char *dlerror_(void) {
  if (!has_error) return NULL;
  has_error = false;
  return error;
}

struct dl_info {
  const char *file;
  void *base;
  const char *symbol;
  void *address;
};

// The symbol at or before an address, by the symbol table.
static void nearest_symbol(const struct image *image, uint64_t address, struct dl_info *info) {
  const uint8_t *table = image->file.at + image->symbols_offset;
  uint64_t best = 0;
  for (uint32_t i = 0; i < image->symbol_count; i++, table += 16) {
    if ((table[4] & N_STAB) || (table[4] & N_TYPE) != N_SECT) continue;
    uint64_t value = read64(table + 8) + (uint64_t)image->slide;
    if (value > address || value < best || read32(table) >= image->strings_size) continue;
    best = value;
    const char *name = (const char *)image->file.at + image->strings_offset + read32(table);
    info->symbol = *name == '_' ? name + 1 : name;
    info->address = (void *)value;
  }
}

static int dladdr_(const void *address, struct dl_info *info) {
  lock_images();
  const struct image *image = image_of(address);
  *info = (struct dl_info){0};
  if (image != NULL) {
    info->file = image->path;
    info->base = image->base;
    nearest_symbol(image, (uint64_t)address, info);
  }
  unlock_images();
  return image != NULL;
}

static _Noreturn void lazy_binder(void) {
  fprintf(stderr, "machorun: dyld_stub_binder was called, but all is bound when an image is loaded\n");
  abort();
}

const struct shim DYLD_SHIMS[] = {
    {"__tlv_bootstrap", thread_local_thunk},
    {"__dyld_image_count", image_count_},
    {"__dyld_get_image_header", image_header},
    {"__dyld_get_image_name", image_name},
    {"__dyld_get_image_vmaddr_slide", image_slide},
    {"__dyld_register_func_for_add_image", register_for_added},
    {"__NSGetExecutablePath", executable_path},
    {"_dlopen", dlopen_},
    {"_dlsym", dlsym_},
    {"_dlclose", dlclose_},
    {"_dlerror", dlerror_},
    {"_dladdr", dladdr_},
    {"dyld_stub_binder", lazy_binder},
    {NULL, NULL},
};
