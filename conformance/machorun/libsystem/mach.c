// Calls of Mach on the task's own memory, and its clock (<mach/mach_vm.h>, <mach/mach_time.h>). What this loader cannot
// do it says: KERN_NOT_SUPPORTED. Nothing here allocates or locks: threads may be suspended.
#include "../shims.h"
#include "../mach-o.h"
#include "mach.h"
#include "mappings.h"
#include "protection.h"
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { VM_FLAGS_ANYWHERE = 1, VM_FLAGS_OVERWRITE = 0x4000 };

static const uint32_t TASK_PORT = TASK;
static const uint64_t KERNEL_PAGE = PAGE;

static uint32_t task_self(void) { return TASK; }

// What an address lies in.
static bool mapping_at(uint64_t address, struct mapping *found) {
  return next_mapping(address, found) && found->start <= address;
}

static int vm_protect(uint32_t task, uint64_t address, uint64_t size, int set_maximum, uint32_t protection) {
  if (task != TASK) return KERN_INVALID_ARGUMENT;
  if (set_maximum) return KERN_NOT_SUPPORTED;
  uint64_t start = page_start(address), end = page_end(address + size);
  if (!may_protect(start, end - start, protection & 7)) return KERN_PROTECTION_FAILURE;
  return mprotect((void *)start, end - start, (int)(protection & 7)) == 0 ? KERN_SUCCESS : KERN_INVALID_ADDRESS;
}

static int vm_allocate(uint32_t task, uint64_t *address, uint64_t size, int flags) {
  if (task != TASK || size == 0) return KERN_INVALID_ARGUMENT;
  if (flags & VM_FLAGS_ANYWHERE) {
    void *at = fresh_pages(size, PROT_READ | PROT_WRITE);
    if (at == NULL) return KERN_NO_SPACE;
    *address = (uint64_t)at;
    return KERN_SUCCESS;
  }
  uint64_t start = page_start(*address), length = page_end(*address + size) - start;
  int fixed = flags & VM_FLAGS_OVERWRITE ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  if (fixed == MAP_FIXED && !may_protect(start, length, VM_PROT_READ | VM_PROT_WRITE)) return KERN_PROTECTION_FAILURE;
  void *at = mmap((void *)start, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
  if (at != MAP_FAILED && (uint64_t)at != start) munmap(at, length);
  if ((uint64_t)at != start) return KERN_NO_SPACE;
  *address = start;
  return KERN_SUCCESS;
}

static int vm_deallocate(uint32_t task, uint64_t address, uint64_t size) {
  if (task != TASK) return KERN_INVALID_ARGUMENT;
  uint64_t start = page_start(address);
  if (size == 0) return KERN_SUCCESS;
  return munmap((void *)start, page_end(address + size) - start) == 0 ? KERN_SUCCESS : KERN_INVALID_ADDRESS;
}

// The pages of the source, copied and moved over the target in one step: no thread sees a gap. Sharing cannot be had
// this way, so a source that is still writable must be asked for as a copy.
static int vm_remap(uint32_t task, uint64_t *target, uint64_t size, uint64_t mask, int flags, uint32_t source_task,
                    uint64_t source, int copy, int32_t *current, int32_t *maximum, int inheritance) {
  (void)inheritance;
  if (task != TASK || source_task != TASK || size == 0 || mask != 0) return KERN_INVALID_ARGUMENT;
  uint64_t from = page_start(source), length = page_end(source + size) - from;
  struct mapping mapping, there;
  if (!mapping_at(from, &mapping) || mapping.end < from + length) return KERN_INVALID_ADDRESS;
  uint32_t protection = mapping.protection;
  if (!(protection & VM_PROT_READ)) return KERN_PROTECTION_FAILURE;
  if (!copy && (protection & VM_PROT_WRITE)) return KERN_NOT_SUPPORTED;
  uint64_t to = page_start(*target);
  bool anywhere = (flags & VM_FLAGS_ANYWHERE) != 0;
  if (!anywhere && !(flags & VM_FLAGS_OVERWRITE) && mapping_at(to, &there)) return KERN_NO_SPACE;
  if (!anywhere && !may_protect(to, length, protection)) return KERN_PROTECTION_FAILURE;
  uint8_t *pages = fresh_pages(length, PROT_READ | PROT_WRITE);
  if (pages == NULL) return KERN_NO_SPACE;
  memcpy(pages, (const void *)from, length);
  mprotect(pages, length, (int)protection);
  if (!anywhere) {
    if (mremap(pages, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)to) == MAP_FAILED) {
      munmap(pages, length);
      return KERN_INVALID_ADDRESS;
    }
    pages = (uint8_t *)to;
  }
  if (protection & VM_PROT_EXECUTE) __builtin___clear_cache((char *)pages, (char *)pages + length);
  *target = (uint64_t)pages;
  *current = *maximum = (int32_t)protection;
  return KERN_SUCCESS;
}

static int vm_read_overwrite(uint32_t task, uint64_t address, uint64_t size, uint64_t to, uint64_t *count) {
  if (task != TASK) return KERN_INVALID_ARGUMENT;
  for (uint64_t at = address; at < address + size;) {
    struct mapping mapping;
    if (!mapping_at(at, &mapping)) return KERN_INVALID_ADDRESS;
    if (!(mapping.protection & VM_PROT_READ)) return KERN_PROTECTION_FAILURE;
    at = mapping.end;
  }
  memcpy((void *)to, (const void *)address, size);
  *count = size;
  return KERN_SUCCESS;
}

struct basic_info {
  int32_t protection, maximum;
  uint32_t inheritance, shared, reserved;
  uint64_t offset;
  int32_t behaviour;
  uint16_t wired;
} __attribute__((packed, aligned(4)));

// VM_REGION_BASIC_INFO_64 of the first region at or behind an address.
static int vm_region(uint32_t task, uint64_t *address, uint64_t *size, int flavor, struct basic_info *info,
                     uint32_t *count, uint32_t *object) {
  if (task != TASK || flavor != 9 || *count < 9) return KERN_INVALID_ARGUMENT;
  struct mapping mapping = {.end = *address};
  do {
    if (!next_mapping(mapping.end, &mapping)) return KERN_INVALID_ADDRESS;
  } while (!(mapping.protection & VM_PROT_READ));
  memset(info, 0, sizeof *info);
  info->protection = info->maximum = (int32_t)mapping.protection;
  *address = mapping.start;
  *size = mapping.end - mapping.start;
  *object = 0;
  *count = 9;
  return KERN_SUCCESS;
}

static int not_supported(void) { return KERN_NOT_SUPPORTED; }
static int succeed(void) { return KERN_SUCCESS; }

static uint64_t absolute_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static int wait_until(uint64_t deadline) {
  struct timespec until = {(time_t)(deadline / 1000000000), (long)(deadline % 1000000000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0) continue;
  return KERN_SUCCESS;
}

static const char *error_string(int error) {
  switch (error) {
  case KERN_SUCCESS: return "(os/kern) successful";
  case KERN_INVALID_ADDRESS: return "(os/kern) invalid address";
  case KERN_PROTECTION_FAILURE: return "(os/kern) protection failure";
  case KERN_NO_SPACE: return "(os/kern) no space available";
  case KERN_INVALID_ARGUMENT: return "(os/kern) invalid argument";
  case KERN_NOT_SUPPORTED: return "(os/kern) not supported";
  default: return "unknown error code";
  }
}

struct timebase {
  uint32_t numerator, denominator;
};
static int timebase_info(struct timebase *info) {
  *info = (struct timebase){1, 1};
  return KERN_SUCCESS;
}

const struct shim MACH_SHIMS[] = {
    {"_mach_task_self_", &TASK_PORT},
    {"_task_self_trap", task_self},
    {"_mach_task_self", task_self},
    {"_vm_page_size", &KERNEL_PAGE},
    {"_vm_kernel_page_size", &KERNEL_PAGE},
    {"_mach_vm_protect", vm_protect},
    {"_vm_protect", vm_protect},
    {"_mach_vm_allocate", vm_allocate},
    {"_vm_allocate", vm_allocate},
    {"_mach_vm_deallocate", vm_deallocate},
    {"_vm_deallocate", vm_deallocate},
    {"_mach_vm_remap", vm_remap},
    {"_vm_remap", vm_remap},
    {"_mach_vm_read_overwrite", vm_read_overwrite},
    {"_mach_vm_region", vm_region},
    {"_task_info", not_supported},
    {"_mach_port_deallocate", succeed},
    {"_mach_absolute_time", absolute_time},
    {"_mach_continuous_time", absolute_time},
    {"_mach_timebase_info", timebase_info},
    {"_mach_wait_until", wait_until},
    {"_mach_error_string", error_string},
    {NULL, NULL},
};
