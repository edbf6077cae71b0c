// IPBP3xxx: refusals. Entries are CodeEntry (table.ts); numbers are never reused.
export const REFUSAL_CODES = {
  IPBP3001: {
    title: 'entry cannot be overwritten',
    meaning:
      'No jump fits safely over the first bytes of the function: something inside it branches or returns into them, or it is too short and has no padding; nor can all that call it be linked anew: its address is kept somewhere, or who uses it cannot be told.',
    remedy:
      'Rebuild and restart; started with ipbp run --redirect slots, every function of the workspace can be redirected.',
  },
  IPBP3002: {
    title: 'function is not in the running program',
    meaning: 'The running program was built from other objects than those the patch starts from.',
    remedy: 'Rebuild and restart.',
  },
  IPBP3003: {
    title: 'thread-local of a shared library',
    meaning: 'A changed function uses a thread-local that lives in a shared library.',
    remedy: 'Rebuild and restart.',
  },
  IPBP3004: {
    title: 'no symbols in the running program',
    meaning: 'The executable is fully stripped: its functions cannot be found.',
    remedy: 'Build without strip = true (strip = "debuginfo" is fine).',
  },
  IPBP3005: {
    title: 'executable is not position independent',
    meaning: 'A non-PIE executable leaves no room at a constant distance below it.',
    remedy: 'Build with relocation-model=pic, the default.',
  },
  IPBP3010: {
    title: 'patch is for another build',
    meaning: 'The patch file was made for another build of the program than the one that runs.',
    remedy: 'Build the patch from the objects of the running build, or restart the program.',
  },
  IPBP3011: {
    title: 'patch is out of order',
    meaning: 'The patch file builds on other patches than those that are live.',
    remedy: 'Apply its predecessors first, or build it again with --after naming the patches that are live.',
  },
  IPBP3012: {
    title: 'functions share one body',
    meaning:
      'The compiler or linker merged several functions into one body, the edit makes them differ, and the address of the one that changed is kept somewhere (a table of methods, a function pointer), so that not all who use it can be led to a body of its own.',
    remedy: 'Rebuild and restart; building without identical code folding avoids it.',
  },
  IPBP3020: {
    title: 'initialiser changed',
    meaning: 'A static or thread-local that exists keeps its value; its new initial value is not used.',
    remedy: 'Restart the program to start from the new value.',
  },
  IPBP3021: {
    title: 'start/stop section grew',
    meaning:
      'An entry was added to a section that the program reads as one list (as linkme does); running code does not see it.',
    remedy: 'Restart the program to see the new entry.',
  },
  IPBP3015: {
    title: 'static no longer fits its place',
    meaning: 'A static or thread-local that exists changed its size or kind of storage, so it cannot keep its value.',
    remedy: 'Restart the program, or give the static another name.',
  },
  IPBP3016: {
    title: 'function has no slot',
    meaning:
      "Loaded code cannot be changed in this process, or is not to be, so that functions are changed by slots; no slot leads to this one, and not all that call it can be linked anew. On Apple's systems the agent tries at the start whether code can be changed; a patch file for them changes slots only.",
    remedy:
      "Build the program with ipbp run, on Apple's systems without --redirect jump, elsewhere with --redirect slots: the functions of the workspace get slots.",
  },
  IPBP3017: {
    title: 'statics were merged or split',
    meaning:
      'The compiler merged statics of one codegen unit and knows them by their places in that alone (on arm64, when it optimises): a patch cannot tell which values of the program they are. Or it took a static apart into its fields, which it does when it sees all its uses, and had not before.',
    remedy:
      'Where they were merged, start the program with ipbp run, which has them kept apart, or compile with -Cllvm-args=-aarch64-enable-global-merge=false. Where one was split, build and start the program again, or compile with fewer optimisations.',
  },
  IPBP3018: {
    title: 'signature changed under one name',
    meaning:
      'A function takes or gives something else than before and is called the same, so that callers and pointers which exist would call it wrongly.',
    remedy: 'Restart the program, or give the changed function another name.',
  },
  IPBP3019: {
    title: 'module not prepared for patches',
    meaning:
      'The functions of such a module can only be changed through its table, and the module does not say which elements they have and where its statics are.',
    remedy: 'Start the program with ipbp run, which prepares the module after the link.',
  },
  IPBP3023: {
    title: 'new function of the host',
    meaning:
      'The new code calls a function that the program gets from its host, and the program that runs was not given it: imports are bound when a module is instantiated.',
    remedy: 'Build and load the program again, with what the import names.',
  },
  IPBP3024: {
    title: 'new constructor',
    meaning:
      'The new code brings a function that is to run before the program does. Modules run theirs when they are instantiated, and a patch runs none.',
    remedy: 'Build and load the program again.',
  },
  IPBP3006: {
    title: 'layout of a live type changed',
    meaning:
      'Values of a type may be alive in the running program, and the edited code would read them in another layout than they have.',
    remedy: 'Restart the program, or give the changed type another name.',
  },
  IPBP3007: {
    title: 'layouts cannot be checked',
    meaning:
      'The objects do not describe their types, so that a type whose layout changed cannot be told from one that did not.',
    remedy:
      'Build with debug = true in the profile that is used; where debug information is split, keep the .dwo files of both builds beside the objects.',
  },
  IPBP3060: {
    title: 'threads are inside a changed function',
    meaning:
      'Some threads have not left the function since the patch. They go on with its old body until it returns, which a loop may never do; only new calls reach the new one.',
    remedy: 'Wait until it returns, move the body of the loop into a function of its own, or restart the program.',
  },
  IPBP3022: {
    title: 'function never returns',
    meaning:
      'A changed function loops for ever. Threads that are inside keep running its old body; only new calls reach the new one.',
    remedy: 'Move the body of the loop into a function of its own, or restart the program.',
  },
  IPBP3030: {
    title: 'which item it was cannot be told',
    meaning:
      'Several closures, statics or instances of one place may be the one that was there before. Those in the program keep their code, and the new one counts as new.',
    remedy: 'Nothing, if old values may go on as they are; else restart the program, or make the edit in two saves.',
  },
  IPBP3031: {
    title: 'static starts anew',
    meaning: 'A static or thread-local has another type than before: new code uses a new one with its initial value.',
    remedy: 'Nothing, if the old value is not needed; else take the change back.',
  },
  IPBP3032: {
    title: 'fork cannot be closed',
    meaning:
      'A closure or async function holds other values than before, and something that has one inside keeps its own name: values made before the edit and after it could not be told apart.',
    remedy: 'Restart the program, or box the closure or future where it is held.',
  },
  IPBP3040: {
    title: 'declarations changed where layouts cannot be checked',
    meaning:
      'The objects do not describe their types, so that layouts cannot be compared, and the sources declare something differently than when values of it may have been made: a type, a constant, a trait, what a macro is given, or a function whose body makes types of its own.',
    remedy:
      'Restart the program; build with debug = true in the profile that is used, and layouts are compared instead. Where debug information is split, the .dwo files of both builds must be there; the reasons name the one that is not.',
  },
  IPBP3050: {
    title: 'needs new bindings',
    meaning:
      'The edit uses something of JavaScript that the program did not use before, exports something new, or hands over a value or closure of a new type: the code which wasm-bindgen made for the page has nothing for it.',
    remedy: 'Run wasm-bindgen again and load the page anew; ipbp run does so by itself.',
  },
  IPBP3051: {
    title: 'bindings are as they were',
    meaning:
      'What a crate tells wasm-bindgen changed (a js_name, a comment, an inline script), which no code of the program shows: the page goes on with the bindings that it has.',
    remedy: 'Nothing for a comment; else start ipbp run again, which has the bindings made anew.',
  },
} as const;
