// The programs that the matrix edits.
import { type Program } from './program.js';

/** std, one library of its own workspace; rayon declared and not linked: `tests/matrix/program` with the order desk. */
export const PLAIN: Program = {
  name: 'plain',
  sources: [
    { from: 'checkout', folder: 'tests/matrix/program', to: '.' },
    { from: 'checkout', folder: 'examples/server/src/desk', to: 'src/desk' },
    { from: 'checkout', folder: 'examples/server/pricing', to: 'pricing' },
  ],
  files: {},
  talks: 'http',
  alive: '/health',
  cargoArguments: [],
  programArguments: () => [],
  traffic: ['/health', '/ask/offers'],
  desk: true,
};

/** axum on tokio with 23 direct dependencies: `examples/server`. */
export const SERVER: Program = {
  name: 'server',
  sources: [{ from: 'checkout', folder: 'examples/server', to: '.' }],
  files: {},
  talks: 'http',
  alive: '/health',
  cargoArguments: [],
  programArguments: () => [],
  traffic: ['/', '/health', '/menu', '/lottery?seats=9', '/ask/offers'],
  desk: true,
};

/** A published file server on actix: 457 packages in its lock file. */
export const MINISERVE: Program = {
  name: 'miniserve',
  sources: [{ from: 'registry', crate: 'miniserve', version: '0.35.0', to: '.' }],
  files: {
    'served/apple.txt': 'an apple\n',
    'served/pear.txt': 'a pear, and another pear\n',
    'served/sub/plum.txt': 'a plum\n',
    'served/sub/README.md': '# Plums\n\nblue and *ripe*\n',
  },
  talks: 'http',
  alive: '/__miniserve_internal/healthcheck',
  cargoArguments: ['--locked'],
  programArguments: (port) => [
    ...['--interfaces', '127.0.0.1', '--port', String(port), '--title', 'Fruit', '--readme', '--enable-tar'],
    ...['--verbose', 'served'],
  ],
  traffic: ['/', '/apple.txt', '/sub/', '/__miniserve_internal/healthcheck'],
  desk: false,
};

/** A published system monitor for the terminal. */
export const BOTTOM: Program = {
  name: 'bottom',
  sources: [{ from: 'registry', crate: 'bottom', version: '0.15.0', to: '.' }],
  files: { 'empty.toml': '' },
  talks: 'terminal',
  alive: 'screen',
  // Its own profile optimises every dependency, which takes a quarter of an hour and changes nothing for the edits.
  cargoArguments: ['--locked', '--config', 'profile.dev.package."*".opt-level=0'],
  programArguments: () => ['--config_location', 'empty.toml', '--rate', '500ms'],
  traffic: [],
  desk: false,
};
