// Rules of the house that no linter knows: which names may appear where, that files say what they own, that nothing
// of the machine it was written on got in.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CODES } from '../src/codes/table.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Formats and machines, as words of an identifier or a text. */
const FORMAT_NAMES = new Set(
  'elf elf32 elf64 macho wasm wasm32 wasm64 coff pe x86 x8664 amd64 i386 i686 arm64 aarch64 riscv riscv64'.split(' '),
);
/** Names that are several words, and the prefixes of a format's or a machine's constants. */
const FORMAT_FORMS = /mach-o|macho\b|machO(?=[A-Z])|x86.64|\b(?:R_[A-Z0-9]+_|SH[TNF]_|ST[TBV]_|PT_|DT_|LC_|IMAGE_)/i;

/** Emitters write one format each and are the only files of link/ that may say which. */
const MAY_NAME_FORMATS = /^src\/link\/emit-[a-z0-9-]+\.ts$/;

/** The words that identifiers and texts are made of, in lower case: `readElfHeader` has read, elf, header. */
function words(text: string): string[] {
  const parts = text.match(/[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+/g) ?? [];
  return parts.map((part) => part.toLowerCase());
}

function formatNamesIn(text: string): string[] {
  const found = words(text).filter((word) => FORMAT_NAMES.has(word));
  const form = FORMAT_FORMS.exec(text);
  return form === null ? found : [...found, form[0]];
}

/** Files that git knows or would add, so that scratch files are no matter. */
function sourceFiles(...patterns: string[]): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns];
  return [...new Set(execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\n'))]
    .filter((file) => file !== '' && exists(file))
    .sort();
}

function exists(file: string): boolean {
  try {
    read(file);
    return true;
  } catch {
    return false;
  }
}

function read(file: string): string {
  return readFileSync(`${ROOT}/${file}`, 'utf8');
}

test('the detector of format names finds them in identifiers, texts and constants', () => {
  for (const text of [
    'readElf(x)',
    'isMachO',
    'a Mach-O file',
    'ELF64',
    'R_X86_64_PC32',
    'x86_64',
    'WASM_MAGIC',
    'SHT_NOTE',
  ]) {
    assert.is.not(formatNamesIn(text).length, 0, text);
  }
  for (const text of ['itself', 'shelf', 'charm', 'alarm', 'pending', 'READ_ONLY', 'part of']) {
    assert.equal(formatNamesIn(text), [], text);
  }
});

test('no name of a format or machine in the passes of link/, nor in patch/', () => {
  const files = sourceFiles('src/link/*.ts', 'src/patch/*.ts').filter(
    (file) => !/\.test(?:-support)?\.ts$/.test(file) && !MAY_NAME_FORMATS.test(file),
  );
  assert.is.not(files.length, 0);
  const found = files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => formatNamesIn(line).map((name) => `${file}:${index + 1}: ${name}`)),
  );
  assert.equal(found, []);
});

test('every source file opens with a comment that says what it owns', () => {
  const without = sourceFiles(
    'src/*.ts',
    'scripts/*.ts',
    'scripts/*.js',
    'bench/*.ts',
    'tests/*.ts',
    'conformance/*.ts',
    'agent/web/*.ts',
    'agent/src/*.rs',
  )
    // What a test owns, its name says.
    .filter((file) => !file.endsWith('.test.ts') && !/^(?:#!.*\n)?\/[/*]/.test(read(file)));
  assert.equal(without, []);
});

/** Names of exported functions and classes without a doc comment. */
function undocumented(file: string): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
  return source.statements.flatMap((statement) => {
    if (!ts.isFunctionDeclaration(statement) && !ts.isClassDeclaration(statement)) return [];
    const exported = ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
    const documented = ts.getJSDocCommentsAndTags(statement).length > 0;
    return exported && !documented ? [`${file}: ${statement.name?.text ?? ''}`] : [];
  });
}

test('exported functions and classes are documented', () => {
  const files = sourceFiles('src/*.ts', 'agent/web/*.ts').filter((file) => !file.endsWith('.test.ts'));
  assert.equal(files.flatMap(undocumented), []);
});

test('file names are kebab-case and say something', () => {
  const wrong = sourceFiles('src/*.ts', 'scripts/*.ts', 'bench/*.ts', 'tests/*.ts', 'conformance/*.ts').filter(
    (file) => {
      const name = file.split('/').at(-1) ?? '';
      return (
        !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test(?:-support)?)?\.ts$/.test(name) ||
        /\b(?:utils?|misc|helpers?|manager|common)\b/.test(name)
      );
    },
  );
  assert.equal(wrong, []);
});

test('nothing names the machine it was written on, or a registry', () => {
  const forms = [/\/work\//, /\/root\//, /"resolved": "/, /registry\s*=/];
  const found = sourceFiles('.')
    .filter((file) => file !== 'scripts/house-rules.test.ts')
    .flatMap((file) => forms.filter((form) => form.test(read(file))).map((form) => `${file}: ${form}`));
  assert.equal(found, []);
});

test('every code of the table is said somewhere', () => {
  const used = new Set(
    sourceFiles('src/*.ts', 'agent/web/*.ts')
      .filter((file) => !file.startsWith('src/codes/') && !file.endsWith('.test.ts'))
      .flatMap((file) => read(file).match(/IPBP\d{4}/g) ?? []),
  );
  assert.equal(
    Object.keys(CODES).filter((code) => !used.has(code)),
    [],
  );
});

test.run();
