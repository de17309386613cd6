//! Patterns of paths as people write them: `logs/*.log`, `**/deploy-?.txt`. It reads no folder.

/// A pattern: `*` and `?` match inside one part of a path, `**` any number of parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    fixed: String,
    parts: Vec<String>,
}

impl Pattern {
    /// Takes a pattern apart. It never fails: a text without `*` and `?` matches itself.
    pub fn new(text: &str) -> Self {
        let rooted = if text.starts_with('/') { "/" } else { "" };
        let mut parts: Vec<String> =
            text.split('/').filter(|p| !p.is_empty() && *p != ".").map(str::to_owned).collect();
        let wild = parts.iter().position(|part| part.contains(['*', '?']));
        let rest = parts.split_off(wild.unwrap_or(parts.len().saturating_sub(1)));
        Self { fixed: format!("{rooted}{}", parts.join("/")), parts: rest }
    }

    /// The folder in which everything lies that it can match; empty for the folder that it is relative to.
    pub fn folder(&self) -> &str {
        &self.fixed
    }

    /// Whether it names one file.
    pub fn is_plain(&self) -> bool {
        !self.parts.iter().any(|part| part.contains(['*', '?']))
    }

    /// Whether it matches this path, which is relative to [`Self::folder`]. Takes time in proportion to the product of both lengths.
    pub fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        let pattern: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        matches(&pattern, &names, &|part| *part == "**", &|part, name| {
            let (part, name): (Vec<char>, Vec<char>) =
                (part.chars().collect(), name.chars().collect());
            matches(&part, &name, &|c| *c == '*', &|p, c| *p == '?' || p == c)
        })
    }
}

/// Whether items match a pattern in which an item that is `many` stands for any number of them.
fn matches<P, T>(
    pattern: &[P],
    items: &[T],
    many: &dyn Fn(&P) -> bool,
    one: &dyn Fn(&P, &T) -> bool,
) -> bool {
    let (mut p, mut i) = (0, 0);
    // Where the last `many` stands, and the first item that it does not take yet.
    let mut back: Option<(usize, usize)> = None;
    while let Some(item) = items.get(i) {
        match pattern.get(p) {
            Some(part) if many(part) => {
                back = Some((p, i));
                p += 1;
            }
            Some(part) if one(part, item) => (p, i) = (p + 1, i + 1),
            Some(_) | None => match back {
                Some((at, taken)) => {
                    back = Some((at, taken + 1));
                    (p, i) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_inside_a_part_and_double_stars_cross_folders() {
        for (pattern, path, is) in [
            ("logs/*.log", "a.log", true),
            ("logs/*.log", "b/a.log", false),
            ("logs/**/*.log", "a.log", true),
            ("logs/**/*.log", "b/c/a.log", true),
            ("**/deploy-?.txt", "x/deploy-1.txt", true),
            ("**/deploy-?.txt", "x/deploy-12.txt", false),
            ("out/deploy.log", "deploy.log", true),
            ("out/deploy.log", "deploy.logs", false),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxx", false),
            ("**", "a/b/c", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(path), is, "{pattern} {path}");
        }
    }

    #[test]
    fn the_folder_is_what_has_no_star() {
        for (pattern, folder, plain) in [
            ("logs/app/*.log", "logs/app", false),
            ("/var/log/app.log", "/var/log", true),
            ("app.log", "", true),
            ("**/*.log", "", false),
            ("/*.log", "/", false),
        ] {
            let read = Pattern::new(pattern);
            assert_eq!((read.folder(), read.is_plain()), (folder, plain), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_of_stars_takes_no_exponential_time() {
        let pattern = Pattern::new(&"*a".repeat(200));
        assert!(!pattern.matches(&"a".repeat(199).replace("aa", "ab")));
    }
}
