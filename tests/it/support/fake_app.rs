//! A GitHub App on the fake: its proof is verified, it makes one installation token, and that token alone opens everything until it is
//! taken back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::fake_github::{Answer, Recorded, State, plain};
use super::fake_rest::refusal;

const DOCS: &str = "https://docs.github.com/rest";
/// Number of the installation.
const INSTALLATION: u64 = 4711;

/// The App as GitHub knows it.
pub(crate) struct App {
    /// Id or client id.
    pub(crate) id: String,
    /// PKCS#1, DER.
    pub(crate) public_key: Vec<u8>,
    /// Whether it is installed for the repository.
    pub(crate) installed: bool,
    /// The token of the installation.
    pub(crate) token: String,
    /// Permissions that the App was not granted: asking for them is refused.
    pub(crate) lacks: Option<&'static str>,
    /// Seconds by which GitHub's clock is ahead of this machine's.
    pub(crate) ahead: i64,
    pub(crate) made: bool,
    pub(crate) revoked: bool,
}

impl App {
    /// An App that is installed and was granted everything.
    pub(crate) fn installed(id: &str, public_key: Vec<u8>, token: &str) -> Self {
        let (id, token) = (id.to_owned(), token.to_owned());
        let (lacks, ahead, made, revoked) = (None, 0, false, false);
        Self { id, public_key, installed: true, token, lacks, ahead, made, revoked }
    }

    /// Whether the request shows the token that was made, and it is still good.
    pub(super) fn opens(&self, request: &Recorded) -> bool {
        self.made && !self.revoked && bearer(request) == Some(self.token.as_str())
    }

    /// Whether the request shows a proof that GitHub would take now.
    fn proven(&self, request: &Recorded) -> bool {
        let Some((signed, signature)) = bearer(request).and_then(|p| p.rsplit_once('.')) else {
            return false;
        };
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let part = |at: usize| {
            let text = signed.split('.').nth(at).unwrap_or_default();
            serde_json::from_slice::<Value>(&bytes(text)).unwrap_or_default()
        };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key);
        let genuine = key.verify(signed.as_bytes(), &bytes(signature)).is_ok();
        let claims = part(1);
        let time = |name: &str| claims[name].as_i64().unwrap_or(i64::MAX);
        let now = now() + self.ahead;
        let timely = time("iat") <= now && now < time("exp") && time("exp") <= now + 600;
        genuine && timely && part(0)["alg"] == "RS256" && claims["iss"] == self.id.as_str()
    }
}

fn bearer(request: &Recorded) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

#[expect(clippy::disallowed_methods, reason = "GitHub holds a proof against its own clock")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_secs()).expect("fits")
}

/// The answer to a request that only an App makes.
pub(super) fn answer(state: &mut State, request: &Recorded) -> Option<Answer> {
    let installation = format!("/repos/{}/{}/installation", state.script.owner, state.script.repo);
    let tokens = format!("/app/installations/{INSTALLATION}/access_tokens");
    let app = state.script.app.as_mut()?;
    let target = request.target.strip_prefix(state.script.base)?;
    match request.method.as_str() {
        "DELETE" if target == "/installation/token" => {
            let good = app.opens(request);
            app.revoked |= good;
            Some(if good { plain(204, "application/json", "") } else { bad_credentials() })
        }
        "GET" if target == installation => Some(proven(app, request, found)),
        "POST" if target == tokens => Some(proven(app, request, |app| made(app, &request.body))),
        _ => None,
    }
}

fn bad_credentials() -> Answer {
    refusal(401, "A JSON web token could not be decoded", DOCS)
}

fn proven(app: &mut App, request: &Recorded, act: impl FnOnce(&mut App) -> Answer) -> Answer {
    if app.proven(request) { act(app) } else { bad_credentials() }
}

fn found(app: &mut App) -> Answer {
    if !app.installed {
        return refusal(404, "Not Found", DOCS);
    }
    json_answer(
        200,
        &json!({ "id": INSTALLATION, "app_slug": "gate", "repository_selection": "selected" }),
    )
}

/// A token for what was asked; what the App was not granted can not be asked for.
fn made(app: &mut App, body: &[u8]) -> Answer {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let narrow = asked["repositories"] == json!(["app"]);
    let reads = asked["permissions"].as_object().is_none_or(|p| p.values().all(|v| v == "read"));
    if !narrow || !reads {
        return refusal(422, "a token of a gate is for one repository and for reading", DOCS);
    }
    if app.lacks.is_some_and(|name| asked["permissions"].get(name).is_some()) {
        return refusal(
            422,
            "The permissions requested are not granted to this installation.",
            DOCS,
        );
    }
    app.made = true;
    json_answer(201, &json!({ "token": app.token, "expires_at": "2099-01-01T00:00:00Z" }))
}

fn json_answer(status: u16, body: &Value) -> Answer {
    plain(status, "application/json; charset=utf-8", body.to_string())
}
