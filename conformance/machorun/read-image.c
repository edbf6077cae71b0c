// A file of Mach-O as an image: read whole into private memory, so that what is verified is what is mapped.
#include "machorun.h"
#include "mach-o.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_SIZE (1ull << 32)

#ifdef __aarch64__
#define CPU_TYPE CPU_TYPE_ARM64
#else
#define CPU_TYPE CPU_TYPE_X86_64
#endif

static struct span read_whole(struct image *image) {
  int fd = open(image->path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) refuse(image, "cannot be opened: %s", strerror(errno));
  uint64_t size = (uint64_t)status.st_size;
  if (!S_ISREG(status.st_mode) || size < 32 || size > MAX_FILE_SIZE) {
    close(fd);
    refuse(image, "is no Mach-O file (0x%lx bytes)", size);
  }
  image->device = status.st_dev;
  image->inode = status.st_ino;
  uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t done = 0;
  while (bytes != MAP_FAILED && done < size) {
    ssize_t count = read(fd, bytes + done, size - done);
    if (count <= 0) break;
    done += (uint64_t)count;
  }
  close(fd);
  if (done < size) refuse(image, "could be read only up to 0x%lx", done);
  mprotect(bytes, size, PROT_READ);
  return (struct span){bytes, size};
}

// Of a fat file the slice of this machine; any other file as it is.
static struct span own_slice(const struct image *image, struct span file) {
  if (read32be(file.at) != FAT_MAGIC) return file;
  uint32_t count = read32be(file.at + 4);
  for (uint32_t i = 0; i < count; i++) {
    struct span entry = part(image, file, 8 + 20ull * i, 20, "the table of a fat file");
    if (read32be(entry.at) != CPU_TYPE || (read32be(entry.at + 4) & 0xffffff) == 2 /* arm64e */) continue;
    uint32_t offset = read32be(entry.at + 8), size = read32be(entry.at + 12);
    if (offset % PAGE != 0) refuse(image, "its slice at 0x%x is not aligned to a page of 0x%x", offset, PAGE);
    return part(image, file, offset, size, "a slice of a fat file");
  }
  refuse(image, "has no slice for this machine");
}

struct image *read_image(const char *path) {
  struct image *image = calloc(1, sizeof *image);
  image->path = strdup(path);
  image->sections = calloc(MAX_SECTIONS, sizeof *image->sections);
  image->file = own_slice(image, read_whole(image));
  const uint8_t *header = part(image, image->file, 0, 32, "the header").at;
  if (read32(header) != MH_MAGIC_64) refuse(image, "is no 64-bit Mach-O file: magic 0x%08x", read32(header));
  if (read32(header + 4) != CPU_TYPE)
    refuse(image, "is for CPU type 0x%08x, this machine is 0x%08x", read32(header + 4), CPU_TYPE);
  image->type = read32(header + 12);
  image->flags = read32(header + 24);
  if (image->type != MH_EXECUTE && image->type != MH_DYLIB && image->type != MH_BUNDLE)
    refuse(image, "has file type %u: neither executable, dylib nor bundle", image->type);
  if (!(image->flags & MH_TWOLEVEL)) refuse(image, "has no two-level namespace (flags 0x%x)", image->flags);
  if (image->type == MH_EXECUTE && !(image->flags & MH_PIE))
    refuse(image, "is not position-independent (flags 0x%x)", image->flags);
  read_load_commands(image);
  check_image(image);
  verify_signature(image);
  return image;
}
