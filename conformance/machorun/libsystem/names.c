// Names of hosts (<netdb.h>): struct addrinfo has its last fields in another order.
#include "../shims.h"
#include "addresses.h"
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

struct darwin_info {
  int32_t flags, family, type, protocol;
  uint32_t size;
  char *name;
  uint8_t *address;
  struct darwin_info *next;
};

static const struct {
  int darwin, linux;
} FLAGS[] = {
    {1, AI_PASSIVE},        {2, AI_CANONNAME},    {4, AI_NUMERICHOST},      {0x100, AI_ALL},
    {0x400, AI_ADDRCONFIG}, {0x800, AI_V4MAPPED}, {0x1000, AI_NUMERICSERV},
};
// Of EAI_…: macOS's at the index of Linux's, whose are negative.
static const int ERRORS[13] = {0, 3, 8, 2, 4, 7, 5, 10, 9, 1, 6, 11, 14};

static int darwin_status(int linux) { return linux <= 0 && linux > -13 ? ERRORS[-linux] : 4; }

static void freeaddrinfo_(struct darwin_info *info) {
  while (info != NULL) {
    struct darwin_info *next = info->next;
    free(info->name);
    free(info->address);
    free(info);
    info = next;
  }
}

static int getaddrinfo_(const char *host, const char *service, const struct darwin_info *hints,
                        struct darwin_info **result) {
  struct addrinfo wanted = {0}, *found;
  if (hints != NULL) {
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
      if (hints->flags & FLAGS[i].darwin) wanted.ai_flags |= FLAGS[i].linux;
    wanted.ai_family = linux_family(hints->family);
    wanted.ai_socktype = hints->type;
    wanted.ai_protocol = hints->protocol;
  }
  int status = getaddrinfo(host, service, hints == NULL ? NULL : &wanted, &found);
  if (status != 0) return darwin_status(status);
  *result = NULL;
  struct darwin_info **last = result;
  for (const struct addrinfo *each = found; each != NULL; each = each->ai_next) {
    if (darwin_family(each->ai_family) < 0) continue;
    struct darwin_info *info = calloc(1, sizeof *info);
    struct sockaddr_storage address = {0};
    memcpy(&address, each->ai_addr, each->ai_addrlen);
    info->family = darwin_family(each->ai_family);
    info->type = each->ai_socktype;
    info->protocol = each->ai_protocol;
    info->size = each->ai_addrlen;
    info->address = calloc(1, sizeof address);
    give_address(&address, each->ai_addrlen, info->address, &info->size);
    info->name = each->ai_canonname == NULL ? NULL : strdup(each->ai_canonname);
    *last = info;
    last = &info->next;
  }
  freeaddrinfo(found);
  return 0;
}

static const char *gai_strerror_(int darwin) {
  for (int i = 0; i < 13; i++)
    if (ERRORS[i] == darwin) return gai_strerror(-i);
  return "unknown error";
}

const struct shim NAME_SHIMS[] = {
    {"_getaddrinfo", getaddrinfo_}, {"_freeaddrinfo", freeaddrinfo_}, {"_gai_strerror", gai_strerror_}, {NULL, NULL}};
