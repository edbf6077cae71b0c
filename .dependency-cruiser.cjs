// Import direction: codes ← bytes ← formats ← reloc ← link ← patch ← host ← cli. The pure core (all before host)
// imports nothing but itself; tests may use what they like.
const LAYERS = ['codes', 'bytes', 'formats', 'reloc', 'link', 'patch', 'host', 'cli'];
const CORE = LAYERS.slice(0, LAYERS.indexOf('host'));
const TESTS = '[.]test(?:-support)?[.]ts$';

const directions = LAYERS.slice(0, -1).map((layer, position) => ({
  name: `${layer}-imports-downwards-only`,
  comment: `src/${layer} may import: ${LAYERS.slice(0, position + 1).join(', ')}`,
  severity: 'error',
  from: { path: `^src/${layer}/`, pathNot: TESTS },
  to: { path: `^src/(?:${LAYERS.slice(position + 1).join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...directions,
    {
      name: 'core-imports-only-itself',
      comment: 'The pure core runs anywhere: no Node module, and no package but the pure hashes.',
      severity: 'error',
      from: { path: `^src/(?:${CORE.join('|')})/`, pathNot: TESTS },
      to: { pathNot: `^(?:src/(?:${CORE.join('|')})/|node_modules/@noble/hashes/)` },
    },
    {
      name: 'no-cycles',
      comment: 'Types count too: what needs each other belongs in one file.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-test-code-in-products',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'only-declared-packages',
      comment: 'What is published may only use what package.json brings to the user.',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'only-what-exists',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
