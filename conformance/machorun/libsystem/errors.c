// errno as macOS numbers it (<sys/errno.h>). A call that failed left Linux's number behind, and it is translated when
// the program asks for it, so functions that mean the same on both need no wrapper.
#include "../shims.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

// Linux's number at the index of macOS's; 1 to 34 but EDEADLK are the same.
static const uint8_t LINUX[107] = {
    [11] = EDEADLK,         [35] = EAGAIN,       [36] = EINPROGRESS,  [37] = EALREADY,     [38] = ENOTSOCK,
    [39] = EDESTADDRREQ,    [40] = EMSGSIZE,     [41] = EPROTOTYPE,   [42] = ENOPROTOOPT,  [43] = EPROTONOSUPPORT,
    [44] = ESOCKTNOSUPPORT, [45] = EOPNOTSUPP,   [46] = EPFNOSUPPORT, [47] = EAFNOSUPPORT, [48] = EADDRINUSE,
    [49] = EADDRNOTAVAIL,   [50] = ENETDOWN,     [51] = ENETUNREACH,  [52] = ENETRESET,    [53] = ECONNABORTED,
    [54] = ECONNRESET,      [55] = ENOBUFS,      [56] = EISCONN,      [57] = ENOTCONN,     [58] = ESHUTDOWN,
    [59] = ETOOMANYREFS,    [60] = ETIMEDOUT,    [61] = ECONNREFUSED, [62] = ELOOP,        [63] = ENAMETOOLONG,
    [64] = EHOSTDOWN,       [65] = EHOSTUNREACH, [66] = ENOTEMPTY,    [68] = EUSERS,       [69] = EDQUOT,
    [70] = ESTALE,          [77] = ENOLCK,       [78] = ENOSYS,       [84] = EOVERFLOW,    [89] = ECANCELED,
    [90] = EIDRM,           [91] = ENOMSG,       [92] = EILSEQ,       [94] = EBADMSG,      [96] = ENODATA,
    [98] = ENOSR,           [99] = ENOSTR,       [100] = EPROTO,      [101] = ETIME,       [105] = EOWNERDEAD,
};

int linux_error(int number) {
  if (number >= 0 && number < (int)sizeof LINUX && LINUX[number] != 0) return LINUX[number];
  return number > 0 && number < 35 ? number : number == 0 ? 0 : EIO;
}

int darwin_error(int number) {
  if (number <= 0) return number;
  for (int i = 0; i < (int)sizeof LINUX; i++)
    if (LINUX[i] == number) return i;
  return number < 35 && number != EAGAIN ? number : 5 /* EIO: a number that macOS has not */;
}

static __thread int current;

static int *error_place(void) {
  if (errno != 0) {
    current = darwin_error(errno);
    errno = 0;
  }
  return &current;
}

static int strerror_r_(int number, char *buffer, size_t size) {
  // The index of no error: what Linux calls it has another number only.
  int known = linux_error(number);
  const char *text = strerrordesc_np(known);
  if (number != darwin_error(known) || text == NULL) {
    snprintf(buffer, size, "Unknown error: %d", number);
    return 22;
  }
  return snprintf(buffer, size, "%s", text) < (int)size ? 0 : 34;
}

static char *strerror_(int number) {
  static __thread char text[128];
  strerror_r_(number, text, sizeof text);
  return text;
}

const struct shim ERROR_SHIMS[] = {
    {"___error", error_place},
    {"_strerror_r", strerror_r_},
    {"_strerror", strerror_},
    {NULL, NULL},
};
