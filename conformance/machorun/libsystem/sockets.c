// Sockets (<sys/socket.h>): addresses, flags of messages, waiting.
#include "../shims.h"
#include "addresses.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int socket_(int family, int type, int protocol) {
  int linux = linux_family(family);
  if (linux < 0) {
    errno = EAFNOSUPPORT;
    return -1;
  }
  return socket(linux, type, protocol);
}
static int socketpair_(int family, int type, int protocol, int fds[2]) {
  return socketpair(linux_family(family), type, protocol, fds);
}
static int bind_(int fd, const uint8_t *address, uint32_t size) {
  struct sockaddr_storage linux;
  return linux_address(address, size, &linux) ? bind(fd, (struct sockaddr *)&linux, size) : -1;
}
static int connect_(int fd, const uint8_t *address, uint32_t size) {
  struct sockaddr_storage linux;
  return linux_address(address, size, &linux) ? connect(fd, (struct sockaddr *)&linux, size) : -1;
}

typedef int (*asks_address)(int, struct sockaddr *, socklen_t *);
static int ask(asks_address function, int fd, uint8_t *address, uint32_t *size) {
  struct sockaddr_storage linux;
  socklen_t length = sizeof linux;
  int result = function(fd, (struct sockaddr *)&linux, &length);
  if (result >= 0) give_address(&linux, length, address, size);
  return result;
}
static int accept_(int fd, uint8_t *address, uint32_t *size) {
  return ask((asks_address)(void *)accept, fd, address, size);
}
static int getsockname_(int fd, uint8_t *address, uint32_t *size) {
  return ask((asks_address)(void *)getsockname, fd, address, size);
}
static int getpeername_(int fd, uint8_t *address, uint32_t *size) {
  return ask((asks_address)(void *)getpeername, fd, address, size);
}

static const struct {
  int darwin, linux;
} MESSAGE_FLAGS[] = {
    {1, MSG_OOB},        {2, MSG_PEEK},        {4, MSG_DONTROUTE},
    {8, MSG_EOR},        {0x10, MSG_TRUNC},    {0x20, MSG_CTRUNC},
    {0x40, MSG_WAITALL}, {0x80, MSG_DONTWAIT}, {0x80000, MSG_NOSIGNAL},
};
static int linux_flags(int darwin) {
  int found = 0;
  for (size_t i = 0; i < sizeof MESSAGE_FLAGS / sizeof *MESSAGE_FLAGS; i++)
    if (darwin & MESSAGE_FLAGS[i].darwin) found |= MESSAGE_FLAGS[i].linux;
  return found;
}
static int darwin_flags(int linux) {
  int found = 0;
  for (size_t i = 0; i < sizeof MESSAGE_FLAGS / sizeof *MESSAGE_FLAGS; i++)
    if (linux & MESSAGE_FLAGS[i].linux) found |= MESSAGE_FLAGS[i].darwin;
  return found;
}

// SO_NOSIGPIPE, which programs set, is a flag of each call here.
static ssize_t send_(int fd, const void *from, size_t size, int flags) {
  return send(fd, from, size, linux_flags(flags) | MSG_NOSIGNAL);
}
static ssize_t recv_(int fd, void *to, size_t size, int flags) { return recv(fd, to, size, linux_flags(flags)); }
static ssize_t sendto_(int fd, const void *from, size_t size, int flags, const uint8_t *address, uint32_t length) {
  struct sockaddr_storage linux;
  if (address == NULL) return send_(fd, from, size, flags);
  if (!linux_address(address, length, &linux)) return -1;
  return sendto(fd, from, size, linux_flags(flags) | MSG_NOSIGNAL, (struct sockaddr *)&linux, length);
}
static ssize_t recvfrom_(int fd, void *to, size_t size, int flags, uint8_t *address, uint32_t *length) {
  struct sockaddr_storage linux;
  socklen_t linux_length = sizeof linux;
  ssize_t result = recvfrom(fd, to, size, linux_flags(flags), (struct sockaddr *)&linux, &linux_length);
  if (result >= 0) give_address(&linux, linux_length, address, length);
  return result;
}

struct darwin_message {
  uint8_t *address;
  uint32_t address_size;
  struct iovec *parts;
  int32_t part_count;
  void *control;
  uint32_t control_size;
  int32_t flags;
};
// Messages with control data (descriptors that are passed) have another form and are not done.
static bool plain(const struct darwin_message *message) {
  if (message->control_size == 0) return true;
  errno = EOPNOTSUPP;
  return false;
}
static ssize_t sendmsg_(int fd, const struct darwin_message *message, int flags) {
  struct sockaddr_storage linux;
  struct msghdr header = {.msg_iov = message->parts, .msg_iovlen = (size_t)message->part_count};
  if (!plain(message)) return -1;
  if (message->address != NULL) {
    if (!linux_address(message->address, message->address_size, &linux)) return -1;
    header.msg_name = &linux;
    header.msg_namelen = message->address_size;
  }
  return sendmsg(fd, &header, linux_flags(flags) | MSG_NOSIGNAL);
}
static ssize_t recvmsg_(int fd, struct darwin_message *message, int flags) {
  struct sockaddr_storage linux;
  struct msghdr header = {.msg_name = &linux,
                          .msg_namelen = sizeof linux,
                          .msg_iov = message->parts,
                          .msg_iovlen = (size_t)message->part_count};
  ssize_t result = recvmsg(fd, &header, linux_flags(flags));
  if (result < 0) return result;
  give_address(&linux, header.msg_namelen, message->address, &message->address_size);
  message->control_size = 0;
  message->flags = darwin_flags(header.msg_flags);
  return result;
}

// The count has 32 bits there.
static int poll_(struct pollfd *fds, uint32_t count, int timeout) { return poll(fds, count, timeout); }

const struct shim SOCKET_SHIMS[] = {
    {"_socket", socket_},
    {"_socketpair", socketpair_},
    {"_bind", bind_},
    {"_connect", connect_},
    {"_accept", accept_},
    {"_getsockname", getsockname_},
    {"_getpeername", getpeername_},
    {"_send", send_},
    {"_recv", recv_},
    {"_sendto", sendto_},
    {"_recvfrom", recvfrom_},
    {"_sendmsg", sendmsg_},
    {"_recvmsg", recvmsg_},
    {"_poll", poll_},
    SAME(listen),
    SAME(shutdown),
    SAME(select),
    {NULL, NULL},
};
