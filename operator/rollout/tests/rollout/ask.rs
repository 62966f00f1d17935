//! Orders of all kinds.

use belay_api::rollback_request::{ExpectedCurrent, RollbackTarget, Until};
use belay_rollout::Digest;

use crate::cluster::Cluster;
use crate::deed::seconds;

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    pub name: &'static str,
    pub target: Aim,
    pub until: Until,
    /// For how many seconds it holds, if it holds for a time.
    pub hold: u32,
    /// After how many seconds it is too late.
    pub not_after: Option<u32>,
    /// The revision that it expects to run: that many before the newest.
    pub expects: Option<u32>,
    pub dry_run: bool,
}

/// Where an order goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    Previous,
    /// So many revisions before the newest.
    Revision(u32),
    Digest(&'static str),
    Version(&'static str),
}

impl Ask {
    /// Makes it, if there is none of its name.
    pub fn is_made(self, cluster: &mut Cluster) -> bool {
        if cluster.orders.iter().any(|order| order.name == self.name) {
            return false;
        }
        let now = cluster.now;
        let newest = cluster.storage.keys().max().copied().unwrap_or(1);
        let before = |count: u32| newest.saturating_sub(count).max(1);
        let mut target = RollbackTarget::default();
        match self.target {
            Aim::Previous => {}
            Aim::Revision(back) => target.revision = Some(before(back)),
            Aim::Digest(chart) => target.digest = Some(Digest::named(chart).to_string()),
            Aim::Version(chart) => target.chart_version = Some(chart.into()),
        }
        cluster.order_with(self.name, |spec| {
            spec.target = target;
            spec.until = self.until;
            spec.hold_until = (self.until == Until::Time).then(|| now.plus(seconds(self.hold)));
            spec.not_after = self.not_after.map(|after| now.plus(seconds(after)));
            spec.expected_current = self.expects.map(|count| ExpectedCurrent {
                revision: Some(before(count)),
                digest: None,
            });
            spec.dry_run = self.dry_run;
        });
        true
    }
}
