//! Makes redacted text harmless for the place where it lands: Markdown, HTML, a terminal, a link, an output.
//!
//! Every function cleans its input first ([`clean`]), so no caller can forget it. It does not redact, and it does not escape workflow
//! commands (`actions` does).

mod clean;
mod link;
mod markdown;
mod output;
mod terminal;

pub use clean::{block, clean, cut, cut_bytes, one_line};
pub use link::{Place, address, host, link, runbook};
pub use markdown::{CELL, cell, code_span, fence, html, plain, pre, prose, prose_cell};
pub use output::output;
pub use terminal::{terminal_block, terminal_line};

/// The longest line that is shown, in characters.
pub const LINE: usize = 4096;

/// The longest block that is shown, in characters; what is longer lies in the bundle.
pub const BLOCK: usize = 16 * 1024;
