//! The frames of PEM: BEGIN, base64, END. What they hold is read elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// One frame and the bytes in it.
pub(super) struct Block<'a> {
    /// `PRIVATE KEY`, `CERTIFICATE`, …
    pub(super) label: &'a str,
    pub(super) bytes: Vec<u8>,
    /// Encrypted in the old way, by headers in the frame.
    pub(super) sealed: bool,
}

/// All frames; what stands between them (names, bags of attributes) is left out.
///
/// # Errors
/// What is wrong, to be read after the secret's name.
pub(super) fn blocks(text: &str) -> Result<Vec<Block<'_>>, &'static str> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN) else {
            if line.starts_with(END) {
                return Err("has no BEGIN line");
            }
            continue;
        };
        let label = label.strip_suffix(DASHES).ok_or("has a BEGIN line that is cut")?;
        let (mut body, mut sealed, mut closed) = (String::new(), false, false);
        for line in lines.by_ref() {
            if let Some(end) = line.strip_prefix(END) {
                let same = end.strip_suffix(DASHES) == Some(label);
                closed = same
                    .then_some(true)
                    .ok_or("has an END line that is cut or of another thing than its BEGIN line")?;
                break;
            }
            // Headers of the old encryption; no base64 holds a colon.
            if line.contains(": ") {
                sealed |= line.contains("ENCRYPTED");
            } else {
                body.extend(line.split_whitespace());
            }
        }
        if !closed {
            return Err("has no END line");
        }
        let bytes = STANDARD.decode(body);
        let bytes = bytes.map_err(|_| "is damaged between BEGIN and END: that is not base64")?;
        if bytes.is_empty() {
            return Err("has nothing between BEGIN and END");
        }
        blocks.push(Block { label, bytes, sealed });
    }
    if blocks.is_empty() { Err("has no BEGIN line") } else { Ok(blocks) }
}
