//! What one line is, by its form alone. It knows nothing of the lines around it.

use super::model::Location;

/// The forms that a line at column 0 can have.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape<'a> {
    /// `PLAY [name] ***`
    Play(&'a str),
    /// `TASK [name] ***` or `RUNNING HANDLER [name] ***`
    Task(&'a str, Section),
    /// `PLAY RECAP ***`
    Recap,
    /// `PLAYBOOK: site.yml ***`
    Playbook(&'a str),
    /// Any other banner: `NO MORE HOSTS LEFT ***`, `TASKS RECAP ***`, `CUSTOM STATS: ***`.
    Banner,
    /// `fatal: [host]: FAILED! => payload`, `failed: [host] (item=x) => payload`
    Failed(Failed<'a>),
    /// `ok: [host]`, `changed: [host]`, `skipping: [host]`: the host, and whether the task did something there.
    Passed(&'a str, Effect),
    /// `...ignoring`
    Ignoring,
    /// `skipping: no hosts matched`
    NoHosts,
    /// `task path: /p:1`
    TaskPath(&'a str),
    /// `Origin: /p:1:2`
    Origin(&'a str),
    /// `[ERROR]: text` (core 2.19 and later)
    Error(&'a str),
    /// `ERROR! text` (before core 2.19)
    Stop(&'a str),
    /// `[WARNING]: text`
    Warning(&'a str),
    /// `ansible-playbook: error: text`
    Usage(&'a str),
    /// First line of a run from `-v` on.
    Preamble,
    /// `##[error]Process completed with exit code 2.`
    Exit(i64),
    /// `##[error]The operation was canceled.`
    Cancelled,
    /// `##[group]Run …`: a step of the job begins.
    Step,
    /// Every other line.
    Text,
}

/// What a task banner announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// A task.
    Task,
    /// A handler.
    Handler,
}

/// Whether a result that is no failure did something on its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// `ok`.
    Done,
    /// `changed`.
    Changed,
    /// `skipping`.
    Skipped,
}

/// The head of a failed result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failed<'a> {
    /// The inventory host.
    pub(super) host: &'a str,
    /// The host that the task was delegated to.
    pub(super) delegate_to: Option<&'a str>,
    /// `UNREACHABLE!` instead of `FAILED!`.
    pub(super) unreachable: bool,
    /// For a result of a loop, everything from `(item=` on, label and payload; else empty.
    pub(super) looped: bool,
    /// The payload as far as it stands on this line; for a result of a loop with its label.
    pub(super) rest: &'a str,
}

/// The form of `line`.
pub(super) fn shape(line: &str) -> Shape<'_> {
    let Some(first) = line.bytes().next() else { return Shape::Text };
    match first {
        b'P' | b'T' | b'R' | b'N' | b'C' | b'D' => banner(line).unwrap_or(Shape::Text),
        b'f' => failed(line).map_or(Shape::Text, Shape::Failed),
        b'o' | b'c' | b's' => passed(line),
        b'.' if line.trim_end() == "...ignoring" => Shape::Ignoring,
        b't' => line.strip_prefix("task path: ").map_or(Shape::Text, Shape::TaskPath),
        b'O' => line.strip_prefix("Origin: ").map_or(Shape::Text, Shape::Origin),
        b'[' | b' ' => message(line),
        b'E' => line.strip_prefix("ERROR! ").map_or(Shape::Text, Shape::Stop),
        b'a' => preamble(line),
        b'#' => runner(line),
        _ => Shape::Text,
    }
}

/// A banner ends with at least three stars, after which some callbacks print the time.
fn banner(line: &str) -> Option<Shape<'_>> {
    let line = line.trim_end();
    let untimed = line.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':').trim_end();
    let head = untimed.trim_end_matches('*');
    if untimed.len() - head.len() < 3 || !head.ends_with(' ') {
        return None;
    }
    let head = head.trim_end();
    if head == "PLAY RECAP" {
        return Some(Shape::Recap);
    }
    if let Some(name) = head.strip_prefix("PLAYBOOK: ") {
        return Some(Shape::Playbook(name));
    }
    let named = [
        ("PLAY", None),
        ("TASK", Some(Section::Task)),
        ("RUNNING HANDLER", Some(Section::Handler)),
    ];
    for (word, section) in named {
        if let Some(name) = head.strip_prefix(word).and_then(name) {
            return Some(section.map_or(Shape::Play(name), |s| Shape::Task(name, s)));
        }
    }
    let plain = head.chars().all(|c| c.is_ascii_uppercase() || c == ' ' || c == ':');
    plain.then_some(Shape::Banner)
}

/// The name in ` [name]`; a bare `PLAY` has none, `counter_enabled` puts a counter before it.
fn name(rest: &str) -> Option<&str> {
    let rest = rest.strip_suffix(" [CHECK MODE]").unwrap_or(rest);
    if rest.is_empty() {
        return Some(rest);
    }
    let counted = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '/' || c == ' ');
    counted.strip_prefix('[')?.strip_suffix(']')
}

fn failed(line: &str) -> Option<Failed<'_>> {
    if let Some(rest) = line.strip_prefix("fatal: [") {
        let failed = rest.find("]: FAILED! =>");
        let lost = rest.find("]: UNREACHABLE! =>");
        let (at, unreachable) = match (failed, lost) {
            (Some(f), Some(u)) if u < f => (u, true),
            (Some(f), _) => (f, false),
            (None, u) => (u?, true),
        };
        let payload = rest.get(at..)?.split_once("=>")?.1;
        let (host, delegate_to) = label(rest.get(..at)?);
        return Some(Failed {
            host,
            delegate_to,
            unreachable,
            looped: false,
            rest: payload.trim_start(),
        });
    }
    let (host, item) = line.strip_prefix("failed: [")?.split_once("] (item=")?;
    let (host, delegate_to) = label(host);
    item.contains(") =>").then_some(Failed {
        host,
        delegate_to,
        unreachable: false,
        looped: true,
        rest: item,
    })
}

/// `host`, `host -> delegate` or `host -> delegate(address)`.
fn label(label: &str) -> (&str, Option<&str>) {
    let Some((host, delegate)) = label.split_once(" -> ") else { return (label, None) };
    let named = delegate.strip_suffix(')').and_then(|d| d.rsplit_once('('));
    (host, Some(named.map_or(delegate, |(name, _)| name)))
}

fn passed(line: &str) -> Shape<'_> {
    if line.trim_end() == "skipping: no hosts matched" {
        return Shape::NoHosts;
    }
    let kinds = [
        ("ok: [", Effect::Done),
        ("changed: [", Effect::Changed),
        ("skipping: [", Effect::Skipped),
    ];
    for (word, effect) in kinds {
        let Some(rest) = line.strip_prefix(word) else { continue };
        let end = rest.find("] =>").or_else(|| rest.trim_end().strip_suffix(']').map(str::len));
        if let Some(host) = end.and_then(|end| rest.get(..end)) {
            return Shape::Passed(label(host).0, effect);
        }
    }
    Shape::Text
}

/// Messages of the program itself; some versions put a blank in front.
fn message(line: &str) -> Shape<'_> {
    let line = line.strip_prefix(' ').unwrap_or(line);
    if let Some(text) = line.strip_prefix("[ERROR]: ") {
        return Shape::Error(text);
    }
    line.strip_prefix("[WARNING]: ").map_or(Shape::Text, Shape::Warning)
}

fn preamble(line: &str) -> Shape<'_> {
    if let Some(text) = line.strip_prefix("ansible-playbook: error: ") {
        return Shape::Usage(text);
    }
    let version = ["ansible-playbook [core ", "ansible-playbook 2."];
    if version.iter().any(|v| line.starts_with(v)) { Shape::Preamble } else { Shape::Text }
}

fn runner(line: &str) -> Shape<'_> {
    if line.starts_with("##[group]Run ") {
        return Shape::Step;
    }
    let Some(error) = line.strip_prefix("##[error]") else { return Shape::Text };
    if error.starts_with("The operation was canceled") {
        return Shape::Cancelled;
    }
    let code = error.strip_prefix("Process completed with exit code ");
    let code = code.and_then(|c| c.trim_end().trim_end_matches('.').parse().ok());
    code.map_or(Shape::Text, Shape::Exit)
}

/// The inventories that a line names: a command with `-i`, or what Ansible says from `-vvv` on. `None` for any other line.
pub(super) fn inventories(line: &str) -> Option<Vec<&str>> {
    if let Some(rest) = line.strip_prefix("Parsed ") {
        return Some(vec![rest.split_once(" inventory source with ")?.0]);
    }
    let (_, arguments) = line.split_once("ansible-playbook ")?;
    let mut found = Vec::new();
    let mut words = arguments.split_whitespace().take(200);
    while let Some(word) = words.next() {
        let long =
            word.strip_prefix("--inventory=").or_else(|| word.strip_prefix("--inventory-file="));
        let value = match word {
            "-i" | "--inventory" | "--inventory-file" => words.next(),
            _ => long.or_else(|| word.strip_prefix("-i").filter(|_| !word.starts_with("--"))),
        };
        found.extend(value.map(|v| v.trim_matches(['"', '\''])).filter(|v| !v.is_empty()));
    }
    (!found.is_empty()).then_some(found)
}

/// `/path:1` or `/path:1:2`; a path without a line names no place.
pub(super) fn location(text: &str) -> Option<Location> {
    let text = text.trim_end();
    let (rest, last) = text.rsplit_once(':')?;
    let last = last.parse().ok()?;
    let before = rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    let (file, line, col) = match before {
        Some((file, line)) => (file, line, Some(last)),
        None => (rest, last, None),
    };
    (!file.is_empty()).then(|| Location { file: file.to_owned(), line, col })
}

/// The place in `The error appears to be in '/path': line 1, column 2, but may be elsewhere` (before core 2.19).
pub(super) fn embedded_location(text: &str) -> Option<Location> {
    let words = ["The error appears to be in '", "The error appears to have been in '"];
    let rest = words.iter().find_map(|w| Some(text.split_once(w)?.1))?;
    let (file, rest) = rest.split_once("': line ")?;
    let (line, rest) = rest.split_once(", column ")?;
    let col = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some(Location { file: file.to_owned(), line: line.parse().ok()?, col: col.parse().ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_keeps_every_character_of_its_name() {
        let name = "db : step [2] => {\"a\": 1} 日本";
        let line = format!("TASK [{name}] ***");
        assert_eq!(shape(&line), Shape::Task(name, Section::Task));
        assert_eq!(shape("PLAY [x [prod]] ***** 12:54:03"), Shape::Play("x [prod]"));
        assert_eq!(
            shape("RUNNING HANDLER [r] [CHECK MODE] ****"),
            Shape::Task("r", Section::Handler)
        );
        assert_eq!(shape("PLAY ****"), Shape::Play(""));
        assert_eq!(shape("TASKS RECAP ****"), Shape::Banner);
        assert_eq!(shape("TASK [cut] **"), Shape::Text);
        assert_eq!(shape("PLAY RECAP ****"), Shape::Recap);
    }

    #[test]
    fn a_failed_result_names_its_host_and_where_it_was_delegated_to() {
        let Shape::Failed(f) =
            shape("fatal: [2001:db8::1 -> lb1(10.0.0.1)]: FAILED! => {\"rc\": 1}")
        else {
            panic!("no failure")
        };
        assert_eq!((f.host, f.delegate_to, f.rest), ("2001:db8::1", Some("lb1"), "{\"rc\": 1}"));
        let Shape::Failed(f) = shape("fatal: [a]: UNREACHABLE! => {\"msg\": \"]: FAILED! =>\"}")
        else {
            panic!("no failure")
        };
        assert!(f.unreachable);
        let Shape::Failed(f) = shape("failed: [a] (item=x) => ") else { panic!("no failure") };
        assert!(f.looped && f.rest == "x) => ");
    }

    #[test]
    fn a_result_that_is_cut_before_its_payload_is_text() {
        assert_eq!(shape("fatal: [web1]: FAILED!"), Shape::Text);
        assert_eq!(shape("failed: [web1] (item=x)"), Shape::Text);
        assert_eq!(shape("ok: [web"), Shape::Text);
    }

    #[test]
    fn a_passed_result_may_carry_an_item_or_a_payload() {
        assert_eq!(shape("ok: [a] => (item=x)"), Shape::Passed("a", Effect::Done));
        assert_eq!(shape("changed: [a -> b]"), Shape::Passed("a", Effect::Changed));
        assert_eq!(shape("skipping: [a] => (item=x) "), Shape::Passed("a", Effect::Skipped));
    }

    #[test]
    fn a_place_has_a_line_and_perhaps_a_column() {
        let place = location("/srv/app/site.yml:5:7").unwrap();
        assert_eq!((place.file.as_str(), place.line, place.col), ("/srv/app/site.yml", 5, Some(7)));
        assert_eq!(location("/srv/app/site.yml:5").unwrap().col, None);
        assert_eq!(location("/srv/app/vhost.j2"), None);
        assert_eq!(location("<unknown>"), None);
        let old =
            "x\n\nThe error appears to be in '/srv/a.yml': line 3, column 9, but may\nbe elsewhere";
        assert_eq!(embedded_location(old).unwrap().line, 3);
    }

    #[test]
    fn the_runner_tells_the_exit_code() {
        assert_eq!(shape("##[error]Process completed with exit code 4."), Shape::Exit(4));
        assert_eq!(shape("##[error]The operation was canceled."), Shape::Cancelled);
    }
}
