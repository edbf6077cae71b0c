//! syn and prettyplease: a parser of many types, deep recursion, large functions.
struct Names(Vec<String>);
impl<'ast> syn::visit::Visit<'ast> for Names {
    fn visit_ident(&mut self, name: &'ast proc_macro2::Ident) {
        self.0.push(name.to_string());
    }
}

conform_wire::exports! {
    format_source = |text| match syn::parse_file(text) {
        Ok(file) => prettyplease::unparse(&file),
        Err(error) => format!("error: {error}"),
    };
    names_in = |text| {
        let mut names = Names(Vec::new());
        syn::visit::Visit::visit_file(&mut names, &syn::parse_file(text).expect("a right file"));
        names.0.join(",")
    };
}
