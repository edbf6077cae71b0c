// Options of sockets (<sys/socket.h>, <netinet/in.h>, <netinet/tcp.h>): levels and options have other numbers, a few
// values another form.
#include "../shims.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { DARWIN_SOCKET = 0xffff, NOSIGPIPE = 0x1022, LINGER_SECONDS = 0x1080 };
enum form { PLAIN, TIME, ERROR };

struct option {
  int level, name, linux_level, linux_name;
  enum form form;
};

static const struct option OPTIONS[] = {
    {DARWIN_SOCKET, 0x2, SOL_SOCKET, SO_ACCEPTCONN, PLAIN},
    {DARWIN_SOCKET, 0x4, SOL_SOCKET, SO_REUSEADDR, PLAIN},
    {DARWIN_SOCKET, 0x8, SOL_SOCKET, SO_KEEPALIVE, PLAIN},
    {DARWIN_SOCKET, 0x10, SOL_SOCKET, SO_DONTROUTE, PLAIN},
    {DARWIN_SOCKET, 0x20, SOL_SOCKET, SO_BROADCAST, PLAIN},
    {DARWIN_SOCKET, 0x80, SOL_SOCKET, SO_LINGER, PLAIN},
    {DARWIN_SOCKET, LINGER_SECONDS, SOL_SOCKET, SO_LINGER, PLAIN},
    {DARWIN_SOCKET, 0x100, SOL_SOCKET, SO_OOBINLINE, PLAIN},
    {DARWIN_SOCKET, 0x200, SOL_SOCKET, SO_REUSEPORT, PLAIN},
    {DARWIN_SOCKET, 0x1001, SOL_SOCKET, SO_SNDBUF, PLAIN},
    {DARWIN_SOCKET, 0x1002, SOL_SOCKET, SO_RCVBUF, PLAIN},
    {DARWIN_SOCKET, 0x1005, SOL_SOCKET, SO_SNDTIMEO, TIME},
    {DARWIN_SOCKET, 0x1006, SOL_SOCKET, SO_RCVTIMEO, TIME},
    {DARWIN_SOCKET, 0x1007, SOL_SOCKET, SO_ERROR, ERROR},
    {DARWIN_SOCKET, 0x1008, SOL_SOCKET, SO_TYPE, PLAIN},
    {IPPROTO_IP, 3, IPPROTO_IP, IP_TOS, PLAIN},
    {IPPROTO_IP, 4, IPPROTO_IP, IP_TTL, PLAIN},
    {IPPROTO_IP, 9, IPPROTO_IP, IP_MULTICAST_IF, PLAIN},
    {IPPROTO_IP, 10, IPPROTO_IP, IP_MULTICAST_TTL, PLAIN},
    {IPPROTO_IP, 11, IPPROTO_IP, IP_MULTICAST_LOOP, PLAIN},
    {IPPROTO_IP, 12, IPPROTO_IP, IP_ADD_MEMBERSHIP, PLAIN},
    {IPPROTO_IP, 13, IPPROTO_IP, IP_DROP_MEMBERSHIP, PLAIN},
    {IPPROTO_IPV6, 4, IPPROTO_IPV6, IPV6_UNICAST_HOPS, PLAIN},
    {IPPROTO_IPV6, 11, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, PLAIN},
    {IPPROTO_IPV6, 12, IPPROTO_IPV6, IPV6_JOIN_GROUP, PLAIN},
    {IPPROTO_IPV6, 13, IPPROTO_IPV6, IPV6_LEAVE_GROUP, PLAIN},
    {IPPROTO_IPV6, 27, IPPROTO_IPV6, IPV6_V6ONLY, PLAIN},
    {IPPROTO_TCP, 1, IPPROTO_TCP, TCP_NODELAY, PLAIN},
    {IPPROTO_TCP, 2, IPPROTO_TCP, TCP_MAXSEG, PLAIN},
    {IPPROTO_TCP, 0x10, IPPROTO_TCP, TCP_KEEPIDLE, PLAIN},
    {IPPROTO_TCP, 0x101, IPPROTO_TCP, TCP_KEEPINTVL, PLAIN},
    {IPPROTO_TCP, 0x102, IPPROTO_TCP, TCP_KEEPCNT, PLAIN},
};

static const struct option *option_of(int level, int name) {
  for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++)
    if (OPTIONS[i].level == level && OPTIONS[i].name == name) return &OPTIONS[i];
  errno = ENOPROTOOPT;
  return NULL;
}

static int setsockopt_(int fd, int level, int name, const void *value, uint32_t size) {
  // Sent messages never raise SIGPIPE here.
  if (level == DARWIN_SOCKET && name == NOSIGPIPE) return 0;
  const struct option *option = option_of(level, name);
  if (option == NULL) return -1;
  if (option->form != TIME) return setsockopt(fd, option->linux_level, option->linux_name, value, size);
  // Microseconds have 32 bits there, and padding behind them.
  const struct {
    int64_t seconds;
    int32_t microseconds;
  } *time = value;
  struct timeval linux = {time->seconds, time->microseconds};
  return setsockopt(fd, option->linux_level, option->linux_name, &linux, sizeof linux);
}

static int getsockopt_(int fd, int level, int name, void *value, uint32_t *size) {
  const struct option *option = option_of(level, name);
  if (option == NULL) return -1;
  int result = getsockopt(fd, option->linux_level, option->linux_name, value, size);
  if (result == 0 && option->form == ERROR && *size == sizeof(int)) {
    int error;
    memcpy(&error, value, sizeof error);
    error = darwin_error(error);
    memcpy(value, &error, sizeof error);
  }
  return result;
}

static int getpeereid_(int fd, uint32_t *user, uint32_t *group) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
  *user = peer.uid;
  *group = peer.gid;
  return 0;
}

const struct shim OPTION_SHIMS[] = {
    {"_setsockopt", setsockopt_}, {"_getsockopt", getsockopt_}, {"_getpeereid", getpeereid_}, {NULL, NULL}};
