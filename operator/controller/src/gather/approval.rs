//! Whose word the open requests of a release need, and have.

use std::collections::BTreeMap;

use belay_api::RollbackRequest;
use belay_rollout::{Approval, Enforcement, Order};
use kube::Api;

use crate::approval::enforcement;
use crate::error::Error;
use crate::session::Session;

/// What was found out of requests, by their uid.
pub(crate) type Examined = BTreeMap<String, Enforcement>;

/// Says of each open request whether somebody else's word is needed and there. The API server is asked once for each.
pub(super) async fn settle(session: &mut Session) -> Result<(), Error> {
    let required = session.release.spec.rollback.approval.required;
    let orders = &session.world.orders;
    session
        .examined
        .retain(|uid, _| orders.iter().any(|order| &order.uid == uid));
    for index in 0..session.world.orders.len() {
        let order = &session.world.orders[index];
        let approval = if required && is_open(session, order) {
            let known = match session.examined.get(&order.uid) {
                Some(known) => Some(known.clone()),
                None => examine(session, order).await?,
            };
            // What is gone is dropped by the next look at the requests.
            known.map_or(Approval::Awaited, |known| {
                session.examined.insert(order.uid.clone(), known.clone());
                ruled(order, &known)
            })
        } else {
            Approval::NotNeeded
        };
        session.world.orders[index].approval = approval;
    }
    Ok(())
}

/// Looks again, uncached, right before a request is begun: whether it is there, approved, and checked.
pub(crate) async fn confirm(session: &Session, order: &Order) -> Result<(), Error> {
    if order.approval == Approval::NotNeeded {
        return Ok(());
    }
    let Some(request) = read(session, &order.name).await? else {
        return Err(Error::Stale);
    };
    let now = super::orders(&session.release, std::iter::once(&request));
    let same = now.first().filter(|now| now.uid == order.uid);
    let Some(now) = same else {
        return Err(Error::Stale);
    };
    let found = enforcement(&session.own, &request).await?;
    let given = found.map(|found| ruled(now, &found));
    if given.as_ref() == Some(&order.approval) {
        return Ok(());
    }
    // Whatever became of it is found out anew.
    session
        .memory
        .forget_examined(&session.world.declared.identity.uid);
    Err(Error::Stale)
}

fn ruled(order: &Order, found: &Enforcement) -> Approval {
    Approval::of(
        found,
        &order.spec.requested_by,
        order.approved_by.as_deref(),
    )
}

fn is_open(session: &Session, order: &Order) -> bool {
    let ledger = session.world.ledger.as_ref();
    let begun = ledger.is_some_and(|ledger| {
        let mut executed = ledger.executed.iter();
        executed.any(|executed| executed.uid == order.uid)
    });
    !order.phase.is_final() && !order.spec.dry_run && !begun
}

async fn examine(session: &Session, order: &Order) -> Result<Option<Enforcement>, Error> {
    match read(session, &order.name).await? {
        Some(request) => enforcement(&session.own, &request).await,
        None => Ok(None),
    }
}

async fn read(session: &Session, name: &str) -> Result<Option<RollbackRequest>, Error> {
    let namespace = &session.world.declared.identity.namespace;
    let requests: Api<RollbackRequest> = Api::namespaced(session.own.client(), namespace);
    requests
        .get_opt(name)
        .await
        .map_err(Error::kube("reading a RollbackRequest"))
}
