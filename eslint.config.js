// What the linter holds the house to. Formatting is Prettier's; import direction is dependency-cruiser's.
import tseslint from 'typescript-eslint';

const CORE = ['codes', 'bytes', 'formats', 'reloc', 'link', 'patch'].map((layer) => `src/${layer}/**/*.ts`);
const TESTS = [
  '**/*.test.ts',
  '**/*.test-support.ts',
  'tests/**/*.ts',
  'conformance/**/*.ts',
  'scripts/fixtures/**/*.ts',
];

/** Tables of rows and constants may be as long as their specification. */
const TABLES = ['src/formats/*/constants.ts', 'src/reloc/elf-*.ts', 'src/codes/*.ts'];

const HOUSE_SYNTAX = [
  { selector: 'TSEnumDeclaration', message: 'No enum: a union of literals, or a readonly table.' },
  { selector: 'ExportDefaultDeclaration', message: 'No default export: the name is the same everywhere.' },
  { selector: 'ExportAllDeclaration', message: 'No barrel: import from the file that owns it.' },
  { selector: 'TSModuleDeclaration[kind="namespace"]', message: 'No namespace: a file is one.' },
];

const NOT_PURE = 'The pure core takes bytes and gives bytes: this belongs in src/host.';
const IMPURE_GLOBALS = [
  'process',
  'Buffer',
  'console',
  'global',
  'globalThis',
  'require',
  '__dirname',
  'performance',
  'crypto',
  'fetch',
  'Date',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'TextDecoder',
  'TextEncoder',
];

/** Of the linter's own rules, those that find mistakes which the compiler does not. */
const MISTAKES = [
  'no-async-promise-executor',
  'no-cond-assign',
  'no-constant-binary-expression',
  'no-control-regex',
  'no-duplicate-case',
  'no-empty',
  'no-empty-character-class',
  'no-loss-of-precision',
  'no-misleading-character-class',
  'no-regex-spaces',
  'no-self-assign',
  'no-self-compare',
  'no-sparse-arrays',
  'no-template-curly-in-string',
  'no-unsafe-finally',
  'no-unsafe-optional-chaining',
  'no-unused-labels',
  'no-useless-catch',
  'no-useless-escape',
  'use-isnan',
];

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'coverage/', '**/target/', 'package-lock.json'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { rules: Object.fromEntries(MISTAKES.map((name) => [name, 'error'])) },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-syntax': ['error', ...HOUSE_SYNTAX],
      'max-lines': ['error', { max: 400 }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'object-shorthand': 'error',
      'prefer-template': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Numbers are what messages here are made of.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `return emit(…)` is how a case ends.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Spread strings here are magic numbers and symbols, ASCII all of them.
      '@typescript-eslint/no-misused-spread': 'off',
      // `void (quiet || say(text))` says that nobody wants the value.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // Methods in interfaces are closures here, not members of classes: they may be taken apart.
      '@typescript-eslint/unbound-method': 'off',
      // `for (;;)` and `while (true)` are how readers loop until their input ends.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: CORE,
    ignores: TESTS,
    rules: {
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS.map((name) => ({ name, message: NOT_PURE }))],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: NOT_PURE }],
    },
  },
  {
    // Addresses reach 2^53, bitwise operators stop at 2^31: these layers have no other numbers.
    files: ['src/link/**/*.ts', 'src/patch/**/*.ts'],
    // Symbols' flags are sixteen bits, sections' traits eight.
    ignores: [...TESTS, 'src/link/shared/symbols.ts', 'src/link/shared/sections.ts'],
    rules: { 'no-bitwise': 'error' },
  },
  {
    // What happens while something is awaited changes variables behind the back of flow analysis.
    files: ['src/host/**/*.ts', 'src/cli/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts', ...TESTS],
    rules: { '@typescript-eslint/no-unnecessary-condition': 'off' },
  },
  { files: TABLES, rules: { 'max-lines': 'off' } },
  {
    files: TESTS,
    rules: {
      // uvu's handlers may be async without awaiting, and a test reads best when it says `!` of what it has made.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': 'error',
    },
  },
  {
    // The scripts and the linter's own file are plain JavaScript.
    files: ['**/*.js', '**/*.cjs'],
    rules: { 'no-undef': 'off', 'no-unused-vars': 'error', 'max-lines': ['error', { max: 400 }] },
  },
);
