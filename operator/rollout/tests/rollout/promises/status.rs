//! What people and health checks read agrees with itself, by kstatus' rules, and with the ledger.

use std::collections::BTreeSet;

use belay_api::{ConditionStatus, ConditionType, HelmReleaseStatus, Phase};
use belay_rollout::{At, Wait, Waiting};

use crate::cluster::Cluster;

/// Checks the status that a wait was reported with.
pub fn check_status(cluster: &Cluster, wait: &Wait) {
    let status = &cluster.status;
    let types: BTreeSet<_> = status.conditions.iter().map(|found| found.type_).collect();
    assert_eq!(
        types.len(),
        status.conditions.len(),
        "a condition is told twice"
    );
    let find = |type_| find(status, type_);
    let ready = find(ConditionType::Ready).unwrap();
    let reconciling = find(ConditionType::Reconciling);
    let stalled = find(ConditionType::Stalled);
    assert!(
        reconciling.is_none() || stalled.is_none(),
        "it goes on and is stalled at the same time: {status:?}"
    );
    let (goes_on, stops) = (reconciling.is_some(), stalled.is_some());
    let agrees = match ready {
        ConditionStatus::True => !goes_on && !stops,
        ConditionStatus::False => goes_on || stops,
        ConditionStatus::Unknown => goes_on,
    };
    assert!(agrees, "Ready does not agree with the rest: {status:?}");
    assert_eq!(
        ready == ConditionStatus::True,
        wait.on == Waiting::Deployed,
        "Ready does not agree with {:?}: {status:?}",
        wait.on
    );
    let ledger = cluster.ledger.as_ref();
    let ours = ledger.filter(|ledger| ledger.owner.uid == cluster.declared.identity.uid);
    let Some(ledger) = ours else { return };
    if ready == ConditionStatus::True {
        assert_eq!(status.phase, Phase::Deployed);
        assert!(ledger.runs_good(), "what was never proven is Ready");
        let asked = cluster.desired();
        let runs = ledger.current.as_ref().map(|current| &current.digest);
        assert_eq!(asked.digest(), runs, "Ready is what nobody asks for");
    }
    let blocked: Vec<_> = ledger
        .blocked
        .iter()
        .map(|known| known.digest.as_str())
        .collect();
    let told: Vec<_> = status
        .blocked
        .iter()
        .map(|told| told.digest.as_str())
        .collect();
    assert_eq!(told, blocked);
    let failure = status.last_failure.as_ref().map(|failure| failure.at);
    assert_eq!(
        failure,
        ledger.last_failure.as_ref().map(|failure| failure.at)
    );
    let soaks = ledger
        .attempt
        .as_ref()
        .is_some_and(|attempt| matches!(attempt.at, At::Soaking(_)));
    if find(ConditionType::Available) == Some(ConditionStatus::True) {
        assert!(
            soaks || ledger.runs_good(),
            "nothing good is available: {status:?}"
        );
        // The common object of what serves is there, unless somebody took it and nobody looked since.
        let there = cluster.objects.contains_key("web") || cluster.meddled.contains("web");
        assert!(there, "nothing serves: {status:?}");
    }
    if find(ConditionType::Consistent) == Some(ConditionStatus::True) {
        let whole = ledger
            .current
            .as_ref()
            .is_some_and(|current| current.consistent);
        assert!(whole, "what is told is not what is: {status:?}");
        let there = cluster.objects.contains_key("web") || cluster.meddled.contains("web");
        assert!(there, "nothing is there: {status:?}");
    }
    if find(ConditionType::RolledBack).is_some() {
        assert!(
            ledger.runs_good() && ready != ConditionStatus::True,
            "what is told is not what is: {status:?}"
        );
    }
}

/// The status of a condition.
fn find(status: &HelmReleaseStatus, type_: ConditionType) -> Option<ConditionStatus> {
    let found = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == type_);
    found.map(|condition| condition.status)
}
