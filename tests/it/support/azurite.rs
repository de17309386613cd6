//! A real blob store on the loopback, and signed addresses for it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;

const ACCOUNT: &str = "devstoreaccount1";
/// The account key that Azurite publishes for development.
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const VERSION: &str = "2025-11-05";
const EXPIRY: &str = "2099-01-01T00:00:00Z";

/// Where the blob store listens.
#[derive(Clone, Copy)]
pub(crate) struct Azurite(SocketAddr);

/// The process of the blob store; it ends with this value.
pub(crate) struct Running {
    child: Child,
    pub(crate) azurite: Azurite,
}

impl Running {
    /// Starts the Azurite that is installed under `peers`.
    #[expect(clippy::disallowed_methods, reason = "tests start the peers that they talk to")]
    pub(crate) fn start(peers: &Path) -> Self {
        let mut child = Command::new("node")
            .arg(peers.join("node_modules/.bin/azurite-blob"))
            .args([
                "--blobHost",
                "127.0.0.1",
                "--blobPort",
                "0",
                "--inMemoryPersistence",
                "--disableTelemetry",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("start node");
        let output = child.stdout.take().expect("stdout");
        let (said, heard) = mpsc::channel();
        // It runs until the process ends: the store logs every request and must never find its pipe full or closed.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        let address = std::iter::from_fn(|| heard.recv_timeout(Duration::from_secs(30)).ok())
            .find_map(|line| line.split_once("listens on http://")?.1.trim().parse().ok())
            .expect("azurite says within 30 s where it listens");
        Self { child, azurite: Azurite(address) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Azurite {
    /// A signed address of one blob, made as the service makes it.
    pub(crate) fn signed(self, blob: &str, permissions: &str) -> String {
        let resource = format!("/blob/{ACCOUNT}/actions-results/{blob}");
        let fields = [
            permissions,
            "",
            EXPIRY,
            &resource,
            "",
            "",
            "https,http",
            VERSION,
            "b",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
        ];
        let query =
            format!("sp={permissions}&se={}&spr=https%2Chttp&sv={VERSION}&sr=b", encoded(EXPIRY));
        format!(
            "http://{}/{ACCOUNT}/actions-results/{blob}?{query}&sig={}",
            self.0,
            signature(&fields.join("\n"))
        )
    }

    /// The address that makes the container when it is PUT.
    pub(crate) fn container(self) -> String {
        let fields = [ACCOUNT, "c", "b", "c", "", EXPIRY, "", "https,http", VERSION, "", ""];
        let query = format!("sp=c&ss=b&srt=c&se={}&spr=https%2Chttp&sv={VERSION}", encoded(EXPIRY));
        let sig = signature(&fields.join("\n"));
        format!("http://{}/{ACCOUNT}/actions-results?restype=container&{query}&sig={sig}", self.0)
    }
}

fn signature(text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(KEY).expect("key"));
    encoded(&STANDARD.encode(hmac::sign(&key, text.as_bytes())))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
