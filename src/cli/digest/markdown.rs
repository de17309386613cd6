//! A digest as Markdown for a job summary: the verdict, its causes, the hosts, and below what explains them, within a number of bytes.

use std::fmt::Write as _;

use crate::report::escape::{self, cell, code_span, fence, prose};
use crate::source::ansible::{Digest, Failure, Form, Host, Kind, Run, Source, Verdict};

/// Causes that are shown open.
const OPEN: usize = 3;
/// Causes that are shown at all.
const CAUSES: usize = 20;
/// From this many hosts on only the bad ones have a row.
const ROWS: usize = 20;
/// Hosts that are named in a sentence.
const NAMED: usize = 8;

/// Where the page stands.
pub(super) struct Place<'a> {
    /// The file that was read.
    pub(super) source: &'a str,
    /// Hosts that may be linked.
    pub(super) hosts: &'a [String],
    /// Most bytes of the page.
    pub(super) budget: usize,
}

/// The page. What does not fit is left out from the end, and said.
pub(super) fn page(digest: &Digest, place: &Place<'_>) -> String {
    let mut sections = Vec::new();
    if !digest.is_ansible() {
        sections.push("No Ansible output in this file.\n".to_owned());
    }
    let shown = digest.runs.iter().rev().filter(|r| r.failed()).take(OPEN);
    let mut runs: Vec<&Run> = shown.collect();
    if runs.is_empty() {
        runs.extend(digest.runs.last());
    }
    let more = digest.runs.len() - runs.len() + digest.omitted.runs;
    for run in runs {
        of_run(run, place, &mut sections);
    }
    if more > 0 {
        let failed = digest.runs.iter().filter(|r| r.failed()).count() + digest.omitted.failed;
        sections
            .push(format!("{more} more runs are in the same text; {failed} of all runs failed.\n"));
    }
    let footer = footer(digest, place.source);
    let left_out = "\nThe rest does not fit here.\n";
    let mut out = String::new();
    let room = place.budget.saturating_sub(footer.len() + left_out.len() + 2);
    for (number, section) in sections.iter().enumerate() {
        if out.len() + section.len() + 1 > room {
            if number == 0 {
                out.push_str(escape::cut_bytes(section, room));
            }
            out.push_str(left_out);
            break;
        }
        out.push_str(section);
        out.push('\n');
    }
    out.push_str(&footer);
    out
}

fn of_run(run: &Run, place: &Place<'_>, sections: &mut Vec<String>) {
    let doubtful = !run.doubts.is_empty();
    let icon = if run.failed() {
        "❌"
    } else if doubtful {
        "⚠️"
    } else {
        "✅"
    };
    sections.push(format!("### {icon} Ansible: {}\n", headline(run)));
    for doubt in &run.doubts {
        sections.push(format!("⚠️ {}\n", prose(doubt)));
    }
    for error in &run.errors {
        sections.push(format!("Ansible stopped before it could run:\n\n{}\n", fence(error)));
    }
    let aftermath: Vec<String> = run.aftermath().iter().map(|line| prose(line)).collect();
    if !aftermath.is_empty() {
        sections.push(format!("- {}\n", aftermath.join("\n- ")));
    }
    causes(run, place, sections);
    sections.extend(matrix(run));
    sections.extend(running(run));
    sections.extend(folded("Also happened", &also(run)));
    sections.extend(folded("Changed before the failure", &changed(run)));
    sections.extend(folded("Timing", &timing(run)));
    let warnings: Vec<String> = run.warnings.iter().map(|w| prose(w)).collect();
    sections.extend(folded("Warnings", &warnings));
}

/// Our own words, and what others wrote as code.
fn headline(run: &Run) -> String {
    let line = run.verdict_line();
    let end = match run.verdict {
        Verdict::Failed | Verdict::Unreachable | Verdict::ParseError | Verdict::UsageError => ": ",
        Verdict::Interrupted | Verdict::Killed => "; ",
        Verdict::Ok | Verdict::NoHosts => return prose(&line),
    };
    match line.split_once(end) {
        Some((own, foreign)) => format!("{}{end}{}", prose(own), code_span(foreign)),
        None => prose(&line),
    }
}

/// The failures that count, those with the same task and the same words together, the root causes first.
fn causes(run: &Run, place: &Place<'_>, sections: &mut Vec<String>) {
    let mut groups: Vec<(String, Vec<&Failure>)> = Vec::new();
    let mut order: Vec<&Failure> =
        run.failures.iter().filter(|f| f.counts() || f.root_cause).collect();
    order.sort_by_key(|f| (!f.root_cause, f.kind == Kind::Unreachable));
    for failure in order {
        let key = key(failure);
        if let Some((_, group)) = groups.iter_mut().find(|(known, _)| *known == key) {
            group.push(failure);
        } else if groups.len() < CAUSES {
            groups.push((key, vec![failure]));
        }
    }
    for (number, (_, group)) in groups.iter().enumerate() {
        let Some(first) = group.first() else { continue };
        let text = cause(first, group, place);
        let title = code_span(&name(first));
        sections.push(if number < OPEN {
            format!("#### {title}\n\n{text}")
        } else {
            let title = escape::html(&escape::one_line(&name(first), escape::CELL));
            // In code, for GitHub links people and issues that are named in the words of a fold.
            format!("<details><summary><code>{title}</code></summary>\n\n{text}\n</details>\n")
        });
    }
}

/// What makes failures the same: everything but the host and numbers.
fn key(failure: &Failure) -> String {
    let text = format!(
        "{}\0{}\0{:?}\0{}\0{}",
        failure.play, failure.task, failure.rc, failure.msg, failure.stderr_tail
    );
    let text = if failure.host.is_empty() { text } else { text.replace(&failure.host, "HOST") };
    let mut key = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if c != '0' || !key.ends_with('0') {
            key.push(c);
        }
    }
    key
}

fn name(failure: &Failure) -> String {
    if failure.task.is_empty() { "task not named".to_owned() } else { failure.task.clone() }
}

fn cause(first: &Failure, group: &[&Failure], place: &Place<'_>) -> String {
    let mut text = String::new();
    let mut hosts: Vec<&str> = group.iter().map(|f| f.host.as_str()).collect();
    hosts.dedup();
    let _ = write!(text, "On {}", names(&hosts));
    if !first.play.is_empty() {
        let _ = write!(text, ", play {}", code_span(&first.play));
    }
    if let Some(delegate) = &first.delegate_to {
        let _ = write!(text, ", delegated to {}", code_span(delegate));
    }
    if let Some(rc) = first.rc {
        let _ = write!(text, ", return code {rc}");
    }
    if let Some(attempts) = first.attempts {
        let _ = write!(text, ", after {attempts} attempts");
    }
    let what = match (first.kind, first.handler) {
        (Kind::Unreachable, _) => "; the host could not be reached",
        (Kind::Rescued, _) => "; a rescue section took over, and failed too",
        (Kind::Failed | Kind::Ignored, true) => "; this is a handler",
        (Kind::Failed | Kind::Ignored, false) => "",
    };
    let _ = writeln!(text, "{what}{}.\n", located(first, place));
    if let Some(class) = first.class {
        let _ = writeln!(text, "**{}** - {}\n", class.words(), class.first_look());
    }
    let _ = writeln!(text, "{}", fence(&first.excerpt()));
    if let Some(source) = &first.source {
        let _ = writeln!(text, "\n{}", fence(&around(first, source)));
    }
    text
}

/// The lines of the file around the task, the one that is meant with an arrow.
fn around(failure: &Failure, source: &Source) -> String {
    let meant = failure.place.as_ref().map(|place| place.line);
    let line = |(number, line): (u64, &str)| {
        let arrow = if Some(number) == meant { '>' } else { ' ' };
        format!("{arrow} {number:>4}  {line}\n")
    };
    let path = failure.shown_place().unwrap_or_default();
    source.numbered().map(line).fold(format!("{path}\n"), |all, line| all + &line)
}

/// Where the task stands: linked when the commit is known.
fn located(failure: &Failure, place: &Place<'_>) -> String {
    if let Some(found) = &failure.place {
        let label = format!("{}:{}", found.path, found.line);
        let link = found.url.as_deref().and_then(|url| escape::link(&label, url, place.hosts));
        let how = if found.by_name { " (found by name)" } else { "" };
        return format!("; {}{how}", link.unwrap_or_else(|| code_span(&label)));
    }
    let printed = failure.location.as_ref();
    printed
        .map(|p| format!("; {}", code_span(&format!("{}:{}", p.file, p.line))))
        .unwrap_or_default()
}

fn names(hosts: &[&str]) -> String {
    let shown: Vec<String> = hosts.iter().take(NAMED).map(|h| code_span(h)).collect();
    let more = hosts.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn matrix(run: &Run) -> Option<String> {
    if run.hosts.is_empty() {
        return None;
    }
    let bad = |h: &Host| h.failed > 0 || h.unreachable > 0;
    let brief = run.hosts.len() > ROWS;
    let mut text = "| host | ok | changed | failed | unreachable | skipped | rescued | ignored | failed task | last task |\n\
        |---|--:|--:|--:|--:|--:|--:|--:|---|---|\n"
        .to_owned();
    let rows = run.hosts.iter().filter(|h| !brief || bad(h));
    for host in rows.take(200) {
        let icon = if host.unreachable > 0 {
            "🔌"
        } else if host.failed > 0 {
            "❌"
        } else {
            "✅"
        };
        let failed = run.failures.iter().find(|f| f.host == host.name && f.counts());
        let last = run.progress.binary_search_by(|p| p.host.as_str().cmp(&host.name)).ok();
        let last = last.and_then(|at| run.progress.get(at)).map_or("", |p| p.last_task.as_str());
        let _ = writeln!(
            text,
            "| {icon} {} | {} | {} | {} |",
            cell(&host.name),
            counts(host),
            cell(failed.map_or("", |f| f.task.as_str())),
            cell(last)
        );
    }
    if brief {
        let good = run.hosts.iter().filter(|h| !bad(h)).count();
        let _ = writeln!(text, "| ✅ {good} other hosts without failure | | | | | | | | | |");
    }
    if run.hosts.len() > 1 {
        let _ = writeln!(text, "| all {} hosts | {} | | |", run.hosts.len(), counts(&run.totals));
    }
    Some(text)
}

fn counts(h: &Host) -> String {
    let all = [h.ok, h.changed, h.failed, h.unreachable, h.skipped, h.rescued, h.ignored];
    all.map(|n| n.to_string()).join(" | ")
}

fn running(run: &Run) -> Option<String> {
    let running = run.running_at_end.as_ref()?;
    let hosts: Vec<&str> = running.hosts.iter().map(String::as_str).collect();
    let hosts = if hosts.is_empty() {
        "no host has a result of it".to_owned()
    } else {
        format!("without a result of it: {}", names(&hosts))
    };
    Some(format!("When the output ended, {} was running; {hosts}.\n", code_span(&running.task)))
}

fn also(run: &Run) -> Vec<String> {
    let quiet = run.failures.iter().filter(|f| !f.counts() && !f.root_cause);
    let mut lines: Vec<String> = quiet.take(NAMED * 2).map(|f| prose(&f.headline())).collect();
    lines.extend(run.retries.iter().take(NAMED).map(|r| {
        let host = r.host.as_deref().map(|h| format!(" on {}", code_span(h))).unwrap_or_default();
        format!("{}{host} was tried again {} times", code_span(&r.task), r.count)
    }));
    if run.deprecations > 0 {
        lines.push(format!("{} deprecation warnings", run.deprecations));
    }
    lines
}

fn changed(run: &Run) -> Vec<String> {
    if !run.failed() {
        return Vec::new();
    }
    let failed = |host: &str| run.failures.iter().any(|f| f.host == host && f.counts());
    let all = run.progress.iter().filter(|p| p.changed > 0 && (failed(&p.host) || !run.complete));
    let mut lines: Vec<String> = all
        .take(ROWS)
        .map(|p| format!("{} tasks changed something on {}", p.changed, code_span(&p.host)))
        .collect();
    if !lines.is_empty() && run.handlers_not_run.is_empty() {
        lines.push("handlers that these tasks notified may not have run".to_owned());
    }
    if run.diffs > 0 {
        lines.push(format!("{} differences of files are shown in the log", run.diffs));
    }
    lines
}

fn timing(run: &Run) -> Vec<String> {
    let seconds = |millis: u64| format!("{}.{} s", millis / 1000, millis % 1000 / 100);
    let whole = run.millis.map(|m| format!("{} from the first banner to the last", seconds(m)));
    let slow = run.slowest.iter().map(|s| format!("{}: {}", code_span(&s.task), seconds(s.millis)));
    whole.into_iter().chain(slow).collect()
}

fn folded(title: &str, lines: &[String]) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    Some(format!("<details><summary>{title}</summary>\n\n- {}\n\n</details>\n", lines.join("\n- ")))
}

fn footer(digest: &Digest, source: &str) -> String {
    let form = digest.runs.last().map_or("nothing", |run| match run.form {
        Form::Text => "read by the grammar of Ansible's text",
        Form::Json | Form::Jsonl => {
            "read from Ansible's own JSON, in which only counts say what was ignored or rescued"
        }
        Form::Runner => "read from the events of ansible-runner, exact",
        Form::Junit => "read from JUnit files, incomplete by their nature",
        Form::Tree => "read from the last results of the hosts, incomplete by their nature",
        Form::Minimal => "read from the callback minimal or oneline, incomplete by its nature",
    });
    format!("Source: {}; {form}.\n", code_span(source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ansible;

    fn of(text: &str, budget: usize) -> String {
        page(&ansible::digest(text), &Place { source: "a.log", hosts: &[], budget })
    }

    fn run(hosts: usize, failed: usize) -> String {
        let mut text = "PLAY [Deploy] ***\nTASK [Change] ***\n".to_owned();
        (0..hosts).for_each(|n| writeln!(text, "changed: [web{n}]").unwrap());
        text.push_str("TASK [Restart] ***\n");
        for n in 0..failed {
            writeln!(text, "fatal: [web{n}]: FAILED! => {{\"msg\": \"web{n}: unit not found after {n} s\", \"rc\": 5}}").unwrap();
        }
        text.push_str("PLAY RECAP ***\n");
        for n in 0..hosts {
            writeln!(
                text,
                "web{n} : ok=1 changed=1 unreachable=0 failed={} skipped=0 rescued=0 ignored=0",
                u8::from(n < failed)
            )
            .unwrap();
        }
        text + "##[error]Process completed with exit code 2.\n"
    }

    #[test]
    fn hosts_with_the_same_failure_are_one_cause_and_many_hosts_get_a_row_of_totals() {
        let page = of(&run(30, 2), 1 << 16);
        assert!(page.starts_with("### ❌ Ansible: failed on 2 of 30 hosts"), "{page}");
        assert!(page.contains("exit code 2 (failed hosts)"), "{page}");
        assert_eq!(page.matches("#### ").count(), 1, "{page}");
        assert!(page.contains("On `web0`, `web1`, play `Deploy`, return code 5"), "{page}");
        assert!(
            page.contains("28 other hosts without failure")
                && page.contains("| all 30 hosts | 30 | 30 | 2 |"),
            "{page}"
        );
        assert!(page.contains("1 tasks changed something on `web1`"), "{page}");
        assert!(
            page.ends_with("Source: `a.log`; read by the grammar of Ansible's text.\n"),
            "{page}"
        );
    }

    #[test]
    fn a_page_keeps_its_budget_and_says_that_something_is_missing() {
        for budget in [0, 300, 700, 2000] {
            let page = of(&run(18, 18), budget);
            assert!(page.len() <= budget.max(120), "{budget}: {}", page.len());
            assert!(page.contains("does not fit"), "{page}");
        }
    }

    #[test]
    fn what_a_task_prints_has_no_power_over_the_page() {
        let text = "PLAY [<img src=x>] ***\nTASK [a | b `x` [l](http://e.x)] ***\n\
            fatal: [h|1]: FAILED! => {\"msg\": \"```\\n</details><script>\\n@everyone\", \"rc\": 1}\n";
        let page = of(text, 1 << 16);
        assert!(
            !page.contains("\n</details><script>\n@everyone\n```\n") || page.contains("````text"),
            "{page}"
        );
        assert!(page.contains("`<img src=x>`"), "{page}");
    }
}
