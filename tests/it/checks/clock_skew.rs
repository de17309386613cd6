//! Cases of `clock-skew`: servers whose clock is another one.

use serde_json::Value;

use super::{row, says};
use crate::support::command::Guard;
use crate::support::tls::{self, answer, date_line, self_signed};

const ID: &str = "clock-skew";

/// The row of a run whose API has a clock that many seconds ahead.
fn api(ahead: i64, config: &str) -> Value {
    let at = tls::plain(answer(&date_line(ahead)));
    Guard::preflight(config)
        .env("GITHUB_API_URL", &format!("http://{at}"))
        .env("GITHUB_TOKEN", "not-a-real-token")
        .run()
        .finding(ID)
}

/// The row of a run whose endpoints have clocks that many seconds ahead, and whose API tells no time.
fn endpoints(ahead: &[i64]) -> Value {
    let identity = self_signed(&["127.0.0.1"], |_| {});
    let at =
        |ahead: &i64| format!("'https://{}/'", tls::serve(&identity, answer(&date_line(*ahead))));
    let all: Vec<String> = ahead.iter().map(at).collect();
    let config = format!("ca-bundle: ca.pem\nnetwork: {{endpoints: [{}]}}\n", all.join(", "));
    Guard::preflight(&config).file("ca.pem", &identity.pem).run().finding(ID)
}

#[test]
fn the_clock_of_the_api_is_the_measure() {
    says("right", &api(0, ""), ("pass", "agrees with that of GitHub's API", ""));
    says("ahead", &api(-120, ""), ("warn", "s ahead of that of GitHub's API", "timedatectl"));
    says("behind", &api(120, ""), ("warn", "s behind that of GitHub's API", "timedatectl"));
    says("far", &api(3600, ""), ("fail", "s behind that of GitHub's API", "chronyc"));
}

#[test]
fn both_limits_can_be_set() {
    let wide = "checks: {clock-skew: {warn: 1h, fail: 2h}}\n";
    says("wide", &api(-600, wide), ("pass", "s ahead", ""));
    let narrow = "checks: {clock-skew: {warn: 1s, fail: 10s}}\n";
    says("narrow", &api(-60, narrow), ("fail", "s ahead", "timedatectl"));
}

#[test]
fn without_the_api_the_endpoint_that_agrees_best_is_the_measure() {
    says("one", &endpoints(&[-120]), ("warn", "ahead of that of https://127.0.0.1", "timedatectl"));
    says("two", &endpoints(&[-7200, 0]), ("pass", "agrees with that of https://127.0.0.1", ""));
}

#[test]
fn nobody_who_tells_the_time_is_no_answer() {
    says("nobody", &row(ID, ""), ("unknown", "nobody answered with a time", "timedatectl"));
}
