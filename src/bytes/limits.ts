// Limits on all that is read from input, in one place: counts, sizes and nesting. They are far above what any real
// file holds; they bound the time and memory that a broken or hostile one can cost. Who checks a count against the
// bytes that are really there does that first; these are for what the bytes alone do not bound.

export const LIMITS = {
  /** Sections of one file. The largest real object seen has 12 thousand. */
  sections: 4_000_000,
  /** Sections of one file together may be this many times as long as the file: they lie side by side. */
  sectionReuse: 2,
  /** A packed section is at most this many times as long once unpacked: deflate cannot do more. */
  unpacking: 1_100,
  /** Symbols of one table. */
  symbols: 64_000_000,
  /** Relocations of one section. */
  relocations: 64_000_000,
  /** Members of one archive. */
  archiveMembers: 1_000_000,
  /** Segments (program headers) of one file. */
  segments: 65_535,
  /** Entries of a dynamic table. */
  dynamicEntries: 100_000,
  /** CIEs and FDEs of one `.eh_frame`. */
  unwindRecords: 16_000_000,
  /** Attributes of one DWARF abbreviation. */
  dwarfAttributes: 1_000,
  /** Pointers, arrays and aliases behind one another in one unnamed type. */
  typeDepth: 100,
  /** Characters of all layouts of one object as text. The largest real object seen has a hundredth. */
  layoutText: 200_000_000,
  /** All full paths of types together may be this many times as long as the section that describes them. */
  typePathReuse: 64,
  /** Bytes of one name. Generic instances reach tens of thousands. */
  nameBytes: 4_000_000,
  /** Names of one string table may be this many times as long as the table, all together: tails are shared, not more. */
  nameReuse: 16,
  /** What is linked may be this many times as large as the sections it is made of; tables and page ends come to less. */
  linkedTimes: 16,
  /** And as many bytes larger: room for a few sections that are aligned for large pages (2 MiB on both machines). */
  linkedPadding: 16 * 1024 * 1024,
  /** Characters that one demangled name may have; back references can make it exponential. */
  demangledLength: 1_000_000,
  /** Nesting of types and paths in one mangled name. */
  demangleDepth: 300,
  /** Steps of the parser in one mangled name, back references included. */
  demangleSteps: 200_000,
  /** Bytes of one LEB128 number, padding included (10 hold 64 bits). */
  lebBytes: 10,
} as const;
