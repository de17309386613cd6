//! Every source broken in every way, one at a time: its rows lose their answer and say what to do, the deadline and the memory hold,
//! and no other row changes.

mod asking;
mod run;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use run::{Ran, Row, docker, through_the_binary};
use runner_guard::check::ALL;
use world::{Fault, Source, World};

/// Total deadline of every run.
const TIMEOUT: Duration = Duration::from_secs(3);
/// When it must have ended.
const LATEST: Duration = Duration::from_secs(4);
/// How often a run that was late is repeated: what other tests take from it passes, a lateness of its own does not.
const REPEATS: usize = 2;

/// Most memory that a run may ever hold, in KiB.
const MOST_MEMORY: u64 = 64 << 10;

/// Runs at a time.
const AT_ONCE: usize = 4;

/// Rows that the machine of the test answers: they may change by themselves from run to run, but they keep an answer.
const MACHINE: &[&str] =
    &["cpu-pressure", "disk-space", "disk-inodes", "host-memory", "docker-daemon"];

/// Who reads what.
struct Readers {
    source: Source,
    /// Rows that must lose their answer.
    silenced: &'static [&'static str],
    /// Rows that read it besides others: they may lose their answer, but they may neither pass nor fail for it.
    touched: &'static [&'static str],
    /// Rows for which the fault is the answer.
    judges: &'static [&'static str],
}

const READERS: &[Readers] = &[
    Readers {
        source: Source::GitHub,
        silenced: &[
            "environment-protection",
            "failure-rate",
            "github-rate-limit",
            "github-token",
            "queue-age",
            "runner-busy",
            "runner-labels",
            "runner-registered",
            "runner-version",
            "secret-present",
            "variable-present",
        ],
        touched: &[
            "clock-skew",
            "deploy-lock",
            "firing-alerts",
            "runner-group",
            "runner-steady",
            "secret-expiry",
            "sources-agree",
            "tls-expiry",
        ],
        judges: &["endpoint-reachable"],
    },
    Readers {
        source: Source::Prometheus,
        silenced: &["runner-online", "exporter-fresh", "runner-resources", "runner-steady"],
        touched: METRICS,
        judges: &[],
    },
    Readers {
        source: Source::Exporter,
        silenced: &["runner-online", "exporter-fresh", "runner-resources"],
        touched: METRICS,
        judges: &[],
    },
    Readers {
        source: Source::Alertmanager,
        silenced: &["firing-alerts"],
        touched: &[],
        judges: &[],
    },
    Readers { source: Source::StatusPage, silenced: &["github-status"], touched: &[], judges: &[] },
    Readers {
        source: Source::Endpoint,
        silenced: &[],
        touched: &["clock-skew", "tls-expiry"],
        judges: &["endpoint-reachable"],
    },
    Readers { source: Source::Identity, silenced: &["oidc-available"], touched: &[], judges: &[] },
    Readers {
        source: Source::Docker,
        silenced: &["docker-daemon"],
        touched: &["runner-identity"],
        judges: &[],
    },
];

const METRICS: &[&str] = &[
    "clock-skew",
    "deploy-lock",
    "failure-rate",
    "firing-alerts",
    "queue-age",
    "runner-authorized",
    "runner-busy",
    "runner-group",
    "runner-identity",
    "runner-labels",
    "runner-resources",
    "runner-steady",
    "runner-version",
    "sources-agree",
];

impl Readers {
    /// Faults that this source can have: a socket has neither a name nor TLS.
    fn faults(&self) -> impl Iterator<Item = Fault> {
        let socket = self.source == Source::Docker;
        let network = [Fault::Expired, Fault::OtherName, Fault::NoName];
        Fault::ALL.into_iter().filter(move |fault| !socket || !network.contains(fault))
    }

    /// What a row that reads this source may say about the fault; `None` when it may say what it likes, but not the opposite.
    fn wanted(&self, check: &str, fault: Fault) -> Option<&'static [&'static str]> {
        if self.judges.contains(&check) {
            return Some(match fault {
                Fault::Forbidden | Fault::Missing | Fault::Busy | Fault::Page => &["pass"],
                // The head of the answer came: somebody is there.
                Fault::Drip | Fault::Flood | Fault::Reset => &["pass", "warn", "fail"],
                Fault::Refused
                | Fault::Hang
                | Fault::Broken
                | Fault::Expired
                | Fault::OtherName
                | Fault::NoName => &["fail"],
            });
        }
        // What a socket and its engine say about themselves is an answer; what somebody else says about us is none.
        if self.source == Source::Docker && check == "docker-daemon" {
            return Some(match fault {
                Fault::Refused => &["fail"],
                Fault::Broken => &["fail", "unknown"],
                _ => &["unknown"],
            });
        }
        if check == "tls-expiry" && fault == Fault::Expired && self.touched.contains(&check) {
            return Some(&["fail"]);
        }
        self.silenced.contains(&check).then_some(&["unknown"])
    }
}

/// A check that is misspelt here would be expected of nobody.
#[test]
fn every_check_that_the_matrix_names_exists() {
    for check in READERS.iter().flat_map(|r| r.silenced.iter().chain(r.touched).chain(r.judges)) {
        assert!(ALL.iter().any(|c| c.id() == *check), "{check}");
    }
}

#[test]
fn no_source_can_lie_to_the_gate_or_hurt_the_row_of_another() {
    let world = World::new();
    let cells: Vec<(&Readers, Option<Fault>)> = READERS
        .iter()
        .flat_map(|readers| {
            let faults = readers.faults().map(move |fault| (readers, Some(fault)));
            std::iter::once((readers, None)).chain(faults)
        })
        .collect();
    let next = AtomicUsize::new(0);
    let ran = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((readers, fault)) = cells.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let one = in_time(|| match readers.source {
                        Source::Docker => docker(*fault),
                        source => through_the_binary(&world.guard(source, *fault)),
                    });
                    let key = (readers.source as usize, fault.map(|f| f as usize));
                    ran.lock().expect("lock").insert(key, one);
                }
            });
        }
    });
    let ran = ran.into_inner().expect("lock");
    let mut wrong = Vec::new();
    let heads = Fault::ALL.map(|fault| format!(" {:<8}", fault.word())).concat();
    println!("{:<14}{:<23}{heads}", "source", "row");
    for readers in READERS {
        let of =
            |fault: Option<Fault>| ran.get(&(readers.source as usize, fault.map(|f| f as usize)));
        let healthy = of(None).expect("a run in which nothing is broken");
        well(readers, healthy, &mut wrong);
        for fault in readers.faults() {
            judged(readers, fault, healthy, of(Some(fault)).expect("a run"), &mut wrong);
        }
        for check in readers.silenced.iter().chain(readers.judges) {
            let cells = Fault::ALL.map(|fault| {
                let row = of(Some(fault)).and_then(|cell| cell.of(check).next());
                format!(" {:<8}", row.map_or("-", |row| row.status.as_str()))
            });
            println!("{:<14}{check:<23}{}", format!("{:?}", readers.source), cells.concat());
        }
    }
    let slowest = ran.values().map(|one| one.wall).max().unwrap_or_default();
    let most = ran.values().map(|one| one.peak).max().unwrap_or_default();
    println!(
        "{} runs; slowest {:.1} s of {} s; most memory {} KiB of {MOST_MEMORY} KiB",
        ran.len(),
        slowest.as_secs_f64(),
        LATEST.as_secs(),
        most
    );
    assert!(most > 1 << 10, "the memory was not measured");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A run, and again when it was late.
fn in_time(run: impl Fn() -> Ran) -> Ran {
    let mut ran = run();
    for _ in 0..REPEATS {
        if ran.wall <= LATEST {
            break;
        }
        ran = run();
    }
    ran
}

/// What must hold of the run in which nothing is broken, so that the others mean something.
fn well(readers: &Readers, healthy: &Ran, wrong: &mut Vec<String>) {
    for check in readers.silenced.iter().chain(readers.judges) {
        for row in healthy.of(check) {
            if !["pass", "warn"].contains(&row.status.as_str()) {
                wrong.push(format!("{:?} healthy: {check}: {row:?}", readers.source));
            }
        }
    }
}

/// Holds a run with one broken source against the one in which nothing is broken.
fn judged(readers: &Readers, fault: Fault, healthy: &Ran, cell: &Ran, wrong: &mut Vec<String>) {
    let name = format!("{:?} {}", readers.source, fault.word());
    let mut say = |what: String| wrong.push(format!("{name}: {what}"));
    if cell.wall > LATEST {
        say(format!("took {:.2} s", cell.wall.as_secs_f64()));
    }
    if cell.peak > MOST_MEMORY {
        say(format!("held {} KiB", cell.peak));
    }
    if !cell.rows.keys().eq(healthy.rows.keys()) {
        say(format!("other rows than {:?}", healthy.rows.keys()));
    }
    for (key, row) in &cell.rows {
        let check = key.0.as_str();
        let Some(before) = healthy.rows.get(key) else { continue };
        let wanted = readers.wanted(check, fault);
        match wanted {
            Some(wanted) if !wanted.contains(&row.status.as_str()) => {
                say(format!("{check} is not {wanted:?}: {row:?}"));
            }
            Some(_) => {}
            None => unchanged(readers, check, before, row, &mut say),
        }
        let changed = row.status != before.status && row.status != "pass";
        if changed && (row.help.is_empty() || row.summary.starts_with("no answer within")) {
            say(format!("{check} does not say what was tried and what to do: {row:?}"));
        }
    }
}

/// A row that does not stand or fall with the broken source.
fn unchanged(
    readers: &Readers,
    check: &str,
    before: &Row,
    row: &Row,
    say: &mut impl FnMut(String),
) {
    let reads = readers.touched.contains(&check) || readers.silenced.contains(&check);
    if reads {
        let opposite =
            row.status != before.status && ["pass", "fail"].contains(&row.status.as_str());
        if opposite {
            say(format!("{check} turns from {before:?} into {row:?}"));
        }
    } else if MACHINE.contains(&check) {
        if row.status == "unknown" && before.status != "unknown" {
            say(format!("{check} turns from {before:?} into {row:?}"));
        }
    } else if row != before {
        say(format!("{check} turns from {before:?} into {row:?}"));
    }
}
