//! What the parser accepts, what it refuses and how it says so, and that the renderer is its inverse.

use proptest::prelude::*;

use super::*;

fn only(text: &str) -> Sample {
    let exposition = parse(text).unwrap();
    assert_eq!(exposition.samples.len(), 1, "{exposition:?}");
    exposition.samples.into_iter().next().unwrap()
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn a_plain_exposition_is_read_with_its_metadata() {
    let text = "# HELP up Whether it\\nanswers\n# TYPE up gauge\nup{job=\"node\",instance=\"a:9100\"} 1 1700000000123\nload 0.25\n";
    let exposition = parse(text).unwrap();
    assert_eq!(exposition.families.len(), 1);
    assert_eq!(exposition.families[0].kind, Some(Kind::Gauge));
    assert_eq!(exposition.families[0].help, "Whether it\nanswers");
    let up = exposition.find("up").next().unwrap();
    assert_eq!(up.label("instance"), Some("a:9100"));
    assert_eq!(up.label("zone"), None);
    assert_eq!(up.timestamp_ms, Some(1_700_000_000_123));
    assert_eq!(exposition.find("load").map(|s| s.value).collect::<Vec<_>>(), [0.25]);
    assert_eq!(exposition.find("loa").count(), 0);
}

#[test]
fn commas_braces_and_escapes_in_values_belong_to_the_value() {
    let sample = only(r#"m { a = "x,y}z{" , b="q\"\\\n\d", } 2"#);
    assert_eq!(sample.label("a"), Some("x,y}z{"));
    assert_eq!(sample.label("b"), Some("q\"\\\n\\d"));
    assert!((sample.value - 2.0).abs() < f64::EPSILON);
}

#[test]
fn line_ends_blanks_and_a_byte_order_mark_do_not_matter() {
    let exposition =
        parse("\u{feff}\r\n  a\t 1\r\n# a comment\r\n#\r\n# TYPE\r\nb{} 2 \r\n\t\r\nc 3").unwrap();
    let names: Vec<_> = exposition.samples.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(exposition.families.is_empty());
}

#[test]
fn an_empty_body_has_no_samples() {
    assert_eq!(parse("").unwrap(), Exposition::default());
}

#[test]
fn open_metrics_seconds_become_milliseconds_and_exemplars_are_left_out() {
    let text = "# TYPE jobs counter\n# UNIT jobs seconds\njobs_total{a=\"b\"} 3 1700000000.5 # {trace=\"}\"} 1 1.0\nx 1 1700000000\n# EOF\n";
    let exposition = parse(text).unwrap();
    assert_eq!(exposition.samples[0].timestamp_ms, Some(1_700_000_000_500));
    assert_eq!(exposition.samples[1].timestamp_ms, Some(1_700_000_000_000));
    assert_eq!(exposition.families[0].unit.as_deref(), Some("seconds"));
}

#[test]
fn without_an_end_mark_whole_timestamps_are_milliseconds() {
    assert_eq!(only("x 1 -5").timestamp_ms, Some(-5));
}

#[test]
fn names_in_quotes_may_hold_anything() {
    let sample = only(r#"{"disk.used \"%\"", "host.name"="é"} 1"#);
    assert_eq!(sample.name, "disk.used \"%\"");
    assert_eq!(sample.labels, [("host.name".to_owned(), "é".to_owned())]);
    let family = parse("# TYPE \"disk.used\" gauge\n").unwrap().families.remove(0);
    assert_eq!((family.name.as_str(), family.kind), ("disk.used", Some(Kind::Gauge)));
}

#[test]
fn the_special_numbers_are_read() {
    assert!(only("m NaN").value.is_nan());
    assert_eq!(only("m +Inf").value.to_bits(), f64::INFINITY.to_bits());
    assert_eq!(only("m -Inf").value.to_bits(), f64::NEG_INFINITY.to_bits());
    assert_eq!(only("m 1e-3").value.to_bits(), 0.001_f64.to_bits());
}

#[test]
fn a_fault_names_line_column_expected_and_found() {
    for (text, message) in [
        ("a 1\nb{x=1} 2", "line 2, column 5: expected `\"`, found `1`"),
        ("é 1", "line 1, column 1: expected a metric name, found `é`"),
        ("a{é=\"1\"} 1", "line 1, column 3: expected a label name or `}`, found `é`"),
        ("a{b=\"é\"", "line 1, column 8: expected `,` or `}`, found the end of the line"),
        (
            "a{b=\"x} 1",
            "line 1, column 10: expected `\"` at the end of the text in quotes, found the end of the line",
        ),
        ("a{b:c=\"x\"} 1", "line 1, column 3: expected a label name or `}`, found `b`"),
        ("a", "line 1, column 2: expected a number, found the end of the line"),
        ("a one", "line 1, column 3: expected a number, found `o`"),
        ("a 1 soon", "line 1, column 5: expected a timestamp or the end of the line, found `s`"),
        ("a 1 2 3", "line 1, column 7: expected the end of the line, found `3`"),
        ("a{b=\"1\",b=\"2\"} 1", "line 1, column 9: the label `b` occurs twice"),
        ("{a=\"b\"} 1", "line 1, column 8: expected a quoted metric name between the braces"),
        ("# EOF\na 1", "line 2, column 1: expected nothing after `# EOF`, found `a`"),
        ("{\"status\":\"error\"}", "line 1, column 10: expected `=`, found `:`"),
    ] {
        assert_eq!(refusal(text), message);
    }
    assert!(
        refusal("# TYPE a gouge")
            .starts_with("line 1, column 10: expected a metric type (counter,")
    );
}

#[test]
fn an_html_page_is_called_by_its_name() {
    assert_eq!(
        refusal("\n<!doctype html><html></html>"),
        "line 2, column 1: expected a metric name or `#`, found `<`: this is an HTML page, not metrics"
    );
}

#[test]
fn a_flood_of_labels_or_samples_is_refused() {
    let labels = (0..=MAX_LABELS).map(|n| format!("l{n}=\"\",")).collect::<Vec<_>>().concat();
    assert!(refusal(&format!("a{{{labels}}} 1")).ends_with("more than the limit of 128 labels"));
    assert!(
        refusal(&"a 1\n".repeat(MAX_SAMPLES + 1)).starts_with("line 100001, column 1: more than")
    );
}

#[test]
fn a_label_value_of_a_megabyte_is_refused_and_not_repeated() {
    let page = |bytes: usize| format!("ok 1\na{{l=\"{}\"}} 1\n", "x".repeat(bytes));
    assert_eq!(
        refusal(&page(1 << 20)),
        "line 2, column 6: a text of 1048576 bytes, more than the limit of 65536"
    );
    assert!(parse(&page(MAX_QUOTED)).is_ok());
    // Nor is the whole line, when the end of the text is missing.
    let open = format!("a{{l=\"{}", "x".repeat(1 << 20));
    assert!(refusal(&open).len() < 300, "{}", refusal(&open).len());
}

#[test]
fn the_time_grows_with_the_text_and_not_with_its_square() {
    let line = "node_cpu_seconds_total{cpu=\"3\",mode=\"idle\",host=\"web-1\"} 12345.67\n";
    let lines = (0..20_000).map(|n| format!("# TYPE m{n} counter\n{line}"));
    let text = lines.collect::<Vec<_>>().concat();
    let start = std::time::Instant::now();
    assert_eq!(parse(&text).unwrap().samples.len(), 20_000);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

fn sample() -> impl Strategy<Value = Sample> {
    let name = prop_oneof!["[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", ".{0,8}"];
    let label = prop_oneof!["[a-zA-Z_][a-zA-Z0-9_]{0,8}", ".{0,8}"];
    let labels = prop::collection::btree_map(label, "(?s).{0,12}", 0..5);
    let value =
        prop_oneof![any::<f64>().prop_filter("equality", |v| !v.is_nan()), Just(f64::INFINITY)];
    (name, labels, value, prop::option::of(any::<i64>())).prop_map(
        |(name, labels, value, timestamp_ms)| Sample {
            name,
            labels: labels.into_iter().collect(),
            value,
            timestamp_ms,
        },
    )
}

fn family() -> impl Strategy<Value = Family> {
    let kind = prop::option::of((0..Kind::ALL.len()).prop_map(|n| Kind::ALL[n]));
    ("[^\r]{0,20}", kind).prop_map(|(help, kind)| Family {
        name: "a.b c".to_owned(),
        kind,
        help: help.trim_start_matches([' ', '\t']).to_owned(),
        unit: None,
    })
}

proptest! {
    #[test]
    fn what_is_rendered_is_read_back(samples in prop::collection::vec(sample(), 0..8), family in family()) {
        let exposition = Exposition { samples, families: vec![family] };
        let text = render(&exposition);
        prop_assert_eq!(parse(&text).map_err(|e| e.to_string()), Ok(exposition), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn a_fault_lies_within_the_text(text in "([a#{}\"\\\\=,\n 1.]|é|TYPE |EOF){0,60}") {
        if let Err(error) = parse(&text) {
            let line = text.split('\n').nth(error.line - 1);
            prop_assert!(line.is_some(), "{error}: {text:?}");
            let length = line.unwrap_or_default().chars().count();
            prop_assert!(error.column >= 1 && error.column <= length + 1, "{error}: {text:?}");
            prop_assert!(!error.what.contains('\n'), "{error}");
        }
    }

    #[test]
    fn no_text_near_the_format_makes_it_panic(
        text in "([a#{}\"\\\\=,\n\r 1.eE+-]|é|TYPE |HELP |EOF|NaN|<){0,60}"
    ) {
        if let Ok(exposition) = parse(&text) {
            for sample in &exposition.samples {
                prop_assert!(sample.labels.len() <= MAX_LABELS);
            }
        }
    }
}
