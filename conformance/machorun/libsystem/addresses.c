// Addresses of sockets (<sys/socket.h>, <netinet/in.h>, <sys/un.h>): macOS has a byte of length and a byte of family
// where Linux has two bytes of family; what follows is the same.
#include "addresses.h"
#include <errno.h>
#include <string.h>

enum { DARWIN_INET6 = 30 };

int linux_family(int family) {
  switch (family) {
  case 0: return AF_UNSPEC;
  case 1: return AF_UNIX;
  case 2: return AF_INET;
  case DARWIN_INET6: return AF_INET6;
  default: return -1;
  }
}

int darwin_family(int family) {
  switch (family) {
  case AF_UNSPEC: return 0;
  case AF_UNIX: return 1;
  case AF_INET: return 2;
  case AF_INET6: return DARWIN_INET6;
  default: return -1;
  }
}

bool linux_address(const uint8_t *from, uint32_t size, struct sockaddr_storage *to) {
  int family = size >= 2 && size <= sizeof *to ? linux_family(from[1]) : -1;
  if (family < 0) {
    errno = size < 2 || size > sizeof *to ? EINVAL : EAFNOSUPPORT;
    return false;
  }
  memset(to, 0, sizeof *to);
  memcpy(to, from, size);
  to->ss_family = (sa_family_t)family;
  return true;
}

void give_address(const struct sockaddr_storage *from, uint32_t from_size, uint8_t *to, uint32_t *size) {
  if (to == NULL || size == NULL) return;
  uint8_t whole[sizeof *from];
  if (from_size > sizeof whole) from_size = sizeof whole;
  memcpy(whole, from, from_size);
  if (from_size >= 2) {
    whole[0] = (uint8_t)from_size;
    whole[1] = (uint8_t)darwin_family(from->ss_family);
  }
  memcpy(to, whole, from_size < *size ? from_size : *size);
  *size = from_size;
}
