// The quick checks, all of them even when one fails: format, lint, types, imports, dead code, package shape,
// generated pages, the agent, unit tests. Owns which there are and the summary; each is a program of its own.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** How many run at once; the compiler and the linter each fill a core. */
const LANES = 2;

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

const bin = (name: string): string => join('node_modules', '.bin', name);
const script = (name: string): string[] => [process.execPath, '--import', 'tsx', join('scripts', name)];
const cargo = (manifest: string, ...args: string[]): string[] => [
  'cargo',
  ...args.slice(0, 1),
  '--manifest-path',
  manifest,
  ...args.slice(1),
];

/** dist/ first: what follows looks at it. */
const BUILD: Step = { name: 'build', command: [process.execPath, 'scripts/build.js'] };

const STEPS: readonly Step[] = [
  { name: 'lint', command: [bin('eslint'), '--max-warnings', '0', '.'] },
  { name: 'types of tests and tools', command: [bin('tsc'), '-b'] },
  { name: 'format', command: [bin('prettier'), '--check', '--log-level', 'warn', '.'] },
  { name: 'import direction and cycles', command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', 'src'] },
  { name: 'dead code', command: [bin('knip')] },
  { name: 'package shape', command: script('check-package.ts') },
  { name: 'generated pages', command: [...script('generate-docs.ts'), '--check'] },
  ...['agent', 'tests/fuzz/agent', 'examples/garden', 'examples/server'].map((folder) => ({
    name: `${folder}: format`,
    command: cargo(`${folder}/Cargo.toml`, 'fmt', '--check'),
  })),
  {
    name: 'agent: clippy',
    command: cargo('agent/Cargo.toml', 'clippy', '--quiet', '--locked', '--', '-D', 'warnings'),
  },
  {
    // Its own code for static programs with musl. A std for that target is seldom there: this is checked on the
    // machine's own, with which it agrees in all that this code calls.
    name: 'agent: for musl',
    command: cargo(
      'agent/Cargo.toml',
      ...[
        'rustc',
        '--quiet',
        '--locked',
        '--lib',
        '--profile',
        'check',
        '--features',
        'linked',
        '--crate-type',
        'rlib',
      ],
      ...['--', '--cfg', 'target_env="musl"', '-A', 'explicit_builtin_cfgs_in_flags', '-D', 'warnings'],
    ),
  },
  { name: 'agent: tests', command: cargo('agent/Cargo.toml', 'test', '--quiet', '--locked') },
  // Apart from the agent: what it depends on is no matter of users' machines.
  { name: 'agent: hostile input', command: cargo('tests/fuzz/agent/Cargo.toml', 'test', '--quiet', '--locked') },
];

/** Last, and alone: it has workers of its own and time limits. */
const UNIT: Step = { name: 'unit tests', command: [...script('test-runner.ts'), 'unit'] };

/** Runs one step; its output is shown when it fails. A step that ends with a summary is counted by it. */
function run({ name, command }: Step): Promise<Outcome> {
  return new Promise((resolve) => {
    const start = performance.now();
    const [program = '', ...args] = command;
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => {
      output += error.message;
    });
    child.on('close', (code) => {
      const summary = /^(\d+) passed, (\d+) failed$/m.exec(output.trimEnd().split('\n').at(-1) ?? '');
      const passed = summary === null ? Number(code === 0) : Number(summary[1]);
      const reported = summary === null ? 0 : Number(summary[2]);
      const failed = code === 0 ? reported : Math.max(1, reported);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      process.stdout.write(`${failed === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n`);
      if (failed > 0) process.stdout.write(`${output.trimEnd().replace(/^/gm, '     | ')}\n`);
      resolve({ passed, failed });
    });
  });
}

async function runAll(steps: readonly Step[]): Promise<Outcome[]> {
  const queue = [...steps];
  const outcomes: Outcome[] = [];
  const lane = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) outcomes.push(await run(step));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return outcomes;
}

const outcomes = [await run(BUILD), ...(await runAll(STEPS)), await run(UNIT)];
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
