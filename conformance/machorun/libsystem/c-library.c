// Functions of the C library that mean the same on both systems, and the few of macOS that are a line of C.
#include "../shims.h"
#include <ctype.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

int __cxa_atexit(void (*function)(void *), void *argument, void *image);

static void zero(void *at, size_t size) { memset(at, 0, size); }

static int memset_checked(void *at, size_t room, int value, size_t size) {
  memset(at, value, size < room ? size : room);
  return size > room ? 84 /* EOVERFLOW */ : 0;
}

static void fill_pattern(uint8_t *at, const uint8_t *pattern, size_t size, size_t step) {
  for (size_t i = 0; i < size; i++) at[i] = pattern[i % step];
}
static void memset_pattern4(void *at, const void *pattern, size_t size) { fill_pattern(at, pattern, size, 4); }
static void memset_pattern8(void *at, const void *pattern, size_t size) { fill_pattern(at, pattern, size, 8); }
static void memset_pattern16(void *at, const void *pattern, size_t size) { fill_pattern(at, pattern, size, 16); }

static void random_bytes(void *at, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t count = getrandom((char *)at + done, size - done, 0);
    if (count > 0) done += (size_t)count;
  }
}
static int random_status(void *at, size_t size) {
  random_bytes(at, size);
  return 0;
}
static uint32_t random_word(void) {
  uint32_t value;
  random_bytes(&value, sizeof value);
  return value;
}
static uint32_t random_below(uint32_t bound) {
  return bound == 0 ? 0 : (uint32_t)((uint64_t)random_word() * bound >> 32);
}

struct sine_cosine {
  double sine, cosine;
};
static struct sine_cosine sincos_(double x) { return (struct sine_cosine){sin(x), cos(x)}; }
#ifdef __aarch64__
struct sine_cosine_float {
  float sine, cosine;
};
static struct sine_cosine_float sincosf_(float x) { return (struct sine_cosine_float){sinf(x), cosf(x)}; }
#endif
static double exp10_(double x) { return pow(10, x); }
static float exp10f_(float x) { return powf(10, x); }

static size_t strlcpy_(char *to, const char *from, size_t size) {
  size_t length = strlen(from);
  if (size != 0) {
    size_t copied = length < size ? length : size - 1;
    memcpy(to, from, copied);
    to[copied] = 0;
  }
  return length;
}

// A random word, as every program has of its own; the first byte is 0 so that strings stop before it.
static uintptr_t stack_guard;
__attribute__((constructor)) static void choose_stack_guard(void) {
  random_bytes(&stack_guard, sizeof stack_guard);
  stack_guard &= ~(uintptr_t)0xff;
}
static _Noreturn void stack_check_failed(void) {
  fprintf(stderr, "machorun: a stack guard was overwritten\n");
  abort();
}

const struct shim C_SHIMS[] = {
    SAME(malloc),
    SAME(calloc),
    SAME(realloc),
    SAME(free),
    SAME(posix_memalign),
    SAME(aligned_alloc),
    SAME(valloc),
    {"_malloc_size", malloc_usable_size},
    SAME(memcpy),
    SAME(memmove),
    SAME(memset),
    SAME(memcmp),
    SAME(memchr),
    SAME(memmem),
    SAME(strlen),
    SAME(strnlen),
    SAME(strcmp),
    SAME(strncmp),
    SAME(strcasecmp),
    SAME(strncasecmp),
    SAME(strcpy),
    SAME(strncpy),
    SAME(strcat),
    SAME(strncat),
    SAME(stpcpy),
    SAME(strchr),
    SAME(strrchr),
    SAME(strstr),
    SAME(strdup),
    SAME(strndup),
    SAME(strspn),
    SAME(strcspn),
    SAME(strpbrk),
    SAME(strtok_r),
    SAME(strsep),
    SAME(strtol),
    SAME(strtoul),
    SAME(strtoll),
    SAME(strtoull),
    SAME(strtod),
    SAME(strtof),
    SAME(atoi),
    SAME(atol),
    SAME(qsort),
    SAME(bsearch),
    SAME(abs),
    {"_strlcpy", strlcpy_},
    {"_bzero", zero},
    {"___bzero", zero},
    {"_memset_s", memset_checked},
    {"_memset_pattern4", memset_pattern4},
    {"_memset_pattern8", memset_pattern8},
    {"_memset_pattern16", memset_pattern16},
    SAME(abort),
    SAME(exit),
    SAME(_exit),
    SAME(_Exit),
    SAME(atexit),
    SAME(__cxa_atexit),
    SAME(getenv),
    SAME(setenv),
    SAME(unsetenv),
    SAME(putenv),
    SAME(puts),
    SAME(putchar),
    SAME(perror),
    {"_CCRandomGenerateBytes", random_status},
    {"_getentropy", random_status},
    {"_arc4random_buf", random_bytes},
    {"_arc4random", random_word},
    {"_arc4random_uniform", random_below},
    SAME(sin),
    SAME(cos),
    SAME(tan),
    SAME(asin),
    SAME(acos),
    SAME(atan),
    SAME(atan2),
    SAME(sinh),
    SAME(cosh),
    SAME(tanh),
    SAME(asinh),
    SAME(acosh),
    SAME(atanh),
    SAME(exp),
    SAME(exp2),
    SAME(expm1),
    SAME(log),
    SAME(log2),
    SAME(log10),
    SAME(log1p),
    SAME(pow),
    SAME(sqrt),
    SAME(cbrt),
    SAME(hypot),
    SAME(fmod),
    SAME(floor),
    SAME(ceil),
    SAME(round),
    SAME(trunc),
    SAME(rint),
    SAME(fma),
    SAME(fmin),
    SAME(fmax),
    SAME(fdim),
    SAME(ldexp),
    SAME(frexp),
    SAME(modf),
    SAME(copysign),
    SAME(nextafter),
    SAME(tgamma),
    SAME(lgamma_r),
    SAME(erf),
    SAME(erfc),
    SAME(sinf),
    SAME(cosf),
    SAME(tanf),
    SAME(asinf),
    SAME(acosf),
    SAME(atanf),
    SAME(atan2f),
    SAME(sinhf),
    SAME(coshf),
    SAME(tanhf),
    SAME(expf),
    SAME(exp2f),
    SAME(expm1f),
    SAME(logf),
    SAME(log2f),
    SAME(log10f),
    SAME(log1pf),
    SAME(powf),
    SAME(sqrtf),
    SAME(cbrtf),
    SAME(hypotf),
    SAME(fmodf),
    SAME(floorf),
    SAME(ceilf),
    SAME(roundf),
    SAME(truncf),
    SAME(rintf),
    SAME(fmaf),
    SAME(fminf),
    SAME(fmaxf),
    SAME(fdimf),
    SAME(tgammaf),
    SAME(lgammaf_r),
    SAME(ldexpf),
    SAME(roundeven),
    SAME(roundevenf),
    SAME(nearbyint),
    SAME(nearbyintf),
    {"___sincos_stret", sincos_},
    {"___exp10", exp10_},
    {"___exp10f", exp10f_},
#ifdef __aarch64__
    {"___sincosf_stret", sincosf_},
#endif
    SAME(isalpha),
    SAME(isdigit),
    SAME(isspace),
    SAME(toupper),
    SAME(tolower),
    {"___stack_chk_guard", &stack_guard},
    {"___stack_chk_fail", stack_check_failed},
    {NULL, NULL},
};
