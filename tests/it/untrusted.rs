//! Texts that others write, through the real program into the five places where people and programs read it: the summary, the page, the
//! annotations, the outputs and the log. None leaves the place that it was given.

mod browser;
mod commands;
mod foreign;
mod hostile;
mod judge;
mod world;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use hostile::Hostile;
use world::{Left, Stage};

/// Jobs that run at the same time.
const AT_ONCE: usize = 4;

/// What a job leaves in which everybody behaves.
fn calm() -> &'static Left {
    static CALM: OnceLock<Left> = OnceLock::new();
    CALM.get_or_init(|| world::left_by("calm"))
}

/// Every hostile text with what its job left; the jobs run once for all tests.
fn all() -> &'static [(Hostile, Left)] {
    static ALL: OnceLock<Vec<(Hostile, Left)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let texts = hostile::all();
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(one) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let left = world::left_by(&one.text);
                        found.lock().unwrap_or_else(PoisonError::into_inner).push((one.name, left));
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut left = |name| {
            let at = found.iter().position(|(own, _)| *own == name).expect("a job of this text");
            found.swap_remove(at).1
        };
        texts.into_iter().map(|text| (left(text.name), text)).map(|(l, t)| (t, l)).collect()
    })
}

/// What the judge says of each text, several at the same time.
fn in_parallel(texts: &[Hostile], judge: impl Fn(&Hostile) -> Vec<String> + Sync) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(one) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let said = judge(one);
                    found.lock().unwrap_or_else(PoisonError::into_inner).extend(said);
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Fails with every text for which the judge finds something.
fn none_escapes(judge: impl Fn(&Stage, &Stage) -> Vec<String>) {
    let mut escapes = Vec::new();
    for (text, left) in all() {
        for (stage, calm) in [(&left.gate, &calm().gate), (&left.after, &calm().after)] {
            let found = judge(stage, calm);
            escapes.extend(
                found.into_iter().map(|what| format!("{} {}: {what}", text.rule, text.name)),
            );
        }
    }
    assert!(escapes.is_empty(), "{} escapes\n{}", escapes.len(), escapes.join("\n"));
}

#[test]
fn there_are_enough_hostile_texts_and_every_rule_has_some() {
    let texts = hostile::all();
    assert!(texts.len() >= 88, "{}", texts.len());
    assert_eq!(texts.iter().map(|t| t.name).collect::<BTreeSet<_>>().len(), texts.len());
    for rule in 1..=16 {
        let rule = format!("R{rule}");
        assert!(texts.iter().any(|t| t.rule == rule), "{rule}");
    }
}

#[test]
fn the_calm_job_shows_its_text_in_all_five_places() {
    let left = calm();
    for (place, text) in [
        ("summary of the gate", &left.gate.summary),
        ("summary", &left.after.summary),
        ("page", &left.page),
        ("log of the gate", &left.gate.stdout),
        ("log", &left.after.stdout),
        ("outputs", &left.gate.outputs),
        ("JUnit", &left.gate.junit),
    ] {
        assert!(text.contains("calm"), "{place}: {text}");
    }
    assert!(left.gate.stdout.contains("::warning") && left.after.stdout.contains("::error"));
}

#[test]
fn no_hostile_text_makes_an_element_of_the_summary() {
    none_escapes(|stage, calm| judge::summary(&stage.summary, &calm.summary));
}

#[test]
fn no_hostile_text_runs_or_loads_anything_on_the_page() {
    let mut pages = vec![calm().page.as_str()];
    pages.extend(all().iter().map(|(_, left)| left.page.as_str()));
    let seen = browser::open(&pages);
    let name = |at: usize| at.checked_sub(1).map_or("calm", |at| all()[at].0.name);
    let found: Vec<String> =
        seen.problems.iter().map(|(at, what)| format!("{}: {what}", name(*at))).collect();
    assert!(found.is_empty(), "{} escapes\n{}", found.len(), found.join("\n"));
    assert_eq!(seen.opened, pages.len(), "not every page was opened");
    assert_eq!(seen.strange, Vec::<String>::new(), "nothing else was asked for");
}

#[test]
fn no_hostile_text_gives_the_runner_a_command() {
    none_escapes(|stage, _| judge::commands(&stage.stdout));
}

#[test]
fn no_hostile_text_leaves_the_output_that_holds_it() {
    none_escapes(|stage, calm| judge::outputs(&stage.outputs, &calm.outputs));
}

#[test]
fn no_hostile_text_moves_a_terminal_or_hides_from_a_reader() {
    none_escapes(|stage, _| {
        let places = [
            ("stdout", &stage.stdout),
            ("stderr", &stage.stderr),
            ("summary", &stage.summary),
            ("outputs", &stage.outputs),
            ("JUnit", &stage.junit),
        ];
        places.into_iter().flat_map(|(place, text)| judge::hidden(place, text)).collect()
    });
    let pages = all().iter().flat_map(|(text, left)| judge::hidden(text.name, &left.page));
    assert_eq!(pages.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn every_excerpt_stands_below_the_sentence_that_calls_it_untrusted() {
    none_escapes(|stage, _| judge::excerpts(&stage.summary));
    assert!(calm().after.summary.contains("Log excerpt (untrusted output of the job):"));
    assert!(calm().page.contains("(untrusted output of the job)"));
}

#[test]
fn nothing_is_written_into_an_issue_a_comment_or_a_chat() {
    for (text, left) in all() {
        for line in left
            .asked
            .iter()
            .filter(|line| !line.is_empty() && !line.starts_with("GET ") && !line.starts_with('/'))
        {
            let service = "POST /twirp/github.actions.results.api.v1.ArtifactService/";
            assert!(line.starts_with(service), "{}: {line}", text.name);
        }
        assert!(left.asked.iter().all(|line| !line.contains("/comments")), "{}", text.name);
    }
}

#[test]
fn every_rule_of_the_architecture_names_its_tests_and_they_exist() {
    let table = include_str!("../../ARCHITECTURE.md");
    let rows: Vec<&str> =
        table.lines().filter(|l| l.starts_with("| R") || l.starts_with("| F")).collect();
    let named = |rule: &str| {
        rows.iter().any(|row| {
            row.split('|').nth(1).is_some_and(|r| r.split([' ', '–']).any(|r| r == rule))
        })
    };
    for rule in (1..=17).map(|n| format!("R{n}")).chain((1..=14).map(|n| format!("F{n}"))) {
        assert!(named(&rule), "{rule} has no row");
    }
    let code = sources();
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        let tests: Vec<&str> =
            cells.last().expect("a cell").split('`').skip(1).step_by(2).collect();
        assert!(cells.len() == 4 && !tests.is_empty(), "{row}");
        for test in tests {
            let name = test.rsplit("::").next().expect("a name");
            assert!(code.contains(&format!("fn {name}(")), "{test} is no test: {row}");
        }
    }
}

/// All Rust of the program and of its tests.
#[expect(clippy::disallowed_methods, reason = "the test looks at the source tree")]
fn sources() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut code) = (vec![root.join("src"), root.join("tests/it")], String::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("folder").flatten().map(|e| e.path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|e| e == "rs") {
                code.push_str(&std::fs::read_to_string(entry).expect("code"));
            }
        }
    }
    code
}

#[test]
fn no_hostile_text_makes_the_summary_larger_than_the_runner_takes() {
    none_escapes(|stage, _| {
        let size = stage.summary.len();
        (size > 900 * 1024).then(|| format!("a summary of {size} bytes")).into_iter().collect()
    });
}
