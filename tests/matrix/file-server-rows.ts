// Edits of a published program's own sources: miniserve, a file server on actix, asked over HTTP.
import { once } from './edits.js';
import { type Check, type Row } from './row.js';

const [MAIN, RENDERER, LISTING] = ['src/main.rs', 'src/renderer.rs', 'src/listing.rs'];
const HEALTH = '/__miniserve_internal/healthcheck';

function page(answer: RegExp, path = '/'): Check {
  return { ask: path, answer };
}

/** All rows of miniserve, in order. */
export const FILE_SERVER_ROWS: readonly Row[] = [
  {
    id: 'body',
    name: 'the body of an async handler',
    action: once(MAIN, ['HttpResponse::Ok().body("OK")', 'HttpResponse::Ok().body("quite well")']),
    expect: ['patched'],
    before: [{ ask: HEALTH, answer: 'OK' }],
    after: [{ ask: HEALTH, answer: 'quite well' }],
  },
  {
    id: 'string',
    name: 'a text in a macro that renders a page',
    action: once(RENDERER, ['"Parent directory"', '"One floor up"']),
    expect: ['patched'],
    before: [page(/Parent directory/, '/sub/')],
    after: [page(/One floor up/, '/sub/')],
  },
  {
    id: 'closure',
    name: 'the body of a closure',
    action: once(RENDERER, ['.map(|el| el.name.clone())', '.map(|el| el.name.to_uppercase())']),
    expect: ['patched'],
    before: [page(/<title>Fruit\/sub<\/title>/, '/sub/')],
    after: [page(/<title>FRUIT\/SUB<\/title>/, '/sub/')],
  },
  {
    id: 'sort-closure',
    name: 'a comparing closure that std calls',
    action: once(LISTING, [
      'alphanumeric_sort::compare_str(e1.name.to_lowercase(), e2.name.to_lowercase())',
      'alphanumeric_sort::compare_str(e2.name.to_lowercase(), e1.name.to_lowercase())',
    ]),
    expect: ['patched'],
    before: [page(/apple\.txt[^]*pear\.txt/)],
    after: [page(/pear\.txt[^]*apple\.txt/)],
  },
  {
    id: 'generic',
    name: 'the body of a generic function that a thread of its own runs',
    action: once('src/archive.rs', [
      'directory.to_string(), skip_symlinks, out)',
      '"basket".to_string(), skip_symlinks, out)',
    ]),
    expect: ['patched'],
    before: [page(/^served\//, '/?download=tar')],
    after: [page(/^basket\//, '/?download=tar')],
  },
  {
    id: 'new-function',
    name: 'a new function with functions of std that the executable may lack',
    action: once(
      RENDERER,
      ['(format!("/{}", crate_version!()))', '(format!("/{}{}", crate_version!(), season(2.5)))'],
      [
        '// Partial: version footer\n',
        `fn season(weight: f64) -> String {
    let months = std::collections::BTreeMap::from([(9u8, "apples"), (10, "pears")]);
    format!(" {months:?} {:.3e} {}", weight.cbrt(), "ripe fruit".split_inclusive(' ').rev().collect::<String>())
}

// Partial: version footer
`,
      ],
    ),
    expect: ['patched'],
    after: [page(/\{9: &quot;apples&quot;, 10: &quot;pears&quot;\} 1\.357e0 fruitripe /)],
  },
  {
    id: 'new-static',
    name: 'a new static that counts',
    action: once(MAIN, [
      'HttpResponse::Ok().body("quite well")',
      'static ASKED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1_000_000);\n' +
        '    let asked = ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);\n' +
        '    HttpResponse::Ok().body(format!("asked {asked}"))',
    ]),
    expect: ['patched'],
    after: [{ ask: HEALTH, answer: /^asked 10000\d\d$/ }],
  },
  {
    id: 'static-kept',
    name: 'the static goes on counting through the next edit',
    action: once(MAIN, ['format!("asked {asked}")', 'format!("asked {} times", asked - 900_000)']),
    expect: ['patched'],
    after: [{ ask: HEALTH, answer: /^asked 1(?!00000 )\d{5} times$/ }],
  },
  {
    id: 'included-file',
    name: 'a file that is included at compile time',
    action: once('data/logo.svg', ['standalone="no"?>', 'standalone="no"?><!-- another logo -->']),
    expect: ['patched'],
    before: [page(/^<\?xml version="1.0" encoding="UTF-8" standalone="no"\?>\n/, '/__miniserve_internal/favicon.svg')],
    after: [page(/<!-- another logo -->/, '/__miniserve_internal/favicon.svg')],
  },
  {
    id: 'new-type',
    name: 'a new type with a trait object',
    action: once(
      RENDERER,
      [
        'td.date-cell {',
        `td.date-cell {
                @let badge: Box<dyn Badge> = if entry.is_dir() { Box::new(Plain) } else { Box::new(Counted(entry.name.len())) };
                em { (badge.text()) }`,
      ],
      [
        '// Partial: version footer\n',
        `trait Badge {
    fn text(&self) -> String;
}

struct Plain;
struct Counted(usize);

impl Badge for Plain {
    fn text(&self) -> String {
        String::from("folder")
    }
}

impl Badge for Counted {
    fn text(&self) -> String {
        format!("{} letters", self.0)
    }
}

// Partial: version footer
`,
      ],
    ),
    expect: ['patched'],
    after: [page(/<em>9 letters<\/em>/), page(/<em>folder<\/em>/)],
  },
  {
    id: 'compile-error',
    name: 'a compile error: rustc says it, the program goes on',
    action: once(MAIN, ['asked - 900_000', 'asked - "many"']),
    expect: ['compile-error'],
    after: [{ ask: HEALTH, answer: /^asked 1\d+ times$/ }],
    says: /error\[E0277\]/,
  },
  {
    id: 'repair',
    name: 'the repair of the compile error',
    action: once(MAIN, ['asked - "many"', 'asked - 800_000']),
    expect: ['patched'],
    after: [{ ask: HEALTH, answer: /^asked 2\d+ times$/ }],
  },
  {
    id: 'layout',
    name: 'another field of a type whose value lives: refused, the program untouched',
    action: once(
      'src/config.rs',
      ['    /// Port on which', '    pub basket: [u64; 3],\n\n    /// Port on which'],
      ['            port,\n', '            basket: [port.into(); 3],\n            port,\n'],
    ),
    expect: ['refused'],
    after: [{ ask: HEALTH, answer: /^asked 2\d+ times$/ }, page(/<title>FRUIT<\/title>/)],
    says: /IPBP3006.*MiniserveConfig/s,
  },
  {
    id: 'layout-back',
    name: 'the type as it was',
    action: once(
      'src/config.rs',
      ['    pub basket: [u64; 3],\n\n', ''],
      ['            basket: [port.into(); 3],\n', ''],
    ),
    expect: ['unchanged', 'patched'],
    after: [page(/<title>FRUIT<\/title>/)],
  },
  {
    id: 'undo',
    name: 'ipbp undo of what the repair brought',
    action: { kind: 'command', args: ['undo', '1'] },
    expect: ['undone'],
    after: [],
  },
  {
    id: 'redo',
    name: 'ipbp redo',
    action: { kind: 'command', args: ['redo', '1'] },
    expect: ['patched'],
    after: [{ ask: HEALTH, answer: /^asked 2\d+ times$/ }],
  },
  {
    id: 'revert',
    name: 'back to the first text',
    action: { kind: 'revert' },
    expect: ['patched'],
    after: [
      { ask: HEALTH, answer: 'OK' },
      page(/Parent directory/, '/sub/'),
      page(/<title>Fruit\/sub<\/title>/, '/sub/'),
      page(/apple\.txt[^]*pear\.txt/),
      page(/^served\//, '/?download=tar'),
    ],
  },
];
