// Addresses of sockets, for all that take or give them.
#ifndef ADDRESSES_H
#define ADDRESSES_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

// An address family, or -1 where the other system has none.
int linux_family(int darwin);
int darwin_family(int linux);
// `from` is what the program gave; false and errno where it cannot be an address.
bool linux_address(const uint8_t *from, uint32_t size, struct sockaddr_storage *to);
// Writes at most `*size` bytes and sets it to the whole address's size.
void give_address(const struct sockaddr_storage *from, uint32_t from_size, uint8_t *to, uint32_t *size);
#endif
