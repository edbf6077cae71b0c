// Asks cargo, rustc and the agent what toolchain.ts judges. Builds nothing; an agent that is built already is tried in
// a process of its own.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { agentRustVersion, findAgent } from '../agent/agent-build.js';
import { expectAgent } from '../agent/agent-start.js';
import type { CargoProject } from '../cargo/cargo-project.js';
import { isApple } from '../cargo/target-triple.js';
import { errorCode, findCommand } from './machine-facts.js';
import { linkerOf, type BuildFacts } from './profile.js';
import type { AgentFacts, AgentTrial, Answer, ToolchainFacts } from './toolchain.js';

/** How long the agent of a trial may take; it needs some milliseconds. */
const TRIAL_MS = 10_000;

/** `rustc` is what it said to -vV; `build` names target and linker, null where rustc does not answer. */
export async function readToolchain(
  directory: string,
  rustc: Answer,
  build: BuildFacts | null,
  project: Pick<CargoProject, 'tools' | 'emulated'> | null,
): Promise<ToolchainFacts> {
  const targetTriple = build?.targetTriple ?? null;
  const target = targetTriple === null ? [] : ['--target', targetTriple];
  const [cargo, std] = await Promise.all([
    ask('cargo', ['-V'], directory),
    ask(rustcCommand(), ['--print', 'target-libdir', ...target], directory),
  ]);
  const linker = build === null ? { value: 'cc', from: "rustc's default" } : linkerOf(build);
  return {
    cargo: firstLine(cargo),
    rustc,
    targetTriple,
    std: 'text' in std ? { directory: std.text.trim(), isThere: existsSync(std.text.trim()) } : null,
    linker: { name: linker.value, from: linker.from, path: findCommand(linker.value) },
    agent: 'text' in rustc && targetTriple !== null ? await readAgent(targetTriple, rustc.text, project) : null,
  };
}

/** rustc as it is called where none is named. */
export function rustcCommand(): string {
  return process.env['RUSTC'] ?? 'rustc';
}

/** What a command prints. */
export function ask(program: string, args: readonly string[], cwd: string): Promise<Answer> {
  return new Promise((fulfil) => {
    execFile(program, args, { cwd }, (error, stdout, stderr) => {
      if (error === null) fulfil({ text: stdout });
      else
        fulfil({ error: error.code === 'ENOENT' ? `${program} is not on the PATH` : (stderr || error.message).trim() });
    });
  });
}

function firstLine(answer: Answer): Answer {
  return 'text' in answer ? { text: answer.text.split('\n')[0] ?? '' } : answer;
}

async function readAgent(
  triple: string,
  rustcVersion: string,
  project: Pick<CargoProject, 'tools' | 'emulated'> | null,
): Promise<AgentFacts> {
  const { library, isBuilt } = await findAgent(triple, { rustcVersion, ...(project && { tools: project.tools }) });
  // The system's own programs are of another kind, or (macOS) take no library by a variable.
  const canTry = project?.emulated !== true && !isApple(triple);
  return {
    library,
    isBuilt,
    oldestRustc: await agentRustVersion(),
    cacheError: isBuilt ? null : unwritable(dirname(library)),
    trial: isBuilt && canTry ? await tryAgent(triple) : null,
    isFiltered: isFiltered(),
  };
}

/** Why nothing can be written to a directory, which need not exist yet. */
function unwritable(directory: string): string | null {
  let place = directory;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    rmdirSync(mkdtempSync(join(place, '.ipbp-doctor-')));
    return null;
  } catch (error) {
    return `${place}: ${errorCode(error)}`;
  }
}

/** Starts a program of the system's with the agent in it, as ipbp run would, and waits until it reports. */
async function tryAgent(target: string): Promise<AgentTrial> {
  let expected: Awaited<ReturnType<typeof expectAgent>>;
  let environment: Readonly<Record<string, string>>;
  try {
    expected = await expectAgent({ id: `doctor-${process.pid}`, target, withFirstThread: false, onBuild: () => {} });
    environment = await expected.environment('preloaded');
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
  const child = spawn('sleep', [String(TRIAL_MS / 1000)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      expected.connected.then((agent): AgentTrial => {
        agent.close();
        return { kind: 'came-up', hasRoom: agent.program.reservation.size > 0 };
      }),
      new Promise<AgentTrial>((fulfil) => {
        const failed = (reason: string): void => fulfil({ kind: 'failed', reason: said.trim() || reason });
        child.once('error', (error) => failed(error.message));
        child.once('close', () => failed('the trial program ended'));
        timer = setTimeout(() => failed(`it did not connect within ${TRIAL_MS / 1000} s`), TRIAL_MS);
      }),
    ]);
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    expected.close();
  }
}

function isFiltered(): boolean {
  try {
    return /^Seccomp:\s*[12]$/m.test(readFileSync('/proc/self/status', 'utf8'));
  } catch {
    return false;
  }
}
