//! `config requirements`: the page for those who must grant.

use runner_guard::check::ALL;

use crate::support::command::Guard;

fn page(yaml: &str, args: &[&str]) -> String {
    let args = [&["config", "requirements", "c.yml"], args].concat();
    let ended = Guard::plain(&args).file("c.yml", yaml).run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.stdout
}

#[test]
fn the_page_lists_what_the_configuration_asks_for() {
    let yaml = "prometheus: {url: 'http://prom:9090'}\nsecrets: [{name: KEY, kind: ssh-private-key, required: false}]\nvariables: [REGION]\ntools: [ansible >= 2.15]\nrunners: [{name: a, labels: [x, 'l|m'], group: g, host: h}]\ncollect: {runner-logs: {folder: /logs, docker-socket: true}}\nenvironments: {production: {network: {endpoints: ['db:5432']}}}\n";
    let page = page(yaml, &["--environment", "production"]);
    for row in [
        "Made from `c.yml` for the environment `production`.",
        "| `prom` | 9090 | `prometheus` |",
        "| `db` | 5432 | `network.endpoints` |",
        "| `KEY` | ssh-private-key | optional | any | secret of the environment `production` | `RUNNER_GUARD_SECRET_KEY` |",
        "| `REGION` | variable of the environment `production` | `RUNNER_GUARD_VARIABLE_REGION` |",
        "| `a` | primary | `x` `l\\|m` | `g` | `h` | as its exporter says |",
        "| `/logs` | `collect.runner-logs.folder` |",
        "| `/var/run/docker.sock` | `collect.runner-logs.docker-socket` (power of root on the host) |",
        "| `ansible` | `2.15` |",
    ] {
        assert!(page.contains(row), "no {row} in\n{page}");
    }
}

#[test]
fn a_check_that_is_allowed_away_needs_nothing() {
    let all: Vec<String> = ALL.iter().map(|c| format!("  {}: allow\n", c.id())).collect();
    let all = all.concat();
    let page = page(&format!("artifact: {{upload: false}}\nchecks:\n{all}"), &[]);
    assert!(page.contains(&format!("0 of {} checks are in use", ALL.len())), "{page}");
    let sections: Vec<&str> = page.lines().filter(|l| l.starts_with("## ")).collect();
    assert_eq!(sections, ["## Network"]);
}

#[test]
fn every_need_of_a_check_that_is_used_stands_on_the_page() {
    let page = page("environment: production\n", &[]);
    for check in ALL.iter().filter(|c| page.contains(&format!("`{}`", c.id()))) {
        assert!(!check.needs().is_empty(), "{} needs nothing", check.id());
    }
}
