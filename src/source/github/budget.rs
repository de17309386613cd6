//! What the API cost this run and what is left: from the headers of the answers, so that asking costs nothing.

use http::HeaderMap;

/// Requests of this run and the limits that the answers named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budget {
    /// Requests that were sent, repeats included.
    pub calls: u32,
    /// Answers 304: nothing new, and free.
    pub not_modified: u32,
    /// Requests that were sent again after a fault.
    pub repeats: u32,
    /// Requests an hour.
    pub limit: Option<u64>,
    /// What is left of them.
    pub remaining: Option<u64>,
    /// When they are full again, in seconds since 1970.
    pub reset: Option<i64>,
    /// When the token ends, as the server wrote it.
    pub token_ends: Option<String>,
    /// Scopes of a classic token, as the server wrote them.
    pub scopes: Option<String>,
    /// Whether GitHub itself answered at least once, not only somebody in between.
    pub from_github: bool,
}

impl Budget {
    /// Takes in the headers of an answer. Only the general budget counts; search and others have their own.
    pub(super) fn note(&mut self, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        self.from_github |= text("x-github-request-id").is_some();
        self.token_ends = text("github-authentication-token-expiration")
            .map(str::to_owned)
            .or(self.token_ends.take());
        self.scopes = text("x-oauth-scopes").map(str::to_owned).or(self.scopes.take());
        if text("x-ratelimit-resource").is_some_and(|resource| resource != "core") {
            return;
        }
        let number = |name: &str| text(name).and_then(|t| t.trim().parse::<u64>().ok());
        self.limit = number("x-ratelimit-limit").or(self.limit);
        let left = number("x-ratelimit-remaining");
        // Answers overtake one another: the lowest number is the newest.
        self.remaining = match (self.remaining, left) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => now.or(before),
        };
        let reset = number("x-ratelimit-reset").and_then(|n| i64::try_from(n).ok());
        self.reset = reset.or(self.reset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_remainder_of_the_general_budget_counts() {
        let headers = |left: &str, resource: &str| {
            let pairs = [("x-ratelimit-remaining", left), ("x-ratelimit-resource", resource)];
            pairs.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect()
        };
        let mut budget = Budget::default();
        for (left, resource) in [("40", "core"), ("3", "search"), ("39", "core"), ("41", "core")] {
            budget.note(&headers(left, resource));
        }
        assert_eq!(budget.remaining, Some(39));
    }
}
