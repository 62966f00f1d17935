//! Disarming: what another revision brought that has a say in other objects is undone before any of them is touched.
//!
//! A webhook that a failed revision brought may refuse every object and the pods of every hook, so that its removal at
//! the end, which is Helm's order, would never be reached.

use belay_cluster::{Connection, Error as ClusterError, Item};
use belay_health::ObjectKey;
use belay_release::install_order;
use serde_json::Value;

use super::apply::{Which, has_a_say, judge_failure, options, prune, tracked};
use super::record::pending;
use super::{Halt, objects};
use crate::clock;
use crate::error::Error;
use crate::gather;
use crate::session::Session;

/// Prunes what is not wanted any more; on a way back, puts back what stands otherwise than it is wanted. What is not there
/// comes in its turn, when what it relies on is back.
pub(super) async fn disarm(session: &mut Session) -> Result<(), Halt> {
    let gone = prune(session, Which::HasASay).await?;
    let mut applied = Vec::new();
    if session.attempt()?.goes_back() {
        let record = pending(session).await?;
        let documents = record.documents().map_err(Error::from)?;
        let mut wanted = Vec::new();
        for document in documents.documents.iter().filter(|it| it.may_have_a_say()) {
            wanted.extend(document.objects().map_err(Error::from)?);
        }
        let references =
            objects::references(&session.connection, &wanted, &record.namespace).await?;
        let mut speakers: Vec<_> = references
            .iter()
            .zip(wanted)
            .filter(|(reference, _)| has_a_say(&reference.key()))
            .collect();
        speakers.sort_by(|(a, _), (b, _)| install_order(&a.kind, &b.kind));
        let options = options(session, session.attempt()?.kind);
        let since = gather::since(session);
        for (reference, object) in speakers {
            let key = reference.key();
            if !is_there(&session.connection, &key).await? {
                continue;
            }
            let item = Item {
                known: objects::known(session.world.ledger.as_ref(), reference),
                object,
            };
            match session.connection.apply(&item, &options).await {
                Ok(answer) => applied.push(tracked(&answer, &references, since)),
                Err(error) => return Err(judge_failure(session, error, &key.to_string())?),
            }
        }
    }
    let now = clock::now();
    Ok(session
        .transition(|ledger| ledger.disarmed(&applied, &gone, now))
        .await?)
}

async fn is_there(connection: &Connection, key: &ObjectKey) -> Result<bool, Error> {
    let found: Result<Option<Value>, _> = connection.get_metadata(key).await;
    match found {
        Ok(found) => Ok(found.is_some()),
        Err(ClusterError::UnknownKind { .. }) => Ok(false),
        // Who may not look leaves it to its turn.
        Err(error) if error.is_access_denied() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
