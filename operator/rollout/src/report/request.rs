//! The status of a request, from the ledger: it is a record and stays readable.

use belay_api::rollback_request::{RequestPhase, RollbackPlan, RollbackRequestStatus};
use belay_api::{Condition, ConditionStatus, ConditionType, Reason, Timestamp, condition};

use crate::report::running;
use crate::{Approval, Ledger, Order, Outcome, Running};

/// The status of a request that the ledger knows, or that waits for its turn.
pub fn request_status(
    before: &RollbackRequestStatus,
    order: &Order,
    ledger: Option<&Ledger>,
    generation: i64,
    now: Timestamp,
) -> RollbackRequestStatus {
    let executed = ledger.and_then(|ledger| {
        ledger
            .executed
            .iter()
            .find(|executed| executed.uid == order.uid && executed.spec_hash == order.spec_hash())
    });
    let Some(executed) = executed else {
        return open(before, order, generation, now);
    };
    let (phase, reason, message, completed_at) = match &executed.outcome {
        Outcome::Running => (
            RequestPhase::Running,
            Reason::RollingBack,
            format!("revision {} is being brought back", executed.to.revision),
            None,
        ),
        Outcome::Complete { at } => (
            RequestPhase::Complete,
            Reason::Complete,
            format!(
                "revision {} runs again, as revision {}",
                executed.to.revision, executed.new_revision
            ),
            Some(*at),
        ),
        Outcome::Failed { at, message } => (
            RequestPhase::Failed,
            Reason::RevertFailed,
            message.clone(),
            Some(*at),
        ),
        Outcome::Superseded { at, message } => (
            RequestPhase::Superseded,
            Reason::Superseded,
            message.clone(),
            Some(*at),
        ),
    };
    let mut status = build(before, phase, reason, message, generation, now);
    if let Some(by) = &executed.approved_by {
        approved(&mut status, before, by, generation, now);
    }
    status.from = executed.from.as_ref().map(running);
    status.to = Some(running(&executed.to));
    status.new_revision = Some(executed.new_revision);
    status.started_at = Some(executed.started_at.whole_seconds());
    status.completed_at = completed_at.map(Timestamp::whole_seconds);
    status
}

/// The status of a request that was not begun yet.
fn open(
    before: &RollbackRequestStatus,
    order: &Order,
    generation: i64,
    now: Timestamp,
) -> RollbackRequestStatus {
    let wait = |phase, reason, message: String| {
        let mut status = build(before, phase, reason, message, generation, now);
        status.approved_by = None;
        status
    };
    match &order.approval {
        Approval::Awaited => {
            let message = format!(
                "waits for the approval of somebody other than {}: belay approve {}",
                order.spec.requested_by, order.name
            );
            let mut status = wait(
                RequestPhase::AwaitingApproval,
                Reason::AwaitingApproval,
                message.clone(),
            );
            let awaited = Condition {
                type_: ConditionType::Approved,
                status: ConditionStatus::False,
                reason: Reason::AwaitingApproval,
                message,
                last_transition_time: now.whole_seconds(),
                observed_generation: generation,
            };
            add(&mut status, before, awaited);
            status
        }
        Approval::Given { by } => {
            let mut status = wait(
                RequestPhase::Pending,
                Reason::Waiting,
                format!("approved by {by}; waits for its turn"),
            );
            approved(&mut status, before, by, generation, now);
            status
        }
        Approval::NotNeeded | Approval::Unenforced { .. } => wait(
            RequestPhase::Pending,
            Reason::Waiting,
            "waits for its turn".to_owned(),
        ),
    }
}

/// Says who approved.
fn approved(
    status: &mut RollbackRequestStatus,
    before: &RollbackRequestStatus,
    by: &str,
    generation: i64,
    now: Timestamp,
) {
    status.approved_by = Some(by.to_owned());
    let condition = Condition {
        type_: ConditionType::Approved,
        status: ConditionStatus::True,
        reason: Reason::Approved,
        message: format!("approved by {by}"),
        last_transition_time: now.whole_seconds(),
        observed_generation: generation,
    };
    add(status, before, condition);
}

fn add(status: &mut RollbackRequestStatus, before: &RollbackRequestStatus, condition: Condition) {
    status.conditions.push(condition);
    condition::carry_transition_times(&before.conditions, &mut status.conditions);
}

/// The status of a request whose release is not there: GitOps tools apply in any order.
pub fn without_release(
    before: &RollbackRequestStatus,
    release: &str,
    generation: i64,
    now: Timestamp,
) -> RollbackRequestStatus {
    build(
        before,
        RequestPhase::Pending,
        Reason::ReleaseNotFound,
        format!(
            "there is no HelmRelease {release} in this namespace: check releaseRef, or create it"
        ),
        generation,
        now,
    )
}

/// The status of a dry run: what the request would do.
pub fn previewed(
    before: &RollbackRequestStatus,
    order: &Order,
    ledger: &Ledger,
    to: &Running,
    plan: RollbackPlan,
    generation: i64,
    now: Timestamp,
) -> RollbackRequestStatus {
    let mut changes: Vec<_> = [
        (plan.added.len(), "added"),
        (plan.changed.len(), "changed"),
        (plan.recreated.len(), "deleted and made anew"),
        (plan.removed.len(), "removed"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    if plan.omitted > 0 {
        changes.push(format!("{} more", plan.omitted));
    }
    let changes = if changes.is_empty() {
        "no object would change".to_owned()
    } else {
        format!("objects: {}", changes.join(", "))
    };
    let refused = plan.refused.first().map_or_else(String::new, |first| {
        format!(
            "; it would fail, as the API server refuses {}: {}",
            first.object, first.message
        )
    });
    let message = format!(
        "revision {} ({}) would run again, held until {}; {changes}{refused}",
        to.revision,
        to.chart.full_name(),
        order.hold().until(),
    );
    let mut status = build(
        before,
        RequestPhase::Complete,
        Reason::Planned,
        message,
        generation,
        now,
    );
    status.from = ledger.current.as_ref().map(running);
    status.to = Some(running(to));
    status.plan = Some(plan);
    status.completed_at = Some(now.whole_seconds());
    status
}

/// The status of a request that is not carried out.
pub fn refused(
    before: &RollbackRequestStatus,
    reason: Reason,
    message: &str,
    generation: i64,
    now: Timestamp,
) -> RollbackRequestStatus {
    let mut status = build(
        before,
        RequestPhase::Refused,
        reason,
        message.to_owned(),
        generation,
        now,
    );
    status.completed_at = Some(now.whole_seconds());
    status
}

fn build(
    before: &RollbackRequestStatus,
    phase: RequestPhase,
    reason: Reason,
    message: String,
    generation: i64,
    now: Timestamp,
) -> RollbackRequestStatus {
    let condition = |type_, status| Condition {
        type_,
        status,
        reason,
        message: message.clone(),
        last_transition_time: now.whole_seconds(),
        observed_generation: generation,
    };
    let mut conditions = match phase {
        RequestPhase::Pending | RequestPhase::AwaitingApproval | RequestPhase::Running => vec![
            condition(ConditionType::Ready, ConditionStatus::Unknown),
            condition(ConditionType::Reconciling, ConditionStatus::True),
            condition(ConditionType::Complete, ConditionStatus::Unknown),
        ],
        RequestPhase::Complete => vec![
            condition(ConditionType::Ready, ConditionStatus::True),
            condition(ConditionType::Complete, ConditionStatus::True),
        ],
        RequestPhase::Failed | RequestPhase::Refused | RequestPhase::Superseded => vec![
            condition(ConditionType::Ready, ConditionStatus::False),
            condition(ConditionType::Stalled, ConditionStatus::True),
            condition(ConditionType::Complete, ConditionStatus::False),
        ],
    };
    condition::carry_transition_times(&before.conditions, &mut conditions);
    RollbackRequestStatus {
        observed_generation: generation,
        phase,
        conditions,
        message,
        ..before.clone()
    }
}
