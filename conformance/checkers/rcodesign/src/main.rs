//! Reads Mach-O files' signatures with rcodesign's library: a line of JSON for each file named on standard input. Judges
//! nothing: what is a problem is said as that library says it.
use apple_codesign::{verify_macho_data, MachFile};
use serde_json::{json, Value};
use std::io::BufRead;

fn directory_of(bytes: &[u8]) -> Result<Value, String> {
    let file = MachFile::parse(bytes).map_err(|error| error.to_string())?;
    let Some(macho) = file.iter_macho().next() else {
        return Err("no Mach-O file".into());
    };
    let Some(signature) = macho.code_signature().map_err(|error| error.to_string())? else {
        return Err("no signature".into());
    };
    let Some(directory) = signature.code_directory().map_err(|error| error.to_string())? else {
        return Err("no CodeDirectory".into());
    };
    Ok(json!({
        "version": directory.version,
        "flags": directory.flags.bits(),
        "identifier": directory.ident,
        "codeLimit": directory.code_limit,
        "digest": directory.digest_type.to_string(),
        "pageSize": directory.page_size,
        "pages": directory.code_digests.len(),
        "specials": directory.special_digests.len(),
        "team": directory.team_name,
        "platform": directory.platform,
        "execSegBase": directory.exec_seg_base,
        "execSegLimit": directory.exec_seg_limit,
        "execSegFlags": directory.exec_seg_flags.map(|flags| flags.bits()),
        "blobs": signature.blobs.len(),
    }))
}

fn main() {
    for path in std::io::stdin().lock().lines() {
        let path = path.expect("a path per line");
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let problems: Vec<String> = verify_macho_data(&bytes).iter().map(|problem| problem.to_string()).collect();
        let directory = directory_of(&bytes).unwrap_or_else(|error| json!({ "error": error }));
        println!("{}", json!({ "path": path, "problems": problems, "directory": directory }));
    }
}
