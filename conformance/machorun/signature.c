// The code signature: its CodeDirectory must hold the SHA-256 of every page before the signature, and each page must
// have it (<kern/cs_blobs.h>). Who signed is not asked: ad-hoc signatures, as linkers make them, are what runs.
#include "machorun.h"
#include "mach-o.h"
#include <string.h>

struct directory {
  uint32_t version, flags, hashes, pages, limit, page_size;
  struct span bytes;
};

static struct span code_directory(const struct image *image, bool *has_cms) {
  struct span all = image->signature;
  uint64_t offset = (uint64_t)(all.at - image->file.at);
  if (offset % 16 != 0) refuse(image, "the code signature at 0x%lx is not aligned to 16", offset);
  if (offset + all.size != image->file.size)
    refuse(image, "the code signature ends at 0x%lx, the file at 0x%lx", offset + all.size, image->file.size);
  part(image, all, 0, 12, "the code signature");
  if (read32be(all.at) != CSMAGIC_EMBEDDED_SIGNATURE)
    refuse(image, "the code signature has magic 0x%08x", read32be(all.at));
  all = part(image, all, 0, read32be(all.at + 4), "the code signature");
  uint32_t count = read32be(all.at + 8);
  struct span found = {NULL, 0};
  for (uint32_t i = 0; i < count; i++) {
    struct span entry = part(image, all, 12 + 8ull * i, 8, "the code signature's index");
    uint32_t at = read32be(entry.at + 4);
    struct span head = part(image, all, at, 8, "a blob of the code signature");
    struct span blob = part(image, all, at, read32be(head.at + 4), "a blob of the code signature");
    if (read32be(entry.at) == CSSLOT_CODEDIRECTORY) found = blob;
    // An empty one has a head alone.
    if (read32be(entry.at) == CSSLOT_SIGNATURESLOT && blob.size > 8) *has_cms = true;
  }
  if (found.at == NULL) refuse(image, "the code signature has no CodeDirectory");
  return found;
}

static void check_kind(const struct image *image, const struct directory *directory) {
  const uint8_t *at = directory->bytes.at;
  uint64_t start = (uint64_t)(image->signature.at - image->file.at);
  if (at[36] != 32 || at[37] != CS_HASHTYPE_SHA256)
    refuse(image, "the CodeDirectory has hashes of type %u and %u bytes, not SHA-256", at[37], at[36]);
  if (at[39] < 12 || at[39] > 16) refuse(image, "the CodeDirectory has pages of 2^%u bytes", at[39]);
  if (directory->limit != start)
    refuse(image, "the CodeDirectory covers 0x%x bytes, the signature begins at 0x%lx", directory->limit, start);
  uint64_t pages = ((uint64_t)directory->limit + directory->page_size - 1) / directory->page_size;
  if (directory->pages != pages) refuse(image, "the CodeDirectory has %u pages for %lu", directory->pages, pages);
  if (*read_string(image, directory->bytes, read32be(at + 20), "the CodeDirectory's identifier") == 0)
    refuse(image, "the CodeDirectory's identifier is empty");
  if (directory->version < CS_SUPPORTSEXECSEG) return;
  part(image, directory->bytes, 64, 24, "the executable segment of the CodeDirectory");
  uint64_t base = __builtin_bswap64(read64(at + 64)), limit = __builtin_bswap64(read64(at + 72));
  uint64_t flags = __builtin_bswap64(read64(at + 80));
  const struct segment *text = NULL;
  for (int i = 0; i < image->segment_count && text == NULL; i++)
    if (strcmp(image->segments[i].name, "__TEXT") == 0) text = &image->segments[i];
  if (base != text->offset || limit != text->file_size)
    refuse(image, "the CodeDirectory says that __TEXT is 0x%lx bytes at 0x%lx, it is 0x%lx at 0x%lx", limit, base,
           text->file_size, text->offset);
  if ((image->type == MH_EXECUTE) != ((flags & CS_EXECSEG_MAIN_BINARY) != 0))
    refuse(image, "the CodeDirectory has flags 0x%lx of the executable segment, the file type is %u", flags,
           image->type);
}

static void hex(char text[65], const uint8_t digest[32]) {
  for (int i = 0; i < 32; i++) {
    text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  text[64] = 0;
}

void verify_signature(const struct image *image) {
  if (image->signature.size == 0) refuse(image, "is not signed: no LC_CODE_SIGNATURE");
  bool has_cms = false;
  struct span bytes = code_directory(image, &has_cms);
  const uint8_t *at = part(image, bytes, 0, 44, "the CodeDirectory").at;
  if (read32be(at) != CSMAGIC_CODEDIRECTORY) refuse(image, "the CodeDirectory has magic 0x%08x", read32be(at));
  struct directory directory = {
      .version = read32be(at + 8),
      .flags = read32be(at + 12),
      .hashes = read32be(at + 16),
      .pages = read32be(at + 28),
      .limit = read32be(at + 32),
      .page_size = 1u << (at[39] & 31),
      .bytes = bytes,
  };
  if (!(directory.flags & CS_ADHOC) && !has_cms)
    refuse(image, "the CodeDirectory has flags 0x%x: neither ad-hoc nor signed by anybody", directory.flags);
  check_kind(image, &directory);
  struct span hashes = part(image, bytes, directory.hashes, 32ull * directory.pages, "the hashes of the CodeDirectory");
  for (uint32_t i = 0; i < directory.pages; i++) {
    uint64_t start = (uint64_t)i * directory.page_size, end = start + directory.page_size;
    if (end > directory.limit) end = directory.limit;
    uint8_t digest[32];
    sha256(image->file.at + start, end - start, digest);
    if (memcmp(digest, hashes.at + 32ull * i, 32) == 0) continue;
    char is[65], wanted[65];
    hex(is, digest);
    hex(wanted, hashes.at + 32ull * i);
    refuse(image, "page %u (offsets 0x%lx to 0x%lx) was changed after it was signed: its SHA-256 is %s, signed was %s",
           i, start, end, is, wanted);
  }
  say("%s: %u pages have their hashes", image->path, directory.pages);
}
