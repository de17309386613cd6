//! `config print`: what holds, from where, and that it can be read back.
#![expect(clippy::disallowed_methods, reason = "the test reads the example")]

use runner_guard::check;
use runner_guard::config::{self, Config, Inputs, OptionKind, Origins};

use crate::support::command::Guard;

/// A configuration without the words about where it came from, and with the defaults of every option written out.
fn plain(mut config: Config) -> Config {
    config.origin = String::new();
    config.unused = Vec::new();
    config.origins = Origins::default();
    for check in check::known() {
        let settings = config.checks.entry(check.id.to_owned()).or_default();
        for option in check.options {
            let value =
                settings.options.entry(option.name.to_owned()).or_insert(option.default.to_owned());
            // A list may be written in one line or in several.
            if option.kind == OptionKind::List {
                let items: Vec<&str> = value.split(['\n', ',']).map(str::trim).collect();
                *value = items.join("\n");
            }
        }
        settings.options.retain(|_, value| !value.trim().is_empty());
    }
    config
}

fn read(yaml: &str) -> Config {
    config::load(Some(("c.yml", yaml)), &Inputs::default(), &check::known())
        .unwrap_or_else(|e| panic!("{e}\n{yaml}"))
}

fn example() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/runner-guard.yml");
    std::fs::read_to_string(path).expect("the example")
}

#[test]
fn what_is_printed_is_read_back_as_the_same_configuration() {
    let odd = "environment: 'pro: d # \"x\"'\nrunners: [{name: 'yes', role: '12', labels: ['a: b', '# c', '\u{e9}', ' ']}]\nartifact: {name: 'tab\\\\t'}\ncollect: {metrics: {queries: ['sum(rate(x{a=\"b\"}[5m])) > 1']}}\ngate: {wait: 90, stable-for: 1500ms}\nchecks: {disk-space: {min-free: 1.5 GiB, min-free-percent: 7%}, endpoint-reachable: {github-hosts: '', except: [a.example, b.example]}}\n";
    for yaml in ["", "environment: production", odd, &example()] {
        let config = read(yaml);
        let printed = config::print(&config, &check::known());
        let again = read(&printed);
        assert_eq!(plain(again.clone()), plain(config), "{printed}");
        let values =
            |page: &str| -> serde_yaml::Value { serde_yaml::from_str(page).expect("YAML") };
        assert_eq!(values(&config::print(&again, &check::known())), values(&printed));
    }
}

#[test]
fn every_value_says_who_set_it() {
    let ended = Guard::plain(&["config", "print", "c.yml", "--environment", "qa"])
        .file("c.yml", "timeout: 5s\nvariables: [A]\nsecrets:\n  - B\n")
        .env("INPUT_WAIT", "2m")
        .env("INPUT_REQUIRED-VARIABLES", "a,C")
        .env("INPUT_REQUIRED-SECRETS", "D")
        .env("INPUT_ENDPOINTS", "db:1")
        .env("INPUT_SHADOW", "true")
        .env("INPUT_EXPECTED-RUNNER", "prod-a")
        .run();
    let squeezed: Vec<String> =
        ended.stdout.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for wanted in [
        "environment: qa # --environment",
        "timeout: 5s # c.yml:1",
        "- A # c.yml:2",
        "- C # input required-variables",
        "- name: B # c.yml:4",
        "- name: D # input required-secrets",
        "- \"tcp://db:1\" # input endpoints",
        "wait: 2m # input wait",
        "mode: shadow # input shadow",
        "on-unknown: warn # default",
        "# expected-runner: prod-a # input expected-runner",
        "# exporter: not set",
    ] {
        assert!(squeezed.iter().any(|l| l == wanted), "no {wanted} in\n{}", ended.stdout);
    }
}

#[test]
fn certificates_are_not_repeated_and_no_text_breaks_out_of_its_line() {
    let yaml = "ca-bundle: |\n  -----BEGIN CERTIFICATE-----\n  not-a-real-one\nrunners: [{name: \"a\\n::error::x\\u202e\\e[31m\"}]\n";
    let ended = Guard::plain(&["config", "print", "c.yml"]).file("c.yml", yaml).run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("# ca-bundle: PEM text"), "{}", ended.stdout);
    for absent in ["not-a-real-one", "\n::error", "\u{202e}", "\u{1b}"] {
        assert!(!ended.stdout.contains(absent), "{absent:?} in\n{}", ended.stdout);
    }
}

#[test]
fn without_a_file_the_defaults_are_printed_and_a_wrong_file_is_not() {
    let ended = Guard::plain(&["config", "print"]).run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.starts_with("version: 1\n# environment: not set\n"), "{}", ended.stdout);
    let ended = Guard::plain(&["config", "print", "c.yml"]).file("c.yml", "timeout: x\n").run();
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert_eq!(Guard::plain(&["config", "print", "nowhere.yml"]).run().code, 2);
}
