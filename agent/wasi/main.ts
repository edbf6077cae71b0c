// `node wasi.js MODULE [ARGUMENTS…]`: cargo's runner for WASI programs where the user has set none. Both of its threads
// begin here.
import { isMainThread, workerData, type MessagePort } from 'node:worker_threads';
import { connect } from './connection.js';
import { runProgram } from './program.js';

if (isMainThread) {
  const [file = '', ...args] = process.argv.slice(2);
  process.exit(await runProgram(file, args, new URL(import.meta.url)));
}
connect((workerData as { readonly port: MessagePort }).port);
