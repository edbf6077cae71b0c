// Numbers and sets of signals, for all that take them.
#ifndef SIGNALS_H
#define SIGNALS_H
#include <signal.h>
#include <stdint.h>

// 0 or a number that Linux has not for what it does not know.
int linux_signal(int darwin);
int darwin_signal(int linux);
sigset_t linux_set(uint32_t darwin);
#endif
