//! The candidates.

use super::super::load::not_one_of;
use super::super::raw::RawRunner;
use super::super::{Expect, Runner};
use super::Build;

impl Build<'_> {
    pub(super) fn runners(&mut self, raw: Vec<RawRunner>) -> Vec<Runner> {
        let mut runners: Vec<Runner> = Vec::new();
        for (at, one) in raw.into_iter().enumerate() {
            let runner = self.runner(at, one);
            if !runner.name.is_empty() && runners.iter().any(|r| r.name == runner.name) {
                let message = format!("the runner `{}` is named twice", runner.name);
                let help = "one host can not be primary and secondary";
                self.wrong(&format!("runners[{at}].name"), message, help);
            }
            runners.push(runner);
        }
        runners
    }

    fn runner(&mut self, at: usize, raw: RawRunner) -> Runner {
        let path = |key: &str| format!("runners[{at}].{key}");
        let trimmed =
            |text: Option<String>| text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        if raw.name.trim().is_empty() {
            self.wrong(&path("name"), "a runner without a name", "write the name as registered");
        }
        let expect = match raw.expect.as_deref() {
            None | Some("persistent") => Expect::Persistent,
            Some("ephemeral") => Expect::Ephemeral,
            Some(other) => {
                let (message, help) = not_one_of(other, "known here", &["persistent", "ephemeral"]);
                self.wrong(&path("expect"), message, help);
                Expect::Persistent
            }
        };
        let role = || if at == 0 { "primary" } else { "secondary" }.to_owned();
        let labels = raw.labels.iter().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
        Runner {
            name: raw.name.trim().to_owned(),
            role: trimmed(raw.role).unwrap_or_else(role),
            labels: labels.collect(),
            authorized_for_prod: raw.authorized_for_prod,
            exporter: self.url("", &path("exporter"), raw.exporter),
            group: trimmed(raw.group),
            host: trimmed(raw.host),
            expect,
            scale_set: trimmed(raw.scale_set),
        }
    }
}
