//! The Markdown page of a digest: what it says at once, and what text from outside can not do to it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{digest, write};

/// A failed deploy in a job log: web1 changed its configuration and failed, web3 of the inventory was never reached.
fn log(name: &str, message: &str) -> String {
    let stamp = |second: u32, line: &str| format!("2026-01-31T12:00:{second:02}.5000000Z {line}\n");
    let result = serde_json::json!({"msg": message, "rc": 1, "stderr": "nginx: unknown directive"});
    [
        stamp(0, "##[group]Run ansible-playbook -i inventory/prod site.yml"),
        stamp(0, "ansible-playbook -i inventory/prod site.yml"),
        stamp(0, "##[endgroup]"),
        stamp(1, "PLAY [Configure] *********"),
        stamp(1, "TASK [Change config] *********"),
        stamp(2, "changed: [web1]"),
        stamp(2, "ok: [web2]"),
        stamp(3, &format!("TASK [{name}] *********")),
        stamp(5, &format!("fatal: [web1]: FAILED! => {result}")),
        stamp(6, "PLAY RECAP *********"),
        stamp(6, "web1 : ok=1 changed=1 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0"),
        stamp(6, "web2 : ok=1 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"),
        stamp(6, "##[error]Process completed with exit code 2."),
    ]
    .concat()
}

const PLAYBOOK: &str = "- name: Configure\n  hosts: web\n  tasks:\n    - name: Change config\n      template: {src: a, dest: b}\n      notify: Restart nginx\n    - name: Validate config\n      command: nginx -t\n      environment:\n        DB_PASSWORD: horse-battery-staple-42\n";

fn workspace(playbook: &str, log: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path(), "site.yml", playbook);
    write(folder.path(), "inventory/prod", "[web]\nweb[1:3]\n");
    write(folder.path(), "deploy.log", log);
    folder
}

#[test]
fn the_page_says_what_failed_where_and_what_was_left_behind() {
    let folder = workspace(PLAYBOOK, &log("Validate config", "non-zero return code"));
    let page = digest(&folder.path().join("deploy.log"), "markdown", Some(folder.path()));
    let first = page.lines().next().expect("a line");
    assert!(first.starts_with("### ❌ Ansible: failed on 1 of 2 hosts: `task \"Validate config\" on web1: nginx: unknown directive (rc=1)"), "{page}");
    for wanted in [
        "first failure 4.0 s after the first banner, at",
        "not started, or left out by a limit: 1 host of the inventory (web3)",
        "handler \"Restart nginx\" was notified and did not run on web1",
        "**command failed**",
        ">    7      - name: Validate config",
        "    10          DB_PASSWORD: ***",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    assert!(!page.contains("horse-battery"), "{page}");
}

#[test]
fn text_and_json_say_the_same_as_the_page() {
    let folder = workspace(PLAYBOOK, &log("Validate config", "non-zero return code"));
    let log = folder.path().join("deploy.log");
    let text = digest(&log, "text", Some(folder.path()));
    for wanted in [
        "first failure 4.0 s after the first banner, at 2026-01-31T12:00:05.500",
        "(web3)",
        "handler \"Restart nginx\"",
        "command failed: see what the command printed",
        "7     - name: Validate config",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    let read: serde_json::Value =
        serde_json::from_str(&digest(&log, "json", Some(folder.path()))).expect("JSON");
    let run = &read["runs"][0];
    assert_eq!(run["not_started"], serde_json::json!(["web3"]));
    assert_eq!(run["handlers_not_run"][0]["handler"], "Restart nginx");
    assert_eq!(run["first_failure_after"], 4000);
    assert_eq!(run["failures"][0]["class"], "command");
    assert_eq!(run["failures"][0]["source"]["from"], 4);
}

#[test]
fn a_file_and_a_log_that_want_to_leave_their_place_make_no_element() {
    let hostile = [
        "```\n# OWNED\n[x](https://evil.example)",
        "</code></pre><h1>OWNED</h1>",
        "</details>\n\n# OWNED",
        "````\n<img src=https://evil.example/x.png>",
        "| a | b |\n|---|---|\n",
        "\u{1b}]8;;https://evil.example\u{7}OWNED",
    ];
    let calm = elements(&rendered("quiet", "# quiet"));
    for raw in hostile {
        let found = elements(&rendered(raw, &raw.replace('\n', "\n      ")));
        assert_eq!(found, calm, "{raw:?}");
    }
}

/// The page as GitHub renders it, with `raw` wherever text from outside may stand.
fn rendered(raw: &str, comment: &str) -> String {
    let line = raw.replace('\n', " ");
    let playbook = format!("{PLAYBOOK}      # {comment}\n{comment}\n")
        .replace("nginx -t", &format!("nginx -t # {line}"));
    let folder = workspace(&playbook, &log("Validate config", raw));
    html_of(&digest(&folder.path().join("deploy.log"), "markdown", Some(folder.path())))
}

/// The elements in their order, without those that only quote.
fn elements(html: &str) -> Vec<String> {
    let names = html.split('<').skip(1);
    let names = names.map(|tag| tag.split(['>', ' ', '\n']).next().unwrap_or_default().to_owned());
    let quotes = ["code", "/code", "pre", "/pre"];
    names.filter(|name| !quotes.contains(&name.as_str())).collect()
}

fn html_of(markdown: &str) -> String {
    let mut renderer = Command::new("cmark-gfm")
        .args(["--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cmark-gfm is installed (Debian package cmark-gfm)");
    let mut input = renderer.stdin.take().expect("stdin");
    let text = markdown.to_owned();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(text.as_bytes()).expect("it reads"));
        renderer.wait_with_output()
    });
    String::from_utf8(output.expect("it ends").stdout).expect("text")
}
