// Wrong images that the loader must refuse, saying what is wrong and where: a program that ld64.lld linked, with one thing
// changed and (but for the first cases) signed anew, so that only that one thing is wrong.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MutableImage, SECTION, SEGMENT } from './mutated.js';
import { type DarwinWorkshop, darwinWorkshop } from './programs.js';

const SOURCE = 'fn main() { println!("it ran {:?}", std::env::current_dir().is_ok()); }';
const CHAINED = ['-Clink-arg=-Wl,-fixup_chains', '-Clink-arg=-mmacosx-version-min=13.0'];

const test = suite('refused images of macOS');
let workshop: DarwinWorkshop;
let plain: Buffer;
let chained: Buffer;
let unsigned: Buffer;

test.before(() => {
  workshop = darwinWorkshop('x86_64-apple-darwin');
  plain = readFileSync(workshop.compile('plain', SOURCE));
  chained = readFileSync(workshop.compile('chained', SOURCE, ...CHAINED));
  unsigned = readFileSync(workshop.compile('unsigned', SOURCE, '-Clink-arg=-Wl,-no_adhoc_codesign'));
});

function loaded(bytes: Uint8Array): { readonly status: number; readonly text: string } {
  const program = workshop.path('changed');
  writeFileSync(program, bytes);
  chmodSync(program, 0o755);
  const said = workshop.run(program);
  return { status: said.status, text: said.stdout + said.stderr };
}

test('what is not changed runs', () => {
  for (const bytes of [plain, chained, new MutableImage(plain).signed().bytes]) {
    assert.equal(loaded(bytes), { status: 0, text: 'it ran true\n' });
  }
});

/** A universal file with this program as its second slice. */
function universal(bytes: Buffer): Buffer {
  const start = 0x4000;
  const head = Buffer.alloc(start);
  const entry = (type: number, subtype: number, offset: number, size: number): readonly number[] => [
    type,
    subtype,
    offset,
    size,
    14,
  ];
  const words = [0xcafebabe, 2, ...entry(0x0100000c, 0, 0x3000, 0x100), ...entry(0x01000007, 3, start, bytes.length)];
  words.forEach((word, index) => head.writeUInt32BE(word, 4 * index));
  return Buffer.concat([head, bytes]);
}

test('of a universal file the slice of the machine runs', () => {
  assert.equal(loaded(universal(plain)), { status: 0, text: 'it ran true\n' });
});

interface Case {
  readonly name: string;
  readonly form?: 'chained';
  readonly change: (image: MutableImage) => MutableImage;
  readonly said: RegExp;
}

const CASES: readonly Case[] = [
  {
    name: 'a byte of code after it was signed',
    change: (image) => image.flip(0x5123),
    said: /changed: page 5 \(offsets 0x5000 to 0x6000\) was changed after it was signed: its SHA-256 is [0-9a-f]{64}, signed was/,
  },
  {
    name: 'a byte of __LINKEDIT after it was signed',
    change: (image) => image.flip(image.codeDirectory() - 100),
    said: /page \d+ .* was changed after it was signed/,
  },
  {
    name: 'a hash of the signature',
    change: (image) => image.flip(image.codeDirectory() + image.bytes.readUInt32BE(image.codeDirectory() + 16) + 32),
    said: /page 1 \(offsets 0x1000 to 0x2000\) was changed/,
  },
  {
    name: 'a signature that does not cover all',
    change: (image) => {
      const at = image.codeDirectory() + 32;
      image.bytes.writeUInt32BE(image.bytes.readUInt32BE(at) - 0x1000, at);
      return image;
    },
    said: /the CodeDirectory covers 0x[0-9a-f]+ bytes, the signature begins at 0x/,
  },
  {
    name: 'a signature that nobody made',
    change: (image) => {
      image.bytes.writeUInt32BE(0, image.codeDirectory() + 12);
      return image;
    },
    said: /the CodeDirectory has flags 0x0: neither ad-hoc nor signed by anybody/,
  },
  {
    name: 'a segment that is writable and executable',
    change: (image) =>
      image.set32(image.segment('__TEXT') + SEGMENT.maximum, 7).set32(image.segment('__TEXT') + SEGMENT.initial, 7),
    said: /segment __TEXT is writable and executable at once/,
  },
  {
    name: 'a protection over its maximum',
    change: (image) => image.set32(image.segment('__TEXT') + SEGMENT.maximum, 1),
    said: /segment __TEXT begins with protection 0x5, over its maximum 0x1/,
  },
  {
    name: 'segments that overlap in memory',
    change: (image) => image.add64(image.segment('__DATA') + SEGMENT.address, -0x1000),
    said: /segment __DATA at 0x[0-9a-f]+ overlaps __TEXT, whose pages end at 0x/,
  },
  {
    name: 'segments that overlap in the file',
    change: (image) => image.add64(image.segment('__DATA') + SEGMENT.offset, -0x1000),
    said: /segment __DATA at offset 0x[0-9a-f]+ overlaps __TEXT/,
  },
  {
    name: 'a segment that is not aligned',
    change: (image) => image.add64(image.segment('__DATA') + SEGMENT.address, 0x10),
    said: /segment __DATA at 0x[0-9a-f]+ is not aligned to a page of 0x1000/,
  },
  {
    name: 'a section outside of its segment',
    change: (image) => image.add64(image.section('__TEXT', '__const') + SECTION.address, 0x10000000),
    said: /section __TEXT,__const at 0x[0-9a-f]+ of 0x[0-9a-f]+ bytes lies outside of its segment/,
  },
  {
    name: 'a section whose bytes lie elsewhere',
    change: (image) => image.set32(image.section('__TEXT', '__text') + SECTION.offset, 0x8000),
    said: /section __TEXT,__text .* not its place in the segment/,
  },
  {
    name: 'sections that overlap',
    change: (image) => image.add64(image.section('__TEXT', '__text') + SECTION.size, 0x100),
    said: /sections __TEXT,__text and __TEXT,__stubs overlap at 0x/,
  },
  {
    name: 'a fixup outside of its segment',
    change: (image) => {
      // Segment 2, offset 0xffff0, one pointer.
      Buffer.from([0x11, 0x22, 0xf0, 0xff, 0x3f, 0x51, 0x00]).copy(image.bytes, image.rebase());
      return image;
    },
    said: /the rebase information: a fixup at 0xffff0 lies outside of segment __DATA/,
  },
  {
    name: 'a fixup in code',
    change: (image) => {
      Buffer.from([0x11, 0x21, 0x80, 0x20, 0x51, 0x00]).copy(image.bytes, image.rebase());
      return image;
    },
    said: /the rebase information: a fixup at 0x1000 of segment __TEXT, which is not writable/,
  },
  {
    name: 'another processor',
    change: (image) => image.set32(4, 0x0100000c),
    said: /is for CPU type 0x0100000c, this machine is 0x01000007/,
  },
  {
    name: 'a name that no library has',
    change: (image) => {
      const at = image.bytes.lastIndexOf('_getcwd\0', image.codeDirectory());
      const first = image.bytes.indexOf('_getcwd\0');
      for (const place of [first, at]) image.bytes.write('_getcwx', place, 'latin1');
      return image;
    },
    said: /1 symbols are not found: _getcwx \(of \/usr\/lib\/libSystem\.B\.dylib\)/,
  },
  {
    name: 'chained pointers of an unknown format',
    form: 'chained',
    change: (image) => {
      const starts = image.chained() + image.bytes.readUInt32LE(image.chained() + 4);
      for (let index = 0; index < image.bytes.readUInt32LE(starts); index++) {
        const offset = image.bytes.readUInt32LE(starts + 4 + 4 * index);
        if (offset !== 0) image.bytes.writeUInt16LE(1, starts + offset + 6);
      }
      return image;
    },
    said: /the chained fixups: pointers of format 1; known are 2 and 6/,
  },
  {
    name: 'chained imports of an unknown format',
    form: 'chained',
    change: (image) => image.set32(image.chained() + 20, 9),
    said: /the chained fixups have imports of format 9/,
  },
  {
    name: 'unwind information of another version',
    change: (image) =>
      image.set32(image.bytes.readUInt32LE(image.section('__TEXT', '__unwind_info') + SECTION.offset), 7),
    said: /__unwind_info has version 7/,
  },
];

// What these change is the signature's own, or what it must find.
const NOT_SIGNED_AGAIN = new Set(CASES.slice(0, 5));

for (const each of CASES) {
  test(each.name, () => {
    const image = each.change(new MutableImage(each.form === 'chained' ? chained : plain));
    const { status, text } = loaded((NOT_SIGNED_AGAIN.has(each) ? image : image.signed()).bytes);
    assert.match(text, each.said);
    assert.is(status, 126);
  });
}

test('a file that is not signed', () => {
  const { status, text } = loaded(unsigned);
  assert.match(text, /changed: is not signed: no LC_CODE_SIGNATURE/);
  assert.is(status, 126);
});

test('a file that is cut off', () => {
  for (const size of [10, 100, 0x3000, plain.length - 1]) {
    const { status, text } = loaded(plain.subarray(0, size));
    assert.match(text, /^machorun: .*changed: /);
    assert.is(status, 126, `${size} bytes: ${text}`);
  }
});

test.after(() => workshop.remove());

test.run();
