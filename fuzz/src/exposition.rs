//! The metrics of foreign exporters: a fault names a place in the text, and what was read can be written and read again.

use runner_guard::source::exposition::{Family, MAX_LABELS, MAX_SAMPLES, parse, render};

/// Panics when the reader of metrics breaks a promise on this text.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = match parse(&text) {
        Ok(read) => read,
        Err(fault) => {
            let line = text.split('\n').nth(fault.line.wrapping_sub(1));
            let width = line.unwrap_or_else(|| panic!("no such line: {fault}")).chars().count();
            assert!((1..=width + 1).contains(&fault.column), "no such column: {fault}");
            assert!(!fault.what.contains('\n') && fault.what.len() < 1000, "{fault}");
            return;
        }
    };
    assert!(read.samples.len() <= MAX_SAMPLES && read.families.len() <= MAX_SAMPLES);
    assert!(read.samples.iter().all(|sample| sample.labels.len() <= MAX_LABELS));
    let page = render(&read);
    let again = parse(&page).unwrap_or_else(|fault| panic!("{fault} of {page:?}"));
    // As text, since a value may be no number.
    assert_eq!(format!("{:?}", again.samples), format!("{:?}", read.samples), "{page:?}");
    let written: Vec<Family> = read.families.iter().map(as_written).collect();
    assert_eq!(again.families, written, "{page:?}");
}

/// What is written of a family: format 0.0.4 has no units, and no carriage returns in a help text.
fn as_written(family: &Family) -> Family {
    let help = family.help.replace('\r', " ").trim_start_matches([' ', '\t']).to_owned();
    Family { help, unit: None, ..family.clone() }
}
