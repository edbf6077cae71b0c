// Edits of a published program's own sources: bottom, a system monitor for the terminal, asked by its screen and keys.
import { once } from './edits.js';
import { type Check, type Row } from './row.js';

const MEMORY = 'src/canvas/widgets/mem_graph.rs';
const CPU = 'src/canvas/widgets/cpu_graph.rs';
const DISKS = 'src/widgets/disk_table.rs';

/** It collects and draws twice a second; a busy machine is slower. */
const DRAWN_MS = 10_000;

function screen(answer: RegExp): Check {
  return { ask: 'screen', answer, within: DRAWN_MS };
}

/** All rows of bottom, in order. */
export const MONITOR_ROWS: readonly Row[] = [
  {
    id: 'string',
    name: "a widget's title",
    action: once(MEMORY, ['title: " Memory ".into()', 'title: " Remembered ".into()']),
    expect: ['patched'],
    before: [screen(/ Memory /)],
    after: [screen(/ Remembered /)],
  },
  {
    id: 'format',
    name: 'another format!',
    action: once(CPU, ['"─ {:.2} {:.2} {:.2} "', '"─ load {:.1} {:>5.1} {:e} "']),
    expect: ['patched'],
    before: [screen(/ CPU ─ \d+\.\d\d \d+\.\d\d \d+\.\d\d /)],
    after: [screen(/ CPU ─ load \d+\.\d +\d+\.\d [\d.]+e-?\d /)],
  },
  {
    id: 'loop-thread',
    name: 'a function that a thread in a loop calls, through two others',
    action: once('src/collection/cpu/sysinfo.rs', [
      '[one as f32, five as f32, fifteen as f32]',
      '[one as f32 * 0.0 + 7.5, five as f32 * 0.0 + 12.5, fifteen as f32 * 0.0 + 2.0]',
    ]),
    expect: ['patched'],
    after: [screen(/ CPU ─ load 7\.5 +12\.5 2e0 /)],
    inLoop: true,
  },
  {
    id: 'closure',
    name: 'the body of a closure over a captured title',
    action: once('src/canvas/components/data_table/draw.rs', [
      'let left_title = Line::from(Span::styled(title, title_style)).left_aligned();',
      'let left_title = Line::from(Span::styled(title.to_uppercase(), title_style)).left_aligned();',
    ]),
    expect: ['patched'],
    before: [screen(/ Disks /)],
    after: [screen(/ DISKS /), screen(/ PROCESSES /)],
  },
  {
    id: 'generic',
    name: 'the body of a method of a generic type, for all its instances',
    action: once('src/canvas/components/data_table/draw.rs', [
      'let mut block = widget_block(\n            self.props.is_basic,\n            is_selected,\n            self.styling.border_type,\n            self.styling.general_widget_style,\n        )\n        .border_style(border_style);\n',
      'let mut block = widget_block(\n            self.props.is_basic,\n            is_selected,\n            self.styling.border_type,\n            self.styling.general_widget_style,\n        )\n        .border_style(border_style)\n        .title_bottom(format!("<{data_len} rows>"));\n',
    ]),
    expect: ['patched'],
    after: [screen(/<\d+ rows>[^]*<\d+ rows>/)],
  },
  {
    id: 'method',
    name: "a trait's method whose type nobody edited",
    action: once(DISKS, ['DiskWidgetColumn::Mount => "Mount(m)"', 'DiskWidgetColumn::Mount => "Place(m)"']),
    expect: ['patched'],
    before: [screen(/Mount\(m\)/)],
    after: [screen(/Place\(m\)/)],
  },
  {
    id: 'new-function',
    name: 'a new function, new functions of std, a new static that counts',
    action: once(
      MEMORY,
      ['title: " Remembered ".into()', 'title: counted().into()'],
      [
        'impl Painter {\n    pub fn draw_memory_graph',
        `static DRAWN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(100_000);

fn counted() -> String {
    let drawn = DRAWN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let list = std::collections::VecDeque::from([drawn, drawn.isqrt()]);
    format!(" {list:?} {} ", "drawn".chars().rev().collect::<String>())
}

impl Painter {
    pub fn draw_memory_graph`,
      ],
    ),
    expect: ['patched'],
    after: [screen(/ \[100\d\d\d, 31\d\] nward /)],
  },
  {
    id: 'state-kept',
    name: 'the static goes on counting, the program keeps what was opened by a key',
    action: once(MEMORY, ['format!(" {list:?} {} "', 'format!(" so far {list:?} {} "']),
    expect: ['patched'],
    before: [{ ask: 'keys:e', answer: '' }, screen(/Esc to go back/)],
    after: [
      screen(/Esc to go back/),
      { ask: 'keys:\\e', answer: '' },
      // A static that began anew would be at its first value again.
      screen(/ so far \[100(?!000)\d\d\d, 31\d\] nward /),
    ],
  },
  {
    id: 'layout',
    name: 'another field of a type whose value lives: refused, the program goes on',
    action: once('src/app/data/time_series.rs', ['    pub rx: Values,\n', '    pub note: u64,\n    pub rx: Values,\n']),
    expect: ['refused'],
    after: [screen(/ so far \[100\d\d\d, 31\d\] nward /)],
    says: /IPBP3006.*TimeSeriesData/s,
  },
  {
    id: 'layout-back',
    name: 'the type as it was',
    action: once('src/app/data/time_series.rs', ['    pub note: u64,\n', '']),
    expect: ['unchanged', 'patched'],
    after: [screen(/ so far \[100\d\d\d, 31\d\] nward /)],
  },
  {
    id: 'undo',
    name: 'ipbp undo: the title before the last',
    action: { kind: 'command', args: ['undo', '1'] },
    expect: ['undone'],
    after: [screen(/┌ \[100\d\d\d, 31\d\] nward /)],
  },
  {
    id: 'redo',
    name: 'ipbp redo',
    action: { kind: 'command', args: ['redo', '1'] },
    expect: ['patched'],
    after: [screen(/ so far \[100\d\d\d, 31\d\] nward /)],
  },
  {
    id: 'revert',
    name: 'back to the first text',
    action: { kind: 'revert' },
    expect: ['patched'],
    after: [
      screen(/ Memory /),
      screen(/ CPU ─ \d+\.\d\d \d+\.\d\d \d+\.\d\d /),
      screen(/ Disks /),
      screen(/Mount\(m\)/),
    ],
  },
];
