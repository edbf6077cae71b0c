// How the matrix builds its programs.
import { type Configuration } from './drive.js';

/** What `cargo run` does by itself. */
export const DEBUG: Configuration = { name: 'debug', environment: {}, cargoArguments: [], unoptimised: true };

/** Everything that `--full` runs. */
export const ALL: readonly Configuration[] = [
  DEBUG,
  {
    name: 'opt-1',
    environment: { CARGO_PROFILE_DEV_OPT_LEVEL: '1' },
    cargoArguments: [],
    unoptimised: false,
  },
  {
    name: 'release',
    environment: { CARGO_PROFILE_RELEASE_INCREMENTAL: 'true', CARGO_PROFILE_RELEASE_STRIP: 'none' },
    cargoArguments: ['--release'],
    unoptimised: false,
  },
  {
    name: 'v0-names',
    environment: { RUSTFLAGS: '-Csymbol-mangling-version=v0' },
    cargoArguments: [],
    unoptimised: true,
  },
  { name: 'gnu-ld', environment: { RUSTFLAGS: '-Clink-arg=-fuse-ld=bfd' }, cargoArguments: [], unoptimised: true },
];
