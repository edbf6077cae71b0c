import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exported, host, LINKER, run, scratch } from './linked.js';

const folder = scratch();
const program = host(folder);

function source(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('gcc -shared: constructors, thread-locals, tables of addresses, calls out', () => {
  const path = source(
    'plain.c',
    `#include <stdio.h>
     #include <string.h>
     static int counter = 3;
     int visible = 5;
     __thread int per_thread = 7;
     const char *names[] = {"one", "three"};
     __attribute__((constructor)) static void begin(void) { counter++; }
     __attribute__((destructor)) static void finish(void) { puts("finished"); }
     int f(int x) { per_thread++; return counter + visible + per_thread * 100 + (int)strlen(names[x & 1]); }`,
  );
  const library = join(folder, 'libplain.so');
  run('gcc', ['-fPIC', '-O1', '-g', '-shared', `-B${LINKER}`, '-o', library, path]);
  assert.is(run(program, [library, 'f', '1', 'f', '0']), 'f(1) = 814\nf(0) = 912\nfinished\n');
});

test('g++ -shared: exceptions, virtual functions, inline statics, dynamic_cast', () => {
  const path = source(
    'classes.cc',
    `#include <stdexcept>
     #include <string>
     #include <iostream>
     struct Base { virtual ~Base() {} virtual int value() { return 1; } };
     struct Derived : Base { int value() override { return 2; } };
     struct Guard { int &left; ~Guard() { left += 1000; } };
     inline int counter() { static int count = 0; return ++count; }
     static int thrower(int x, int &left) { Guard guard{left}; if (x == 1) throw std::runtime_error("bad " + std::to_string(x)); return x; }
     extern "C" int f(int x) {
       int left = 0;
       try { left += thrower(x, left); } catch (const std::exception &error) { std::cout << error.what() << std::endl; left += 100; }
       Base *base = new Derived;
       left += base->value() + (dynamic_cast<Derived *>(base) != nullptr ? 10 : 0);
       delete base;
       return left + counter();
     }`,
  );
  const library = join(folder, 'libclasses.so');
  run('g++', ['-fPIC', '-O1', '-shared', `-B${LINKER}`, '-o', library, path]);
  assert.is(run(program, [library, 'f', '1', 'f', '0']), 'bad 1\nf(1) = 1113\nf(0) = 1014\n');
});

test('rustc: a cdylib with threads, thread-locals, panics that are caught, and only its own functions shown', () => {
  const crate = join(folder, 'crate');
  mkdirSync(join(crate, 'src'), { recursive: true });
  writeFileSync(
    join(crate, 'Cargo.toml'),
    '[package]\nname = "linked"\nversion = "0.1.0"\nedition = "2024"\n[lib]\ncrate-type = ["cdylib"]\n[workspace]\n',
  );
  writeFileSync(
    join(crate, 'src/lib.rs'),
    `use std::{cell::RefCell, collections::HashMap};
     thread_local! { static SEEN: RefCell<Vec<u32>> = RefCell::new(vec![1]); }
     struct Loud; impl Drop for Loud { fn drop(&mut self) { println!("dropped"); } }
     #[unsafe(no_mangle)]
     pub extern "C" fn f(x: i32) -> i32 {
       let caught = std::panic::catch_unwind(|| { let _loud = Loud; if x == 1 { panic!("one") } x });
       let map: HashMap<u32, String> = (0..9).map(|i| (i, format!("{i}"))).collect();
       let sum = std::thread::spawn(move || SEEN.with(|seen| { seen.borrow_mut().push(4); seen.borrow().iter().sum::<u32>() }));
       println!("{} {}", caught.is_err(), map[&3]);
       sum.join().unwrap() as i32 + map.len() as i32
     }`,
  );
  const flags = ['-Clinker=gcc', '-Clinker-features=-lld', `-Clink-arg=-B${LINKER}`];
  for (const [profile, options] of [
    ['debug', []],
    ['release', ['--release']],
  ] as const) {
    run('cargo', ['rustc', '--offline', '--quiet', '--lib', ...options, '--', ...flags], crate);
    const library = join(crate, 'target', profile, 'liblinked.so');
    assert.is(run(program, [library, 'f', '1', 'f', '0']), 'dropped\ntrue 3\nf(1) = 14\ndropped\nfalse 3\nf(0) = 14\n');
    assert.equal(exported(library), ['f']);
    assert.match(run('readelf', ['-p', '.comment', library]), /ipbp|rustc|GCC/);
  }
});

test.run();
