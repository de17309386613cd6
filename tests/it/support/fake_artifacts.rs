//! The artifact service of the fake, in the characters that differ: GitHub's (strict, blobs elsewhere), and those that keep the bytes
//! themselves and answer in camelCase: `act` (blocks appended as they arrive) and Gitea with Forgejo (blocks shared by all of a run).

use std::collections::HashMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::azurite::Azurite;
use super::fake_github::{Answer, Recorded, plain};
use super::sha256;

const PREFIX: &str = "/twirp/github.actions.results.api.v1.ArtifactService/";
/// Characters that a query must carry through untouched.
const SIGNATURE: &str = "a%2Fb%2Bc%2FdEfGhIjKlMnOpQrStUvWxYz0123456789%3D";

/// Whose behaviour is shown.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    /// GitHub's, with blobs in memory.
    GitHub,
    /// GitHub's, with blobs in a real blob store that checks signatures.
    Azurite(Azurite),
    /// That of `act` 0.2.87.
    Act,
    /// That of Gitea before it knew media types.
    Gitea,
    /// That of Forgejo, with a quota in bytes.
    Forgejo(usize),
    /// GitHub Enterprise Server: there is no such service.
    Ghes,
}

impl Mode {
    /// Whether the bytes go to the results host itself.
    fn keeps_bytes(self) -> bool {
        matches!(self, Self::Act | Self::Gitea | Self::Forgejo(_))
    }
}

/// Everything stored.
pub(super) struct Artifacts {
    mode: Mode,
    api: SocketAddr,
    blobs: SocketAddr,
    all: Vec<Stored>,
    /// Blocks of Gitea, which all artifacts of the run share, by length and id.
    shared: HashMap<String, Bytes>,
}

#[derive(Default)]
struct Stored {
    run: String,
    job: String,
    name: String,
    blob: String,
    blocks: HashMap<String, Bytes>,
    content: Option<Vec<u8>>,
    kind: &'static str,
    digest: String,
    size: String,
    finalized: bool,
}

impl Artifacts {
    pub(super) fn new(mode: Mode, api: SocketAddr, blobs: SocketAddr) -> Self {
        Self { mode, api, blobs, all: Vec::new(), shared: HashMap::new() }
    }

    /// The media type under which the bytes are kept.
    pub(super) fn kind(&self, name: &str) -> Option<&'static str> {
        Some(self.all.iter().find(|a| a.name == name && a.finalized)?.kind)
    }

    pub(super) fn finalized(&self, name: &str) -> Option<Vec<u8>> {
        self.all.iter().find(|a| a.name == name && a.finalized)?.content.clone()
    }

    /// A request on the results host.
    pub(super) fn twirp(&mut self, request: &Recorded) -> Answer {
        let rest = request.target.strip_prefix(PREFIX).unwrap_or_default();
        if let Mode::Ghes = self.mode {
            return plain(404, "text/html", "<html><title>Page not found</title></html>");
        }
        if let Some(query) = rest.strip_prefix("UploadArtifact?") {
            return self.own_blob(query, request);
        }
        let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(&request.body) else {
            return self.fail(400, "malformed", "the json request could not be decoded");
        };
        let call = Call { fields };
        if let Some(refused) = self.refusal(request, &call) {
            return refused;
        }
        match rest {
            "CreateArtifact" => self.create(&call),
            "FinalizeArtifact" => self.finalize(&call),
            "ListArtifacts" => self.list(&call),
            "GetSignedArtifactURL" => self.signed(&call),
            _ => self.fail(404, "bad_route", "no handler for this path"),
        }
    }

    /// The refusal of a call that lacks what both servers ask of every one.
    fn refusal(&self, request: &Recorded, call: &Call) -> Option<Answer> {
        let scope = format!("Actions.Results:{}:{}", call.run(), call.job());
        if !request
            .header("authorization")
            .is_some_and(|value| scope_of(value).split(' ').any(|s| s == scope))
        {
            return Some(self.fail(401, "unauthenticated", "the token does not open this run"));
        }
        if self.mode.keeps_bytes() {
            if call.fields.keys().any(|key| !ACT_FIELDS.contains(&&*snake(key))) {
                return Some(plain(500, "text/plain", ""));
            }
            if call.run().parse::<u64>().is_err() {
                return Some(plain(400, "text/plain", ""));
            }
        }
        None
    }

    fn create(&mut self, call: &Call) -> Answer {
        let name = call.text("name");
        if self.mode.keeps_bytes() {
            self.all.retain(|a| a.name != name);
        } else {
            if name.is_empty()
                || name.contains(['"', ':', '<', '>', '|', '*', '?', '\r', '\n', '\\', '/'])
            {
                return self.fail(
                    400,
                    "invalid_argument",
                    "the artifact name contains invalid characters",
                );
            }
            let typed = call.fields.contains_key("mime_type");
            if call.fields.get("version").and_then(Value::as_u64).unwrap_or(0) >= 7 && !typed {
                return self.fail(
                    400,
                    "invalid_argument",
                    "mime_type a valid mime_type is required for this artifact version",
                );
            }
            if self.all.iter().any(|a| a.name == name) {
                return self.fail(
                    409,
                    "already_exists",
                    "an artifact with this name already exists on the workflow run",
                );
            }
        }
        let blob = format!(
            "{}/workflow-job-run-{}/artifacts/{}.zip",
            call.run(),
            call.job(),
            sha256(name.as_bytes())
        );
        let url = self.upload_url(&name, &blob);
        self.all.push(Stored { run: call.run(), job: call.job(), name, blob, ..Stored::default() });
        self.ok(&json!({ "ok": true, "signed_upload_url": url }))
    }

    fn upload_url(&self, name: &str, blob: &str) -> String {
        match self.mode {
            Mode::GitHub => format!("http://{}/actions-results/{blob}?{}", self.blobs, sas("cw")),
            Mode::Azurite(azurite) => azurite.signed(blob, "cw"),
            Mode::Act | Mode::Gitea | Mode::Forgejo(_) | Mode::Ghes => {
                format!("http://{}{PREFIX}UploadArtifact?{}", self.api, act_query(name))
            }
        }
    }

    fn finalize(&mut self, call: &Call) -> Answer {
        let (name, mode) = (call.text("name"), self.mode);
        let Some(at) = self.all.iter().position(|a| a.name == name) else {
            return self.fail(404, "not_found", "artifact not found");
        };
        let (size, digest) = (call.text("size"), call.text("hash"));
        if let Mode::GitHub = mode {
            let Some(content) = &self.all[at].content else {
                return self.fail(412, "failed_precondition", "the blob was never committed");
            };
            if content.len().to_string() != size || format!("sha256:{}", sha256(content)) != digest
            {
                return self.fail(
                    412,
                    "failed_precondition",
                    "size or hash is not that of the blob",
                );
            }
        }
        if let Mode::Gitea | Mode::Forgejo(_) = mode {
            let content = self.all[at].content.as_deref().unwrap_or_default();
            if format!("sha256:{}", sha256(content)) != digest {
                return self.fail(500, "", "");
            }
        }
        let stored = &mut self.all[at];
        (stored.size, stored.digest, stored.finalized) = (size, digest, true);
        self.ok(&json!({ "ok": true, "artifact_id": (1001 + at).to_string() }))
    }

    fn list(&self, call: &Call) -> Answer {
        let (name, id) = (call.text("name_filter"), call.text("id_filter"));
        let wanted = |at: usize, a: &Stored| {
            a.finalized
                && (name.is_empty() || a.name == name)
                && (id.is_empty() || id == (1001 + at).to_string())
        };
        let shown = |(at, a): (usize, &Stored)| {
            json!({
                "workflow_run_backend_id": a.run, "workflow_job_run_backend_id": a.job, "database_id": (1001 + at).to_string(),
                "name": a.name, "size": a.size, "created_at": "2026-11-22T12:01:42.199Z", "digest": a.digest,
            })
        };
        if self.mode.keeps_bytes() && !self.all.iter().any(|a| a.finalized) {
            return self.fail(404, "", "");
        }
        let found: Vec<Value> =
            self.all.iter().enumerate().filter(|(at, a)| wanted(*at, a)).map(shown).collect();
        self.ok(&json!({ "artifacts": found }))
    }

    fn signed(&self, call: &Call) -> Answer {
        let name = call.text("name");
        let Some(stored) = self.all.iter().find(|a| a.name == name && a.job == call.job()) else {
            return self.fail(404, "not_found", "artifact not found");
        };
        let url = match self.mode {
            Mode::Azurite(azurite) => azurite.signed(&stored.blob, "r"),
            Mode::GitHub | Mode::Act | Mode::Gitea | Mode::Forgejo(_) | Mode::Ghes => {
                format!("http://{}/actions-results/{}?{}", self.blobs, stored.blob, sas("r"))
            }
        };
        self.ok(&json!({ "signed_url": url }))
    }

    /// A request on the host of the blobs.
    pub(super) fn blob(&mut self, request: &Recorded) -> Answer {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        if request.header("authorization").is_some() {
            return azure_error(400, "InvalidAuthenticationInfo");
        }
        let found = self.all.iter_mut().find(|a| path == format!("/actions-results/{}", a.blob));
        let Some(stored) = found else { return azure_error(404, "BlobNotFound") };
        if request.method == "GET" {
            let content = stored.content.clone().filter(|_| query == sas("r"));
            return content.map_or_else(
                || azure_error(403, "AuthenticationFailed"),
                |c| plain(200, stored.kind, c),
            );
        }
        let Some(operation) = query.strip_prefix(&sas("cw")) else {
            return azure_error(403, "AuthenticationFailed");
        };
        if request.header("x-ms-version").is_none() || request.header("content-length").is_none() {
            return azure_error(400, "MissingRequiredHeader");
        }
        stored.put(operation, request)
    }

    fn own_blob(&mut self, query: &str, request: &Recorded) -> Answer {
        let bare = |status| plain(status, "text/plain", "");
        let found =
            self.all.iter_mut().find_map(|a| Some((query.strip_prefix(&act_query(&a.name))?, a)));
        let Some((operation, stored)) = found else { return bare(401) };
        match (self.mode, operation.strip_prefix("&comp=block&blockid=")) {
            (Mode::Forgejo(quota), _) if request.body.len() > quota => return bare(413),
            (Mode::Act, Some(_)) => {
                stored.content.get_or_insert_default().extend_from_slice(&request.body);
            }
            (_, Some(id)) => {
                let key = format!("{}-{id}", request.body.len());
                self.shared.insert(key, request.body.clone());
            }
            (Mode::Act, None) if operation == "&comp=blocklist" => {}
            (_, None) if operation == "&comp=blocklist" => {
                let text = String::from_utf8_lossy(&request.body).into_owned();
                let parts = latest(&text).filter_map(|id| {
                    let id = percent_encoding::utf8_percent_encode(
                        id,
                        percent_encoding::NON_ALPHANUMERIC,
                    );
                    let end = format!("-{id}");
                    self.shared
                        .iter()
                        .find(|(key, _)| key.ends_with(&end))
                        .map(|(_, part)| part.clone())
                });
                stored.content = Some(parts.collect::<Vec<_>>().concat());
            }
            // Anything but a block list is answered as done and lost.
            (_, None) => return bare(200),
        }
        bare(201)
    }

    fn ok(&self, body: &Value) -> Answer {
        let camel = self.mode.keeps_bytes();
        plain(
            200,
            "application/json",
            if camel { camel_keys(body).to_string() } else { body.to_string() },
        )
    }

    fn fail(&self, status: u16, code: &str, msg: &str) -> Answer {
        match self.mode {
            Mode::Act | Mode::Gitea | Mode::Forgejo(_) | Mode::Ghes => {
                plain(status, "text/plain", "")
            }
            Mode::GitHub | Mode::Azurite(_) => {
                plain(status, "application/json", json!({ "code": code, "msg": msg }).to_string())
            }
        }
    }
}

impl Stored {
    /// Put Block, Put Block List or Put Blob, as Azure has them.
    fn put(&mut self, operation: &str, request: &Recorded) -> Answer {
        if let Some(id) = operation.strip_prefix("&comp=block&blockid=") {
            let id = percent_decode_str(id).decode_utf8_lossy().into_owned();
            let decoded = STANDARD.decode(&id).map(|d| d.len()).unwrap_or_default();
            if !(1..=64).contains(&decoded)
                || self.blocks.keys().any(|known| known.len() != id.len())
            {
                return azure_error(400, "InvalidBlobOrBlock");
            }
            self.blocks.insert(id, request.body.clone());
            return plain(201, "application/xml", "");
        }
        if operation != "&comp=blocklist" {
            return azure_error(400, "InvalidQueryParameterValue");
        }
        let text = String::from_utf8_lossy(&request.body).into_owned();
        self.kind = match request.header("x-ms-blob-content-type") {
            Some("text/html") => "text/html",
            _ => "application/zip",
        };
        match latest(&text).map(|id| self.blocks.get(id).cloned()).collect::<Option<Vec<_>>>() {
            Some(parts) => {
                self.content = Some(parts.concat());
                plain(201, "application/xml", "")
            }
            None => azure_error(400, "InvalidBlockList"),
        }
    }
}

/// The ids of a block list.
fn latest(list: &str) -> impl Iterator<Item = &str> {
    list.split("<Latest>").skip(1).filter_map(|part| part.split("</Latest>").next())
}

const ACT_FIELDS: [&str; 9] = [
    "workflow_run_backend_id",
    "workflow_job_run_backend_id",
    "name",
    "expires_at",
    "version",
    "size",
    "hash",
    "name_filter",
    "id_filter",
];

struct Call {
    fields: Map<String, Value>,
}

impl Call {
    fn text(&self, key: &str) -> String {
        match self.fields.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    fn run(&self) -> String {
        self.text("workflow_run_backend_id")
    }

    fn job(&self) -> String {
        self.text("workflow_job_run_backend_id")
    }
}

/// The claim `scp` of a bearer token.
fn scope_of(authorization: &str) -> String {
    let payload = authorization.strip_prefix("Bearer ").and_then(|token| token.split('.').nth(1));
    let json = payload
        .and_then(|p| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(p).ok())
        .unwrap_or_default();
    let claims: Value = serde_json::from_slice(&json).unwrap_or_default();
    claims["scp"].as_str().unwrap_or_default().to_owned()
}

fn sas(permissions: &str) -> String {
    format!(
        "se=2027-01-01T00%3A00%3A00Z&sig={SIGNATURE}&sp={permissions}&spr=https&sr=b&sv=2025-11-05"
    )
}

fn act_query(name: &str) -> String {
    let sig = URL_SAFE.encode(sha256(name.as_bytes()).get(..32).unwrap_or_default());
    let name: String =
        percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string();
    format!("sig={sig}&expires=2026-11-24+12%3A00%3A00&artifactName={name}&taskID=45")
}

fn azure_error(status: u16, code: &'static str) -> Answer {
    let mut answer =
        plain(status, "application/xml", format!("<Error><Code>{code}</Code></Error>"));
    answer.headers_mut().insert("x-ms-error-code", hyper::header::HeaderValue::from_static(code));
    answer
        .headers_mut()
        .insert("x-ms-request-id", hyper::header::HeaderValue::from_static("5f1e-req"));
    answer
}

fn snake(key: &str) -> String {
    key.chars()
        .flat_map(
            |c| if c.is_ascii_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] },
        )
        .collect()
}

fn camel_keys(body: &Value) -> Value {
    let camel = |key: &str| {
        let mut words = key.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |all, word| all + &word[..1].to_uppercase() + &word[1..])
    };
    match body {
        Value::Object(fields) => {
            fields.iter().map(|(k, v)| (camel(k), camel_keys(v))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(camel_keys).collect(),
        other => other.clone(),
    }
}
