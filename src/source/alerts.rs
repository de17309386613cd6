//! Alerts that fire: as Alertmanager shows them (it knows what is silenced), or as Prometheus does.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::{Cause, Error};
use super::http::{Http, MAX_BODY};
use super::prometheus::{Prometheus, WHERE, unwrapped};
use crate::task::Deadline;

/// An alert that fires.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// Its labels; `alertname` and usually `severity` are among them.
    pub labels: BTreeMap<String, String>,
    /// Its annotations, as `summary` and `runbook_url`.
    pub annotations: BTreeMap<String, String>,
    /// Since when, in seconds since 1970; `None` when the source gives no such time.
    pub since: Option<i64>,
}

impl Alert {
    /// Its name; empty when it has none.
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    alerts: Vec<RawAlert>,
}

/// One alert of either API.
#[derive(Deserialize)]
struct RawAlert {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    /// Prometheus: `firing`, `pending`.
    #[serde(default)]
    state: String,
    /// Prometheus.
    #[serde(default, rename = "activeAt")]
    active_at: String,
    /// Alertmanager.
    #[serde(default, rename = "startsAt")]
    starts_at: String,
    /// Alertmanager.
    status: Option<RawStatus>,
}

#[derive(Deserialize)]
struct RawStatus {
    #[serde(default)]
    state: String,
}

/// What fires in Prometheus, silenced or not.
///
/// # Errors
/// Unreachable, refused, or not an answer of Prometheus.
pub async fn from_prometheus(
    prometheus: &Prometheus,
    deadline: Deadline,
) -> Result<Vec<Alert>, Error> {
    let tried = format!("read the alerts of {}", prometheus.url());
    let reply = prometheus.get(&tried, "alerts", deadline).await?;
    let data: Data =
        unwrapped(&reply).map_err(|cause| Error::new(tried, cause).with_help(WHERE))?;
    Ok(data.alerts.into_iter().filter(|a| a.state == "firing").map(alert).collect())
}

/// What is active in the Alertmanager at this base address and neither silenced nor inhibited.
///
/// # Errors
/// Unreachable, refused, or not an answer of Alertmanager.
pub async fn from_alertmanager(
    http: &Http,
    url: &str,
    deadline: Deadline,
) -> Result<Vec<Alert>, Error> {
    let tried = format!("read the alerts of {url}");
    let query = "active=true&silenced=false&inhibited=false";
    let address = format!("{}/api/v2/alerts?{query}", url.trim_end_matches('/'));
    let reply = http.get(&tried, &address, deadline, MAX_BODY).await?;
    let wrong = |cause| {
        Error::new(tried.clone(), cause)
            .with_help("check the input alertmanager-url: it is the base address, without /api")
    };
    if reply.status != 200 {
        return Err(wrong(reply.refusal()));
    }
    let alerts: Vec<RawAlert> = serde_json::from_slice(&reply.body)
        .map_err(|e| wrong(Cause::Parse(format!("not an answer of Alertmanager: {e}"))))?;
    // An old server may not know the filters.
    let active =
        |a: &RawAlert| a.status.as_ref().is_none_or(|s| s.state.is_empty() || s.state == "active");
    Ok(alerts.into_iter().filter(active).map(alert).collect())
}

fn alert(raw: RawAlert) -> Alert {
    let since = if raw.active_at.is_empty() { &raw.starts_at } else { &raw.active_at };
    let since = since.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    Alert { labels: raw.labels, annotations: raw.annotations, since }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_either_source_is_read_and_a_strange_one_is_none() {
        let of = |json: &str| alert(serde_json::from_str(json).unwrap());
        let prometheus = r#"{"labels":{"alertname":"A"},"state":"firing","activeAt":"1970-01-01T01:00:09.5+01:00"}"#;
        assert_eq!((of(prometheus).since, of(prometheus).name()), (Some(9), "A"));
        assert_eq!(of(r#"{"startsAt":"1970-01-01T00:00:07Z"}"#).since, Some(7));
        assert_eq!(of(r#"{"startsAt":"soon"}"#).since, None);
    }
}
