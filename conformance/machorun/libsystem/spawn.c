// posix_spawn (<spawn.h>): attributes and actions are pointers there, with sets and flags of macOS.
#include "../shims.h"
#include "launch.h"
#include "signals.h"
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>

extern char **environ;

enum { KNOWN_FLAGS = 0xf }; // RESETIDS, SETPGROUP, SETSIGDEF and SETSIGMASK are the same

static int attributes_init(posix_spawnattr_t **at) {
  *at = calloc(1, sizeof **at);
  return RETURNED(posix_spawnattr_init(*at));
}
static int attributes_destroy(posix_spawnattr_t **at) {
  posix_spawnattr_destroy(*at);
  free(*at);
  return 0;
}
static int set_flags(posix_spawnattr_t **at, short flags) {
  return flags & ~KNOWN_FLAGS ? 45 : RETURNED(posix_spawnattr_setflags(*at, flags));
}
static int set_group(posix_spawnattr_t **at, int group) { return RETURNED(posix_spawnattr_setpgroup(*at, group)); }
static int set_default(posix_spawnattr_t **at, const uint32_t *set) {
  sigset_t linux = linux_set(*set);
  return RETURNED(posix_spawnattr_setsigdefault(*at, &linux));
}
static int set_mask(posix_spawnattr_t **at, const uint32_t *set) {
  sigset_t linux = linux_set(*set);
  return RETURNED(posix_spawnattr_setsigmask(*at, &linux));
}

static int actions_init(posix_spawn_file_actions_t **at) {
  *at = calloc(1, sizeof **at);
  return RETURNED(posix_spawn_file_actions_init(*at));
}
static int actions_destroy(posix_spawn_file_actions_t **at) {
  posix_spawn_file_actions_destroy(*at);
  free(*at);
  return 0;
}
static int add_dup2(posix_spawn_file_actions_t **at, int from, int to) {
  return RETURNED(posix_spawn_file_actions_adddup2(*at, from, to));
}
static int add_close(posix_spawn_file_actions_t **at, int fd) {
  return RETURNED(posix_spawn_file_actions_addclose(*at, fd));
}
static int add_folder(posix_spawn_file_actions_t **at, const char *path) {
  return RETURNED(posix_spawn_file_actions_addchdir_np(*at, path));
}

static int start(int *process, const char *name, bool by_name, posix_spawn_file_actions_t **actions,
                 posix_spawnattr_t **attributes, char *const arguments[], char *const environment[]) {
  struct launch launch;
  int error = prepare_launch(name, by_name, arguments, &launch);
  if (error == 0)
    error =
        posix_spawn(process, launch.path, actions == NULL ? NULL : *actions, attributes == NULL ? NULL : *attributes,
                    launch.arguments, environment == NULL ? environ : environment);
  end_launch(&launch);
  return darwin_error(error);
}
static int spawn(int *process, const char *path, posix_spawn_file_actions_t **actions, posix_spawnattr_t **attributes,
                 char *const arguments[], char *const environment[]) {
  return start(process, path, false, actions, attributes, arguments, environment);
}
static int spawn_by_name(int *process, const char *name, posix_spawn_file_actions_t **actions,
                         posix_spawnattr_t **attributes, char *const arguments[], char *const environment[]) {
  return start(process, name, true, actions, attributes, arguments, environment);
}

const struct shim SPAWN_SHIMS[] = {
    {"_posix_spawn", spawn},
    {"_posix_spawnp", spawn_by_name},
    {"_posix_spawnattr_init", attributes_init},
    {"_posix_spawnattr_destroy", attributes_destroy},
    {"_posix_spawnattr_setflags", set_flags},
    {"_posix_spawnattr_setpgroup", set_group},
    {"_posix_spawnattr_setsigdefault", set_default},
    {"_posix_spawnattr_setsigmask", set_mask},
    {"_posix_spawn_file_actions_init", actions_init},
    {"_posix_spawn_file_actions_destroy", actions_destroy},
    {"_posix_spawn_file_actions_adddup2", add_dup2},
    {"_posix_spawn_file_actions_addclose", add_close},
    {"_posix_spawn_file_actions_addchdir_np", add_folder},
    {"_posix_spawn_file_actions_addchdir", add_folder},
    {NULL, NULL},
};
