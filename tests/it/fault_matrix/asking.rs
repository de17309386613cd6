//! How a source is asked: once more after a stumble, never longer than there is time, and with words that help.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use runner_guard::source::http::{Http, Proxy};
use runner_guard::task::Deadline;
use serde_json::Value;

use super::run::through_the_binary;
use super::world::Fault;
use crate::support::command::{Ended, Guard};
use crate::support::http::{Behaviour, exporter_page, serve};

/// A gate whose only source is this exporter.
fn scraping(behaviour: Behaviour) -> Guard {
    let at = serve(behaviour);
    Guard::preflight(&format!(
        "timeout: 3s\nrunners: [{{name: a, exporter: 'http://{at}/metrics?token=not-to-be-shown'}}]\n"
    ))
}

/// A gate whose only source is this Prometheus.
fn querying(behaviour: Behaviour) -> Guard {
    let at = serve(behaviour);
    Guard::preflight(&format!(
        "timeout: 3s\nprometheus: {{url: 'http://{at}'}}\nrunners: [{{name: a}}]\n"
    ))
}

fn online(ended: &Ended) -> Value {
    ended.finding("runner-online")
}

fn says(case: &str, row: &Value, status: &str, help: &str) {
    assert_eq!(row["status"], status, "{case}: {row:#}");
    let said = row["help"].as_str().unwrap_or_default();
    assert!(said.contains(help), "{case}: no {help:?} in {row:#}");
}

#[test]
fn a_source_that_stumbles_once_is_asked_again() {
    let sample = r#"{"metric":{"runner":"a"},"value":[1,"1"]}"#;
    let vector =
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{sample}]}}}}"#);
    for (case, stumble) in [
        ("reset", Behaviour::Abort),
        ("cut", Behaviour::Reset),
        ("502", Behaviour::Refuse(502, "", "")),
        ("503", Behaviour::Refuse(503, "retry-after: 1\r\n", "")),
        ("504", Behaviour::Refuse(504, "", "")),
    ] {
        let page = exporter_page("a", 1, "true");
        let scraped = scraping(Behaviour::once(stumble.clone(), page)).run();
        says(case, &online(&scraped), "pass", "");
        let answer = Behaviour::Answer(200, "application/json", vector.clone());
        says(case, &online(&querying(Behaviour::once(stumble, answer)).run()), "pass", "");
    }
}

#[tokio::test]
async fn nobody_is_asked_a_third_time_and_a_refusal_is_not_questioned() {
    let http = Http::new(None, Proxy::default()).expect("client");
    for (case, behaviour, asked) in [
        ("503", Behaviour::Refuse(503, "", ""), 2),
        ("reset", Behaviour::Abort, 2),
        ("500", Behaviour::Refuse(500, "", ""), 1),
        ("403", Behaviour::Refuse(403, "retry-after: 0\r\n", ""), 1),
        ("404", Behaviour::Refuse(404, "", ""), 1),
        ("429", Behaviour::Refuse(429, "", ""), 1),
        ("503 for an hour", Behaviour::Refuse(503, "retry-after: 3600\r\n", ""), 1),
        ("flood", Behaviour::Flood(1 << 20), 1),
    ] {
        let count = Arc::new(AtomicUsize::new(0));
        let at = serve(Behaviour::InTurn(Arc::clone(&count), vec![behaviour]));
        let deadline = Deadline::after(Duration::from_secs(3));
        drop(http.get(case, &format!("http://{at}/"), deadline, 1000).await);
        assert_eq!(count.load(Ordering::SeqCst), asked, "{case}");
    }
}

#[test]
fn a_wait_that_is_longer_than_the_time_left_is_not_waited_for() {
    for status in [429, 503] {
        let busy = || Behaviour::Refuse(status, "retry-after: 3600\r\n", "slow down");
        for guard in [scraping(busy()), querying(busy())] {
            let start = Instant::now();
            let row = guard.run().finding("runner-online");
            assert!(start.elapsed().as_secs_f64() < 2.0, "{status}: {:?}", start.elapsed());
            says("busy", &row, "unknown", "nobody waited");
            assert!(row["summary"].as_str().is_some_and(|s| s.contains("3600 s")), "{row:#}");
        }
    }
}

#[test]
fn the_words_of_a_broken_source_help_and_hold_no_secret() {
    let page = || Fault::Page.behaviour().expect("a behaviour");
    let login = || Behaviour::Refuse(401, "www-authenticate: Basic\r\n", "");
    let moved = || Behaviour::Refuse(302, "location: https://sso.example/\r\n", "");
    for (case, guard, help) in [
        ("page for a scrape", scraping(page()), "web page"),
        ("page for a query", querying(page()), "web page"),
        ("login for a query", querying(login()), "without one"),
        ("login for a scrape", scraping(login()), "wants a login"),
        ("redirect", scraping(moved()), "not followed"),
        ("flood", scraping(Behaviour::Flood(100 << 20)), "far smaller"),
        ("hang", scraping(Behaviour::Hang), "input timeout"),
        ("reset", scraping(Behaviour::Abort), "broke in the middle"),
    ] {
        let ended = guard.run();
        says(case, &online(&ended), "unknown", help);
        let said = format!(
            "{}{}{}",
            ended.stdout,
            ended.stderr,
            ended.left("runner-guard-out/summary.md")
        );
        assert!(!said.contains("not-to-be-shown"), "{case}: {said}");
    }
}

/// No answer is unpacked: a packed one is not readable, and a bomb stays small.
#[test]
fn a_packed_answer_is_not_unpacked() {
    use std::io::Write as _;
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let labels = r#"runner="a",authorized_for_prod="true""#;
    let lines = format!("runner_status{{{labels}}} 1\n").repeat(4);
    zip.write_all(lines.as_bytes()).expect("packed");
    let packed: &'static [u8] = zip.finish().expect("packed").leak();
    let guard = scraping(Behaviour::Bytes("content-encoding: gzip\r\n", packed));
    let ran = through_the_binary(&guard);
    assert!(ran.of("runner-online").all(|row| row.status == "unknown"));
}

/// A page that is right in every line, and so long that what is kept of it would fill the memory.
#[test]
fn a_page_that_is_right_and_huge_is_refused_within_the_memory() {
    let page = "a 1\n".repeat(2_000_000);
    let guard = scraping(Behaviour::Answer(200, "text/plain; version=0.0.4", page));
    let ran = through_the_binary(&guard);
    for row in ran.of("runner-online") {
        assert!(row.status == "unknown" && row.summary.contains("more than"), "{row:?}");
    }
    assert!(ran.peak < super::MOST_MEMORY, "{} KiB", ran.peak);
}
