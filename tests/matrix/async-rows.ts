// Edits of async handlers that hold something while the edit goes live: call sites of log events, requests that wait.
import { once, regions } from './edits.js';
import { type Row } from './row.js';

const ROUTES = 'src/routes.rs';

/** Rows for the server only. */
export const ASYNC_ROWS: readonly Row[] = [
  {
    id: 'tracing-before',
    name: 'a tracing event before another: each keeps its level, fields and text',
    action: regions(ROUTES, {
      bell: `
/// Rings once; the log tells.
async fn bell() -> &'static str {
    tracing::warn!(hand = "left", "a guest comes");
    let rings = RINGS.fetch_add(1, Relaxed) + 1;
    tracing::info!(rings, "the bell rings");
    "ding\\n"
}`,
    }),
    expect: ['patched'],
    before: [{ ask: '/bell', answer: 'ding\n', log: /INFO the bell rings rings=1\n/ }],
    after: [
      {
        ask: '/bell',
        answer: 'ding\n',
        log: /WARN a guest comes hand="left"\n.*INFO the bell rings rings=2\n/,
      },
    ],
  },
  {
    id: 'await-local',
    name: 'a local held across .await with requests in flight: old ones end right, new ones take the new code',
    action: regions(ROUTES, {
      wait: `
/// Answers when the door opens.
async fn wait(State(shop): State<Arc<Shop>>) -> String {
    let door = shop.door.notified();
    let coats = [shop.placed() + 7; 5];
    shop.waiting.fetch_add(1, Relaxed);
    door.await;
    shop.waiting.fetch_sub(1, Relaxed);
    format!("let in with {} coats\\n", coats.iter().sum::<u64>())
}`,
    }),
    expect: ['patched'],
    before: [{ ask: '/wait', answer: 'let in\n', release: '/open' }],
    inFlight: {
      ask: '/wait',
      count: 6,
      arrived: { ask: '/waiting', answer: '6', within: 10_000 },
      release: '/open',
      answer: 'let in\n',
    },
    after: [
      { ask: '/wait', answer: 'let in with 35 coats\n', release: '/open' },
      { ask: '/waiting', answer: '0' },
    ],
  },
  {
    id: 'await-local-again',
    name: 'the handler edited again with requests of the new kind in flight: they end in the new body',
    action: once(ROUTES, ['coats.iter().sum::<u64>()', 'coats.iter().sum::<u64>() + 1']),
    expect: ['patched'],
    inFlight: {
      ask: '/wait',
      count: 3,
      arrived: { ask: '/waiting', answer: '3', within: 10_000 },
      release: '/open',
      answer: 'let in with 36 coats\n',
    },
    after: [{ ask: '/wait', answer: 'let in with 36 coats\n', release: '/open' }],
  },
];
