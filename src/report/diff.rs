//! What changed between two runs, from the reports and recaps that they left.
//!
//! Pure: reads documents that may come from another version, leniently, and compares only what both sides hold; what could not be
//! compared is said. Escapes for the terminal in [`to_text`], for no place in [`to_json`].

mod facts;
mod text;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Play;
use facts::{Fact, Key};

pub use text::to_text;

/// One of the two runs.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// What the user calls it: the file.
    pub name: String,
    /// When it was made, as far as it says.
    pub created: String,
    /// The version that made it, as far as it says.
    pub tool: String,
    /// The JSON report of the gate.
    pub gate: Option<Value>,
    /// The JSON report of the black box.
    pub report: Option<Value>,
    /// The Ansible runs in its evidence; `None` when it holds no evidence at all.
    pub plays: Option<Vec<Play>>,
}

/// What a difference is about; the order is that of importance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// The gate's decision and the runner that it chose.
    Verdict,
    /// How the job ended, and the likely causes.
    Cause,
    /// The answers of the checks.
    Finding,
    /// The states of secrets, by name.
    Secret,
    /// The recap of Ansible.
    Ansible,
    /// Roles, labels and health of the candidates.
    Candidate,
    /// How the collectors ended.
    Collector,
    /// What the checks saw: versions, free space, ages.
    Value,
    /// The version of this program.
    Tool,
}

impl About {
    /// All of them, in their order.
    pub const ALL: [Self; 9] = [
        Self::Verdict,
        Self::Cause,
        Self::Finding,
        Self::Secret,
        Self::Ansible,
        Self::Candidate,
        Self::Collector,
        Self::Value,
        Self::Tool,
    ];

    /// The word in the JSON form.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Cause => "cause",
            Self::Finding => "finding",
            Self::Secret => "secret",
            Self::Ansible => "ansible",
            Self::Candidate => "candidate",
            Self::Collector => "collector",
            Self::Value => "value",
            Self::Tool => "tool",
        }
    }
}

/// Whether a difference is for the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trend {
    /// It is worse now.
    Worse,
    /// Nobody can say.
    Other,
    /// It is better now.
    Better,
}

impl Trend {
    /// The word in both forms.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Other => "changed",
            Self::Better => "better",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub about: About,
    /// Which one of them: `disk-space on prod-a`.
    pub what: String,
    /// What it was; `None`: it was not there.
    pub before: Option<String>,
    /// What it is; `None`: it is gone.
    pub after: Option<String>,
    /// Whether that is worse.
    pub trend: Trend,
}

/// All differences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The older run, as the user calls it, and when it was made.
    pub old: [String; 2],
    /// The newer run, likewise.
    pub new: [String; 2],
    /// The differences, by importance and the worse ones first.
    pub changes: Vec<Change>,
    /// How many facts both sides have in common.
    pub same: usize,
    /// What could not be compared, a sentence each.
    pub not_compared: Vec<String>,
}

/// Compares two runs.
pub fn diff(old: &Side, new: &Side) -> Changes {
    let mut not_compared = Vec::new();
    let mut pairs = vec![(facts::of_tool(old), facts::of_tool(new))];
    let mut part = |what: &str, before: Option<Facts>, after: Option<Facts>| match (before, after) {
        (Some(before), Some(after)) => pairs.push((before, after)),
        (None, None) => {}
        (Some(_), None) => not_compared.push(format!("{what}: the newer one has none")),
        (None, Some(_)) => not_compared.push(format!("{what}: the older one has none")),
    };
    part("what the gate found", facts::of_gate(old), facts::of_gate(new));
    part("what the black box found", facts::of_report(old), facts::of_report(new));
    part("the recap of Ansible", facts::of_plays(old), facts::of_plays(new));
    let mut changes = Vec::new();
    let mut same = 0;
    for (before, after) in pairs {
        same += compare(before, after, &mut changes);
    }
    changes.sort_by(|a, b| (a.about, a.trend, &a.what).cmp(&(b.about, b.trend, &b.what)));
    let named = |side: &Side| [side.name.clone(), side.created.clone()];
    Changes { old: named(old), new: named(new), changes, same, not_compared }
}

type Facts = BTreeMap<Key, Fact>;

/// Adds the differences; gives the number of facts that are the same.
fn compare(mut before: Facts, after: Facts, changes: &mut Vec<Change>) -> usize {
    let mut same = 0;
    for ((about, what), now) in after {
        let was = before.remove(&(about, what.clone()));
        if was.as_ref().is_some_and(|was| was.value == now.value) {
            same += 1;
            continue;
        }
        let trend = trend(was.as_ref().map_or(0, |was| was.rank), now.rank);
        let before = was.map(|was| was.shown);
        changes.push(Change { about, what, before, after: Some(now.shown), trend });
    }
    for ((about, what), was) in before {
        let trend = trend(was.rank, 0);
        changes.push(Change { about, what, before: Some(was.shown), after: None, trend });
    }
    same
}

fn trend(before: u8, after: u8) -> Trend {
    match before.cmp(&after) {
        std::cmp::Ordering::Less => Trend::Worse,
        std::cmp::Ordering::Equal => Trend::Other,
        std::cmp::Ordering::Greater => Trend::Better,
    }
}

/// The differences for machines.
pub fn to_json(changes: &Changes) -> Value {
    let row = |change: &Change| {
        json!({
            "about": change.about.word(),
            "what": change.what,
            "before": change.before,
            "after": change.after,
            "trend": change.trend.word(),
        })
    };
    let side = |[name, created]: &[String; 2]| json!({"name": name, "created": created});
    json!({
        "schema": 1,
        "old": side(&changes.old),
        "new": side(&changes.new),
        "changed": !changes.changes.is_empty(),
        "changes": changes.changes.iter().map(row).collect::<Vec<_>>(),
        "same": changes.same,
        "not_compared": changes.not_compared,
    })
}

#[cfg(test)]
mod tests;
