//! rhai: an interpreter with closures, dynamic types, many vtables and formatted errors.
conform_wire::exports! {
    evaluate = |text| match rhai::Engine::new().eval::<rhai::Dynamic>(text) {
        Ok(value) => value.to_string(),
        Err(error) => format!("error: {error}"),
    };
    call_back = |text| {
        let mut engine = rhai::Engine::new();
        engine.register_fn("twice", |number: i64| number * 2);
        engine.register_fn("fail", |number: i64| -> i64 { panic!("told to fail with {number}") });
        engine.eval::<i64>(text).map(|number| number.to_string()).unwrap_or_else(|error| error.to_string())
    };
}
