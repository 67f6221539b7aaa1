//! The text format: what is text, and names written in it.

/// Whether bytes are meant as the text format: an opening `(module`, or a comment before it.
pub fn is_text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with(";;")
        || text.starts_with("(;")
        || text
            .strip_prefix('(')
            .is_some_and(|rest| rest.trim_start().starts_with("module"))
}

/// A name as a string literal, safe whatever characters it has.
pub fn quote(name: &str) -> String {
    let bytes = name.bytes().map(|byte| format!("\\{byte:02x}"));
    format!("\"{}\"", bytes.collect::<String>())
}
