// Edits of the order service's own handlers, which run on tokio's threads under a stream of requests.
import { once } from './edits.js';
import { type Row } from './row.js';

const ROUTES = 'src/routes.rs';

/** Rows for the server only. */
export const WEB_ROWS: readonly Row[] = [
  {
    id: 'handler',
    name: 'the text of an async handler',
    action: once(ROUTES, ['"Welcome to the order desk.\\n"', '"Welcome back to the order desk.\\n"']),
    expect: ['patched'],
    before: [{ ask: '/', answer: 'Welcome to the order desk.\n' }],
    after: [{ ask: '/', answer: 'Welcome back to the order desk.\n' }],
  },
  {
    id: 'derive',
    name: 'a new type with a derived Serialize in an answer',
    action: once(
      ROUTES,
      [
        'serde_json::json!(Dish { name: name.to_string(), cents })',
        'serde_json::json!(Priced { dish: Dish { name: name.to_string(), cents }, euro: cents as f64 / 100.0 })',
      ],
      ['fn dish(', '#[derive(Serialize)]\nstruct Priced {\n    dish: Dish,\n    euro: f64,\n}\n\nfn dish('],
    ),
    expect: ['patched'],
    before: [{ ask: '/menu', answer: '[{"cents":250,"name":"tea"},{"cents":480,"name":"soup"}]' }],
    after: [
      {
        ask: '/menu',
        answer: '[{"dish":{"cents":250,"name":"tea"},"euro":2.5},{"dish":{"cents":480,"name":"soup"},"euro":4.8}]',
      },
    ],
  },
  {
    id: 'handler-static',
    name: "a handler's static goes on counting",
    action: once(ROUTES, [
      'served: SERVED.fetch_add(1, Relaxed) + 1,',
      'served: SERVED.fetch_add(1, Relaxed) + 1_000_001,',
    ]),
    expect: ['patched'],
    // Hundreds of requests were served by then: a static that began anew would show fewer.
    after: [{ ask: '/health', answer: /"served":1(?!0000)\d{6},/ }],
  },
];
