//! Where keys stand, in both styles, and that no text is too odd.

use super::*;

fn found(text: &str, path: &str) -> Option<(usize, usize)> {
    let places = Places::of(text);
    places.first.get(path).copied()
}

const FILE: &str = "\
# a comment: with a colon
version: 1
'environment': \"pro\\\"d: x\"   # gate: {a: 1}
runners:
  - name: a
    labels: [self-hosted, 'x, y',
      z]
  -   name: b
      exporter: http://b:9101/metrics
  - {name: c, host: h#1, expect: ephemeral} # name: d
secrets:
- A
- name: B
  kind: url
gate: &gate {
  mode: shadow, # why
  wait: 10m,
}
ca-bundle: |
  gate: no
  -----BEGIN

  mode: no
collect:
  metrics:
    queries: [ 'up{a=\"b\"}', {deep: [1, {er: 2}]} ]
";

#[test]
fn every_key_and_item_has_its_line_and_column() {
    for (path, place) in [
        ("version", (2, 1)),
        ("environment", (3, 1)),
        ("runners", (4, 1)),
        ("runners[0]", (5, 5)),
        ("runners[0].name", (5, 5)),
        ("runners[0].labels", (6, 5)),
        ("runners[0].labels[1]", (6, 27)),
        ("runners[0].labels[2]", (7, 7)),
        ("runners[1].name", (8, 7)),
        ("runners[1].exporter", (9, 7)),
        ("runners[2].name", (10, 6)),
        ("runners[2].host", (10, 15)),
        ("runners[2].expect", (10, 26)),
        ("secrets[0]", (12, 3)),
        ("secrets[1].kind", (14, 3)),
        ("gate", (15, 1)),
        ("gate.mode", (16, 3)),
        ("gate.wait", (17, 3)),
        ("ca-bundle", (19, 1)),
        ("collect", (24, 1)),
        ("collect.metrics.queries[0]", (26, 16)),
        ("collect.metrics.queries[1].deep[1].er", (26, 41)),
    ] {
        assert_eq!(found(FILE, path), Some(place), "{path}");
    }
    for nowhere in ["ca-bundle.gate", "mode", "environment.gate", "runners[3]", "a"] {
        assert_eq!(found(FILE, nowhere), None, "{nowhere}");
    }
}

#[test]
fn what_has_no_place_is_pointed_at_by_its_parent() {
    let places = Places::of("gate: *other\nrunners:\n- name: a\n");
    assert_eq!(places.find("gate.mode"), Some((1, 1)));
    assert_eq!(places.find("runners[0].labels[3]"), Some((3, 3)));
    assert_eq!(places.find("nothing"), None);
}

#[test]
fn keys_that_stand_twice_are_found_below_the_same_parent_only() {
    let text = "collect:\n  timeout: 9s\ntimeout: 1s\ntimeout: 2s\ngate: {a: 1, b: 2, a: 3}\n";
    let twice: Vec<_> =
        Places::of(text).repeated().iter().map(|p| (p.path.clone(), p.line, p.column)).collect();
    assert_eq!(twice, [("timeout".to_owned(), 4, 1), ("gate.a".to_owned(), 5, 20)]);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic_or_hang(text in "([ \\n\\-:#'\"{}\\[\\],|>&!*\\\\%.\\tab\u{e9}]|\\PC){0,80}") {
        let places = Places::of(&text);
        let lines = text.split('\n').count();
        for (line, column) in places.first.into_values() {
            assert!(line >= 1 && line <= lines && column >= 1, "{line}:{column}");
        }
    }

    #[test]
    fn what_the_writer_wrote_is_found_where_it_stands(
        words in proptest::collection::btree_map("[a-z]{1,4}", "[a-z :#'\\-]{0,9}", 1..5),
        items in proptest::collection::vec("[a-z]{1,4}", 1..4),
    ) {
        let tree = serde_json::json!({"top": {"words": words, "items": items, "maps": [words, words]}, "zz": items});
        let text = serde_yaml::to_string(&tree).expect("YAML");
        let places = Places::of(&text);
        let lines: Vec<&str> = text.lines().collect();
        for key in words.keys() {
            for path in [format!("top.words.{key}"), format!("top.maps[1].{key}")] {
                let place = places.first.get(&path);
                let place = place.unwrap_or_else(|| panic!("no {path} in\n{text}"));
                let rest: String = lines[place.0 - 1].chars().skip(place.1 - 1).collect();
                assert!(rest.trim_start_matches(['\'', '"']).starts_with(key.as_str()), "{path}: {rest}");
            }
        }
        for (at, item) in items.iter().enumerate() {
            let place = places.find(&format!("zz[{at}]")).expect("item");
            assert!(lines[place.0 - 1].contains(item.as_str()));
        }
    }
}
