//! `redact` on files: equal values, rules of the user, profiles, the report, and what it refuses.

use serde_json::Value;

use crate::support::command::{Ended, Guard};

const LONG: &str = "correct-horse-battery-staple";

/// `redact` with these arguments over two files.
fn redact(args: &[&str], first: &str, second: &str) -> Guard {
    let all = [&["redact", "a.log", "b.log", "--out", "out", "--report", "report.json"], args];
    Guard::plain(&all.concat()).file("a.log", first).file("b.log", second)
}

fn done(guard: Guard) -> (String, String, Value) {
    let ended = guard.run();
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    let report = serde_json::from_str(&ended.left("report.json")).expect("the report");
    (ended.left("out/a.log"), ended.left("out/b.log"), report)
}

/// The number behind the first replacement by a rule.
fn number(text: &str, rule: &str) -> String {
    let opens = format!("[redacted:{rule}#");
    let rest = text.split_once(&opens).unwrap_or_else(|| panic!("no {opens} in {text}")).1;
    rest.split(']').next().expect("its end").to_owned()
}

#[test]
fn equal_values_have_equal_numbers_in_every_file_and_a_run_repeats_exactly() {
    let run = || {
        let guard = redact(
            &[],
            "password=Tr0ub4dor-one zz\nkey correct-horse-battery-staple\n",
            "db_password: Tr0ub4dor-one\nother password=Tr0ub4dor-two x\n",
        );
        let guard = guard.env("RUNNER_GUARD_SECRET_B", LONG);
        done(guard.env("RUNNER_GUARD_SECRET_A", "another-one-77"))
    };
    let (first, second, report) = run();
    let one = number(&first, "keyed-value");
    assert_eq!(one, number(&second, "keyed-value"));
    let others = second.split_once("other").expect("the other line").1;
    assert_ne!(one, number(others, "keyed-value"));
    assert!(one.len() <= 6 && one.bytes().all(|b| b.is_ascii_digit()));
    // The place of the name in the list of names, from 1.
    assert!(first.contains("key [redacted:known-value#2]"), "{first}");
    assert!(!format!("{first}{second}{report}").contains("Tr0ub4dor"), "{report}");
    assert_eq!(run(), (first, second, report));
}

#[test]
fn without_a_long_value_the_numbers_of_two_runs_tell_nothing() {
    let many = "password=Summer2021a z\npassword=Summer2022b z\npassword=Summer2023c z\n";
    let run = || done(redact(&[], many, many)).1;
    assert_ne!(run(), run());
}

#[test]
fn what_was_replaced_already_stays_as_it_is() {
    let text = "password=[redacted:keyed-value#77] x [redacted:jwt] [redacted:known-value#3]\n";
    let (first, second, _) = done(redact(&[], text, "token: [redacted:hunter2] ok\n"));
    assert_eq!(first, text);
    assert!(second.contains("hunter2") || second.contains("[redacted:"), "{second}");
    let again = done(redact(&[], &first, &second));
    assert_eq!((again.0, again.1), (first, second));
}

const RULES: &str = "version: 1\nredact:\n  rules:\n    - {name: customer, literal: Initech}\n    - {name: ticket, regex: 'case-(\\d+)'}\n    - {name: pin, path: door.pin}\n    - {name: only-b, literal: blue, files: 'b.*'}\n    - {name: never, literal: nothing-of-this}\n";

#[test]
fn rules_of_the_user_hold_in_text_and_in_documents_and_for_their_files() {
    let first = "Initech opened case-4711, blue\ndoor:\n  pin: 9876\n  hinge: left\npin: 5\n";
    let second = "blue {\"door\": {\"hinge\": 1, \"pin\": \"9876\"}} door.pin=9876 Initech\n";
    let guard = redact(&["--config", "c.yml"], first, second).file("c.yml", RULES);
    let (first, second, report) = done(guard.env("RUNNER_GUARD_SECRET_A", LONG));
    let (customer, pin) = (number(&first, "customer"), number(&first, "pin"));
    assert_eq!((&customer, &pin), (&number(&second, "customer"), &number(&second, "pin")));
    let ticket = number(&first, "ticket");
    assert_eq!(
        first,
        format!(
            "[redacted:customer#{customer}] opened case-[redacted:ticket#{ticket}], blue\ndoor:\n  pin: [redacted:pin#{pin}]\n  hinge: left\npin: 5\n"
        )
    );
    let blue = number(&second, "only-b");
    assert_eq!(
        second,
        format!(
            "[redacted:only-b#{blue}] {{\"door\": {{\"hinge\": 1, \"pin\": \"[redacted:pin#{pin}]\"}}}} door.pin=[redacted:pin#{pin}] [redacted:customer#{customer}]\n"
        )
    );
    assert_eq!(report["user-rules-without-a-match"], serde_json::json!(["never"]));
}

#[test]
fn a_mistake_in_a_rule_is_named_with_its_line_and_what_would_be_right() {
    for (rule, line, said, help) in [
        ("{name: a, regex: '(?<=x)y'}", 4, "the expression can not be read", "no look-around"),
        ("{name: a, regex: 'x*'}", 4, "matches the empty text", "at least one character"),
        ("{name: a, regex: '(a{500}){500}'}", 4, "larger than the limit", "smaller counts"),
        ("{name: a, literal: ab}", 4, "less than 3 characters", "longer"),
        ("{name: a, path: 'x..y'}", 4, "a path is at most 32 keys", "db.admin.pin"),
        ("{name: a, literal: abc, path: x}", 4, "has 2 of literal, regex and path", "exactly one"),
        ("{name: A B, literal: abc}", 4, "is not a name of a rule", "lower-case"),
        ("{name: a, literl: abc}", 4, "unknown key `literl`", "literal"),
    ] {
        let config = format!("version: 1\nredact:\n  rules:\n    - {rule}\n");
        let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", &config).run();
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, 2, "{rule}: {told}");
        for wanted in [format!("c.yml:{line}"), said.to_owned(), help.to_owned()] {
            assert!(told.contains(&wanted), "{rule}: {wanted} is not in {told}");
        }
    }
    let config = "version: 1\nredact: {profile: publc}\n";
    let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", config).run();
    assert!(format!("{}{}", ended.stdout, ended.stderr).contains("public"), "{}", ended.stderr);
}

const PLAY: &str = "TASK [copy] ***\nfatal: [web-eu-7]: FAILED! => {\"msg\": \"no route to 10.20.30.40 from web-eu-7\"}\n\nPLAY RECAP ***\nweb-eu-7 : ok=1 changed=0\n";
const TALK: &str = "jdoe-ops logged in to Web-EU-7 (fd12::7:1) from 10.20.30.40:2222, runner-eu-1; mail j.doe@example.test, mac 52:54:00:12:34:56, local 127.0.0.1, 12:30:00\n";

fn shared(profile: &str) -> (String, String, Value) {
    let guard = redact(&["--profile", profile], PLAY, TALK).env("RUNNER_GUARD_SECRET_A", LONG);
    done(guard.env("GITHUB_ACTOR", "jdoe-ops").env("RUNNER_NAME", "runner-eu-1"))
}

fn pseudonym(text: &str, kind: &str) -> String {
    let shape = regex::Regex::new(&format!("{kind}-[0-9]{{1,6}}")).expect("regex");
    shape.find(text).unwrap_or_else(|| panic!("no {kind} in {text}")).as_str().to_owned()
}

#[test]
fn a_vendor_sees_the_same_pseudonym_for_a_host_a_user_and_an_address_in_every_file() {
    let (play, talk, report) = shared("share-with-vendor");
    let all = format!("{play}{talk}{report}");
    for name in ["web-eu-7", "Web-EU-7", "10.20.30.40", "jdoe-ops", "fd12::7:1", "runner-eu-1"] {
        assert!(!all.contains(name), "{name}: {all}");
    }
    for kept in ["j.doe@example.test", "52:54:00:12:34:56", "127.0.0.1", "12:30:00", "TASK [copy]"]
    {
        assert!(all.contains(kept), "{kept}: {all}");
    }
    let (host, ip) = (pseudonym(&play, "host"), pseudonym(&play, "ip"));
    assert!(play.contains(&format!("no route to {ip} from {host}")), "{play}");
    assert!(play.contains(&format!("fatal: [{host}]: FAILED!")), "{play}");
    assert!(talk.contains(&format!("logged in to {host} (ip-")), "{talk}");
    assert!(talk.contains(&format!("from {ip}:2222, host-")), "{talk}");
    assert!(talk.starts_with("user-"), "{talk}");
    assert_eq!(report["profile"], "share-with-vendor");
}

#[test]
fn the_public_sees_no_mail_and_no_hardware_address_and_the_own_people_see_all() {
    let (_, talk, _) = shared("public");
    assert!(talk.contains("mail email-") && talk.contains("mac mac-"), "{talk}");
    assert!(!talk.contains("j.doe") && !talk.contains("52:54"), "{talk}");
    let (play, talk, _) = shared("internal");
    assert_eq!((play.as_str(), talk.as_str()), (PLAY, TALK));
}

#[test]
fn the_report_counts_by_rule_and_by_file_and_names_what_can_not_be_masked() {
    let guard = redact(&[], "password=Tr0ub4dor-one zz\n", &format!("{LONG} {LONG}\n"));
    let guard = guard.env("RUNNER_GUARD_SECRET_A", LONG).env("RUNNER_GUARD_SECRET_TINY", "abc");
    let (_, _, report) = done(guard);
    let row = |rule: &str, count: u64| serde_json::json!({"rule": rule, "count": count});
    assert_eq!(report["schema"], 1);
    assert_eq!(
        report["replaced"],
        serde_json::json!([row("keyed-value", 1), row("known-value", 2)])
    );
    assert_eq!(report["files"][0]["path"], "a.log");
    assert_eq!(report["files"][1]["replaced"], serde_json::json!([row("known-value", 2)]));
    assert_eq!(report["unmaskable"], serde_json::json!(["RUNNER_GUARD_SECRET_TINY"]));
    assert_eq!(report["verified"]["result"], "passed");
    assert_eq!(report["canary"]["result"], "passed");
    assert!(report["canary"]["encodings"].as_u64() > Some(15));
    assert!(report["canary"]["shapes"].as_u64() > Some(25));
}

#[test]
fn passwords_in_the_variables_of_proxies_are_known() {
    let guard =
        redact(&[], "say hOrseBattery-9 now\n", "aE9yc2VCYXR0ZXJ5LTk= and aE9yc2VCYXR0ZXJ5LTk\n");
    let (first, second, _) =
        done(guard.env("HTTPS_PROXY", "http://ann:hOrseBattery-9@proxy.test:3128"));
    assert_eq!(first, "say [redacted:known-value#1] now\n");
    assert!(second.contains("aE9yc2VCYXR0ZXJ5LTk") || second.contains("known-value"), "{second}");
}

fn refused(guard: Guard, said: &str) -> Ended {
    let ended = guard.run();
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains(said) && ended.stderr.contains("help:"), "{}", ended.stderr);
    ended
}

#[test]
fn nothing_is_written_over_and_no_link_is_followed() {
    let ended = refused(
        Guard::plain(&["redact", "a.log", "--out", "."]).file("a.log", "password=Tr0ub4dor-one z"),
        "is there already",
    );
    assert_eq!(ended.left("a.log"), "password=Tr0ub4dor-one z");
    let guard = Guard::plain(&["redact", "link", "--out", "out"]).file("a.log", "x");
    std::os::unix::fs::symlink(guard.path("a.log"), guard.path("link")).expect("link");
    refused(guard, "link");
    refused(Guard::plain(&["redact", "gone.log", "--out", "out"]), "gone.log");
    let twice = Guard::plain(&["redact", "a.log", "x/a.log", "--out", "out"]);
    refused(twice.file("a.log", "x").file("x/a.log", "y"), "another file");
    refused(Guard::plain(&["redact", "--out", "out"]), "nothing to write");
}
