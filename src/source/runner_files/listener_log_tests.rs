//! The states of a listener, each from lines as its log has them.

use super::*;

fn read(lines: &[&str]) -> ListenerLog {
    let mut log = ListenerLog::default();
    log.read("Runner_a.log", &text(lines));
    log
}

/// Messages, one each minute from 10:00.
fn text(lines: &[&str]) -> String {
    let line = |(minute, said): (usize, &&str)| match said.strip_prefix('!') {
        Some(said) => format!("[2026-01-31 10:{minute:02}:00Z ERR  Part] {said}\n"),
        None => format!("[2026-01-31 10:{minute:02}:00Z INFO Part] {said}\n"),
    };
    lines.iter().enumerate().map(line).collect()
}

fn last(lines: &[&str]) -> State {
    read(lines).last().unwrap().state.clone()
}

const TEN: i64 = 1_769_853_600;
const JOB: &str = "0c0ffee0-0000-4000-8000-000000000001";
const RECEIVED: &str = "Job request 7 for plan 0c0ffee0-0000-4000-8000-0000000000aa job 0c0ffee0-0000-4000-8000-000000000001 received.";
const LISTENING: &str = "WRITE LINE: 2026-01-31 10:00:00Z: Listening for Jobs";

#[test]
fn every_state_is_known_by_its_words() {
    for (said, state) in [
        ("Attempt to create session.", State::Connecting),
        ("!WRITE ERROR: A session for this runner already exists.", State::Conflict),
        (
            "!WRITE ERROR: Runner connect error: Error: Conflict. Retrying until reconnected.",
            State::Conflict,
        ),
        (LISTENING, State::Listening),
        ("No message retrieved within last 30 minutes.", State::Listening),
        (RECEIVED, State::Running),
        ("!Catch exception during get next message.", State::Disconnected),
        ("!Registration 0c0ffee0-0000-4000-8000-000000000001 was not found.", State::Deregistered),
        (
            "!An error occurred: Runner version v2.300.0 is deprecated and cannot receive messages.",
            State::Refused,
        ),
        ("Runner update in progress, do not shutdown runner.", State::Updating),
        (
            "Runner will be shutdown for OperatingSystemShutdown",
            State::Stopping("OperatingSystemShutdown".to_owned()),
        ),
        (
            "Received Ctrl-C signal, stop Runner.Listener",
            State::Stopping("SIGINT or SIGTERM".to_owned()),
        ),
        ("Runner execution has finished with return code 5", State::Ended(5)),
    ] {
        assert_eq!(last(&[said]), state, "{said}");
    }
}

#[test]
fn a_conflict_lasts_from_its_first_word_and_through_all_attempts() {
    let conflict = "!WRITE ERROR: A session for this runner already exists.";
    let log = read(&[
        LISTENING,
        conflict,
        "Attempt to create session.",
        "!Catch exception during create session.",
        conflict,
    ]);
    let change = log.last().unwrap();
    assert_eq!((&change.state, change.at), (&State::Conflict, TEN + 60));
    assert_eq!(change.place, ("Runner_a.log".to_owned(), 2));
    assert_eq!(log.trouble.len(), 4);
}

#[test]
fn trouble_that_ended_well_is_forgotten() {
    let log = read(&[
        "!Catch exception during get next message.",
        "Back off 14.8 seconds before next retry. 2 attempt left.",
        "WRITE LINE: 2026-01-31 10:02:00Z: Runner reconnected.",
    ]);
    assert!(log.trouble.is_empty() && log.pause.is_none() && log.errors == 0);
    assert_eq!(log.last().unwrap().state, State::Listening);
}

#[test]
fn errors_and_pauses_are_counted_since_the_last_good_word() {
    let lost = "!Catch exception during get next message.";
    let log = read(&[LISTENING, lost, "Sleeping for 30 seconds before retrying.", lost]);
    assert_eq!((log.errors, log.pause.as_deref()), (2, Some("30 seconds")));
}

#[test]
fn the_lease_of_a_job_is_followed_over_two_logs() {
    let renewed = format!("Successfully renew job {JOB}, job is valid till 01/31/2026 10:11:00");
    let mut log = read(&[RECEIVED, &renewed]);
    log.read("Runner_b.log", &text(&["!Catch exception during renew runner job x.", "!more"]));
    let job = log.job(Some(JOB)).unwrap();
    assert_eq!((job.received, job.lease), (TEN, Some((TEN + 60, TEN + 660))));
    assert_eq!((job.failed_renewals, job.lines.len(), job.ended.is_none()), (1, 1, true));
    assert_eq!(log.job(Some("another")), None);
}

#[test]
fn a_crashed_worker_is_told_from_a_failed_job() {
    let log = read(&[
        RECEIVED,
        "Worker finished for job 0c0ffee0-0000-4000-8000-000000000001. Code: 134",
        "Return code 134 indicate worker encounter an unhandled exception or app crash, attach worker stdout/stderr to JobRequest result.",
        "WRITE LINE: 2026-01-31 10:03:00Z: Job deploy completed with result: Failed",
    ]);
    let job = log.job(None).unwrap();
    assert_eq!((job.code, job.lines.len()), (Some(134), 2));
    assert_eq!(job.ended, Some((TEN + 180, "Failed".to_owned())));
    assert_eq!((worker_result(134), worker_result(102)), (None, Some("Failed")));
    let failed = read(&[
        RECEIVED,
        "Worker finished for job 0c0ffee0-0000-4000-8000-000000000001. Code: 102",
    ]);
    assert!(failed.job(None).unwrap().lines.is_empty());
}

#[test]
fn a_log_that_begins_in_the_middle_of_a_job_still_tells_of_it() {
    let log = read(&[
        &format!("Send job request message to worker for job {JOB}."),
        &format!("Worker finished for job {JOB}. Code: 134"),
    ]);
    assert_eq!(log.job(Some(JOB)).map(|job| job.code), Some(Some(134)));
    assert_eq!(log.jobs.len(), 1);
}

#[test]
fn a_signal_during_a_job_belongs_to_the_job() {
    let log = read(&[RECEIVED, "Runner will be shutdown for UserCancelled"]);
    assert_eq!(log.job(None).unwrap().shutdown, Some((TEN + 60, "UserCancelled".to_owned())));
    assert_eq!(log.last().unwrap().state, State::Stopping("UserCancelled".to_owned()));
}

#[test]
fn memory_stays_bounded() {
    let mut log = ListenerLog::default();
    let lines: Vec<&str> = ["!Catch exception during get next message.", LISTENING, RECEIVED]
        .into_iter()
        .cycle()
        .take(60)
        .collect();
    for _ in 0..50 {
        log.read("Runner_a.log", &text(&lines));
    }
    log.read(
        "Runner_a.log",
        &text(&vec!["!Catch exception during get next message."; 60]).repeat(10),
    );
    assert_eq!((log.changes.len(), log.jobs.len(), log.trouble.len()), (CHANGES, JOBS, 2 * LINES));
}

proptest::proptest! {
    #[test]
    fn no_log_makes_it_panic(lines in proptest::collection::vec("(Job request | job |received\\.|Successfully renew job|job is valid till |Worker finished for job |Code: |completed with result: |Back off |ä){0,5}", 0..20)) {
        let said: Vec<&str> = lines.iter().map(String::as_str).collect();
        let _ = read(&said);
    }
}
