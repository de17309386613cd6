//! Who gets how much of the budget: what is unhealthy first, and nobody more than one text may have.
//!
//! Pure; it reads nothing.

use crate::config::{Budget, bytes_text};
use crate::report::Allowance;

/// What is kept of a text of unknown size for the moment, in bytes.
const UNKNOWN: u64 = 8 << 20;
/// Less than this tells nothing, in bytes.
const LEAST: u64 = 1024;

/// What is read even when the disk is full, in bytes: it fits into memory, and a full disk is what may have to be explained.
const FLOOR: u64 = 16 << 20;

/// One text that waits for its share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    /// Lower comes first.
    pub(super) rank: usize,
    /// Its size in bytes; 0 when it is not known.
    pub(super) size: u64,
}

/// What all texts together may take, and who says so.
pub(super) fn total(budget: &Budget, free: Option<u64>) -> (u64, &'static str) {
    let share = free.map(|free| (free / 100 * u64::from(budget.disk_percent)).max(FLOOR));
    match share {
        Some(share) if share < budget.total => (share, "collect.budget.disk-percent"),
        Some(_) | None => (budget.total, "collect.budget.total"),
    }
}

/// The share of every claim, in the order given; or why it gets none.
pub(super) fn allot(
    budget: &Budget,
    free: Option<u64>,
    claims: &[Claim],
) -> Vec<Result<Allowance, String>> {
    let (total, limit) = total(budget, free);
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by_key(|at| claims.get(*at).map(|claim| claim.rank));
    let mut room = total;
    let none = || {
        let share = bytes_text(total);
        format!("left out: the {share} of {limit} are used up by what comes first")
    };
    let mut shares: Vec<Result<Allowance, String>> = claims.iter().map(|_| Err(none())).collect();
    for at in order {
        let (Some(claim), Some(share)) = (claims.get(at), shares.get_mut(at)) else { continue };
        let most = budget.item.min(room);
        let takes = if claim.size == 0 { UNKNOWN.min(most) } else { claim.size.min(most) };
        if takes < claim.size.min(LEAST) {
            continue;
        }
        let bytes = if claim.size == 0 { takes } else { most };
        *share = Ok(Allowance { bytes, lines: budget.lines });
        room -= takes;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(total: u64, item: u64) -> Budget {
        Budget { total, item, ..Budget::default() }
    }

    fn bytes(shares: Vec<Result<Allowance, String>>) -> Vec<Option<u64>> {
        shares.into_iter().map(|share| share.ok().map(|share| share.bytes)).collect()
    }

    #[test]
    fn what_is_unhealthy_gets_its_share_before_what_only_stands_first() {
        let claims = [(1, 80_000), (0, 50_000), (1, 10_000)];
        let claims = claims.map(|(rank, size)| Claim { rank, size });
        let shares = allot(&budget(100_000, 70_000), None, &claims);
        assert_eq!(bytes(shares), [Some(50_000), Some(70_000), None]);
    }

    #[test]
    fn who_gets_nothing_is_told_by_which_limit() {
        let claims = [Claim { rank: 0, size: 9_000 }, Claim { rank: 0, size: 9_000 }];
        let shares = allot(&budget(9_500, 1 << 20), None, &claims);
        let why = shares[1].as_ref().unwrap_err();
        assert!(why.contains("9.3 KiB of collect.budget.total"), "{why}");
        let claims = [Claim { rank: 0, size: FLOOR }, Claim { rank: 0, size: 9_000 }];
        let shares = allot(&budget(1 << 30, 1 << 30), Some(20_000), &claims);
        assert!(shares[1].as_ref().unwrap_err().contains("collect.budget.disk-percent"));
    }

    #[test]
    fn a_full_disk_can_still_be_explained() {
        let claims = [Claim { rank: 0, size: 9_000 }, Claim { rank: 0, size: 0 }];
        let shares = bytes(allot(&Budget::default(), Some(0), &claims));
        assert_eq!(shares, [Some(FLOOR), Some(UNKNOWN)]);
    }
}
