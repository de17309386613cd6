//! Samples to text, with the escape rules that the parser undoes. Writes format 0.0.4.

use super::{Exposition, Family, Sample, is_plain_label_name, is_plain_metric_name};

/// The whole text: what is known about the families, then the samples in their order.
pub fn render(exposition: &Exposition) -> String {
    let mut text = String::new();
    for family in &exposition.families {
        write_family(&mut text, family);
    }
    for sample in &exposition.samples {
        write_sample(&mut text, sample);
    }
    text
}

/// Appends the `# HELP` and `# TYPE` lines of a family. Units belong to `OpenMetrics` and are left out.
pub fn write_family(text: &mut String, family: &Family) {
    let mut name = String::new();
    if is_plain_metric_name(&family.name) {
        name.push_str(&family.name);
    } else {
        push_quoted(&mut name, &family.name);
    }
    text.push_str("# HELP ");
    text.push_str(&name);
    text.push(' ');
    for c in family.help.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            // At the end of a line it would be taken for a part of the line end.
            '\r' => text.push(' '),
            other => text.push(other),
        }
    }
    text.push('\n');
    if let Some(kind) = family.kind {
        text.push_str("# TYPE ");
        text.push_str(&name);
        text.push(' ');
        text.push_str(kind.word());
        text.push('\n');
    }
}

/// Appends one sample as a line.
pub fn write_sample(text: &mut String, sample: &Sample) {
    let plain = is_plain_metric_name(&sample.name);
    if plain {
        text.push_str(&sample.name);
    }
    if !plain || !sample.labels.is_empty() {
        text.push('{');
        if !plain {
            push_quoted(text, &sample.name);
        }
        push_labels(text, &sample.labels, if plain { "" } else { "," });
        text.push('}');
    }
    text.push(' ');
    text.push_str(&number(sample.value));
    if let Some(time) = sample.timestamp_ms {
        text.push(' ');
        text.push_str(&time.to_string());
    }
    text.push('\n');
}

fn push_labels(text: &mut String, labels: &[(String, String)], first: &str) {
    let mut separator = first;
    for (name, value) in labels {
        text.push_str(separator);
        if is_plain_label_name(name) {
            text.push_str(name);
        } else {
            push_quoted(text, name);
        }
        text.push('=');
        push_quoted(text, value);
        separator = ",";
    }
}

fn push_quoted(text: &mut String, plain: &str) {
    text.push('"');
    for c in plain.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text.push('"');
}

fn number(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else if size == 0.0 || (1e-5..1e17).contains(&size) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}
