// Which protections a range may get: what macOS refuses is refused here.
#ifndef PROTECTION_H
#define PROTECTION_H
#include "../machorun.h"

// False where the range would be writable and executable at once, or lies in a segment that may not become so: code of
// an image is never writable, data that its file says is read-only neither.
bool may_protect(uint64_t address, uint64_t size, uint32_t protection);
uint64_t page_start(uint64_t address);
uint64_t page_end(uint64_t address);
// Fresh memory, aligned to macOS's pages; null where there is none.
void *fresh_pages(uint64_t size, int protection);
#endif
