//! What keeps a release from its rest, and its end.

use belay_rollout::Checked;

use crate::cluster::{Cluster, Ends, Health, Meddling, Writes};

/// Everything that keeps a release from its rest is over: charts work, writes are taken, nothing is in the way.
pub fn heal(cluster: &mut Cluster) {
    let charts: Vec<_> = cluster.charts.keys().cloned().collect();
    for chart in charts {
        let mut hooks = cluster.hooks(&chart).to_vec();
        for hook in &mut hooks {
            hook.ends = Ends::Well;
        }
        cluster.set_chart(&chart, Health::Good, &hooks);
    }
    make_way(cluster);
}

/// Nothing but charts is in the way any more.
pub fn make_way(cluster: &mut Cluster) {
    cluster.writes = Writes::Taken;
    cluster.kept.clear();
    cluster.source = None;
    // The spec and the objects are looked at anew at each interval.
    cluster.memory.refused = None;
    let checked = cluster.memory.checked.take();
    cluster.memory.checked = checked.map(Checked::overdue);
    // What another release took, or cannot be changed, somebody deletes.
    let stuck = [Meddling::Takes, Meddling::Fixes, Meddling::Hides];
    let stuck: Vec<_> = stuck.iter().filter_map(|how| how.content()).collect();
    cluster
        .objects
        .retain(|_, live| !stuck.contains(&live.content.as_str()));
}
