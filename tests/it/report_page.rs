//! The page `report.html`, a bundle that is read again, and what changed since the last one.
#![expect(clippy::disallowed_methods, reason = "tests start a browser and make bundles")]

mod browser;
mod old_bundle;

use serde_json::Value;

use crate::support::command::{Ended, Guard};

/// A deploy that failed, from a real run of Ansible.
const DEPLOY: &str = include_str!("../fixtures/ansible/deploy-2.19.txt");

/// What a log may hold against whoever reads it in a browser.
const HOSTILE: &str = concat!(
    "fatal: [web1]: FAILED! => {\"msg\": \"</pre></details></main><script>document.title='owned'</script>\"}\n",
    "<img src=/beacon onerror=\"document.title='owned'\"><svg onload=document.title='owned'>\n",
    "<link rel=stylesheet href=/beacon.css><meta http-equiv=refresh content='0;url=/beacon'>\n",
    "<base href=/beacon/><iframe src=/beacon></iframe><style>@import '/beacon'; body{background:url(/beacon)}</style>\n",
    "\"><a href=javascript:document.title='owned' autofocus onfocus=document.title='owned'>x</a><!-- \n",
    "&lt;script&gt;document.title='owned'&lt;/script&gt; &#60;script>document.title='owned'&#60;/script>\n",
    "\u{1b}]8;;javascript:alert(1)\u{7}click\u{1b}]8;;\u{7} \u{202e}evil\u{0} ]]> </textarea></title><script src=/beacon.js></script>\n",
);

fn diagnose(log: &str) -> Guard {
    Guard::plain(&["diagnose", "--timeout", "10s"]).file("ansible.log", log)
}

fn page_of(ended: &Ended) -> String {
    ended.left("runner-guard-out/report.html")
}

#[test]
fn the_page_tells_cause_advice_evidence_hosts_and_entries_in_this_order() {
    let ended = diagnose(DEPLOY).run();
    let page = page_of(&ended);
    let at =
        |words: &str| page.find(words).unwrap_or_else(|| panic!("{words} is missing in {page}"));
    let order = [
        "Deploy failed: A service unit does not exist on the target",
        "What to do now",
        ">Why<",
        ">ansible/ansible.log:111</a>",
        "Failures (2)",
        "Ansible, host by host",
        "What was collected",
        "The bundle: ",
        "context/job.json",
    ];
    assert!(order.map(at).is_sorted());
    assert!(page.len() < 3 << 20);
}

#[test]
fn the_page_lies_in_the_bundle_and_shows_the_checksums_of_the_manifest() {
    let guard = diagnose(DEPLOY);
    let folder = guard.path("runner-guard-out");
    let ended = guard.run();
    let mut packed = tar::Archive::new(flate2::read::MultiGzDecoder::new(
        std::fs::File::open(folder.join("runner-guard-bundle.tar.gz")).expect("bundle"),
    ));
    let mut manifest = Value::Null;
    let mut inside = String::new();
    for entry in packed.entries().expect("entries") {
        let mut entry = entry.expect("entry");
        let name = entry.path().expect("path").display().to_string();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).expect("text");
        match name.as_str() {
            "manifest.json" => manifest = serde_json::from_str(&text).expect("JSON"),
            "report.html" => inside = text,
            _ => {}
        }
    }
    assert_eq!(inside, page_of(&ended));
    let evidence = manifest["entries"].as_array().expect("entries").iter();
    let sums: Vec<&str> = evidence
        .filter(|e| e["kind"] != "report")
        .map(|e| e["sha256"].as_str().expect("sum"))
        .collect();
    assert!(sums.len() >= 2, "{sums:?}");
    for sum in sums {
        assert!(inside.contains(sum), "{sum}");
    }
}

#[test]
fn a_page_never_shows_a_secret_and_says_how_many_were_replaced() {
    let secret = "horse-<&\"battery\"";
    let log = DEPLOY.replace("unit app.service not found", &format!("bad key {secret} here"));
    let ended = diagnose(&log).env("RUNNER_GUARD_SECRET_KEY", secret).run();
    let page = page_of(&ended);
    assert!(page.contains("known-value"), "{page}");
    for form in [secret, "horse-&lt;", "horse-<", "horse-%3C", "battery"] {
        assert!(!page.contains(form), "{form}");
    }
}

#[test]
fn the_report_of_the_gate_of_the_same_job_stands_on_the_page() {
    let gate = include_str!("../fixtures/reports/gate.json");
    let ended = diagnose(DEPLOY).file("runner-guard-out/preflight.json", gate).run();
    let page = page_of(&ended);
    for words in ["Before the deploy", "disk-space", "prod-a, prod-b", "VAULT_TOKEN", "Candidates"]
    {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn two_logs_of_one_name_are_told_apart_where_a_cause_points_to_them() {
    let ended = Guard::plain(&[
        "diagnose", "--timeout", "10s", "--format", "json", "--ansible-log", "a/x.log", "--ansible-log", "b/x.log",
    ])
    .file("a/x.log", "PLAY [a] ***\n\nTASK [ok] ***\nok: [h]\n\nPLAY RECAP ***\nh : ok=1 changed=0 unreachable=0 failed=0\n")
    .file("b/x.log", DEPLOY)
    .run();
    let evidence = ended.report()["diagnoses"][0]["evidence"][0]["path"].clone();
    assert_eq!(evidence, "ansible/x-2.log");
    assert!(page_of(&ended).contains(">ansible/x-2.log:1"), "{}", ended.stdout);
}

#[test]
fn a_link_in_the_place_of_the_page_is_replaced_and_not_followed() {
    let guard = diagnose(DEPLOY).file("precious", "keep me").file("runner-guard-out/x", "");
    let (target, link) = (guard.path("precious"), guard.path("runner-guard-out/report.html"));
    std::os::unix::fs::symlink(&target, &link).expect("link");
    let ended = guard.run();
    assert_eq!(ended.left("precious"), "keep me");
    assert!(page_of(&ended).contains("Deploy failed"));
}
