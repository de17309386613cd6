//! An upload against servers of both characters, with everything that goes wrong on the way, and against the official client.

mod ended;
mod faults;
mod full_disk;
mod peers;
mod servers;
mod streaming;
mod survival;
mod whole;

use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine as _;
use jiff::Timestamp;
use runner_guard::actions::artifact::{Error, Kind, Pace, Service, Upload, Uploaded, upload};

use crate::support::fake_artifacts::Mode;
use crate::support::fake_github::{FakeGitHub, Fault, Script};
use crate::support::{client, sha256};

const BLOCK: usize = 4 * 1024 * 1024;

/// One upload with the settings that most cases share.
struct Case {
    name: &'static str,
    kind: Kind,
    bytes: Vec<u8>,
    says_size: Option<u64>,
    retention_days: Option<u16>,
    limit: Duration,
    masked: Mutex<Vec<String>>,
}

impl Case {
    fn of(bytes: Vec<u8>) -> Self {
        let limit = Duration::from_secs(20);
        Self {
            name: "box",
            kind: Kind::Zip,
            bytes,
            says_size: None,
            retention_days: None,
            limit,
            masked: Mutex::default(),
        }
    }

    async fn run(&self, server: &FakeGitHub, ids: &str) -> Result<Uploaded, Error> {
        self.run_at(&server.url(), ids).await
    }

    async fn run_at(&self, url: &str, ids: &str) -> Result<Uploaded, Error> {
        self.run_through(&client(), url, ids).await
    }

    async fn run_through(
        &self,
        client: &reqwest::Client,
        url: &str,
        ids: &str,
    ) -> Result<Uploaded, Error> {
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(&self.bytes).expect("write");
        let service =
            Service::from_parts(url, &token(ids), "https://github.test", "octo/app", "77")?;
        let pace = Pace {
            base: Duration::from_millis(1),
            idle: Duration::from_millis(1500),
            ..Pace::default()
        };
        let mask = |secret: &str| self.masked.lock().expect("lock").push(secret.to_owned());
        let request = Upload {
            name: self.name,
            kind: self.kind,
            file: file.path(),
            sha256: &sha256(&self.bytes),
            size: self.says_size.unwrap_or(self.bytes.len() as u64),
            retention_days: self.retention_days,
            now: Timestamp::UNIX_EPOCH,
            deadline: Instant::now() + self.limit,
            pace,
            mask: &mask,
        };
        upload(client, &service, &request).await
    }
}

fn token(ids: &str) -> String {
    let b64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = format!(r#"{{"scp":"Actions.Other Actions.Results:{ids}"}}"#);
    format!("{}.{}.c2ln", b64.encode("{}"), b64.encode(claims))
}

/// Bytes in which a block that is missing, doubled or misplaced shows.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect()
}

fn github(faults: Vec<Fault>) -> FakeGitHub {
    FakeGitHub::start(Script { faults, ..Script::default() })
}

fn act(faults: Vec<Fault>) -> FakeGitHub {
    FakeGitHub::start(Script { faults, artifacts: Mode::Act, ..Script::default() })
}

const UUIDS: &str = "ce7f54c7-61c7-4aae-887f-30da475f5f1a:ca395085-040a-526b-2ce8-bdc85f692774";
const NUMBERS: &str = "45:46";

#[tokio::test]
async fn github_keeps_exactly_what_was_uploaded() {
    for length in [1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 7] {
        let server = github(vec![]);
        let case = Case::of(bytes(length));
        let uploaded = case.run(&server, UUIDS).await.expect("uploaded");
        assert_eq!(uploaded.name, "box");
        assert_eq!(
            uploaded.url,
            format!("https://github.test/octo/app/actions/runs/77/artifacts/{}", uploaded.id)
        );
        assert_eq!(uploaded.digest, format!("sha256:{}", sha256(&case.bytes)));
        assert!(
            server.artifact("box").is_some_and(|stored| stored == case.bytes),
            "{length} bytes"
        );
    }
}

#[tokio::test]
async fn act_keeps_exactly_what_was_uploaded() {
    for length in [1, BLOCK, 3 * BLOCK + 7] {
        let server = act(vec![]);
        let case = Case::of(bytes(length));
        let uploaded = case.run(&server, NUMBERS).await.expect("uploaded");
        assert_eq!(uploaded.id, "1001");
        assert!(
            server.artifact("box").is_some_and(|stored| stored == case.bytes),
            "{length} bytes"
        );
    }
}

#[tokio::test]
async fn the_token_goes_to_the_results_service_and_never_to_the_blob_store() {
    let server = github(vec![]);
    Case::of(bytes(10)).run(&server, UUIDS).await.expect("uploaded");
    let requests = server.requests();
    let lines: Vec<String> = requests
        .iter()
        .map(|r| r.line().split('?').next().unwrap_or_default().to_owned())
        .collect();
    assert!(
        lines[0].ends_with("/CreateArtifact") && lines[3].ends_with("/FinalizeArtifact"),
        "{lines:?}"
    );
    assert!(lines.len() == 5 && lines[4].ends_with("/ListArtifacts"), "{lines:?}");
    let bearers: Vec<bool> = requests.iter().map(|r| r.header("authorization").is_some()).collect();
    assert_eq!(bearers, [true, false, false, true, true]);
    assert!(
        requests[1].target.contains("%3D&sp=cw"),
        "the signature is untouched: {}",
        requests[1].target
    );
}

#[tokio::test]
async fn the_first_call_has_the_form_that_every_server_takes() {
    let server = github(vec![]);
    let case = Case { retention_days: Some(5), name: "a/b", ..Case::of(bytes(10)) };
    let uploaded = case.run(&server, UUIDS).await.expect("uploaded");
    assert_eq!(uploaded.name, "a_b");
    let body: serde_json::Value = serde_json::from_slice(&server.requests()[0].body).expect("JSON");
    let expected = serde_json::json!({
        "workflow_run_backend_id": "ce7f54c7-61c7-4aae-887f-30da475f5f1a",
        "workflow_job_run_backend_id": "ca395085-040a-526b-2ce8-bdc85f692774",
        "name": "a_b", "expires_at": "1970-01-06T00:00:00Z", "version": 4,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_name_that_is_taken_is_replaced_and_the_real_one_reported() {
    let server = github(vec![]);
    for name in ["box", "box-2", "box-3"] {
        let uploaded = Case::of(bytes(10)).run(&server, UUIDS).await.expect("uploaded");
        assert_eq!(uploaded.name, name);
    }
    let error = Case::of(bytes(10)).run(&server, UUIDS).await.expect_err("all three are taken");
    assert_eq!(error.status(), Some(409));
    assert!(
        error.chain().contains("`box-3`") && error.chain().contains("already_exists"),
        "{}",
        error.chain()
    );
}

#[tokio::test]
async fn the_signature_is_handed_to_the_mask_before_the_first_byte_goes_out() {
    let server = github(vec![]);
    let case = Case::of(bytes(10));
    case.run(&server, UUIDS).await.expect("uploaded");
    let masked = case.masked.lock().expect("lock").clone();
    assert_eq!(masked.len(), 2, "as written and as meant");
    assert!(server.requests()[1].target.contains(&masked[0]));
    assert!(masked[1].ends_with('='));
}
