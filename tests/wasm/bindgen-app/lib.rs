// A page of wasm-bindgen's: an exported struct, listeners that JavaScript holds, JavaScript's values in statics.
use std::cell::{Cell, RefCell};
use wasm_bindgen::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, EventTarget};

thread_local! {
    static KEPT: RefCell<Vec<JsValue>> = RefCell::new(Vec::new());
    static LISTENERS: RefCell<Vec<Closure<dyn FnMut(Event)>>> = RefCell::new(Vec::new());
    static CLICKS: Cell<u32> = Cell::new(0);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = note)]
    fn note(text: &str);
}

#[wasm_bindgen]
pub struct Counter {
    value: u32,
}

#[wasm_bindgen]
impl Counter {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Counter {
        Counter { value: 1 }
    }

    pub fn step(&mut self) -> u32 {
        self.value += 1;
        self.value
    }
}

#[wasm_bindgen]
pub fn keep(value: JsValue) -> usize {
    KEPT.with_borrow_mut(|kept| {
        kept.push(value);
        kept.len()
    })
}

#[wasm_bindgen]
pub fn kept() -> js_sys::Array {
    KEPT.with_borrow(|kept| kept.iter().cloned().collect())
}

#[wasm_bindgen]
pub fn title(name: &str) -> String {
    format!("hello {name}")
}

fn on_click(event: &Event) {
    CLICKS.set(CLICKS.get() + 1);
    note(&event.type_());
}

#[wasm_bindgen]
pub fn listen(target: &EventTarget) {
    let listener = Closure::wrap(Box::new(move |event: Event| on_click(&event)) as Box<dyn FnMut(Event)>);
    target.add_event_listener_with_callback("click", listener.as_ref().unchecked_ref()).unwrap();
    LISTENERS.with_borrow_mut(|all| all.push(listener));
}

#[wasm_bindgen]
pub fn clicks() -> u32 {
    CLICKS.get()
}

#[wasm_bindgen]
pub fn adder(by: u32) -> JsValue {
    Closure::wrap(Box::new(move |x: u32| x + by) as Box<dyn Fn(u32) -> u32>).into_js_value()
}

#[wasm_bindgen]
pub fn largest(a: f64, b: f64) -> f64 {
    page_parts::largest(a, b)
}
