//! Redacted evidence and signatures -> ranked causes. Pure: same input, same output, no clock.

use crate::redact::Redacted;
use crate::report::{Diagnosis, Evidence};

/// stub
pub fn diagnose(evidence: &[Evidence<Redacted>]) -> Vec<Diagnosis> {
    let _ = evidence;
    Vec::new()
}
