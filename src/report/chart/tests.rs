use proptest::prelude::*;

use super::*;

fn series(name: &str, values: &[f64]) -> Series {
    let values = values.iter().map(|v| Some(*v)).collect();
    Series { name: name.to_owned(), values }
}

fn chart(unit: Unit, series: Vec<Series>) -> Chart {
    let (title, query) = ("disk available".to_owned(), "q".to_owned());
    Chart {
        title,
        unit,
        query,
        start: 50_400,
        step: 60,
        job: Some(50_520),
        series,
        more: 0,
        links: Vec::new(),
    }
}

#[test]
fn a_chart_as_text_shows_ends_bounds_gaps_and_marks() {
    let mut dying = series("root", &[4.0, 3.0, 2.0, 1.0, 0.0]);
    dying.values[3] = None;
    dying.values[4] = Some(f64::NAN);
    let chart = Chart { more: 2, ..chart(Unit::Count, vec![dying, series("b", &[7.0; 5])]) };
    assert_eq!(
        text(&chart),
        "disk available\n\
         root  █▄▁··  4 → no sample (lowest 2, highest 4)\n\
         b     ▄▄▄▄▄  7 → 7\n\
         \u{20}       ^ ^  14:02 job started, 14:04 failure (UTC)\n\
         2 more series are not shown"
    );
}

#[test]
fn mermaid_draws_scaled_numbers_over_minutes() {
    let gib = 1024.0 * 1024.0 * 1024.0;
    let chart = chart(Unit::Bytes, vec![series("a", &[4.0 * gib, 2.5 * gib, 1.0 * gib])]);
    assert_eq!(
        mermaid(&chart).unwrap(),
        "```mermaid\n\
         xychart-beta\n\
         \u{20} title \"disk available, 14:02 job started, 14:02 failure (UTC)\"\n\
         \u{20} x-axis \"minutes before the failure\" -2 --> 0\n\
         \u{20} y-axis \"GiB\" 0 --> 4.2\n\
         \u{20} line [4, 2.5, 1]\n\
         ```"
    );
}

#[test]
fn mermaid_draws_no_line_over_a_gap_and_begins_where_all_have_begun() {
    let mut late = series("late", &[0.0, 1.0, 2.0, 3.0]);
    late.values[0] = None;
    let mut gone = series("gone", &[9.0, 9.0, 9.0, 9.0]);
    gone.values[3] = None;
    let both = chart(Unit::Count, vec![gone.clone(), late, series("flat", &[1.0; 4])]);
    let drawn = mermaid(&both).unwrap();
    assert!(drawn.contains("-2 --> 0") && !drawn.contains('9'), "{drawn}");
    assert!(drawn.contains("line [1, 2, 3]\n  line [1, 1, 1]"), "{drawn}");
    assert_eq!(mermaid(&chart(Unit::Count, vec![gone])), None);
    assert_eq!(mermaid(&chart(Unit::Count, Vec::new())), None);
}

#[test]
fn an_svg_breaks_its_line_at_a_gap_and_marks_the_job_and_the_failure() {
    let mut broken = series("a<b>", &[0.0, 1.0, 2.0, 3.0, 4.0]);
    broken.values[2] = None;
    let drawn = svg(&chart(Unit::Share, vec![broken]));
    assert_eq!(drawn.matches("<polyline").count(), 2, "{drawn}");
    assert!(drawn.contains("a&lt;b&gt;: 0.0 % → 400.0 %"), "{drawn}");
    assert!(drawn.contains("from 14:00: 14:02 job started, 14:04 failure (UTC)"), "{drawn}");
    assert!(drawn.contains("x1=\"355\"") && drawn.contains("x1=\"620\""), "{drawn}");
}

#[test]
fn numbers_read_like_words() {
    for (value, unit, words) in [
        (Some(3.0 * 1024.0 * 1024.0), Unit::Bytes, "3.0 MiB"),
        (Some(-2048.0), Unit::Bytes, "-2.0 KiB"),
        (Some(0.425), Unit::Share, "42.5 %"),
        (Some(1.5), Unit::Seconds, "1.5 s"),
        (Some(-0.0), Unit::Count, "0"),
        (Some(1e300), Unit::Count, "1.0e300"),
        (Some(f64::INFINITY), Unit::Count, "not a number"),
        (None, Unit::Count, "no sample"),
    ] {
        assert_eq!(humanised(value, unit), words);
    }
}

#[test]
fn charts_are_read_back_from_a_snapshot_within_the_caps() {
    let many = vec![chart(Unit::Count, vec![series("a", &[1.0; 500]); 9]); 20];
    let json = serde_json::json!({ "charts": many }).to_string();
    let read = read(&crate::redact::Redactor::new(&[]).redact(&json));
    assert_eq!(read.len(), CHARTS);
    assert_eq!((read[0].series.len(), read[0].series[0].values.len()), (SERIES, SAMPLES));
}

/// Whether every tag is closed in its order, every attribute is quoted, and nothing else is in it that a browser acts on.
fn is_well_formed(svg: &str) -> bool {
    let mut open = Vec::new();
    for piece in svg.split('<').skip(1) {
        let Some((tag, text)) = piece.split_once('>') else { return false };
        if tag.matches('"').count() % 2 != 0 || text.contains('>') {
            return false;
        }
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        let known = ["svg", "title", "text", "line", "polyline", "circle"].contains(&name);
        if !known {
            return false;
        }
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    open.is_empty()
}

fn any_value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        Just(None),
        Just(Some(f64::NAN)),
        Just(Some(f64::NEG_INFINITY)),
        Just(Some(f64::MAX)),
        Just(Some(f64::MIN)),
        any::<f64>().prop_map(Some),
        (0.0..100.0).prop_map(Some),
    ]
}

fn any_chart() -> impl Strategy<Value = Chart> {
    let unit =
        prop_oneof![Just(Unit::Bytes), Just(Unit::Share), Just(Unit::Seconds), Just(Unit::Count)];
    let text = "(\"|`{3}|\n|<script>|]]>|%%|-->|--|&|'|\\]|(?s).){0,30}";
    let one = (text, prop::collection::vec(any_value(), 0..140))
        .prop_map(|(name, values)| Series { name, values });
    let all = prop::collection::vec(one, 0..9);
    (text, unit, any::<i64>(), any::<u32>(), any::<Option<i64>>(), all).prop_map(
        |(title, unit, start, step, job, series)| {
            let (more, query, links) = (series.len() % 3, String::new(), Vec::new());
            Chart { title, unit, query, start, step, job, series, more, links }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_chart_panics_and_no_label_breaks_out(chart in any_chart()) {
        let drawn = svg(&chart);
        prop_assert!(is_well_formed(&drawn), "{}", drawn);
        prop_assert!(!drawn.contains("<script") && !drawn.contains("NaN") && !drawn.contains("inf,"));
        if let Some(drawn) = mermaid(&chart) {
            let shown = chart.series.len().min(SERIES);
            prop_assert!(drawn.lines().count() <= 6 + shown, "{}", drawn);
            prop_assert_eq!(drawn.matches('`').count(), 6);
            prop_assert_eq!(drawn.matches('"').count(), 6);
            prop_assert!(!drawn.contains('<') && !drawn.contains("NaN") && !drawn.contains("inf]"));
        }
        let lines = text(&chart).lines().count();
        prop_assert!(lines <= chart.series.len().min(SERIES) + 3);
    }
}
