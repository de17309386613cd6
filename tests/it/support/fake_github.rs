//! A GitHub on the loopback: the REST routes that runner-guard reads and the artifact service, with faults on demand.
//!
//! `tests/it/github_contract.rs` holds its answers against GitHub's own description of the API.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::fake_app;
use super::fake_app::App;
use super::fake_artifacts::{Artifacts, Mode};
use super::fake_logs;
use super::fake_logs::Log;
use super::fake_rest;
use super::openapi::differences;

/// What the fake knows and how it behaves.
pub(crate) struct Script {
    pub(crate) owner: String,
    pub(crate) repo: String,
    pub(crate) repo_runners: Vec<Runner>,
    pub(crate) org_runners: Vec<Runner>,
    pub(crate) repo_secrets: Vec<String>,
    pub(crate) org_secrets: Vec<String>,
    /// Secrets by environment; an environment that is not here does not exist.
    pub(crate) environments: BTreeMap<String, Vec<String>>,
    /// Refusals by a fragment of the path; the first that matches counts.
    pub(crate) denied: Vec<(String, Denial)>,
    pub(crate) rate: Rate,
    pub(crate) artifacts: Mode,
    /// Answers to other paths (without their query), decoded.
    pub(crate) routes: Vec<(String, Value)>,
    /// Paths that have moved: 301 to a path of this server or to a whole address.
    pub(crate) moved: Vec<(String, String)>,
    /// Path of the base address: blank, or `/api/v3` as on an own server.
    pub(crate) base: &'static str,
    /// Most items of a page, whatever is asked for.
    pub(crate) page_cap: usize,
    /// The GitHub App whose installation token alone opens everything.
    pub(crate) app: Option<App>,
    /// Logs of jobs, by the id of the job.
    pub(crate) logs: Vec<(u64, Log)>,
    pub(crate) faults: Vec<Fault>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            owner: "octo".to_owned(),
            repo: "app".to_owned(),
            repo_runners: Vec::new(),
            org_runners: Vec::new(),
            repo_secrets: Vec::new(),
            org_secrets: Vec::new(),
            environments: BTreeMap::new(),
            denied: Vec::new(),
            rate: Rate { limit: 5000, remaining: 4999, reset: 1_900_000_000 },
            artifacts: Mode::GitHub,
            routes: Vec::new(),
            moved: Vec::new(),
            base: "",
            page_cap: 100,
            app: None,
            logs: Vec::new(),
            faults: Vec::new(),
        }
    }
}

impl Script {
    /// With this answer to `GET path`; the body must be as GitHub describes it for `template`, so that a test means something.
    pub(crate) fn route(mut self, template: &str, path: &str, body: Value) -> Self {
        let found = differences(template, "200", &body);
        assert!(found.is_empty(), "not an answer of GitHub to {template}: {found:#?}");
        self.routes.push((path.to_owned(), body));
        self
    }

    /// With this refusal of every path that holds the fragment.
    pub(crate) fn deny(mut self, fragment: &str, denial: Denial) -> Self {
        self.denied.push((fragment.to_owned(), denial));
        self
    }
}

/// A runner as the API shows it.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) name: String,
    pub(crate) status: &'static str,
    pub(crate) busy: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) version: Option<String>,
    pub(crate) group: u64,
}

impl Runner {
    /// An idle runner that is online.
    pub(crate) fn online(name: &str, labels: &[&str]) -> Self {
        let labels = labels.iter().map(|&l| l.to_owned()).collect();
        let version = Some("2.336.0".to_owned());
        Self { name: name.to_owned(), status: "online", busy: false, labels, version, group: 1 }
    }
}

/// The rate limit that every answer of the API shows.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset: u64,
}

/// How GitHub refuses.
#[derive(Clone)]
pub(crate) enum Denial {
    /// 403, and the permissions that would do.
    Integration(&'static str),
    /// 401.
    BadCredentials,
    /// 404: hidden or absent.
    NotFound,
    /// 403 with nothing left until the reset.
    PrimaryLimit,
    /// 403 with a wait in seconds.
    SecondaryLimit(u32),
}

/// Something that goes wrong on requests whose `METHOD /path?query` contains `route`.
pub(crate) struct Fault {
    route: String,
    times: usize,
    kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone)]
pub(crate) enum FaultKind {
    /// The answer comes late.
    Delay(Duration),
    /// Another answer comes.
    Answer(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// The answer comes byte by byte.
    Drip(Duration),
    /// The connection ends before the request was handled.
    Reset,
    /// The request is handled, and the connection ends before the answer.
    LoseAnswer,
    /// No answer ever comes, and the body of the request is not read.
    Hang,
}

impl Fault {
    /// The fault on the first `times` requests that match.
    pub(crate) fn on(route: &str, times: usize, kind: FaultKind) -> Self {
        Self { route: route.to_owned(), times, kind }
    }

    /// A bare status that asks to come back at once.
    pub(crate) fn status(route: &str, times: usize, status: u16) -> Self {
        Self::on(route, times, FaultKind::Answer(status, vec![("retry-after", "0")], ""))
    }
}

/// A request as it arrived.
#[derive(Clone)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Recorded {
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub(super) type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// The running fake; it stops when it is dropped.
pub(crate) struct FakeGitHub {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

pub(super) struct State {
    pub(super) script: Script,
    pub(super) artifacts: Artifacts,
    pub(super) api: SocketAddr,
    pub(super) blobs: SocketAddr,
    requests: Vec<Recorded>,
    /// Requests of the API that are under way, and the most that ever were.
    under_way: (usize, usize),
}

/// At which of the two addresses a request arrived: blobs have a host of their own, as on GitHub.
#[derive(Clone, Copy)]
enum Door {
    Api,
    Blobs,
}

impl FakeGitHub {
    /// Starts on a free port of the loopback.
    pub(crate) fn start(script: Script) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), script)
    }

    /// Starts on the given address; port 0 means a free one.
    pub(crate) fn start_at(address: SocketAddr, script: Script) -> Self {
        let (api, blobs) = (listener(address), listener(SocketAddr::new(address.ip(), 0)));
        let at = |l: &std::net::TcpListener| l.local_addr().expect("address");
        let (api_at, blobs_at) = (at(&api), at(&blobs));
        let artifacts = Artifacts::new(script.artifacts, api_at, blobs_at);
        let state = State {
            script,
            artifacts,
            api: api_at,
            blobs: blobs_at,
            requests: Vec::new(),
            under_way: (0, 0),
        };
        let state = Arc::new(Mutex::new(state));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        #[expect(
            clippy::disallowed_methods,
            reason = "the fake must not share the runtime of the program under test"
        )]
        let thread = std::thread::spawn(move || {
            serve([(api, Door::Api), (blobs, Door::Blobs)], &shared, stopped);
        });
        Self { address: api_at, state, stop: Some(stop), thread: Some(thread) }
    }

    /// The address without a slash at its end: `GITHUB_API_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.lock().script.base)
    }

    /// Everything that was asked so far, in order of arrival.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.lock().requests.clone()
    }

    /// The world changes.
    pub(crate) fn change(&self, act: impl FnOnce(&mut Script)) {
        act(&mut self.lock().script);
    }

    /// Requests that cost something: those that showed a token.
    pub(crate) fn calls(&self) -> Vec<String> {
        let requests = self.requests();
        let paid = requests.iter().filter(|r| r.header("authorization").is_some());
        paid.map(Recorded::line).collect()
    }

    /// The most calls that were ever under way at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.lock().under_way.1
    }

    /// Whether the token of the App's installation was taken back.
    pub(crate) fn revoked(&self) -> bool {
        self.lock().script.app.as_ref().is_some_and(|app| app.revoked)
    }

    /// The bytes of a finalized artifact.
    pub(crate) fn artifact(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().artifacts.finalized(name)
    }

    /// The media type under which a finalized artifact is kept.
    pub(crate) fn artifact_kind(&self, name: &str) -> Option<&'static str> {
        self.lock().artifacts.kind(name)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for FakeGitHub {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listener(address: SocketAddr) -> std::net::TcpListener {
    let listener = std::net::TcpListener::bind(address).expect("bind");
    listener.set_nonblocking(true).expect("nonblocking");
    listener
}

fn serve(
    doors: [(std::net::TcpListener, Door); 2],
    state: &Arc<Mutex<State>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let local = Rc::new(LocalSet::new());
    local.block_on(&runtime, async {
        for (listener, door) in doors {
            let listener = TcpListener::from_std(listener).expect("listener");
            tokio::task::spawn_local(accept(listener, door, Arc::clone(state)));
        }
        let _ = stopped.await;
    });
}

async fn accept(listener: TcpListener, door: Door, state: Arc<Mutex<State>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, door, Arc::clone(&state)));
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(socket), service);
        tokio::task::spawn_local(async { drop(connection.await) });
    }
}

/// Counts the call while it is under way.
async fn answer(
    request: Request<Incoming>,
    door: Door,
    state: Arc<Mutex<State>>,
) -> Result<Answer, std::io::Error> {
    if !request.headers().contains_key("authorization") {
        return answered(request, door, state).await;
    }
    let _under_way = UnderWay::begin(&state);
    answered(request, door, Arc::clone(&state)).await
}

/// A call that is under way; a client that goes away ends it too.
struct UnderWay(Arc<Mutex<State>>);

impl UnderWay {
    fn begin(state: &Arc<Mutex<State>>) -> Self {
        let mut locked = lock(state);
        let (now, most) = locked.under_way;
        locked.under_way = (now + 1, most.max(now + 1));
        drop(locked);
        Self(Arc::clone(state))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.0).under_way.0 -= 1;
    }
}

/// An error ends the connection without an answer.
async fn answered(
    request: Request<Incoming>,
    door: Door,
    state: Arc<Mutex<State>>,
) -> Result<Answer, std::io::Error> {
    let (head, body) = request.into_parts();
    // Asked as a proxy, it gets a whole address, and answers as the server of that name.
    let target = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let method = head.method.to_string();
    let fault = lock(&state).fault_for(&format!("{method} {target}"));
    if matches!(fault, Some(FaultKind::Hang)) {
        std::future::pending::<()>().await;
    }
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let recorded = Recorded { method, target, headers: head.headers, body };
    lock(&state).requests.push(recorded.clone());
    let ended = || std::io::Error::other("the script ends this connection");
    match fault {
        Some(FaultKind::Reset) => return Err(ended()),
        Some(FaultKind::Answer(status, headers, body)) => {
            return Ok(scripted(status, &headers, body));
        }
        Some(FaultKind::Delay(wait)) => tokio::time::sleep(wait).await,
        Some(FaultKind::Drip(_) | FaultKind::LoseAnswer | FaultKind::Hang) | None => {}
    }
    let usual = lock(&state).route(door, &recorded);
    match fault {
        Some(FaultKind::LoseAnswer) => Err(ended()),
        Some(FaultKind::Drip(every)) => Ok(dripping(usual, every).await),
        _ => Ok(usual),
    }
}

impl State {
    fn fault_for(&mut self, line: &str) -> Option<FaultKind> {
        let mut faults = self.script.faults.iter_mut();
        let fault = faults.find(|f| f.times > 0 && line.contains(&f.route))?;
        fault.times -= 1;
        Some(fault.kind.clone())
    }

    fn route(&mut self, door: Door, request: &Recorded) -> Answer {
        match door {
            Door::Blobs => {
                fake_logs::blob(self, request).unwrap_or_else(|| self.artifacts.blob(request))
            }
            Door::Api if request.target.starts_with("/twirp/") => self.artifacts.twirp(request),
            Door::Api => {
                fake_app::answer(self, request).unwrap_or_else(|| fake_rest::answer(self, request))
            }
        }
    }
}

/// An answer with a body that is already there.
pub(super) fn plain(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()).boxed_unsync());
    *answer.status_mut() = StatusCode::from_u16(status).expect("status");
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn scripted(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Answer {
    let mut answer = plain(status, "text/html", body);
    for (name, value) in headers {
        answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

async fn dripping(usual: Answer, every: Duration) -> Answer {
    let (head, body) = usual.into_parts();
    let Ok(body) = body.collect().await;
    let bytes = stream::iter(body.to_bytes()).then(move |byte| async move {
        tokio::time::sleep(every).await;
        Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(&[byte])))
    });
    Response::from_parts(head, StreamBody::new(bytes).boxed_unsync())
}
