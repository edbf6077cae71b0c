//! regex and serde_json: a large library of generic code, tables and vtables.
conform_wire::exports! {
    find_words = |text| {
        let found = regex::Regex::new(r"(?P<key>\p{L}+)=(?P<value>\d{1,3})").expect("a right expression");
        found.captures_iter(text).map(|one| format!("{}:{};", &one["value"], &one["key"])).collect()
    };
    replace_dates = |text| {
        let date = regex::Regex::new(r"(\d{4})-(\d{2})-(\d{2})").expect("a right expression");
        date.replace_all(text, "$3.$2.$1").into_owned()
    };
    sort_json = |text| {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string()).unwrap();
        serde_json::to_string(&value).expect("JSON of JSON")
    };
}
