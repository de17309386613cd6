//! The page in a real browser, served by a server that writes down who asked for what.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::{DEPLOY, HOSTILE, diagnose, page_of};

/// A server with one page, and the first lines of all requests to it.
struct Site {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn with(page: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let address = listener.local_addr().expect("address");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (noted, page) = (Arc::clone(&asked), page.to_owned());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap_or(0);
                let text = String::from_utf8_lossy(&head[..read]).into_owned();
                let first = text.lines().next().unwrap_or_default().to_owned();
                // A browser opens spare connections that it never asks on.
                if first.is_empty() {
                    continue;
                }
                noted.lock().expect("notes").push(first);
                let length = page.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                drop(
                    stream
                        .write_all(head.as_bytes())
                        .and_then(|()| stream.write_all(page.as_bytes())),
                );
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("notes").clone()
    }
}

/// The document as the browser has it after all scripts ran.
fn opened(site: &Site, path: &str) -> String {
    let profile = tempfile::tempdir().expect("profile");
    let out = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ])
        .args([
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--virtual-time-budget=3000",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--dump-dom", &format!("http://{}{path}", site.address)])
        .output()
        .unwrap_or_else(|e| panic!("chromium ({e}): run scripts/setup.sh chromium"));
    let dom = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(dom.contains("<main>"), "{dom}\n{}", String::from_utf8_lossy(&out.stderr));
    dom
}

#[test]
fn nothing_in_a_log_runs_or_asks_a_server_for_anything() {
    // The text goes through every door: a message of Ansible, a log of the runner, the report of the gate, the names of the job.
    let message = HOSTILE.replace(['\n', '"', '\\'], " ");
    let log = DEPLOY.replace("unit app.service not found", &message);
    let gate = serde_json::json!({"stage": "preflight", "verdict": "block", "reasons": [{"check": "x", "summary": HOSTILE}],
        "findings": [{"check": HOSTILE, "status": "fail", "summary": HOSTILE, "runner": HOSTILE}],
        "secrets": [{"name": HOSTILE, "status": "fail", "present": HOSTILE}]});
    let ended = diagnose(&format!("{log}\n{HOSTILE}"))
        .file("runner-guard-out/preflight.json", &gate.to_string())
        .env("GITHUB_JOB", "<script>document.title='owned'</script>")
        .env("GITHUB_REPOSITORY", "x\"><img src=/beacon>")
        .run();
    let page = page_of(&ended);
    assert!(page.contains("&lt;svg onload"), "the text is not on the page");
    let site = Site::with(&page);
    let dom = opened(&site, "/");
    assert!(dom.contains("<title>runner-guard report</title>"), "{dom:.600}");
    assert_eq!(dom.matches("<script").count(), 1);
    for tag in ["<img", "<svg", "<iframe", "<base", "href=\"javascript"] {
        assert!(!dom.contains(tag), "{tag}");
    }
    assert_eq!(site.asked(), ["GET / HTTP/1.1"]);
}

#[test]
fn a_script_that_got_into_the_page_all_the_same_would_not_run() {
    let planted =
        "<script>document.title='owned'</script><img src=/beacon><p onclick='' id=p></p></main>";
    let site = Site::with(&page_of(&diagnose(DEPLOY).run()).replace("</main>", planted));
    let dom = opened(&site, "/");
    assert!(dom.contains("<img") && dom.contains("<title>runner-guard report</title>"));
    assert_eq!(site.asked(), ["GET / HTTP/1.1"]);
}

#[test]
fn our_own_script_runs_under_its_policy_and_opens_the_entry_that_a_cause_points_to() {
    let site = Site::with(&page_of(&diagnose(DEPLOY).run()));
    let dom = opened(&site, "/#entry-0");
    let entries = dom.matches("<details class=\"item\"").count();
    assert!(dom.contains(&format!(">{entries} of {entries}</span>")), "the search does not run");
    assert!(
        dom.contains("<details class=\"item\" id=\"entry-0\" open=\"\">"),
        "the entry is not open"
    );
}
