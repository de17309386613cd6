//! What the configuration says about redaction, handed to the redactor: rules of the user, and names that get pseudonyms.

use super::failure::Failure;
use super::session::Session;
use crate::config::{self, Config, Redact, RedactFind};
use crate::redact::{Find, Profile, Redactor, UserRule};

/// Variables that hold the names of people.
const USERS: &[&str] =
    &["GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR", "USER", "LOGNAME", "SUDO_USER", "USERNAME"];
/// Variables that hold the names of machines.
const HOSTS: &[&str] = &["RUNNER_NAME", "HOSTNAME", "HOST", "COMPUTERNAME"];

/// Takes the rules of the user: they hold for every text from now on.
///
/// # Errors
/// A rule can not be used. Nothing of it is ignored silently.
pub(super) fn adopt(redactor: &Redactor, redact: &Redact) -> Result<(), Failure> {
    let rules: Vec<UserRule> = redact.rules.iter().map(user_rule).collect();
    let help = "correct the rule below redact.rules in the configuration";
    redactor.adopt(&rules).map_err(|error| Failure::usage(format!("{error}\n  help: {help}")))
}

fn user_rule(rule: &config::RedactRule) -> UserRule {
    let find = match &rule.find {
        RedactFind::Literal(text) => Find::Literal(text.clone()),
        RedactFind::Regex(pattern) => Find::Regex(pattern.clone()),
        RedactFind::Path(path) => Find::Path(path.clone()),
    };
    UserRule { name: rule.name.clone(), find, files: rule.files.clone() }
}

impl Session {
    /// Gives pseudonyms from now on, when the configuration asks for them. Not for the gate: its outputs choose a runner by name.
    pub(super) fn share(&self, config: &Config) {
        self.share_as(profile(config.redact.profile), config);
    }

    /// What a configuration that can not be used says about redaction still holds: the black box goes on without the rest of it.
    pub(super) fn salvage(&self, text: &str) {
        let Some(redact) = config::salvaged(text) else { return };
        if let Err(failure) = adopt(&self.redactor, &redact) {
            tracing::warn!("{}", failure.text());
        }
        self.share_as(profile(redact.profile), &config::defaults(&crate::check::known()));
    }

    /// As [`Self::share`] for this profile.
    pub(super) fn share_as(&self, profile: Profile, config: &Config) {
        let users: Vec<String> = USERS.iter().map(|name| self.env.text(name)).collect();
        let mut hosts: Vec<String> = HOSTS.iter().map(|name| self.env.text(name)).collect();
        hosts.extend(configured(config));
        self.redactor.share(profile, &hosts, &users);
    }
}

/// The profile of the configuration as the redactor knows it.
pub(super) const fn profile(profile: config::Profile) -> Profile {
    match profile {
        config::Profile::Internal => Profile::Internal,
        config::Profile::ShareWithVendor => Profile::ShareWithVendor,
        config::Profile::Public => Profile::Public,
    }
}

/// The machines that a configuration names.
fn configured(config: &Config) -> Vec<String> {
    let addresses = [
        config.prometheus.as_ref().map(|p| p.url.clone()),
        config.loki.as_ref().map(|l| l.url.clone()),
        config.alertmanager.clone(),
        config.grafana.clone(),
        config.exporter.clone(),
    ];
    let mut hosts: Vec<String> = addresses.into_iter().flatten().collect();
    hosts.extend(config.endpoints.iter().map(config::Endpoint::text));
    hosts.extend(config.runners.iter().filter_map(|r| r.exporter.clone()));
    let mut hosts: Vec<String> = hosts.iter().map(|address| host_of(address)).collect();
    for runner in &config.runners {
        hosts.push(runner.name.clone());
        hosts.extend(runner.host.clone());
    }
    hosts
}

/// The host of an address.
fn host_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.starts_with('[') {
        return host.trim_start_matches('[').split(']').next().unwrap_or_default().to_owned();
    }
    host.split(':').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_every_form_of_address_is_found() {
        for (address, host) in [
            ("https://prom.internal:9090/x", "prom.internal"),
            ("tcp://db1:5432", "db1"),
            ("db1:5432", "db1"),
            ("http://[fd00::7]:80/", "fd00::7"),
        ] {
            assert_eq!(host_of(address), host);
        }
    }
}
