// Checks of what macOS asks of a program before dyld brings the agent into it (dyld(1), codesign(1), Apple's "Hardened
// Runtime"). Functions over facts; macos-facts.ts asks for them. The system's answers are known from its manuals: not run
// on a Mac.
import { missing, ok, warning, type Finding } from './finding.js';

/** What was asked on a Mac. */
export interface MacFacts {
  /** What `xcode-select -p` prints; null where there are no tools. */
  readonly developerTools: string | null;
  /** The newest executable of the project; null where none was built. */
  readonly program: MacProgram | null;
}

/** An executable as the system sees it. */
export interface MacProgram {
  readonly path: string;
  /** It has the attribute com.apple.quarantine. */
  readonly isQuarantined: boolean;
  /** What `codesign -d --verbose=2` says. */
  readonly signature: string;
  /** What `codesign -d --entitlements - --xml` prints. */
  readonly entitlements: string;
}

/** Programs of the system itself: what is started by one of these loses all `DYLD_…` (System Integrity Protection). */
const PROTECTED = /^\/(?:System|bin|sbin|usr(?!\/local\/))\//;
/** `CS_…` of <kern/cs_blobs.h>, as codesign(1) spells them. */
const FORBIDDING = ['library-validation', 'restrict'];

/** All checks that only a Mac needs. */
export function checkMac({ developerTools, program }: MacFacts): Finding[] {
  return [
    checkDeveloperTools(developerTools),
    ...(program === null ? [] : [checkQuarantine(program), checkSignature(program), checkPlace(program)]),
  ];
}

function checkDeveloperTools(path: string | null): Finding {
  const check = 'machine.developer-tools';
  if (path !== null) return ok(check, `Apple's command line tools in ${path}`);
  return missing(check, "Apple's command line tools are not installed: rustc links by them", 'xcode-select --install');
}

function checkQuarantine({ path, isQuarantined }: MacProgram): Finding {
  const check = 'project.quarantine';
  if (!isQuarantined) return ok(check, 'the program was made here');
  return warning(
    check,
    `${path} has the mark of a download: the system may refuse to load patches into it`,
    `Build it here (cargo clean -p …), or: xattr -d com.apple.quarantine ${path}`,
    'IPBP5006',
  );
}

/** The flags of a signature; none where it has none. */
function flagsOf(signature: string): readonly string[] {
  const [, flags = ''] = /^CodeDirectory .*\bflags=0x[0-9a-f]+\(([^)]*)\)/m.exec(signature) ?? [];
  return flags.split(',').filter((flag) => flag !== '');
}

function isEntitled({ entitlements }: MacProgram, name: string): boolean {
  return new RegExp(`<key>${name.replaceAll('.', '\\.')}</key>\\s*<true\\s*/>`).test(entitlements);
}

/** What cargo builds is signed ad hoc by the linker, and nothing of this holds for it. */
function checkSignature(program: MacProgram): Finding {
  const check = 'project.signature';
  const flags = flagsOf(program.signature);
  const resign = `For development leave it as the linker signed it: codesign --force -s - ${program.path}`;
  const hardened = 'com.apple.security.cs';
  const forbidding = FORBIDDING.filter((flag) => flags.includes(flag));
  if (forbidding.length > 0)
    return missing(check, `its signature says ${forbidding.join(', ')}: no agent comes in`, resign, 'IPBP5006');
  if (flags.includes('runtime')) {
    const needed = ['allow-dyld-environment-variables', 'disable-library-validation'];
    const lacking = needed.map((name) => `${hardened}.${name}`).filter((name) => !isEntitled(program, name));
    if (lacking.length > 0)
      return missing(
        check,
        `it is signed for the hardened runtime, without ${lacking.join(' and ')}: no agent comes in, or no patch`,
        `${resign}, or sign it with these entitlements.`,
        'IPBP5006',
      );
  }
  if (isEntitled(program, 'com.apple.security.app-sandbox'))
    return warning(
      check,
      "it runs in the app sandbox: the agent's socket and the files of patches lie outside of it",
      resign,
      'IPBP5006',
    );
  return ok(check, flags.length === 0 ? 'not signed' : `signed (${flags.join(', ')})`);
}

function checkPlace({ path }: MacProgram): Finding {
  const check = 'project.place';
  if (!PROTECTED.test(path)) return ok(check, 'the program lies where the system lets agents in');
  return missing(
    check,
    `${path} lies in a folder of the system's own, which takes DYLD_INSERT_LIBRARIES away`,
    'Choose a --target-dir elsewhere.',
    'IPBP5006',
  );
}
