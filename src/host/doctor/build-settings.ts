// Checks of what cargo will compile with, for the profile that is asked for: what ipbp run refuses (IPBP5003, 5004,
// 5023), what edits are refused for later (IPBP3004, 3005, 3040), and what makes every edit slow.
import { isMusl } from '../cargo/target-triple.js';
import { unpatchableReason } from '../cargo/unit.js';
import { missing, ok, warning, type Finding } from './finding.js';
import {
  flagOption,
  incrementalSetting,
  packageSettings,
  profileSetting,
  profiles,
  rustFlags,
  staticSetting,
  type BuildFacts,
} from './profile.js';

/** `packages`: names of the workspace's own. */
export function checkBuildSettings(facts: BuildFacts, packages: readonly string[]): Finding[] {
  return [
    checkIncremental(facts),
    checkDebug(facts, packages),
    checkSplitDebug(facts),
    checkLto(facts),
    checkStrip(facts),
    checkFlags(facts),
    checkUnits(facts),
    checkStatic(facts),
  ];
}

/** A TOML key of a profile, as one writes it. */
function written(facts: BuildFacts, setting: string): string {
  return `${setting} in [profile.${facts.profile}]`;
}

/** What to do about a setting that counts from `from`: one in the environment hides what is written. */
function instead(facts: BuildFacts, from: string, setting: string): string {
  const variable = /^(?:CARGO|RUSTFLAGS)\w*/.exec(from)?.[0];
  return variable === undefined
    ? `Set ${written(facts, setting)}.`
    : `Unset ${variable}, or set ${written(facts, setting)}.`;
}

function checkIncremental(facts: BuildFacts): Finding {
  const check = 'project.incremental';
  const { value, from } = incrementalSetting(facts);
  if (value !== 'true') {
    const remedy = from.includes('INCREMENTAL')
      ? `Unset ${from.split('=')[0]}, and let the profile say: ${written(facts, 'incremental = true')}.`
      : from.startsWith('build.')
        ? `Take it out there, or start with CARGO_INCREMENTAL=1.`
        : `Set ${written(facts, 'incremental = true')}, or start with CARGO_INCREMENTAL=1.`;
    return missing(check, `off in profile ${facts.profile} (${from})`, remedy, 'IPBP5003');
  }
  const off = profiles(facts).filter((profile) => incrementalSetting(facts, profile).value !== 'true');
  const others = off.length === 0 ? '' : `; off in ${off.join(', ')}, which would need CARGO_INCREMENTAL=1`;
  return ok(check, `on in profile ${facts.profile}${others}`);
}

/** Only full debug information describes types. */
function describesTypes(level: string): boolean {
  return ['true', '2', 'full'].includes(level);
}

/** Where types are not described, declarations are compared instead, and any that changed is refused. */
function checkDebug(facts: BuildFacts, packages: readonly string[]): Finding {
  const check = 'project.debug';
  // Behind the profile's own on rustc's command line, so it wins.
  const flag = flagOption(facts, 'debuginfo');
  const { value, from } = flag ?? profileSetting(facts, 'debug');
  const less = 'layouts of types cannot be compared, so every edit of a declaration is refused';
  if (!describesTypes(value)) {
    const remedy = flag === null ? instead(facts, from, 'debug = true') : `Take -C debuginfo=${value} out of ${from}.`;
    return warning(check, `level ${value} in profile ${facts.profile} (${from}): ${less}`, remedy, 'IPBP3040');
  }
  const lessThere = [...packageSettings(facts, 'debug', packages)].filter(([, level]) => !describesTypes(level));
  if (flag === null && lessThere.length > 0)
    return warning(
      check,
      `not full for ${lessThere.map(([name, level]) => `${name} (${level})`).join(', ')}: ${less}`,
      `Take debug out of [profile.${facts.profile}.package.*] for the crates that you edit.`,
      'IPBP3040',
    );
  return ok(check, `full in profile ${facts.profile}: layouts of types can be compared`);
}

/** Descriptions of types are read wherever rustc puts them; this says where. */
function checkSplitDebug(facts: BuildFacts): Finding {
  const check = 'project.split-debuginfo';
  const { value, from } = flagOption(facts, 'split-debuginfo') ?? profileSetting(facts, 'split-debuginfo');
  if (value === '' || value === 'off') return ok(check, 'off: descriptions of types are in the objects');
  return ok(check, `${value} (${from}): descriptions of types are in the .dwo files beside the objects`);
}

function checkLto(facts: BuildFacts): Finding {
  const check = 'project.lto';
  const { value, from } = profileSetting(facts, 'lto');
  // cargo's `false` is the local kind, within one crate: rustc is given no -C lto.
  if (value === 'false' || value === 'off') return ok(check, `off in profile ${facts.profile}`);
  return missing(
    check,
    `${value === 'true' ? 'fat' : value} in profile ${facts.profile} (${from}): code changes after the objects are written`,
    instead(facts, from, 'lto = false'),
    'IPBP5004',
  );
}

function checkStrip(facts: BuildFacts): Finding {
  const check = 'project.strip';
  const flag = flagOption(facts, 'strip');
  const { value, from } = flag ?? profileSetting(facts, 'strip');
  if (value !== 'true' && value !== 'symbols')
    return ok(check, `${value === 'false' ? 'none' : value}: functions can be found in the executable`);
  return missing(
    check,
    `symbols are stripped (${from}): functions cannot be found in the executable`,
    flag === null ? instead(facts, from, 'strip = "debuginfo" or "none"') : `Take -C strip=${value} out of ${from}.`,
    'IPBP3004',
  );
}

/** Flags for rustc that no build can be patched with. */
function checkFlags(facts: BuildFacts): Finding {
  const check = 'project.rustflags';
  const { flags, from } = rustFlags(facts);
  const barred = unpatchableReason(flags);
  if (barred !== null)
    return missing(
      check,
      `${from} asks for ${barred}`,
      `Take it out of ${from} while you follow the program.`,
      'IPBP5004',
    );
  const model = flagOption(facts, 'relocation-model');
  if (model !== null && model.value !== 'pic' && model.value !== 'pie')
    return missing(
      check,
      `${from} has -C relocation-model=${model.value}: the executable is not position independent`,
      `Take it out of ${from}.`,
      'IPBP3005',
    );
  return ok(check, flags.length === 0 ? 'none' : `${flags.join(' ')} (${from})`);
}

/** A crate in one piece is compiled whole for every edit. */
function checkUnits(facts: BuildFacts): Finding {
  const check = 'project.codegen-units';
  const { value, from } = flagOption(facts, 'codegen-units') ?? profileSetting(facts, 'codegen-units');
  if (value !== '1') return ok(check, `${value} in profile ${facts.profile}`);
  return warning(
    check,
    `1 (${from}): a crate is one object, which every edit compiles anew`,
    `Set ${written(facts, 'codegen-units = 16')} or more while you work on the program.`,
  );
}

/** The system's loader brings the agent into the program, or without one the linker does. */
function checkStatic(facts: BuildFacts): Finding {
  const check = 'project.static';
  const { value, from } = staticSetting(facts);
  if (value === 'true') return ok(check, `linked statically (${from}): the agent is linked in`);
  if (!isMusl(facts.targetTriple)) return ok(check, 'linked dynamically: the loader can bring the agent in');
  return missing(
    check,
    `linked dynamically with musl (${from}): there the agent is linked into static programs only`,
    'While you work on it, build without -crt-static.',
    'IPBP4008',
  );
}
