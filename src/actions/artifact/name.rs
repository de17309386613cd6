//! Names that every artifact service accepts.

/// Longest name in characters; no server documents its limit.
const MAX_CHARS: usize = 100;

/// The name with everything that servers refuse (`" : < > | * ? \ /` and control characters) replaced by `_`, shortened to 100
/// characters; `runner-guard` when nothing is left.
pub fn sanitise(name: &str) -> String {
    let safe = |c: char| if c.is_control() || r#"":<>|*?\/"#.contains(c) { '_' } else { c };
    let cleaned: String = name.trim().chars().map(safe).take(MAX_CHARS).collect();
    let cleaned = cleaned.trim_matches(['.', ' ']);
    if cleaned.is_empty() { "runner-guard".to_owned() } else { cleaned.to_owned() }
}

/// The name for the given round, from 1: the name itself, then `NAME-2` and so on.
pub(super) fn alternate(name: &str, round: u32) -> String {
    if round <= 1 { name.to_owned() } else { format!("{name}-{round}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_servers_refuse_become_underscores() {
        assert_eq!(sanitise("deploy: a/b\\c <x>|*?\"\r\n"), "deploy_ a_b_c _x_____");
        assert_eq!(sanitise("名前 ok (1)"), "名前 ok (1)");
    }

    #[test]
    fn a_name_is_never_empty_and_never_longer_than_a_hundred_characters() {
        assert_eq!(sanitise(" .. "), "runner-guard");
        assert_eq!(sanitise(""), "runner-guard");
        assert_eq!(sanitise(&"é".repeat(300)).chars().count(), 100);
    }

    #[test]
    fn the_second_round_gets_a_number() {
        assert_eq!(alternate("box", 1), "box");
        assert_eq!(alternate("box", 3), "box-3");
    }
}
