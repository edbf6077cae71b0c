// Files for pages of the tests, over HTTP on the loopback interface. Pages are isolated, so that memory can be shared.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of files that are in memory. */
export interface PageServer {
  readonly origin: string;
  close(): void;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  wasm: 'application/wasm',
};

/** Serves files by their path, which begins with `/`, and `/index.html` for `/`; a file that is a function is asked at every request. */
export async function servePages(
  files: Readonly<Record<string, string | Uint8Array | (() => string | Uint8Array)>>,
): Promise<PageServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '').replace(/\/$/, '/index.html');
    const file = files[path];
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[path.replace(/.*\./, '')] ?? 'application/octet-stream',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    response.end(typeof file === 'function' ? file() : file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
