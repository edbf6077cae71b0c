// What the files that stand for libSystem share: their tables, and how macOS's numbers become Linux's.
#ifndef SHIMS_H
#define SHIMS_H
#include "machorun.h"

// A function of the C library here that means the same there.
#define SAME(name) {"_" #name, name}
// x86_64 has two layouts of stat and dirent; what is used today has this suffix there, and none on arm64.
#ifdef __x86_64__
#define INODE64(name) "_" name "$INODE64"
#else
#define INODE64(name) "_" name
#endif

// arm64 macOS passes what is behind "..." on the stack, after the registers that named arguments do not fill: a
// function with so many named ones takes the rest of the eight registers as arguments that nobody gave.
#ifdef __aarch64__
#define AFTER_TWO long r2_, long r3_, long r4_, long r5_, long r6_, long r7_,
#define AFTER_THREE long r3_, long r4_, long r5_, long r6_, long r7_,
#else
#define AFTER_TWO
#define AFTER_THREE
#endif

extern const struct shim DYLD_SHIMS[], C_SHIMS[], ERROR_SHIMS[], FILE_SHIMS[], FOLDER_SHIMS[], MEMORY_SHIMS[],
    THREAD_SHIMS[], LOCK_SHIMS[], MACH_SHIMS[], MACH_THREAD_SHIMS[], DISPATCH_SHIMS[], SIGNAL_SHIMS[], TIME_SHIMS[],
    PROCESS_SHIMS[], SYSTEM_SHIMS[], UNWIND_SHIMS[], SOCKET_SHIMS[], OPTION_SHIMS[], NAME_SHIMS[], KQUEUE_SHIMS[],
    SPAWN_SHIMS[], FILE_TIME_SHIMS[], FILE_COPY_SHIMS[];

// ---- libsystem/errors.c: errno as macOS numbers it
int darwin_error(int linux_error);
int linux_error(int darwin_error);
// For functions that return an error number.
#define RETURNED(call) darwin_error(call)
#endif
