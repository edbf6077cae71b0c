// What is mapped in the process, as the kernel lists it.
#ifndef MAPPINGS_H
#define MAPPINGS_H
#include <stdbool.h>
#include <stdint.h>

struct mapping {
  uint64_t start, end;
  uint32_t protection; // VM_PROT_READ and so on
};

// The first mapping that ends behind an address; false where there is none. Allocates nothing.
bool next_mapping(uint64_t address, struct mapping *found);
#endif
