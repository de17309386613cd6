//! Patterns of paths: `*` within a name, `**` over folders, `?` for one character. Linear in the path for each star.
//!
//! It reads no folder. The user's rules of redaction and the collectors share it, so that a pattern means the same everywhere.

/// Whether a path has this pattern.
pub fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<Part> = parts(pattern);
    let path: Vec<char> = path.chars().collect();
    // Which prefixes of the path the pattern so far can be.
    let mut open = vec![false; path.len() + 1];
    if let Some(first) = open.first_mut() {
        *first = true;
    }
    for part in pattern {
        let mut next = vec![false; path.len() + 1];
        let mut running = false;
        for (at, reached) in open.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|i| path.get(i)).copied();
            let here = match part {
                Part::One(wanted) => came(&open, at) && before == Some(wanted),
                Part::Any => came(&open, at) && before.is_some_and(|c| c != '/'),
                Part::Within => *reached || running && before.is_some_and(|c| c != '/'),
                Part::Over => *reached || running,
            };
            running = here;
            if let Some(slot) = next.get_mut(at) {
                *slot = here;
            }
        }
        open = next;
    }
    open.last() == Some(&true)
}

fn came(open: &[bool], at: usize) -> bool {
    at.checked_sub(1).and_then(|i| open.get(i)) == Some(&true)
}

#[derive(Clone, Copy)]
enum Part {
    One(char),
    /// `?`
    Any,
    /// `*`
    Within,
    /// `**`
    Over,
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut out = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                // `**/x` is also `x` itself.
                chars.next_if_eq(&'/');
                Part::Over
            }
            '*' => Part::Within,
            '?' => Part::Any,
            c => Part::One(c),
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_in_its_folder_and_two_do_not() {
        for (pattern, path) in [
            ("a.log", "a.log"),
            ("*.log", "a.log"),
            ("ansible/*", "ansible/x.log"),
            ("ansible/**", "ansible/deep/x.log"),
            ("**/x.log", "x.log"),
            ("**/x.log", "a/b/x.log"),
            ("a?c", "abc"),
            ("**", "any/thing"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in
            [("*.log", "a/b.log"), ("a?c", "a/c"), ("a", "ab"), ("ansible/*", "ansible/a/b")]
        {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_of_stars_takes_no_long_time() {
        assert!(!matches(&"*a".repeat(50), &"a".repeat(2000).replace('a', "ab")));
    }
}
