//! Where the artifact service of this job is and what opens it.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reqwest::Url;
use serde::Deserialize;

use super::error::{Cause, Error};

/// The token that the runner gives to an action. `Debug` prints no value.
#[derive(Clone)]
pub struct RuntimeToken(String);

impl RuntimeToken {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RuntimeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RuntimeToken(***)")
    }
}

/// The artifact service of the running job.
#[derive(Debug, Clone)]
pub struct Service {
    pub(super) origin: Url,
    pub(super) token: RuntimeToken,
    pub(super) run_backend_id: String,
    pub(super) job_backend_id: String,
    run_page: String,
}

impl Service {
    /// The service as the runner describes it: `results_url` is `ACTIONS_RESULTS_URL` (only its origin counts), `runtime_token` is
    /// `ACTIONS_RUNTIME_TOKEN`, and the rest (`GITHUB_SERVER_URL`, `GITHUB_REPOSITORY`, `GITHUB_RUN_ID`) make the address for people.
    ///
    /// # Errors
    /// A missing or unusable address or token; the text names the variable and never holds its value.
    pub fn from_parts(
        results_url: &str,
        runtime_token: &str,
        server_url: &str,
        repository: &str,
        run_id: &str,
    ) -> Result<Self, Error> {
        let origin = origin(results_url)?;
        let token = runtime_token.trim();
        let (run_backend_id, job_backend_id) = backend_ids(token).map_err(|why| {
            Error::new("read ACTIONS_RUNTIME_TOKEN for the artifact service", Cause::Token(why))
        })?;
        let server = server_url.trim_end_matches('/');
        let run_page = format!("{server}/{repository}/actions/runs/{run_id}");
        let token = RuntimeToken(token.to_owned());
        Ok(Self { origin, token, run_backend_id, job_backend_id, run_page })
    }

    /// First eight characters of the job's id at the service: unique among the jobs of a run, matrices included.
    pub fn job_tag(&self) -> String {
        self.job_backend_id.chars().filter(char::is_ascii_alphanumeric).take(8).collect()
    }

    pub(super) fn artifact_url(&self, id: &str) -> String {
        format!("{}/artifacts/{id}", self.run_page)
    }
}

fn origin(results_url: &str) -> Result<Url, Error> {
    let fail = |why: &str| {
        let tried = "read ACTIONS_RESULTS_URL for the artifact service";
        Error::new(tried, Cause::Address(why.to_owned()))
    };
    if results_url.trim().is_empty() {
        return Err(fail(
            "it is empty: this server has no v4 artifact service, or this is a run step",
        ));
    }
    let mut url = Url::parse(results_url.trim()).map_err(|_| fail("it is not an address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(fail("it is not an http or https address"));
    }
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    scp: String,
}

/// Tokens of some servers are padded, of most not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The ids of run and job from the claim `scp`; the signature is not verified, because the token is our own credential.
fn backend_ids(token: &str) -> Result<(String, String), &'static str> {
    if token.is_empty() {
        return Err("it is empty: the runner gives it to actions only");
    }
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("it holds a space or a control character");
    }
    let payload = token.split('.').nth(1).ok_or("it is not a JWT: it has no second part")?;
    let json = BASE64.decode(payload).map_err(|_| "its second part is not base64url")?;
    let claims: Claims = serde_json::from_slice(&json)
        .map_err(|_| "its second part is not a JSON object of claims")?;
    scope_ids(&claims.scp).ok_or("its claim `scp` has no scope `Actions.Results:<run>:<job>`")
}

fn scope_ids(scp: &str) -> Option<(String, String)> {
    let mut scopes = scp.split(' ').map(|scope| scope.split(':').collect::<Vec<_>>());
    let scope = scopes.find(|parts| parts.first() == Some(&"Actions.Results"))?;
    match scope.as_slice() {
        [_, run, job] if !run.is_empty() && !job.is_empty() => {
            Some(((*run).to_owned(), (*job).to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        let b64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        format!("{}.{}.sig", b64.encode("{}"), b64.encode(claims))
    }

    fn service(results_url: &str, token: &str) -> Result<Service, Error> {
        Service::from_parts(results_url, token, "https://github.test/", "octo/app", "77")
    }

    #[test]
    fn the_ids_come_from_the_scope_of_the_results_service() {
        let token =
            token(r#"{"scp":"Actions.Other:x Actions.Results:run-1:job-2","pad":"??>>~~ÿ"}"#);
        assert!(token.contains(['-', '_']), "the case must need the URL alphabet: {token}");
        let service = service("https://results.test/prefix/?q=1", &token).expect("valid");
        assert_eq!((&*service.run_backend_id, &*service.job_backend_id), ("run-1", "job-2"));
        assert_eq!(service.origin.as_str(), "https://results.test/");
        assert_eq!(
            service.artifact_url("5"),
            "https://github.test/octo/app/actions/runs/77/artifacts/5"
        );
        assert_eq!(service.job_tag(), "job2");
    }

    #[test]
    fn a_token_without_the_scope_is_refused_with_its_reason() {
        let cases = [
            ("", "it is empty"),
            ("a b.c", "space"),
            ("opaque", "no second part"),
            ("a.!!.c", "base64url"),
            (&*token("7"), "JSON object"),
            (&*token(r#"{"scp":"Actions.Results:1"}"#), "scp"),
            (&*token(r#"{"scp":"Actions.Results:1:2:3"}"#), "scp"),
            (&*token("{}"), "scp"),
        ];
        for (token, why) in cases {
            let error = service("https://results.test/", token).expect_err("refused");
            assert!(error.chain().contains(why), "{}", error.chain());
            assert!(error.chain().contains("ACTIONS_RUNTIME_TOKEN"));
            assert!(error.help().is_some());
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for url in ["", "  ", "no", "file:///etc/passwd", "ftp://x/"] {
            let error = service(url, &token(r#"{"scp":"Actions.Results:1:2"}"#)).expect_err(url);
            assert!(error.chain().contains("ACTIONS_RESULTS_URL"), "{}", error.chain());
        }
    }

    #[test]
    fn the_token_is_never_printed() {
        let token = token(r#"{"scp":"Actions.Results:1:2"}"#);
        let service = service("https://results.test/", &token).expect("valid");
        assert!(!format!("{service:?}").contains(&token));
    }
}
