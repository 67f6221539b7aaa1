//! The text format of WebAssembly: how it is recognised, and how it becomes a binary.

use std::borrow::Cow;

/// A larger text is refused: parsing takes about fifty times the size of the text in memory.
pub const MAX_TEXT_BYTES: usize = 16 << 20;

const MAGIC: &[u8] = b"\0asm";

/// The binary form of a module in either form, or why there is none.
pub fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    if bytes.starts_with(MAGIC) {
        return Ok(bytes.into());
    }
    if !is_text(bytes) {
        return Err(
            "neither WebAssembly (it does not start with \"\\0asm\") nor its text format"
                .to_owned(),
        );
    }
    if bytes.len() > MAX_TEXT_BYTES {
        let length = bytes.len();
        return Err(format!(
            "a text of {length} bytes, of which there may be {MAX_TEXT_BYTES}; a binary may have more"
        ));
    }
    wat::parse_bytes(bytes).map_err(|error| error.to_string())
}

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
