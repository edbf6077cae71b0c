// What the page server gives to whom: files as they are, the prepared module, documents with the agent, nothing to others.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startPageServer, withAgent, type PageServer } from './page-server.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-pages-'));
const SITE = join(FOLDER, 'site');
const LINKED = join(FOLDER, 'linked');
const MODULE = {
  name: 'app.wasm',
  linked: LINKED,
  bytes: new Uint8Array([1, 2, 3]),
  glue: new Map([
    ['app.js', new Uint8Array([4])],
    ['app_bg.wasm', new Uint8Array([5])],
    ['snippets/one-0123/inline0.js', new Uint8Array([6])],
  ]),
  agent: 'agent()',
  isShared: false,
};
let server: PageServer;

test.before(async () => {
  mkdirSync(join(SITE, 'sub'), { recursive: true });
  writeFileSync(LINKED, 'linked');
  writeFileSync(join(FOLDER, 'secret.txt'), 'secret');
  writeFileSync(join(SITE, 'index.html'), '<!doctype html><p>home');
  writeFileSync(join(SITE, 'sub', 'index.html'), '<p>sub');
  writeFileSync(join(SITE, 'a b.js'), 'let x;');
  writeFileSync(join(SITE, 'copy.wasm'), 'linked');
  writeFileSync(join(SITE, 'other.wasm'), 'other');
  server = await startPageServer(SITE, 0);
});

test.after(async () => {
  await server.close();
  rmSync(FOLDER, { recursive: true });
});

interface Said {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Node's fetch would tidy the path up. */
function get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Said> {
  return new Promise((resolve, reject) => {
    const asked = request(server.origin, { path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const { statusCode: status, headers: all } = response;
        resolve({ status, type: all['content-type'], headers: all, text });
      });
    });
    asked.on('error', reject).end();
  });
}

test('before anything is built', async () => {
  assert.is((await get('/')).status, 503);
  server.serve(MODULE);
  assert.is((await get('/')).status, 200);
});

test('documents get the agent, and folders their index', async () => {
  assert.is((await get('/')).text, '<!doctype html><script src="/ipbp/agent.js"></script><p>home');
  assert.is((await get('/sub/?x=1')).text, '<script src="/ipbp/agent.js"></script><p>sub');
  const moved = await get('//sub');
  assert.equal([moved.status, moved.headers['location']], [302, '/sub/']);
});

test('the module stands in for the built one by name and by content', async () => {
  for (const path of ['/app.wasm', '/pkg/app.wasm?v=1', '/copy.wasm']) {
    const { type, text } = await get(path);
    assert.equal([type, text], ['application/wasm', '\x01\x02\x03'], path);
  }
  assert.is((await get('/other.wasm')).text, 'other');
});

test('bindings are there in whatever folder, for those of an older build, and not for a script of the page', async () => {
  mkdirSync(join(SITE, 'old'));
  writeFileSync(join(SITE, 'old', 'app.js'), 'wasm.__wbindgen_start();');
  mkdirSync(join(SITE, 'own'));
  writeFileSync(join(SITE, 'own', 'app.js'), 'import "/pkg/app.js";');
  const texts = ['/pkg/app.js', '/pkg/app_bg.wasm', '/pkg/snippets/one-0123/inline0.js', '/old/app.js', '/own/app.js'];
  const all = await Promise.all(texts.map(async (path) => (await get(path)).text));
  assert.equal(all, ['\x04', '\x05', '\x06', '\x04', 'import "/pkg/app.js";']);
  assert.is((await get('/pkg/other.js')).status, 404);
});

test('other files are as they are, and nothing outside of the folder is there', async () => {
  const { type, text, headers } = await get('/a%20b.js');
  assert.equal([type, text, headers['cache-control']], ['text/javascript; charset=utf-8', 'let x;', 'no-store']);
  for (const path of ['/../secret.txt', '/sub/../../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/none'])
    assert.is((await get(path)).status, 404, path);
  for (const path of ['/%', '/a%00b']) assert.is((await get(path)).status, 400, path);
  assert.is((await get('/', {}, 'POST')).status, 405);
});

test('the agent, which has the token, is for pages of this server; nobody comes by another name', async () => {
  assert.is((await get('/ipbp/agent.js', { 'sec-fetch-site': 'same-origin' })).text, 'agent()');
  assert.is((await get('/ipbp/agent.js', { 'sec-fetch-site': 'cross-site' })).status, 403);
  assert.is((await get('/', { host: 'elsewhere.example' })).status, 403);
  assert.is((await get('/')).headers['cross-origin-resource-policy'], 'same-origin');
});

test('pages whose threads share memory are isolated', async () => {
  assert.is((await get('/')).headers['cross-origin-embedder-policy'], undefined);
  server.serve({ ...MODULE, isShared: true });
  const { headers } = await get('/');
  assert.equal(
    [headers['cross-origin-opener-policy'], headers['cross-origin-embedder-policy']],
    ['same-origin', 'require-corp'],
  );
});

test('the agent comes before every other script', () => {
  const script = '<script src="/ipbp/agent.js"></script>';
  const cases = [
    ['<!DOCTYPE html>\n<html lang="en">\n<head>\n<script>1</script>', '<script>1</script>'],
    ['\uFEFF<!-- a <script>x</script> --><html><script>1</script>', '<script>1</script>'],
    ['<header>1</header>', '<header>1</header>'],
    ['text only', 'text only'],
  ] as const;
  for (const [html, rest] of cases) assert.ok(withAgent(html).endsWith(script + rest), html);
});

test.run();
