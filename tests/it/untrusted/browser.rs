//! All pages in one real browser, one after another in a frame, and what a script of the test finds in each.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// What the browser saw.
pub(super) struct Seen {
    /// The number of a page, and what is wrong with it.
    pub(super) problems: Vec<(usize, String)>,
    /// How many pages were opened to their end.
    pub(super) opened: usize,
    /// What was asked of the server beside the pages.
    pub(super) strange: Vec<String>,
}

/// Opens every page; the first is the measure for the others: no element, attribute or heading that it has not.
pub(super) fn open(pages: &[&str]) -> Seen {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address");
    let pages: Arc<Vec<String>> = Arc::new(pages.iter().map(|&page| page.to_owned()).collect());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let frame = FRAME.replace("COUNT", &pages.len().to_string());
    let seen = Arc::clone(&asked);
    #[expect(clippy::disallowed_methods, reason = "it serves while the browser runs")]
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let Some(path) = head.split(' ').nth(1).map(str::to_owned) else { continue };
            let number = path.strip_prefix("/page/").and_then(|n| n.parse::<usize>().ok());
            let body = match number.and_then(|n| pages.get(n)) {
                Some(page) => page,
                None => &frame,
            };
            if number.is_none() && path != "/" {
                seen.lock().expect("notes").push(path);
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            drop(
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())),
            );
        }
    });
    let dom = dom_of(&format!("http://{address}/"));
    let told = dom.split_once("<pre id=\"told\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let told = told.unwrap_or_else(|| panic!("the frame did not run: {dom:.800}")).0;
    let (mut problems, mut opened) = (Vec::new(), 0);
    for line in told.lines().filter(|line| !line.is_empty()) {
        let (number, what) = line.split_once(' ').expect("a number");
        match what {
            "opened" => opened += 1,
            _ => problems.push((number.parse().expect("a number"), what.to_owned())),
        }
    }
    let strange =
        asked.lock().expect("notes").iter().filter(|p| *p != "/favicon.ico").cloned().collect();
    Seen { problems, opened, strange }
}

#[expect(clippy::disallowed_methods, reason = "the browser is a tool of the test")]
fn dom_of(address: &str) -> String {
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
            "--virtual-time-budget=600000",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--dump-dom", address])
        .output()
        .unwrap_or_else(|e| panic!("chromium ({e}): run scripts/setup.sh chromium"));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Loads the pages in turn and writes one line for everything that is wrong.
const FRAME: &str = r#"<!doctype html><title>frame</title><pre id="told"></pre><iframe id="f"></iframe><script>
const frame = document.getElementById('f'), told = document.getElementById('told');
let at = -1, tags, attributes, headings;
const all = (d, s) => [...d.querySelectorAll(s)];
const say = what => { told.textContent += at + ' ' + what.replace(/\s+/g, ' ').slice(0, 300) + '\n'; };
function judge(d) {
  const elements = all(d, '*');
  const names = new Set(elements.map(e => e.localName));
  const given = new Set(elements.flatMap(e => e.getAttributeNames()));
  const titles = all(d, 'h1, h2, h3').map(h => h.textContent);
  if (at === 0) { tags = names; attributes = given; headings = new Set(all(d, 'h2').map(h => h.textContent)); }
  for (const n of names) if (!tags.has(n)) say('an element ' + n);
  for (const n of given) if (!attributes.has(n)) say('an attribute ' + n);
  for (const [tag, most] of [['script', 1], ['style', 1], ['main', 1], ['h1', 1], ['title', 1], ['iframe', 0], ['form', 0], ['base', 0]])
    if (all(d, tag).length > most) say('more than ' + most + ' ' + tag);
  for (const h of all(d, 'h2').map(h => h.textContent))
    if (!headings.has(h) && /OWNED/.test(h)) say('a heading ' + h);
  const policy = d.querySelector('meta[http-equiv="Content-Security-Policy"]');
  if (!policy || !policy.content.startsWith("default-src 'none'")) say('no policy');
  if (d.title !== 'runner-guard report') say('a title ' + d.title);
  for (const a of all(d, '[href]')) {
    const to = a.getAttribute('href');
    if (!/^#|^data:,$|^https:\/\/github\.test\/|^http:\/\/127\.0\.0\.1:|^docs\//.test(to)) say('a link to ' + to);
  }
  for (const i of all(d, '[src]')) {
    if (!/^data:image\/svg\+xml;base64,/.test(i.getAttribute('src'))) say('a source ' + i.getAttribute('src'));
    else if (i.complete && i.naturalWidth === 0) say('a broken picture');
  }
  if (d.defaultView.owned || window.owned || document.title !== 'frame') say('a script ran');
}
function next() {
  at += 1;
  if (at < COUNT) frame.src = '/page/' + at;
}
frame.onload = () => {
  if (at < 0 || at >= COUNT) return;
  const d = frame.contentDocument;
  if (!d || !d.querySelector('main')) say('no page at ' + (d ? d.location : 'nowhere')); else judge(d);
  say('opened');
  next();
};
next();
</script>"#;
