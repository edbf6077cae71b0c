// IPBP5xxx: toolchain and project. Entries are CodeEntry (table.ts); numbers are never reused.
export const TOOLCHAIN_CODES = {
  IPBP5001: {
    title: 'cargo or rustc cannot be run',
    meaning: 'ipbp builds with your own cargo, and it was not found or did not answer.',
    remedy: 'Install Rust from https://rustup.rs, or put cargo on the PATH.',
  },
  IPBP5002: {
    title: 'not a cargo project',
    meaning: 'cargo could not read a manifest for the directory that ipbp was started in.',
    remedy: 'Change into the project, or give --manifest-path.',
  },
  IPBP5003: {
    title: 'the build is not incremental',
    meaning:
      'rustc keeps the object files that ipbp compares only in incremental builds, and this profile has them switched off.',
    remedy: 'Set CARGO_INCREMENTAL=1, or incremental = true in the profile (release profiles have it off).',
  },
  IPBP5004: {
    title: 'this kind of build cannot be patched',
    meaning:
      'Link-time optimisation, coverage and sanitizer builds change the code after the object files are written.',
    remedy: 'Follow the program in a profile without lto, -C instrument-coverage and -Z sanitizer.',
  },
  IPBP5006: {
    title: 'the agent did not connect',
    meaning: 'The program runs, but the agent that is preloaded into it did not reach ipbp in time.',
    remedy:
      'A statically linked, setuid or 32-bit program cannot be preloaded; nor one that a wrapper script starts with a cleared environment. Run ipbp doctor.',
  },
  IPBP5007: {
    title: 'the executable was replaced',
    meaning: 'The process does not run the file that ipbp kept, so addresses could not be trusted.',
    remedy: 'Restart the program.',
  },
  IPBP5008: {
    title: "the program's unit is not known",
    meaning: 'No recorded rustc command made the executable that cargo started.',
    remedy: 'Check that no other rustc-wrapper replaces the one ipbp sets; touch a source file and start again.',
  },
  IPBP5009: {
    title: 'no objects of the running program',
    meaning: "A crate's incremental directory holds no finished session.",
    remedy: 'Remove target/<profile>/incremental and start again.',
  },
  IPBP5010: {
    title: 'rustc could not be replayed',
    meaning: 'A recorded rustc command ended in a way that is not a compile error.',
    remedy: 'Build with cargo to see whether rustc itself fails.',
  },
  IPBP5011: {
    title: 'a change that only cargo can build',
    meaning:
      "A manifest, a build script or one of its inputs, a macro crate or cargo's configuration changed; rustc alone would not see it. cargo builds it while the program runs, and the program is patched from that build.",
    remedy: 'None is needed; it takes as long as cargo build.',
  },
  IPBP5012: {
    title: 'no such session',
    meaning: 'No running session answers, several do, or none has the given id.',
    remedy: 'Start ipbp run; with several sessions give --session.',
  },
  IPBP5013: {
    title: 'the session cannot do that now',
    meaning: 'Another patch is under way, or there is nothing to undo or redo.',
    remedy: 'See ipbp status.',
  },
  IPBP5014: {
    title: 'a file could not be read or kept',
    meaning: 'The operating system refused a file operation that a session needs.',
    remedy: 'Check the permissions and the free space of the target directory.',
  },
  IPBP5020: {
    title: 'the change is in a shared library out of reach',
    meaning:
      'A crate of type dylib is linked as a library of its own. Its functions can be patched if the program has mapped just that library, once, and if the library has its symbols; the chain of reasons says what is missing.',
    remedy: 'Restart the program, or build the crate as a plain library while you work on it.',
  },
  IPBP5045: {
    title: "another module's copy of a function is used",
    meaning:
      'A function of a shared library changed, and a module that the loader asks before that library (the executable, a library before it) exports one of the same name: the process calls that one.',
    remedy: 'Rebuild and restart.',
  },
  IPBP5046: {
    title: 'other modules would not see a change of a shared library',
    meaning:
      'What an edit of a shared library changes is exported, and cannot be changed where it is: a name that means another item now (other parameters or another result under the same name), a static that is not mutable, a function whose body serves others that did not change. The executable and other libraries would go on to use what it was.',
    remedy: 'Rebuild and restart.',
  },
  IPBP5047: {
    title: 'what changed is in a library that the program has not opened',
    meaning:
      'A library of the workspace that no crate links was edited, and the process has not opened it by now. It is compiled, and patched a moment after the program opens it: what runs of it until then is the code of the file.',
    remedy: 'Nothing, or rebuild and restart where its first moments count.',
  },
  IPBP5048: {
    title: 'a library for the program to open is not followed',
    meaning:
      'The workspace has a library of type cdylib or dylib that no crate links and that was built before. Its edits can only be patched if the file and the recorded compile belong together and cargo can build it; the message says what is missing.',
    remedy: 'Build it with `cargo build -p PACKAGE` and start the program again.',
  },
  IPBP5021: {
    title: 'the configured runner cannot be chained',
    meaning:
      "cargo's configuration names a runner as one text; the one that ipbp puts before it must then be one word, and its path holds a blank.",
    remedy: 'Write the runner as a list in .cargo/config.toml, or choose a --target-dir without blanks.',
  },
  IPBP5022: {
    title: 'the new build does not fit the running program',
    meaning:
      'cargo built the change, and its crates could not be matched to those the program is made of: a dependency that the program already holds was built anew (another version, other features, another profile), or a crate is missing.',
    remedy: 'Restart the program: cargo has built it already.',
  },
  IPBP5023: {
    title: 'a program was linked without the agent',
    meaning:
      "The executable is linked statically (musl, or +crt-static): the system's loader, which brings the agent into other programs, has no part in its start, or the program is for iOS, whose loader brings in nothing that a program does not name. So ipbp links it in; this one was linked otherwise, or that failed (the build's output says why).",
    remedy:
      'Let ipbp run or a project under ipbp init build it. If that fails, build without -C target-feature=+crt-static, or for a -gnu target in place of a -musl one, while you work on it.',
  },
  IPBP5030: {
    title: 'a build that is not the running program',
    meaning:
      'With --no-build, cargo built the program with other flags, features or dependencies than the running one has: its crates have other names, and it is not followed.',
    remedy: 'Build with the same settings as the program was started with, or start it again.',
  },
  IPBP5031: {
    title: 'the target directory was cleaned',
    meaning:
      'cargo clean, or somebody else, removed the target directory while the program runs, and with it what the session kept there of the program: edits cannot be compared with what runs.',
    remedy: 'Restart the program; --on-refusal restart does so by itself.',
  },
  IPBP5035: {
    title: "cargo's configuration cannot be edited",
    meaning: 'ipbp init found no place for its two settings that leaves all other settings as they are.',
    remedy: 'Write [build] and [target.<triple>] of .cargo/config.toml as plain tables, a setting to a line.',
  },
  IPBP5036: {
    title: "cargo's configuration is broken",
    meaning: 'cargo itself cannot read a configuration file of this project, so ipbp init wrote nothing.',
    remedy: 'Repair the file that cargo names.',
  },
  IPBP5037: {
    title: 'this build was not recorded',
    meaning:
      "After ipbp init the commands of rustc are recorded as cargo runs them; some of this program's crates were built before that, or without it, or ipbp compiled them since for an edit that was taken back.",
    remedy: 'End the program and run cargo run again: these crates are compiled once more, and recorded.',
  },
  IPBP5038: {
    title: 'ipbp was not ready in time',
    meaning: 'A program that plain cargo run starts waits a few seconds for ipbp and no longer.',
    remedy: 'Run cargo run again: what took long (building the agent, once per rustc) is done by then.',
  },
  IPBP5039: {
    title: 'a variable goes before the configuration',
    meaning:
      "A variable of the environment sets the runner or rustc's wrapper, and cargo then does not look at its files.",
    remedy: 'Move that setting into .cargo/config.toml and run ipbp init again, which chains it; or use ipbp run.',
  },
  IPBP5032: {
    title: 'a source was saved while cargo built',
    meaning:
      'With --no-build and a profile that leaves descriptions of types out, the sources tell whether a type changed; what cargo compiled is not what they say now.',
    remedy: 'Build again, or set debug = true in the profile.',
  },
  IPBP5040: {
    title: 'an early patch could not be taken back',
    meaning:
      'A patch went live while the rest of its change was still compiled; that failed, and the program did not take the patch back: it runs the new bodies of one crate beside the old ones of others.',
    remedy: 'Repair what rustc complains about and save again, or try ipbp undo; a restart is always safe.',
  },
  IPBP5049: {
    title: 'no page to serve',
    meaning: 'A module for pages is served with the page that loads it, and no folder with an index.html was found.',
    remedy: 'Name the folder: ipbp run --serve DIR.',
  },
  IPBP5050: {
    title: 'not one module',
    meaning: 'ipbp serves one module, and cargo built none, or several.',
    remedy: 'Give the crate crate-type = ["cdylib"], or choose one: -p NAME, --bin NAME.',
  },
  IPBP5051: {
    title: 'link not recorded',
    meaning: 'To prepare a module ipbp needs the list of what it was linked of, which is noted while cargo links.',
    remedy: 'Touch a source of the crate and start ipbp run again; if that does not help, run cargo clean.',
  },
  IPBP5054: {
    title: 'wasm-bindgen is not there',
    meaning:
      "The program uses wasm-bindgen, and its command line was not found in the version that the program's crate has: neither on PATH nor where trunk and wasm-pack keep it.",
    remedy: 'cargo install wasm-bindgen-cli --version VERSION, with the version that the message names.',
  },
  IPBP5055: {
    title: 'wasm-bindgen failed',
    meaning: 'wasm-bindgen could not make the bindings of the module.',
    remedy: 'See what it said; a version of it that is older or newer may do.',
  },
  IPBP5056: {
    title: 'the page was not made',
    meaning:
      'The command of --build-page failed, or did not make its page of the module that ipbp has prepared: it built with other settings, or called a wasm-bindgen of its own.',
    remedy:
      'Give cargo the same options in both (--release, --features, the profile), and let the command take wasm-bindgen from PATH.',
  },
  IPBP5901: {
    title: 'wrong arguments',
    meaning: 'The command line does not make sense to ipbp.',
    remedy: 'See ipbp <command> --help.',
  },
  IPBP5902: {
    title: 'not supported yet',
    meaning: 'The option or value has its place in the design, and nothing behind it in this version.',
    remedy: 'Leave it out.',
  },
  IPBP5903: {
    title: 'no such file or directory',
    meaning: 'A path on the command line leads nowhere.',
    remedy: 'Check the path.',
  },
  IPBP5904: {
    title: 'file cannot be read or written',
    meaning: 'The system refused to open, read or write a file.',
    remedy: 'Check its permissions and the room on the disk.',
  },
  IPBP5905: {
    title: 'no objects here',
    meaning:
      'A path was given for its object files and holds none: no object, no archive with objects, no finished session of an incremental build.',
    remedy:
      "Give object files, archives, directories of objects, or one crate's directory below target/<profile>/incremental.",
  },
  IPBP5999: {
    title: 'internal error',
    meaning: 'ipbp met a state that it was not written for.',
    remedy: 'Please report it with what --verbose prints.',
  },
} as const;
