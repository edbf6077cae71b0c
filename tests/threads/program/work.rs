//! What is patched. The test writes another number into each of the compiled objects, and compiles this text twice:
//! as it is, and with `pass` replaced by `in_words` and one more call in `run`.
use crate::{nap, pass, publish};

/// Not a number that anything else in the object could hold by chance.
const STAMP: u32 = 0x7a11_c0de;

pub static HOT: [fn() -> u32; 8] = [hot_0, hot_1, hot_2, hot_3, hot_4, hot_5, hot_6, hot_7];

fn hot_0() -> u32 {
    pass(STAMP)
}

fn hot_1() -> u32 {
    pass(STAMP)
}

fn hot_2() -> u32 {
    pass(STAMP)
}

fn hot_3() -> u32 {
    pass(STAMP)
}

fn hot_4() -> u32 {
    pass(STAMP)
}

fn hot_5() -> u32 {
    pass(STAMP)
}

fn hot_6() -> u32 {
    pass(STAMP)
}

fn hot_7() -> u32 {
    pass(STAMP)
}

fn tick() {
    nap();
    publish(8, pass(STAMP));
}

/// `push rax; jmp +0; call tick; jmp -7`: a jump of five bytes over its entry would cover where `call` returns to.
pub fn run() -> ! {
    loop {
        tick()
    }
}
