// Serves the project's page on the loopback interface: files of one directory as they are, the prepared module in the place
// of the one that cargo built, and in every document, before all other scripts, the agent. Patches are page-host.ts's.
import { createReadStream, readFileSync, statSync, type Stats } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join, normalize, sep } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { sameFile } from '../files/same-file.js';
import { namesLoopback } from './loopback.js';

/** What is served of the build. */
export interface ServedModule {
  /** Of the file that cargo wrote: what is asked for by this name, in whatever folder, is the module. */
  readonly name: string;
  /** As it was linked: a copy of that under another name is the module, too. */
  readonly linked: string;
  readonly bytes: Uint8Array;
  /** Bindings that were made for it, by their paths in whatever folder they are asked for. */
  readonly glue: ReadonlyMap<string, Uint8Array>;
  /** The agent, and what makes it connect. */
  readonly agent: string;
  /** Its threads share their memory: pages must be isolated for that. */
  readonly isShared: boolean;
}

/** A server that runs. */
export interface PageServer {
  /** Of its pages, without a path: `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** From now on. */
  serve(module: ServedModule): void;
  close(): Promise<void>;
}

/** Where the agent is for pages; workers import it by this path, too. */
const AGENT_PATH = '/ipbp/agent.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
};

/**
 * Serves a directory. Throws IPBP4009 where the port cannot be had.
 * @param port 0 for any
 */
export async function startPageServer(directory: string, port: number): Promise<PageServer> {
  let module: ServedModule | null = null;
  const server = createServer((request, response) => {
    try {
      answer(directory, module, request, response);
    } catch (error) {
      // A file that went away between two looks at it.
      if (response.headersSent) response.destroy();
      else refuse(response, 500, error instanceof Error ? error.message : String(error));
    }
  });
  await new Promise<void>((fulfil, reject) => {
    server.once('error', (cause) => {
      reject(new IpbpError('IPBP4009', `cannot serve pages: ${cause.message}`, { cause }));
    });
    server.listen(port, '127.0.0.1', fulfil);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (served) => void (module = served),
    close() {
      server.closeAllConnections();
      return new Promise((fulfil) => server.close(() => fulfil()));
    },
  };
}

function answer(
  directory: string,
  module: ServedModule | null,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (!namesLoopback(request.headers.host)) return refuse(response, 403, 'served under another name');
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'only GET and HEAD');
  if (module === null) return refuse(response, 503, 'nothing is built yet');
  const path = pathOf(request.url ?? '/');
  if (path === null) return refuse(response, 400, 'not a path');
  if (path === AGENT_PATH) {
    // It holds the token: another page's script tag must not get it.
    if (isElsewhere(request)) return refuse(response, 403, 'only for pages of this server');
    return send(response, module, AGENT_PATH, module.agent);
  }
  if (basename(path) === module.name) return send(response, module, path, module.bytes);
  const file = fileFor(directory, path);
  const glue = glueFor(module, path);
  if (glue !== null && (file?.kind !== 'file' || isGlue(file.path))) return send(response, module, path, glue);
  if (file === null) return refuse(response, 404, `${path} is not there`);
  if (file.kind === 'directory') {
    // Relative addresses of its index would mean the directory above.
    response.writeHead(302, { location: `${encodeURI(normalize(path))}/` });
    response.end();
    return;
  }
  const type = extname(file.path).toLowerCase();
  if (type === '.wasm' && sameFile(file.path, module.linked)) return send(response, module, path, module.bytes);
  if (type === '.html' || type === '.htm')
    return send(response, module, file.path, withAgent(readFileSync(file.path, 'utf8')));
  response.writeHead(200, { ...headers(module, file.path), 'content-length': file.stats.size });
  createReadStream(file.path)
    .on('error', () => response.destroy())
    .pipe(response);
}

/** Bindings lie in a folder that the page's author has named. */
function glueFor({ glue }: ServedModule, path: string): Uint8Array | null {
  for (const [own, bytes] of glue) if (path.endsWith(`/${own}`)) return bytes;
  return null;
}

/** What stands there is an older build's, and no script of the page's own that is called the same. */
function isGlue(path: string): boolean {
  const isScript = /\.[cm]?js$/.test(path) && !path.includes(`${sep}snippets${sep}`);
  return !isScript || /\b__wbg_|\b__wbindgen_/.test(readFileSync(path, 'utf8'));
}

function send(response: ServerResponse, module: ServedModule, path: string, content: string | Uint8Array): void {
  response.writeHead(200, { ...headers(module, path), 'content-length': Buffer.byteLength(content) });
  response.end(content);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': TYPES['.txt'], 'cache-control': 'no-store' });
  response.end(`ipbp: ${why}\n`);
}

/** Nothing is kept by browsers: the next load is to be the newest build. */
function headers({ isShared }: ServedModule, path: string): Record<string, string> {
  return {
    'content-type': TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream',
    'cache-control': 'no-store',
    'cross-origin-resource-policy': 'same-origin',
    ...(isShared
      ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
      : {}),
  };
}

/** Decoded, without its query; null where it is none. */
function pathOf(url: string): string | null {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ''));
    return path.startsWith('/') && !path.includes('\0') ? path : null;
  } catch {
    return null;
  }
}

/** Browsers say where a request comes from. */
function isElsewhere({ headers: { 'sec-fetch-site': site } }: IncomingMessage): boolean {
  return site === 'cross-site' || site === 'same-site';
}

type Found =
  { readonly kind: 'file'; readonly path: string; readonly stats: Stats } | { readonly kind: 'directory' } | null;

/** The file below the directory that a path means. */
function fileFor(directory: string, path: string): Found {
  // What begins with `/` cannot lead out of what it is joined to.
  const inside = join(directory, normalize(path).replaceAll('/', sep));
  const stats = statSync(inside, { throwIfNoEntry: false });
  if (stats?.isFile() === true) return { kind: 'file', path: inside, stats };
  if (stats?.isDirectory() !== true) return null;
  const index = join(inside, 'index.html');
  const indexStats = statSync(index, { throwIfNoEntry: false });
  if (indexStats?.isFile() !== true) return null;
  return path.endsWith('/') ? { kind: 'file', path: index, stats: indexStats } : { kind: 'directory' };
}

/** The document with the agent before any other script. */
export function withAgent(html: string): string {
  const script = `<script src="${AGENT_PATH}"></script>`;
  // What may stand before the first element: a byte order mark, comments, the doctype, and the tags of html and head.
  const before = /^\uFEFF?(?:\s+|<!--.*?-->|<!doctype[^>]*>|<html(?:\s[^>]*)?>|<head(?:\s[^>]*)?>)*/is.exec(html);
  const at = before?.[0].length ?? 0;
  return html.slice(0, at) + script + html.slice(at);
}
