//! A secret that the program was told of, written by everything around it in every encoding: no output may hold it.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::command::{Ended, Guard, runtime_token};
use crate::support::fake_github::{FakeGitHub, Script};
use crate::support::http::{Behaviour, serve};

/// Made at run time, so that no line of this repository looks like a secret; its signs need escaping everywhere.
fn planted() -> String {
    format!("pl{}&\"ted/{}+Se<cret", 'a', std::process::id())
}

/// Every form that must not survive, with a name for the message.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let once = STANDARD.encode(secret);
    let url: String = secret
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }
        })
        .collect();
    let hex: Vec<String> = secret.bytes().map(|b| format!("{b:02x}")).collect();
    vec![
        ("raw", secret.to_owned()),
        ("base64", once.clone()),
        ("double base64", STANDARD.encode(&once)),
        ("URL-encoded", url),
        ("JSON-escaped", secret.replace('"', "\\\"")),
        ("hex", hex.concat()),
    ]
}

fn hostile_lines(secret: &str) -> String {
    let mut lines: Vec<String> =
        forms(secret).into_iter().map(|(name, form)| format!("{name}: {form}")).collect();
    let (head, tail) = secret.split_at(secret.len() / 2);
    lines.push(format!("split: {head}\u{1b}[0m{tail}"));
    lines.join("\n")
}

/// What of the secret is left in this text, ANSI codes aside.
fn survivors(text: &str, secret: &str) -> Vec<&'static str> {
    let plain = text.replace("\u{1b}[0m", "");
    forms(secret)
        .into_iter()
        .filter(|(_, form)| plain.contains(form.as_str()) || text.contains(form.as_str()))
        .map(|(name, _)| name)
        .collect()
}

fn ansible_log(secret: &str) -> String {
    let words = serde_json::json!({ "msg": hostile_lines(secret), "rc": 1, "stderr": hostile_lines(secret) });
    format!(
        "\nPLAY [Deploy] ******************************************************************\n\
         \nTASK [Copy {secret}] ***********************************************************\n\
         {}\nfatal: [web1]: FAILED! => {words}\n\
         \nPLAY RECAP *********************************************************************\n\
         web1                       : ok=0    changed=0    unreachable=0    failed=1    skipped=0    rescued=0    ignored=0   \n",
        hostile_lines(secret)
    )
}

fn stage(name: &'static str, secret: &str, github: &FakeGitHub) -> Ended {
    let words =
        serde_json::json!({ "status": "error", "error": hostile_lines(secret) }).to_string();
    let prometheus = serve(Behaviour::Answer(400, "application/json", words));
    let labels = serde_json::to_string(&hostile_lines(secret)).expect("JSON");
    let exporter = serve(Behaviour::Answer(
        200,
        "text/plain",
        format!("runner_status{{runner=\"a\",authorized_for_prod={labels}}} 1\n"),
    ));
    let config = format!(
        "environment: production\nprometheus: {{url: 'http://{prometheus}'}}\nsecrets: [DEPLOY_KEY]\n\
         runners: [{{name: a, exporter: 'http://{exporter}/metrics'}}]\ncollect: {{runner-logs: {{folder: diag}}}}\n"
    );
    Guard::action(name)
        .env("RUNNER_GUARD_SECRET_DEPLOY_KEY", secret)
        .env("GITHUB_API_URL", &github.url())
        .env("INPUT_GITHUB-TOKEN", secret)
        .env("INPUT_JOB-STATUS", "failure")
        .env("INPUT_ARTIFACT-NAME", "box")
        .env("ACTIONS_RESULTS_URL", &github.url())
        .env("ACTIONS_RUNTIME_TOKEN", &runtime_token("run-1:job-1"))
        .env("RUNNER_GUARD_LOG", "trace")
        .file("ws/.github/runner-guard.yml", &config)
        .file("ws/ansible.log", &ansible_log(secret))
        .file("ws/diag/Worker_20260101-000000-utc.log", &hostile_lines(secret))
        .run()
}

fn nothing_leaks(what: &str, text: &str, secret: &str) {
    assert_eq!(survivors(text, secret), Vec::<&str>::new(), "{what} holds the secret:\n{text}");
}

#[test]
fn the_gate_shows_no_form_of_a_secret() {
    let secret = planted();
    let github = FakeGitHub::start(Script::default());
    let ended = stage("runner-guard", &secret, &github);
    assert!(ended.stdout.contains("runner-online"), "{}", ended.stdout);
    for file in [
        "commands/summary",
        "commands/output",
        "commands/state",
        "temp/runner-guard/preflight.json",
    ] {
        nothing_leaks(file, &ended.left(file), &secret);
    }
    nothing_leaks("stdout", &ended.stdout, &secret);
    nothing_leaks("stderr", &ended.stderr, &secret);
}

#[test]
fn the_black_box_shows_bundles_and_uploads_no_form_of_a_secret() {
    let secret = planted();
    let github = FakeGitHub::start(Script::default());
    let ended = stage("runner-guard-post", &secret, &github);
    let summary = ended.left("commands/summary");
    assert!(summary.starts_with("### ❌ Deploy failed"), "{summary}\n{}", ended.stdout);
    nothing_leaks("summary", &summary, &secret);
    nothing_leaks("outputs", &ended.left("commands/output"), &secret);
    nothing_leaks("stdout", &ended.stdout, &secret);
    nothing_leaks("stderr", &ended.stderr, &secret);

    let tar = ended.folder().join("temp/runner-guard/runner-guard-bundle.tar.gz");
    let (mut names, mut replaced) = (0, 0);
    for (name, text) in untar(&tar) {
        replaced += text.matches("[redacted:known-value]").count();
        nothing_leaks(&name, &format!("{name}\n{text}"), &secret);
        names += 1;
    }
    assert!(names >= 5, "the bundle has {names} entries");
    assert!(replaced >= 14, "the evidence was not there to be redacted: {replaced} replacements");
    let uploaded = github.artifact("box").expect("the artifact was uploaded");
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(uploaded)).expect("zip");
    for index in 0..zip.len() {
        let mut text = String::new();
        let mut file = zip.by_index(index).expect("entry");
        file.read_to_string(&mut text).expect("text");
        nothing_leaks("artifact", &text, &secret);
    }
}

#[expect(clippy::disallowed_methods, reason = "the test reads the bundle that was written")]
fn untar(path: &std::path::Path) -> Vec<(String, String)> {
    let file = std::fs::File::open(path).expect("bundle");
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let read = |entry: std::io::Result<tar::Entry<'_, flate2::read::GzDecoder<std::fs::File>>>| {
        let mut entry = entry.expect("entry");
        let name = entry.path().expect("name").display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        (name, text)
    };
    tar.entries().expect("entries").map(read).collect()
}
