// kqueue (<sys/event.h>) on epoll: EVFILT_READ, EVFILT_WRITE, EVFILT_USER and EVFILT_TIMER, which is what event loops
// of Rust use. Other filters are refused with ENOTSUP.
#include "../shims.h"
#include "files.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { READ = -1, WRITE = -2, TIMER = -7, USER = -10 };
enum { ADD = 1, DELETE = 2, ENABLE = 4, DISABLE = 8, ONESHOT = 0x10, CLEAR = 0x20, RECEIPT = 0x40, DISPATCH = 0x80 };
enum { FAILED = 0x4000, END = 0x8000 };
enum { TRIGGER = 0x01000000, SECONDS = 1, MICROSECONDS = 2, NANOSECONDS = 4 };
#define MAX_FDS 65536
#define MAX_EVENTS 256

struct event {
  uint64_t ident;
  int16_t filter;
  uint16_t flags;
  uint32_t fflags;
  int64_t data;
  uint64_t udata;
};

// What is watched. What epoll gives back is its file descriptor: that of the program, of the timer, or of the wake-up.
struct note {
  struct note *next;
  struct event as;
  int fd;
  bool enabled, triggered;
};
struct queue {
  struct queue *next;
  struct note *notes;
  int wake; // readable while a user event is triggered
  int references;
};

static struct queue *queues, *by_fd[MAX_FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int kqueue_(void) {
  int fd = epoll_create1(0), wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = wake};
  if (fd < 0 || wake < 0 || fd >= MAX_FDS || epoll_ctl(fd, EPOLL_CTL_ADD, wake, &event) != 0) {
    if (fd >= 0) close(fd);
    if (wake >= 0) close(wake);
    return -1;
  }
  struct queue *queue = calloc(1, sizeof *queue);
  *queue = (struct queue){.wake = wake, .references = 1};
  pthread_mutex_lock(&lock);
  queue->next = queues;
  queues = by_fd[fd] = queue;
  pthread_mutex_unlock(&lock);
  return fd;
}

int note_copy(int fd, int copy) {
  if (fd < 0 || copy < 0 || fd >= MAX_FDS || copy >= MAX_FDS || by_fd[fd] == NULL || fd == copy) return copy;
  pthread_mutex_lock(&lock);
  by_fd[copy] = by_fd[fd];
  by_fd[copy]->references++;
  pthread_mutex_unlock(&lock);
  return copy;
}

static void free_note(struct note *note) {
  if (note->as.filter == TIMER) close(note->fd);
  free(note);
}

static void free_queue(struct queue *queue) {
  for (struct queue **at = &queues; *at != NULL; at = &(*at)->next) {
    if (*at != queue) continue;
    *at = queue->next;
    break;
  }
  while (queue->notes != NULL) {
    struct note *note = queue->notes;
    queue->notes = note->next;
    free_note(note);
  }
  close(queue->wake);
  free(queue);
}

// What watches a closed descriptor goes, as epoll's own entry does.
static void forget_fd(struct queue *queue, int fd) {
  for (struct note **at = &queue->notes; *at != NULL;) {
    struct note *note = *at;
    if (note->fd == fd && (note->as.filter == READ || note->as.filter == WRITE)) {
      *at = note->next;
      free_note(note);
    } else {
      at = &note->next;
    }
  }
}

void note_closed(int fd) {
  if (fd < 0 || fd >= MAX_FDS || queues == NULL) return;
  pthread_mutex_lock(&lock);
  for (struct queue *each = queues; each != NULL; each = each->next) forget_fd(each, fd);
  if (by_fd[fd] != NULL && --by_fd[fd]->references == 0) free_queue(by_fd[fd]);
  by_fd[fd] = NULL;
  pthread_mutex_unlock(&lock);
}

static struct note **find(struct queue *queue, uint64_t ident, int filter) {
  struct note **at = &queue->notes;
  while (*at != NULL && ((*at)->as.ident != ident || (*at)->as.filter != filter)) at = &(*at)->next;
  return at;
}

// One entry of epoll stands for all that is watched of a descriptor. 0 or an error of Linux.
static int watch(int epoll, struct queue *queue, int fd) {
  struct epoll_event event = {.data.fd = fd};
  for (const struct note *each = queue->notes; each != NULL; each = each->next) {
    if (each->fd != fd || !each->enabled) continue;
    event.events |= each->as.filter == WRITE ? EPOLLOUT : EPOLLIN | EPOLLRDHUP;
    if ((each->as.flags & CLEAR) && each->as.filter != TIMER) event.events |= EPOLLET;
  }
  if (event.events == 0) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
    return 0;
  }
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
  return errno == ENOENT && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

static int set_timer(const struct note *note) {
  uint64_t unit = note->as.fflags & SECONDS        ? 1000000000
                  : note->as.fflags & MICROSECONDS ? 1000
                  : note->as.fflags & NANOSECONDS  ? 1
                                                   : 1000000;
  uint64_t nanoseconds = note->as.data <= 0 ? 1 : (uint64_t)note->as.data * unit;
  struct timespec time = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
  struct itimerspec times = {.it_value = time};
  if (!(note->as.flags & ONESHOT)) times.it_interval = time;
  return timerfd_settime(note->fd, 0, &times, NULL) == 0 ? 0 : errno;
}

static void wake(const struct queue *queue) {
  uint64_t one = 1;
  if (write(queue->wake, &one, sizeof one) < 0) errno = 0; // full: it is awake
}

static int change(int epoll, struct queue *queue, const struct event *event) {
  int filter = event->filter;
  if (filter != READ && filter != WRITE && filter != TIMER && filter != USER) return EOPNOTSUPP;
  struct note **at = find(queue, event->ident, filter), *note = *at;
  if (event->flags & DELETE) {
    if (note == NULL) return ENOENT;
    *at = note->next;
    int fd = note->fd;
    if (filter == READ || filter == WRITE) watch(epoll, queue, fd);
    free_note(note);
    return 0;
  }
  bool new = note == NULL;
  if (new && !(event->flags & ADD)) return ENOENT;
  if (new) {
    note = calloc(1, sizeof *note);
    note->as = *event;
    note->enabled = true;
    note->fd = filter == TIMER  ? timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)
               : filter == USER ? -1
                                : (int)event->ident;
    note->next = queue->notes;
    queue->notes = note;
  }
  if (event->flags & ADD) note->as = *event;
  if (event->flags & (ENABLE | DISABLE)) note->enabled = (event->flags & ENABLE) != 0;
  if (filter == USER) {
    if (event->fflags & TRIGGER) {
      note->triggered = true;
      note->as.fflags = event->fflags & 0xffffff;
      wake(queue);
    }
    return 0;
  }
  int error = filter == TIMER ? set_timer(note) : 0;
  if (error == 0) error = watch(epoll, queue, note->fd);
  if (error != 0 && new) {
    queue->notes = note->next;
    free_note(note);
  }
  return error;
}

// A note is given; what it is only once is over then.
static void give(int epoll, struct queue *queue, struct note *note, struct event *to) {
  *to = note->as;
  to->flags &= (uint16_t)~(ADD | ENABLE | RECEIPT);
  if (note->as.flags & DISPATCH) note->enabled = false;
  if (note->as.flags & ONESHOT) {
    struct note **at = find(queue, note->as.ident, note->as.filter);
    *at = note->next;
    int fd = note->fd;
    free_note(note);
    if (fd >= 0) watch(epoll, queue, fd);
  } else if ((note->as.flags & DISPATCH) && note->fd >= 0) {
    watch(epoll, queue, note->fd);
  }
}

static int give_user_events(int epoll, struct queue *queue, struct event *to, int room) {
  uint64_t count;
  if (read(queue->wake, &count, sizeof count) < 0) errno = 0;
  int given = 0;
  for (struct note *each = queue->notes, *next; each != NULL; each = next) {
    next = each->next;
    if (each->as.filter != USER || !each->triggered || !each->enabled) continue;
    if (given == room) {
      wake(queue);
      break;
    }
    if (each->as.flags & CLEAR) each->triggered = false;
    else wake(queue);
    give(epoll, queue, each, &to[given++]);
  }
  return given;
}

static int give_fd_events(int epoll, struct queue *queue, const struct epoll_event *from, struct event *to, int room) {
  int given = 0, fd = from->data.fd;
  uint32_t seen = from->events;
  for (struct note *each = queue->notes, *next; each != NULL && given < room; each = next) {
    next = each->next;
    int filter = each->as.filter;
    if (each->fd != fd || !each->enabled) continue;
    if (filter == READ && !(seen & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) continue;
    if (filter == WRITE && !(seen & (EPOLLOUT | EPOLLHUP | EPOLLERR))) continue;
    // Before the note is given: a timer that is over then is closed.
    int64_t data = 0;
    uint64_t times = 0;
    int waiting = 0;
    if (filter == TIMER && read(fd, &times, sizeof times) < 0) continue;
    if (filter == TIMER) data = (int64_t)times;
    if (filter == READ && ioctl(fd, FIONREAD, &waiting) == 0) data = waiting;
    struct event event;
    give(epoll, queue, each, &event);
    event.data = data;
    if (filter == READ && (seen & (EPOLLRDHUP | EPOLLHUP))) event.flags |= END;
    if (filter == WRITE && (seen & (EPOLLHUP | EPOLLERR))) event.flags |= END;
    // A socket's error would be in fflags; to ask for it here would take it from the program.
    to[given++] = event;
  }
  errno = 0;
  return given;
}

static int milliseconds(const struct timespec *timeout) {
  if (timeout == NULL) return -1;
  if (timeout->tv_sec > 1000000) return 1000000000;
  return (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000);
}

// The changes; those that fail, and receipts, are events of their own. -1 and errno where there is no room for one.
static int apply_changes(int fd, struct queue *queue, const struct event *changes, int count, struct event *to,
                         int room) {
  int given = 0;
  for (int i = 0; i < count; i++) {
    struct event event = changes[i];
    int error = change(fd, queue, &event);
    if (error == 0 && !(event.flags & RECEIPT)) continue;
    if (given == room) {
      errno = error;
      return -1;
    }
    event.flags = FAILED;
    event.data = darwin_error(error);
    to[given++] = event;
  }
  return given;
}

static int kevent_(int fd, const struct event *changes, int change_count, struct event *to, int room,
                   const struct timespec *timeout) {
  struct event copies[MAX_EVENTS];
  if (change_count > MAX_EVENTS || fd < 0 || fd >= MAX_FDS || by_fd[fd] == NULL) {
    errno = fd < 0 || fd >= MAX_FDS || by_fd[fd] == NULL ? EBADF : EINVAL;
    return -1;
  }
  // The two lists may be the same memory.
  if (change_count > 0) memcpy(copies, changes, (size_t)change_count * sizeof *copies);
  pthread_mutex_lock(&lock);
  int given = apply_changes(fd, by_fd[fd], copies, change_count, to, room);
  pthread_mutex_unlock(&lock);
  if (given != 0 || room == 0) return given;
  for (;;) {
    struct epoll_event found[MAX_EVENTS];
    // A descriptor may become two events.
    int most = room > 2 * MAX_EVENTS ? MAX_EVENTS : (room + 1) / 2;
    int count = epoll_wait(fd, found, most, milliseconds(timeout));
    if (count <= 0) return count;
    pthread_mutex_lock(&lock);
    struct queue *queue = by_fd[fd];
    for (int i = 0; queue != NULL && i < count; i++)
      given += found[i].data.fd == queue->wake ? give_user_events(fd, queue, to + given, room - given)
                                               : give_fd_events(fd, queue, &found[i], to + given, room - given);
    pthread_mutex_unlock(&lock);
    if (given != 0 || timeout != NULL) return given;
  }
}

const struct shim KQUEUE_SHIMS[] = {{"_kqueue", kqueue_}, {"_kevent", kevent_}, {NULL, NULL}};
