// Results of Mach's calls (<mach/kern_return.h>), and the one task there is.
#ifndef MACH_H
#define MACH_H
#include <errno.h>
#include <stdint.h>

enum {
  KERN_SUCCESS = 0,
  KERN_INVALID_ADDRESS = 1,
  KERN_PROTECTION_FAILURE = 2,
  KERN_NO_SPACE = 3,
  KERN_INVALID_ARGUMENT = 4,
  KERN_FAILURE = 5,
  KERN_RESOURCE_SHORTAGE = 6,
  KERN_TERMINATED = 37,
  KERN_NOT_SUPPORTED = 46,
};
enum { TASK = 0x103 };

// Every thread of the program tells when it begins and ends: these are the ones that are listed and suspended.
void thread_begins(void);
void thread_ends(void *unused);
#endif
