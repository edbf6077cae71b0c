// mmap and its like (<sys/mman.h>), in pages of macOS, with its rules of protection.
#include "../shims.h"
#include "protection.h"
#include "../mach-o.h"
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

uint64_t page_start(uint64_t address) { return address / PAGE * PAGE; }
uint64_t page_end(uint64_t address) { return (address + PAGE - 1) / PAGE * PAGE; }

enum new_code new_code = NEW_CODE_ALLOWED;

bool may_protect(uint64_t address, uint64_t size, uint32_t protection) {
  uint32_t write = protection & VM_PROT_WRITE, execute = protection & VM_PROT_EXECUTE;
  if (write && execute) return false;
  if (execute && new_code == NEW_CODE_KILLS) raise(SIGKILL);
  if (execute && new_code == NEW_CODE_REFUSED) return false;
  bool allowed = true;
  // Without the list's lock, which a suspended thread may hold; images are never freed.
  for (int i = 0; i < image_count() && allowed; i++) {
    const struct image *image = image_at(i);
    for (int k = 0; k < image->segment_count; k++) {
      const struct segment *segment = &image->segments[k];
      uint64_t start = segment->address + (uint64_t)image->slide;
      if (segment->maximum == 0 || address >= page_end(start + segment->size) || start >= address + size) continue;
      bool code = (segment->initial & VM_PROT_EXECUTE) != 0;
      if ((protection & 7 & ~segment->maximum) || (code && write) || (!code && execute)) allowed = false;
    }
  }
  return allowed;
}

void *fresh_pages(uint64_t size, int protection) {
  size = page_end(size);
  uint8_t *at = mmap(NULL, size + PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return NULL;
  uint8_t *start = (uint8_t *)page_end((uint64_t)at);
  if (start > at) munmap(at, (size_t)(start - at));
  if (at + PAGE > start) munmap(start + size, (size_t)(at + PAGE - start));
  return start;
}

enum { DARWIN_MAP_NORESERVE = 0x40, DARWIN_MAP_JIT = 0x800, DARWIN_MAP_ANON = 0x1000 };
enum { SHARED_PRIVATE_FIXED = 0x13 };

static void *mmap_(void *address, size_t size, int protection, int flags, int fd, int64_t offset) {
  // MAP_JIT needs an entitlement, which an ad-hoc signed program has not.
  bool refused = (flags & DARWIN_MAP_JIT) || ((protection & PROT_WRITE) && (protection & PROT_EXEC));
  bool over = (flags & MAP_FIXED) && !may_protect((uint64_t)address, size, (uint32_t)protection & 7);
  if (refused || over) {
    errno = EACCES;
    return MAP_FAILED;
  }
  int linux = (flags & SHARED_PRIVATE_FIXED) | (flags & DARWIN_MAP_NORESERVE ? MAP_NORESERVE : 0);
  if (!(flags & DARWIN_MAP_ANON)) return mmap(address, size, protection, linux, fd, offset);
  if (flags & MAP_FIXED || flags & MAP_SHARED || address != NULL)
    return mmap(address, page_end(size), protection, linux | MAP_ANONYMOUS, -1, 0);
  void *at = size == 0 ? NULL : fresh_pages(size, protection);
  if (at == NULL) errno = size == 0 ? EINVAL : ENOMEM;
  return at == NULL ? MAP_FAILED : at;
}

static int munmap_(void *address, size_t size) {
  if ((uint64_t)address % PAGE != 0) {
    errno = EINVAL;
    return -1;
  }
  return munmap(address, page_end(size));
}

static int mprotect_(void *address, size_t size, int protection) {
  if ((uint64_t)address % PAGE != 0) {
    errno = EINVAL;
    return -1;
  }
  if (!may_protect((uint64_t)address, page_end(size), (uint32_t)protection & 7)) {
    errno = EACCES;
    return -1;
  }
  return mprotect(address, page_end(size), protection);
}

static int msync_(void *address, size_t size, int flags) {
  return msync(address, size,
               (flags & 1 ? MS_ASYNC : 0) | (flags & 2 ? MS_INVALIDATE : 0) | (flags & 0x10 ? MS_SYNC : 0));
}

// 0 to 4 are the same; the others are hints that only macOS has.
static int madvise_(void *address, size_t size, int advice) { return advice <= 4 ? madvise(address, size, advice) : 0; }

static void invalidate_code(void *start, size_t size) { __builtin___clear_cache((char *)start, (char *)start + size); }

static int page_size(void) { return PAGE; }

const struct shim MEMORY_SHIMS[] = {
    {"_mmap", mmap_},
    {"_munmap", munmap_},
    {"_mprotect", mprotect_},
    {"_msync", msync_},
    {"_madvise", madvise_},
    {"_posix_madvise", madvise_},
    {"_sys_icache_invalidate", invalidate_code},
    {"_getpagesize", page_size},
    SAME(mlock),
    SAME(munlock),
    {NULL, NULL},
};
