// Edits of a wasm-bindgen program while it runs, in Node and in a browser: functions, methods, what closures do that
// JavaScript holds, new functions and imports. All values stay, JavaScript's ones in statics among them. What the page's
// glue has nothing for is refused, with the reason.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { install } from '../../agent/web/index.js';
import { chromium } from '../../conformance/setup/chromium.js';
import { type PageEvent, startPageHost } from '../../src/host/web/page-host.js';
import { agentScript } from './agent-script.js';
import { bindgenModule } from './bindgen-module.js';
import { servePages } from './page-server.js';

const SOURCE = readFileSync(new URL('bindgen-app/lib.rs', import.meta.url), 'utf8');

/** The source with one thing changed. */
function edited(from: string, to: string): string {
  const text = SOURCE.replace(from, to);
  assert.is.not(text, SOURCE, `nothing changed: ${from}`);
  return text;
}

/** What is done at the start, in either. */
const BEGIN = `(() => {
  globalThis.notes = [];
  globalThis.note = (text) => void notes.push(text);
  globalThis.counter = new app.Counter();
  globalThis.held = app.adder(10);
  globalThis.kept = { is: 'an object' };
  app.keep(kept);
  app.keep('a text');
  app.listen(button);
  globalThis.click = () => { button.dispatchEvent(new Event('click')); return app.clicks(); };
})()`;

/** Edits, one after the other, each from the original; what is asked then, and the answer. */
const EDITS: readonly (readonly [what: string, source: string, ask: string, answer: unknown])[] = [
  ['nothing yet', SOURCE, '[app.title("you"), counter.step(), held(1), click()]', ['hello you', 2, 11, 1]],
  ['a body', edited('"hello {name}"', '"good bye {name}"'), '[app.title("you"), click()]', ['good bye you', 2]],
  [
    'a method, which calls an import that the program has',
    edited('self.value += 1;', 'self.value += 100;\n        note("stepped");'),
    '[app.title("you"), counter.step(), notes.at(-1)]',
    ['hello you', 102, 'stepped'],
  ],
  [
    'a closure that JavaScript holds',
    edited('|x: u32| x + by)', '|x: u32| x + by + 1000)'),
    '[counter.step(), held(1), app.adder(20)(1)]',
    [103, 1011, 1021],
  ],
  [
    'a new function, called for an event',
    `${edited('CLICKS.set(CLICKS.get() + 1)', 'CLICKS.set(further(CLICKS.get()))')}\nfn further(from: u32) -> u32 {\n    from + 7\n}\n`,
    '[held(1), click(), notes.at(-1)]',
    [11, 9, 'click'],
  ],
  [
    'a use of what only another crate used, and a new static of JavaScript values',
    edited(
      'format!("hello {name}")',
      `thread_local! { static SEEN: RefCell<Vec<JsValue>> = RefCell::new(Vec::new()); }
    let seen = SEEN.with_borrow_mut(|seen| { seen.push(kept().into()); seen.len() });
    format!("{} {}", js_sys::Math::max(seen as f64, 1.0), name)`,
    ),
    '[app.title("you"), app.title("you"), click()]',
    ['1 you', '2 you', 10],
  ],
];

/** What needs new glue, and for what. */
const BEYOND: readonly (readonly [source: string, name: string, message: RegExp])[] = [
  [edited('js_name = note', 'js_name = mark'), 'page::note', /this import/],
  [edited('fn note(text: &str);', 'fn note(text: &str) -> bool;'), 'page::note', /this import/],
  [edited('"hello {name}"', '"{}", js_sys::Math::min(1.0, 2.0)'), 'js_sys::Math::min', /this import/],
  [`${SOURCE}\n#[wasm_bindgen]\npub fn fresh(x: u32) -> u32 {\n    x\n}\n`, 'fresh', /newly exported/],
  [
    edited('clicks() -> u32 {\n    CLICKS.get()', 'clicks() -> i32 {\n    CLICKS.get() as i32'),
    'clicks',
    /other types/,
  ],
  [
    edited('|x: u32| x + by) as Box<dyn Fn(u32) -> u32>', '|x: f32| x + by as f32) as Box<dyn Fn(f32) -> f32>'),
    'page::adder',
    /closure of this type/,
  ],
];

const HTML = (options: string): string => `<!doctype html><title>bindgen</title><button>more</button>
<script src="/agent.js"></script>
<script>ipbpAgent.install(${options})</script>
<script type="module">
  import init, * as app from '/page.js';
  await init();
  Object.assign(globalThis, { app, button: document.querySelector('button') });
</script>`;

test('edits in Node and in a browser', async () => {
  const module = bindgenModule(SOURCE);
  const token = randomBytes(32);
  const events: PageEvent[] = [];
  let origin = '';
  const host = await startPageHost({
    token: new Uint8Array(token),
    origin: (given) => given === null || given === origin,
    onEvent: (event) => events.push(event),
  });
  const options = { url: host.url, token: token.toString('hex') };
  const web = module.glue('web', '--keep-debug');
  const pages = await servePages({
    ...{ '/index.html': HTML(JSON.stringify(options)), '/agent.js': agentScript() },
    '/page.js': readFileSync(join(web.folder, 'page.js'), 'utf8'),
    '/page_bg.wasm': web.base.bytes,
  });
  origin = pages.origin;
  let isOver = false;
  // What the hook began has no end of its own: it goes on to connect.
  const open = (url: string): object => (isOver ? { close: () => undefined } : new WebSocket(url));
  install({ ...options, name: 'node', open, reload: assert.unreachable });
  const node = module.glue('nodejs', '--remove-name-section');
  const require = createRequire(import.meta.url);
  Object.assign(globalThis, { app: require(join(node.folder, 'page.js')) as object, button: new EventTarget() });
  const browser = await chromium();
  try {
    const page = await browser.open(`${pages.origin}/`);
    await page.evaluate(
      'new Promise((done) => { const look = () => globalThis.app ? done() : setTimeout(look, 10); look(); })',
    );
    assert.equal(host.pages.map(({ name }) => name).sort(), ['/', 'node']);
    const both = async (expression: string): Promise<unknown[]> => {
      return [
        JSON.parse(JSON.stringify(runInThisContext(expression) ?? null)) as unknown,
        await page.evaluate(expression),
      ];
    };
    await both(`${BEGIN}, null`);
    for (const [what, source, ask, answer] of EDITS) {
      if (source !== SOURCE) {
        const made = module.edit(source);
        assert.ok(made.kind === 'patch', `${what}: ${JSON.stringify(made)}`);
        const results = await host.add(made.patch, made.bytes);
        assert.equal(
          results.map(({ error }) => error),
          [null, null],
          what,
        );
      }
      assert.equal(await both(ask), [answer, answer], what);
      assert.equal(await both('[app.kept()[0] === kept, app.kept()[1]]'), Array(2).fill([true, 'a text']), what);
    }
    for (const [source, name, message] of BEYOND) {
      const made = module.edit(source);
      assert.ok(made.kind === 'refused', `${name}: ${JSON.stringify(made)}`);
      assert.equal(
        made.items.map((item) => [item.code, item.name]),
        [['IPBP3050', name]],
      );
      assert.match(made.items[0]?.message ?? '', message);
    }
    // What only the bindings say: a comment, alone and beside an edit.
    const comment = edited('#[wasm_bindgen]\npub fn clicks', '#[wasm_bindgen] /// How many.\npub fn clicks');
    module.edit(SOURCE);
    const said = module.edit(comment);
    assert.ok(said.kind === 'unchanged' && /bindings changed/.test(said.reason), said.kind);
    const beside = module.edit(comment.replace('value += 1', 'value += 2'));
    assert.ok(beside.kind === 'patch', beside.kind);
    assert.equal(beside.warnings, ['IPBP3051']);
    assert.equal([page.loads(), page.console], [1, []]);
    assert.equal(
      events.filter(({ event }) => event === 'trapped' || event === 'rejected'),
      [],
    );
  } finally {
    isOver = true;
    browser.close();
    pages.close();
    await host.close();
    module.remove();
  }
});

test.run();
