//! Text on a terminal or in a job's log. A line of foreign text can move no cursor and give the Actions runner no command.
//!
//! Colours are the renderer's own.

use super::clean::{block, one_line};

/// What stands before each line of a block: a workflow command must stand first in its line.
const RULE: &str = "│ ";

/// Lines of a block that are shown: its first ones and its last ones.
const LINES: (usize, usize) = (10, 30);

/// The text as one line of at most `max` characters. It never stands first in a line.
pub fn terminal_line(text: &str, max: usize) -> String {
    disarm(&one_line(text, max))
}

/// The text as lines that each begin with `indent` and a rule; no line end after the last one.
pub fn terminal_block(text: &str, indent: &str) -> String {
    let body = disarm(&block(text, LINES.0, LINES.1));
    body.lines().map(|line| format!("{indent}{RULE}{line}")).collect::<Vec<_>>().join("\n")
}

/// The old form of a workflow command is obeyed anywhere in a line.
fn disarm(text: &str) -> String {
    text.replace("##[", "# #[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_no_command() {
        assert_eq!(terminal_line("a\r::error::x", 100), "a ::error::x");
        assert_eq!(terminal_line("x ##[error]y", 100), "x # #[error]y");
        assert_eq!(terminal_line("\u{1b}[31m##\u{1b}[0m[error]", 100), "# #[error]");
    }

    #[test]
    fn every_line_of_a_block_stands_behind_the_rule() {
        let shown = terminal_block("::add-path::/tmp\r \u{3000}::warning::x\n\n##[group]y", "  ");
        assert_eq!(shown, "  │ ::add-path::/tmp\n  │  \u{3000}::warning::x\n  │ \n  │ # #[group]y");
        assert!(terminal_block(&"x\n".repeat(100_000), "").lines().count() <= 41);
    }
}
