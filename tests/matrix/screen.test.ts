// The terminal's screen keeps what a person would see.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Screen } from './screen.js';

const test = suite('screen');

test('text goes where the cursor was moved; colours are no text', () => {
  const screen = new Screen(3, 12);
  screen.write('\x1b[?1049h\x1b[2;3H\x1b[1;38;5;4mCPU\x1b[0m ok');
  assert.is(screen.text, '\n  CPU ok\n');
});

test('what is written later stands over it', () => {
  const screen = new Screen(1, 8);
  screen.write('Memory');
  screen.write('\x1b[1;1HDisk\x1b[K');
  assert.is(screen.text, 'Disk');
});

test('a sequence and a character may arrive in two parts', () => {
  const screen = new Screen(2, 8);
  screen.write('a\x1b[2');
  screen.write(';1Hb─');
  assert.is(screen.text, 'a\nb─');
});

test('erased and scrolled lines are gone', () => {
  const screen = new Screen(2, 4);
  screen.write('one\r\ntwo\r\n3');
  assert.is(screen.text, 'two\n3');
  screen.write('\x1b[2J');
  assert.is(screen.text, '\n');
});

test('a title of the window is no text', () => {
  const screen = new Screen(1, 4);
  screen.write('\x1b]0;title\x07ab\x1b(Bc');
  assert.is(screen.text, 'abc');
});

test.run();
