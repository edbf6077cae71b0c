// Thread-local variables: a descriptor is {function, key, offset}; the function gives the address of the variable for
// the thread that calls, whose block is made from the image's template when the thread first asks. So a library that is
// opened later has its variables in threads that run already.
#include "machorun.h"
#include "mach-o.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KEYS 4096

static struct image *owners[MAX_KEYS];
static uint32_t keys = 1; // 0 is none
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct blocks {
  uint64_t count;
  uint8_t **at;
};
// The thunks below know where it lies in a thread, and its layout.
__thread struct blocks thread_local_blocks;

static void free_blocks(void *thread) {
  struct blocks *mine = thread;
  for (uint64_t i = 0; i < mine->count; i++) free(mine->at[i]);
  free(mine->at);
  *mine = (struct blocks){0, NULL};
}

static void make_key(void) { pthread_key_create(&at_exit, free_blocks); }

uint8_t *make_thread_local_block(uint64_t key);

// Called by the thunks below, when the thread has no block yet; they keep every register but the result.
uint8_t *make_thread_local_block(uint64_t key) {
  if (key == 0 || key >= keys) abort();
  pthread_once(&once, make_key);
  if (key >= thread_local_blocks.count) {
    uint64_t count = (key | 15) + 1;
    thread_local_blocks.at = realloc(thread_local_blocks.at, count * sizeof *thread_local_blocks.at);
    memset(thread_local_blocks.at + thread_local_blocks.count, 0,
           (count - thread_local_blocks.count) * sizeof *thread_local_blocks.at);
    thread_local_blocks.count = count;
    pthread_setspecific(at_exit, &thread_local_blocks);
  }
  const struct image *image = owners[key];
  uint64_t align = image->thread_local_align < 16 ? 16 : image->thread_local_align;
  uint64_t size = (image->thread_local_template.size + align) / align * align;
  uint8_t *block = aligned_alloc(align, size);
  memcpy(block, image->thread_local_template.at, image->thread_local_template.size);
  thread_local_blocks.at[key] = block;
  return block;
}

#ifdef __x86_64__
// rdi: the descriptor; the result in rax; all else is kept, vector registers included (what AVX has above them, too).
__asm__(".text\n"
        ".globl thread_local_thunk\n"
        ".type thread_local_thunk, @function\n"
        "thread_local_thunk:\n"
        "  push %rdx\n  mov 8(%rdi), %rdx\n"
        "  cmp %fs:thread_local_blocks@tpoff, %rdx\n  jae 1f\n"
        "  mov %fs:thread_local_blocks@tpoff+8, %rax\n  mov (%rax,%rdx,8), %rax\n"
        "  test %rax, %rax\n  jz 1f\n"
        "  add 16(%rdi), %rax\n  pop %rdx\n  ret\n"
        "1:pop %rdx\n"
        "  push %rbp\n  mov %rsp, %rbp\n"
        "  push %rdi\n  push %rsi\n  push %rdx\n  push %rcx\n  push %r8\n  push %r9\n  push %r10\n  push %r11\n"
        "  sub $4096, %rsp\n  and $-64, %rsp\n"
        "  xor %eax, %eax\n"
        "  mov %rax, 512(%rsp)\n  mov %rax, 520(%rsp)\n  mov %rax, 528(%rsp)\n  mov %rax, 536(%rsp)\n"
        "  mov %rax, 544(%rsp)\n  mov %rax, 552(%rsp)\n  mov %rax, 560(%rsp)\n  mov %rax, 568(%rsp)\n"
        "  mov $0xe7, %eax\n  xor %edx, %edx\n  xsave (%rsp)\n"
        "  mov 8(%rdi), %rdi\n"
        "  call make_thread_local_block\n"
        "  mov %rax, %r11\n"
        "  mov $0xe7, %eax\n  xor %edx, %edx\n  xrstor (%rsp)\n"
        "  mov -8(%rbp), %rdi\n"
        "  mov %r11, %rax\n  add 16(%rdi), %rax\n"
        "  lea -64(%rbp), %rsp\n"
        "  pop %r11\n  pop %r10\n  pop %r9\n  pop %r8\n  pop %rcx\n  pop %rdx\n  pop %rsi\n  pop %rdi\n"
        "  pop %rbp\n  ret\n");
#else
// x0: the descriptor, and the result; x16, x17 and x30 may change, all else is kept.
__asm__(
    ".text\n"
    ".globl thread_local_thunk\n"
    ".type thread_local_thunk, %function\n"
    "thread_local_thunk:\n"
    "  str x1, [sp, #-16]!\n  ldr x17, [x0, #8]\n"
    "  mrs x16, tpidr_el0\n"
    "  add x16, x16, #:tprel_hi12:thread_local_blocks\n  add x16, x16, #:tprel_lo12_nc:thread_local_blocks\n"
    "  ldr x1, [x16]\n  cmp x17, x1\n  b.hs 1f\n"
    "  ldr x16, [x16, #8]\n  ldr x16, [x16, x17, lsl #3]\n  cbz x16, 1f\n"
    "  ldr x1, [x0, #16]\n  add x0, x16, x1\n"
    "  ldr x1, [sp], #16\n  ret\n"
    "1:ldr x1, [sp], #16\n"
    "  stp x29, x30, [sp, #-176]!\n  mov x29, sp\n"
    "  stp x0, x1, [sp, #16]\n  stp x2, x3, [sp, #32]\n  stp x4, x5, [sp, #48]\n  stp x6, x7, [sp, #64]\n"
    "  stp x8, x9, [sp, #80]\n  stp x10, x11, [sp, #96]\n  stp x12, x13, [sp, #112]\n  stp x14, x15, [sp, #128]\n"
    "  str x18, [sp, #144]\n"
    "  sub sp, sp, #512\n"
    "  stp q0, q1, [sp]\n  stp q2, q3, [sp, #32]\n  stp q4, q5, [sp, #64]\n  stp q6, q7, [sp, #96]\n"
    "  stp q8, q9, [sp, #128]\n  stp q10, q11, [sp, #160]\n  stp q12, q13, [sp, #192]\n  stp q14, q15, [sp, #224]\n"
    "  stp q16, q17, [sp, #256]\n  stp q18, q19, [sp, #288]\n  stp q20, q21, [sp, #320]\n  stp q22, q23, [sp, #352]\n"
    "  stp q24, q25, [sp, #384]\n  stp q26, q27, [sp, #416]\n  stp q28, q29, [sp, #448]\n  stp q30, q31, [sp, #480]\n"
    "  ldr x0, [x0, #8]\n"
    "  bl make_thread_local_block\n"
    "  ldr x17, [x29, #16]\n  ldr x17, [x17, #16]\n  add x16, x0, x17\n"
    "  ldp q0, q1, [sp]\n  ldp q2, q3, [sp, #32]\n  ldp q4, q5, [sp, #64]\n  ldp q6, q7, [sp, #96]\n"
    "  ldp q8, q9, [sp, #128]\n  ldp q10, q11, [sp, #160]\n  ldp q12, q13, [sp, #192]\n  ldp q14, q15, [sp, #224]\n"
    "  ldp q16, q17, [sp, #256]\n  ldp q18, q19, [sp, #288]\n  ldp q20, q21, [sp, #320]\n  ldp q22, q23, [sp, #352]\n"
    "  ldp q24, q25, [sp, #384]\n  ldp q26, q27, [sp, #416]\n  ldp q28, q29, [sp, #448]\n  ldp q30, q31, [sp, #480]\n"
    "  add sp, sp, #512\n"
    "  ldp x0, x1, [sp, #16]\n  ldp x2, x3, [sp, #32]\n  ldp x4, x5, [sp, #48]\n  ldp x6, x7, [sp, #64]\n"
    "  ldp x8, x9, [sp, #80]\n  ldp x10, x11, [sp, #96]\n  ldp x12, x13, [sp, #112]\n  ldp x14, x15, [sp, #128]\n"
    "  ldr x18, [sp, #144]\n"
    "  mov x0, x16\n"
    "  ldp x29, x30, [sp], #176\n  ret\n");
#endif

// Where the template's two kinds of sections begin and end: they lie together.
static struct span template_of(struct image *image) {
  uint64_t low = UINT64_MAX, high = 0, sum = 0, align = 1;
  for (int i = 0; i < image->section_count; i++) {
    const struct section *section = &image->sections[i];
    uint32_t type = section->flags & SECTION_TYPE;
    if ((type != S_THREAD_LOCAL_REGULAR && type != S_THREAD_LOCAL_ZEROFILL) || section->size == 0) continue;
    if (section->address < low) low = section->address;
    if (section->address + section->size > high) high = section->address + section->size;
    if (1ull << section->align > align) align = 1ull << section->align;
    sum += section->size;
  }
  image->thread_local_align = align;
  if (high == 0) return (struct span){NULL, 0};
  if (high - low > sum + 16 * align)
    refuse(image, "its thread-local sections are 0x%lx bytes but lie over 0x%lx: not together", sum, high - low);
  return (struct span){(uint8_t *)(low + (uint64_t)image->slide), high - low};
}

static void set_descriptors(struct image *image, const struct section *section, uint64_t size) {
  if (section->size % 24 != 0)
    refuse(image, "section %s is no array of descriptors: 0x%lx bytes", section->name, section->size);
  for (uint64_t at = 0; at < section->size; at += 24) {
    uint8_t *descriptor = (uint8_t *)(section->address + (uint64_t)image->slide + at);
    if (read64(descriptor) != (uint64_t)thread_local_thunk)
      refuse(image, "the thread-local descriptor at 0x%lx is not bound to __tlv_bootstrap", section->address + at);
    if (read64(descriptor + 16) > size)
      refuse(image, "the thread-local descriptor at 0x%lx has offset 0x%lx in 0x%lx bytes", section->address + at,
             read64(descriptor + 16), size);
    write64(descriptor + 8, image->thread_local_key);
  }
}

void prepare_thread_locals(struct image *image) {
  struct span template = template_of(image);
  bool any = false;
  for (int i = 0; i < image->section_count; i++)
    if ((image->sections[i].flags & SECTION_TYPE) == S_THREAD_LOCAL_VARIABLES) any = true;
  if (!any) return;
  if (keys == MAX_KEYS) refuse(image, "over %d images have thread-locals", MAX_KEYS - 1);
  // A copy, since initialisers and the program may write to what the file has of it.
  uint8_t *copy = malloc(template.size + 1);
  if (template.size != 0) memcpy(copy, template.at, template.size);
  image->thread_local_template = (struct span){copy, template.size};
  image->thread_local_key = keys;
  owners[keys++] = image;
  for (int i = 0; i < image->section_count; i++)
    if ((image->sections[i].flags & SECTION_TYPE) == S_THREAD_LOCAL_VARIABLES)
      set_descriptors(image, &image->sections[i], template.size);
}
