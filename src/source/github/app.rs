//! A GitHub App: a token that is made for this run, may only read, and is revoked after it.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::super::error::{Cause, Error, chain_of};
use super::super::http::{MAX_BODY, Reply, bearer};
use super::refusal::refused;
use super::{GitHub, path_of};
use crate::task::Deadline;

/// A GitHub App that acts for one repository. `Debug` prints no key.
#[derive(Clone)]
pub struct AppKey {
    id: String,
    repository: String,
    key: String,
    /// Seconds since 1970 when the App was made, and since when that is: a gate that waits asks again much later.
    now: i64,
    since: Instant,
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitHub App {}", self.id)
    }
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

impl AppKey {
    /// The App with this id (or client id) and private key, for one repository.
    ///
    /// # Errors
    /// The key is not an RSA key in PEM form. Nothing of it is quoted.
    pub fn new(id: &str, key: &str, repository: &str, now: i64) -> Result<Self, Error> {
        let [id, repository] = [id, repository].map(|text| text.trim().to_owned());
        let app = Self { id, repository, key: key.trim().to_owned(), now, since: Instant::now() };
        app.pair().map(|_| app)
    }

    /// Its id or client id.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn pair(&self) -> Result<RsaKeyPair, Error> {
        let wrong = |why: &str| {
            Error::new("read the input app-private-key", Cause::Parse(why.to_owned())).with_help(
                "store the whole .pem file that GitHub offered when the key was made, with its BEGIN and END lines",
            )
        };
        let der = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .map_err(|_| wrong("no private key in PEM form"))?;
        let pair = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(wrong("not an RSA key")),
        };
        pair.map_err(|_| wrong("not an RSA key of at least 2048 bits"))
    }

    /// A proof that is valid for nine minutes, from one minute ago: clocks differ.
    fn proof(&self) -> Result<String, Error> {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(json!({ "alg": "RS256", "typ": "JWT" }));
        let now = self.now + i64::try_from(self.since.elapsed().as_secs()).unwrap_or(0);
        let claims = part(json!({ "iat": now - 60, "exp": now + 540, "iss": self.id }));
        let signed = format!("{head}.{claims}");
        let pair = self.pair()?;
        let mut signature = vec![0; pair.public().modulus_len()];
        let random = SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).map_err(|_| {
            let cause = Cause::Other("the key can not sign".to_owned());
            Error::new(format!("sign as GitHub App {}", self.id), cause)
        })?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl GitHub {
    /// A token of the App's installation, for this repository and for reading only.
    ///
    /// # Errors
    /// The App is not installed for the repository, its key is wrong, or the API can not be reached.
    pub(super) async fn installation_token(
        &self,
        app: &AppKey,
        deadline: Deadline,
    ) -> Result<String, Error> {
        let proof = app.proof()?;
        self.http.obtained("the proof of the GitHub App", &proof);
        let tried =
            format!("find the installation of GitHub App {} for {}", app.id, app.repository);
        let url = format!("{}/repos/{}/installation", self.api_url, path_of(&app.repository));
        let reply = self.as_app(&tried, self.http.client().get(url), &proof, deadline).await;
        let reply = reply.map_err(|e| not_installed(e, app))?;
        let found: Installation = read(&tried, &reply)?;
        let tried = format!("make a token of GitHub App {}", app.id);
        let url = format!("{}/app/installations/{}/access_tokens", self.api_url, found.id);
        let name = app.repository.rsplit('/').next().unwrap_or_default();
        let ask = |body: serde_json::Value| self.http.client().post(&url).body(body.to_string());
        let narrow = json!({ "repositories": [name], "permissions": reading() });
        let reply = match self.as_app(&tried, ask(narrow), &proof, deadline).await {
            // The App was not granted everything: take what it has.
            Err(error) if error.status() == Some(422) => {
                let wide = json!({ "repositories": [name] });
                self.as_app(&tried, ask(wide), &proof, deadline).await?
            }
            other => other?,
        };
        let made: Token = read(&tried, &reply)?;
        self.http.obtained("the token of the GitHub App", &made.token);
        Ok(made.token)
    }

    /// Ends the token that was made for this run; nothing happens when none was made.
    ///
    /// # Errors
    /// The API did not take it back; it ends by itself within the hour.
    pub async fn revoke(&self, deadline: Deadline) -> Result<(), Error> {
        let cell = self.client_cell();
        let (super::Auth::App(_), Some(Ok((client, _)))) = (&self.auth, cell.get()) else {
            return Ok(());
        };
        let tried = "revoke the token of this run";
        let url = format!("{}/installation/token", self.api_url);
        let ended = tokio::time::timeout_at(deadline.instant(), client._delete(url, None::<&()>));
        match ended.await {
            Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
            Ok(Ok(answer)) => {
                let (status, message) = (answer.status().as_u16(), String::new());
                Err(Error::new(tried, Cause::Status { status, message }))
            }
            Ok(Err(error)) => Err(Error::new(tried, Cause::Other(chain_of(&error)))),
            Err(_) => Err(Error::new(tried, Cause::Timeout(deadline.remaining()))),
        }
    }

    async fn as_app(
        &self,
        tried: &str,
        request: reqwest::RequestBuilder,
        proof: &str,
        deadline: Deadline,
    ) -> Result<Arc<Reply>, Error> {
        let (name, value) = bearer(proof)?;
        let request = request
            .header(name, value)
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        let once = || async {
            self.note(|budget| budget.calls += 1);
            let request = request.try_clone().ok_or_else(|| {
                Error::new(tried, Cause::Other("the request can not be sent again".to_owned()))
            })?;
            self.http.send(tried, request, deadline, MAX_BODY).await.map(Arc::new)
        };
        let reply = self.repeated(tried, deadline, once).await?;
        if (200..300).contains(&reply.status) { Ok(reply) } else { Err(refused(tried, &reply)) }
    }
}

/// What the checks read.
fn reading() -> serde_json::Value {
    json!({
        "actions": "read", "administration": "read", "deployments": "read", "environments": "read",
        "secrets": "read", "actions_variables": "read", "organization_self_hosted_runners": "read",
    })
}

fn not_installed(error: Error, app: &AppKey) -> Error {
    match error.status() {
        Some(404) => {
            error.with_help(format!("install GitHub App {} for {}", app.id, app.repository))
        }
        Some(401) => error.with_help(
            "app-id and app-private-key do not belong together, or the clock of this host is wrong",
        ),
        _ => error,
    }
}

fn read<T: serde::de::DeserializeOwned>(tried: &str, reply: &Reply) -> Result<T, Error> {
    serde_json::from_slice(&reply.body).map_err(|e| Error::new(tried, Cause::Parse(e.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_none_is_refused_without_being_quoted() {
        let error = AppKey::new("1", "hunter2hunter2", "o/r", 0).unwrap_err();
        assert!(!error.chain().contains("hunter2"), "{}", error.chain());
        assert!(error.help().unwrap().contains(".pem"));
    }
}
