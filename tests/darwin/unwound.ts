// Functions of C and assembler that a panic of Rust goes through: each saves other registers and writes over them, so
// what comes back to the catching function is what the unwinder read from their frames.

/** Registers that a function keeps, and how one is written over. */
interface Machine {
  readonly triple: string;
  /** Sets of registers, each for one function. */
  readonly sets: readonly (readonly string[])[];
  readonly overwrite: (register: string) => string;
  /** `long keeps(void (*f)(long), long x)`: sets every kept register, calls, and gives a bit for each that changed. */
  readonly keeps: string;
}

const X86_KEPT = ['rbx', 'r12', 'r13', 'r14', 'r15', 'rbp'];
const ARM_KEPT = Array.from({ length: 10 }, (_, i) => `x${19 + i}`);
const ARM_FLOATS = Array.from({ length: 8 }, (_, i) => `d${8 + i}`);

const X86: Machine = {
  triple: 'x86_64-apple-macos',
  sets: [
    [],
    ['rbx'],
    ['r12'],
    ['r15', 'rbx'],
    ['r12', 'r14'],
    ['rbx', 'r12', 'r13'],
    ['r13', 'r14', 'r15'],
    ['rbx', 'r12', 'r14', 'r15'],
    ['rbx', 'r12', 'r13', 'r14', 'r15'],
  ],
  overwrite: (register) => `movq $-1, %%${register}`,
  keeps: [
    '_keeps:',
    ...X86_KEPT.map((register) => `push %${register}`),
    'sub $8, %rsp',
    'mov %rdi, %rax',
    'mov %rsi, %rdi',
    ...X86_KEPT.map((register, index) => `mov $${0x1111 * (index + 1)}, %${register}`),
    'call *%rax',
    'xor %eax, %eax',
    ...X86_KEPT.flatMap((register, index) => [
      `cmp $${0x1111 * (index + 1)}, %${register}`,
      `je ${index}f`,
      `or $${2 ** index}, %eax`,
      `${index}:`,
    ]),
    'add $8, %rsp',
    ...X86_KEPT.toReversed().map((register) => `pop %${register}`),
    'ret',
  ].join('\n'),
};

const PAIRS = [...ARM_KEPT, ...ARM_FLOATS].flatMap((register, index, all) =>
  index % 2 === 0 ? [[register, all[index + 1]!] as const] : [],
);

const ARM64: Machine = {
  triple: 'arm64-apple-macos',
  sets: [
    [],
    ['x19', 'x20'],
    ['x21', 'x22'],
    ['x19', 'x20', 'x27', 'x28'],
    ['d8', 'd9'],
    ['d12', 'd13', 'x23', 'x24'],
    ARM_KEPT,
    ARM_FLOATS,
    [...ARM_KEPT, ...ARM_FLOATS],
  ],
  overwrite: (register) => (register.startsWith('d') ? `fmov ${register}, xzr` : `mov ${register}, #-1`),
  keeps: [
    '_keeps:',
    'stp x29, x30, [sp, #-160]!',
    'mov x29, sp',
    ...PAIRS.map(([one, two], index) => `stp ${one}, ${two}, [sp, #${16 + 16 * index}]`),
    'mov x9, x0',
    'mov x0, x1',
    ...ARM_KEPT.map((register, index) => `mov ${register}, #${index + 100}`),
    ...ARM_FLOATS.flatMap((register, index) => [`mov x10, #${index + 200}`, `fmov ${register}, x10`]),
    'blr x9',
    'mov x0, #0',
    ...[...ARM_KEPT, ...ARM_FLOATS].flatMap((register, index) => [
      register.startsWith('d') ? `fmov x10, ${register}` : `mov x10, ${register}`,
      `cmp x10, #${register.startsWith('d') ? index - 10 + 200 : index + 100}`,
      'cset x10, ne',
      `orr x0, x0, x10, lsl #${index}`,
    ]),
    ...PAIRS.map(([one, two], index) => `ldp ${one}, ${two}, [sp, #${16 + 16 * index}]`),
    'ldp x29, x30, [sp], #160',
    'ret',
  ].join('\n'),
};

/** The machine of each target. */
export const MACHINES = { 'x86_64-apple-darwin': X86, 'aarch64-apple-darwin': ARM64 } as const;

const FRAMES = [
  { name: 'small', locals: '' },
  // Too large for the compact encoding of x86_64: the size is read from the code.
  { name: 'large', locals: 'char room[5000]; __asm__ volatile("" :: "r"(room) : "memory");' },
] as const;

const functions = (machine: Machine): readonly string[] =>
  machine.sets.flatMap((_, index) => FRAMES.map(({ name }) => `through_${name}_${index}`));

/** C: one function for each set of registers and size of the frame; each calls back. */
export function throughSource(machine: Machine): string {
  const bodies = machine.sets.flatMap((set, index) =>
    FRAMES.map(({ name, locals }) => {
      const clobbered = set.map((register) => `"${register}"`).join(', ');
      const code = set.map(machine.overwrite).join('; ');
      return `long through_${name}_${index}(long (*f)(long), long x) {
  ${locals}
  __asm__ volatile("${code}" ::: ${clobbered === '' ? '"memory"' : clobbered});
  return f(x) + 1;
}`;
    }),
  );
  return bodies.join('\n');
}

/** Assembler: the function that watches the registers. */
export const keepsSource = (machine: Machine): string => `.text\n.globl _keeps\n.p2align 2\n${machine.keeps}\n`;

/** Rust: panics under each of them, twice nested too, and prints what did not come back. */
export function unwoundProgram(machine: Machine): string {
  const names = functions(machine);
  return `
type Callback = extern "C-unwind" fn(i64) -> i64;
type Through = unsafe extern "C-unwind" fn(Callback, i64) -> i64;
unsafe extern "C-unwind" {
${names.map((name) => `    fn ${name}(callback: Callback, x: i64) -> i64;`).join('\n')}
    fn keeps(f: extern "C-unwind" fn(i64), x: i64) -> i64;
}
static ALL: &[Through] = &[${names.join(', ')}];

struct Count;
static DROPPED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
impl Drop for Count {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

extern "C-unwind" fn panics(x: i64) -> i64 {
    let _count = Count;
    if std::hint::black_box(x) >= 0 {
        panic!("{x}");
    }
    x
}
extern "C-unwind" fn again(x: i64) -> i64 {
    let _count = Count;
    unsafe { ALL[x as usize % ALL.len()](panics, x) }
}
extern "C-unwind" fn catches(x: i64) {
    let through = ALL[x as usize % ALL.len()];
    let callback = if x as usize >= ALL.len() { again } else { panics };
    let result = std::panic::catch_unwind(|| unsafe { through(callback, x) });
    let text = result.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(*text, x.to_string());
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    let mut wrong = 0;
    for x in 0..2 * ALL.len() as i64 {
        let changed = unsafe { keeps(catches, x) };
        if changed != 0 {
            println!("{x}: registers {changed:#b}");
            wrong += 1;
        }
    }
    println!("{} functions, {wrong} wrong, {} dropped", ALL.len(), DROPPED.load(std::sync::atomic::Ordering::Relaxed));
}
`;
}
