//! Replacing: broken pods that keep their `StatefulSets` from going on are deleted.

use belay_cluster::{NotDone, RefusalKind};
use belay_rollout::StrandedPod;

use crate::error::Error;
use crate::session::Session;

/// Deletes exactly these pods; their `StatefulSets` make them anew, from the newest template.
pub(super) async fn replace(session: &mut Session, pods: &[StrandedPod]) -> Result<(), Error> {
    for stranded in pods {
        // As the operator itself: whoever rolls out StatefulSets need not have the right to delete pods.
        match session
            .cluster
            .connection
            .delete_exactly(&stranded.pod, &stranded.uid)
            .await
        {
            Ok(_) => {}
            // Another pod of that name stands there already.
            Err(error) if error.is(RefusalKind::Conflict) => {}
            // The attempt goes on without, to its deadline.
            Err(NotDone::Refused(error)) => {
                tracing::warn!(pod = %stranded.pod, %error, "cannot be deleted, though its StatefulSet waits for it");
                session.cluster.watches.pod_deleted(
                    stranded.pod.namespace.as_deref().unwrap_or_default(),
                    &stranded.pod.name,
                );
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        let namespace = stranded.pod.namespace.as_deref().unwrap_or_default();
        session
            .cluster
            .watches
            .pod_deleted(namespace, &stranded.pod.name);
        tracing::info!(pod = %stranded.pod, owner = %stranded.owner, fault = %stranded.fault, "deleted: its StatefulSet waited for it in vain");
    }
    let now = session.world.now;
    session
        .transition(|ledger| ledger.replaced(pods, now))
        .await
}
