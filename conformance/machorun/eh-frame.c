// __eh_frame: FDEs and their CIEs, copied with absolute pointers. libgcc searches one registered block per range of
// addresses, so all of an image's records must be in the same one.
#include "frames.h"
#include <string.h>

static const char *const WHAT = "__eh_frame";

enum { DW_EH_PE_absptr = 0, DW_EH_PE_udata4 = 3, DW_EH_PE_udata8 = 4, DW_EH_PE_sdata4 = 11, DW_EH_PE_sdata8 = 12 };
enum { DW_EH_PE_pcrel = 0x10, DW_EH_PE_indirect = 0x80, DW_EH_PE_omit = 0xff };

struct cursor {
  const struct image *image;
  const uint8_t *at, *end;
};

struct cie {
  uint8_t pointer_encoding, lsda_encoding, personality_encoding;
  uint64_t personality, code_factor, column;
  int64_t data_factor;
  bool signal, augmented;
  struct span instructions;
};

static uint8_t byte(struct cursor *c) {
  uint8_t value = *part(c->image, (struct span){c->at, (uint64_t)(c->end - c->at)}, 0, 1, WHAT).at;
  c->at++;
  return value;
}

static uint64_t pointer(struct cursor *c, uint8_t encoding) {
  const uint8_t *from = c->at;
  uint64_t value, size = (encoding & 7) == DW_EH_PE_udata4 ? 4 : 8;
  struct span bytes = part(c->image, (struct span){c->at, (uint64_t)(c->end - c->at)}, 0, size, WHAT);
  switch (encoding & 15) {
  case DW_EH_PE_absptr:
  case DW_EH_PE_udata8:
  case DW_EH_PE_sdata8: value = read64(bytes.at); break;
  case DW_EH_PE_udata4: value = read32(bytes.at); break;
  case DW_EH_PE_sdata4: value = (uint64_t)(int64_t)(int32_t)read32(bytes.at); break;
  default: refuse(c->image, "%s: a pointer of encoding 0x%02x", WHAT, encoding);
  }
  c->at += size;
  if ((encoding & 0x70) != 0 && (encoding & 0x70) != DW_EH_PE_pcrel)
    refuse(c->image, "%s: a pointer of encoding 0x%02x", WHAT, encoding);
  // Null stays null.
  if (value != 0 && (encoding & 0x70) == DW_EH_PE_pcrel) value += (uint64_t)from;
  return value;
}

static struct cursor record_at(const struct image *image, struct span eh_frame, uint64_t offset) {
  uint32_t length = read32(part(image, eh_frame, offset, 4, WHAT).at);
  if (length == 0 || length == 0xffffffff) refuse(image, "%s: a record of length 0x%x at 0x%lx", WHAT, length, offset);
  struct span body = part(image, eh_frame, offset + 4, length, WHAT);
  return (struct cursor){image, body.at, body.at + length};
}

static void read_augmentation(struct cursor *c, const char *letters, struct cie *cie) {
  uint64_t size = read_uleb(c->image, &c->at, c->end, WHAT);
  struct span data = part(c->image, (struct span){c->at, (uint64_t)(c->end - c->at)}, 0, size, WHAT);
  struct cursor in = {c->image, data.at, data.at + size};
  for (; *letters != 0; letters++) {
    switch (*letters) {
    case 'R': cie->pointer_encoding = byte(&in); break;
    case 'L': cie->lsda_encoding = byte(&in); break;
    case 'P':
      cie->personality_encoding = byte(&in);
      cie->personality = pointer(&in, cie->personality_encoding);
      if ((cie->personality_encoding & DW_EH_PE_indirect) && segment_at(c->image, cie->personality, 8) == NULL)
        refuse(c->image, "%s: a personality is to be read at %p, in no segment", WHAT, (void *)cie->personality);
      break;
    case 'S': cie->signal = true; break;
    default: refuse(c->image, "%s: an augmentation of letter '%c'", WHAT, *letters);
    }
  }
  c->at = data.at + size;
}

static struct cie read_cie(const struct image *image, struct span eh_frame, uint64_t offset) {
  struct cursor c = record_at(image, eh_frame, offset);
  struct cie cie = {.lsda_encoding = DW_EH_PE_omit, .personality_encoding = DW_EH_PE_omit};
  if (read32(part(image, (struct span){c.at, (uint64_t)(c.end - c.at)}, 0, 5, WHAT).at) != 0)
    refuse(image, "%s: what an FDE says is its CIE, at 0x%lx, is none", WHAT, offset);
  c.at += 4;
  uint8_t version = byte(&c);
  if (version != 1 && version != 3) refuse(image, "%s: a CIE of version %u at 0x%lx", WHAT, version, offset);
  const char *letters = read_string(image, (struct span){c.at, (uint64_t)(c.end - c.at)}, 0, WHAT);
  c.at += strlen(letters) + 1;
  cie.code_factor = read_uleb(image, &c.at, c.end, WHAT);
  cie.data_factor = read_sleb(image, &c.at, c.end, WHAT);
  cie.column = version == 1 ? byte(&c) : read_uleb(image, &c.at, c.end, WHAT);
  cie.augmented = *letters == 'z';
  if (!cie.augmented && *letters != 0) refuse(image, "%s: an augmentation \"%s\"", WHAT, letters);
  if (cie.augmented) read_augmentation(&c, letters + 1, &cie);
  cie.instructions = (struct span){c.at, (uint64_t)(c.end - c.at)};
  return cie;
}

static const uint8_t *put_cie(struct block *block, const struct cie *cie) {
  bool personality = cie->personality_encoding != DW_EH_PE_omit, lsda = cie->lsda_encoding != DW_EH_PE_omit;
  uint8_t *start = begin_record(block);
  put32(block, 0);
  put8(block, 3);
  put8(block, 'z');
  put8(block, 'R');
  if (personality) put8(block, 'P');
  if (lsda) put8(block, 'L');
  if (cie->signal) put8(block, 'S');
  put8(block, 0);
  put_uleb(block, cie->code_factor);
  put_sleb(block, cie->data_factor);
  put_uleb(block, cie->column);
  put_uleb(block, 1 + (personality ? 9 : 0) + (lsda ? 1 : 0));
  put8(block, DW_EH_PE_absptr);
  if (personality) {
    put8(block, cie->personality_encoding & DW_EH_PE_indirect);
    put64(block, cie->personality);
  }
  if (lsda) put8(block, DW_EH_PE_absptr);
  put_bytes(block, cie->instructions.at, cie->instructions.size);
  end_record(block, start);
  return start;
}

void copy_fde(const struct image *image, struct block *block, struct span eh_frame, uint64_t offset,
              uint64_t function) {
  struct cursor c = record_at(image, eh_frame, offset);
  uint32_t back = read32(part(image, (struct span){c.at, (uint64_t)(c.end - c.at)}, 0, 4, WHAT).at);
  if (back == 0 || back > offset + 4) refuse(image, "%s: the record at 0x%lx is no FDE", WHAT, offset);
  struct cie cie = read_cie(image, eh_frame, offset + 4 - back);
  c.at += 4;
  uint64_t begins = pointer(&c, cie.pointer_encoding), size = pointer(&c, cie.pointer_encoding & 15);
  if (function != 0 && begins != function)
    refuse(image, "%s: the FDE at 0x%lx is of the function at %p, the compact entry of the one at %p", WHAT, offset,
           (void *)begins, (void *)function);
  uint64_t lsda = 0;
  if (cie.augmented) {
    uint64_t length = read_uleb(image, &c.at, c.end, WHAT);
    struct span data = part(image, (struct span){c.at, (uint64_t)(c.end - c.at)}, 0, length, WHAT);
    struct cursor in = {image, data.at, data.at + length};
    if (cie.lsda_encoding != DW_EH_PE_omit && length != 0) lsda = pointer(&in, cie.lsda_encoding);
    c.at = data.at + length;
  }
  const uint8_t *cie_at = put_cie(block, &cie);
  uint8_t *start = begin_record(block);
  put_fde_head(block, start, cie_at, begins, size);
  put_uleb(block, cie.lsda_encoding == DW_EH_PE_omit ? 0 : 8);
  if (cie.lsda_encoding != DW_EH_PE_omit) put64(block, lsda);
  put_bytes(block, c.at, (uint64_t)(c.end - c.at));
  end_record(block, start);
}

void copy_all_fdes(const struct image *image, struct block *block, struct span eh_frame) {
  for (uint64_t offset = 0; offset + 4 <= eh_frame.size;) {
    uint32_t length = read32(eh_frame.at + offset);
    if (length == 0) return;
    struct cursor c = record_at(image, eh_frame, offset);
    if (read32(part(image, (struct span){c.at, length}, 0, 4, WHAT).at) != 0)
      copy_fde(image, block, eh_frame, offset, 0);
    offset += 4 + (uint64_t)length;
  }
}
