//! `belay approve`: says, as the user of the kubeconfig, that somebody else's request may be carried out.

use std::process::ExitCode;

use belay_api::rollback_request::RequestPhase;
use belay_api::{RollbackRequest, names};
use clap::Args;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::commands::Session;
use crate::connect::asking;
use crate::error::Error;
use crate::stdout;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The RollbackRequest
    name: String,
    /// Take the approval back instead, before the request is begun
    #[arg(long)]
    withdraw: bool,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let name = &arguments.name;
    let api = session.access.api::<RollbackRequest>();
    let found = asking(
        &format!("reading the RollbackRequest {name}"),
        api.get_opt(name),
    )
    .await?;
    let request = found.ok_or_else(|| Error::NoRequest {
        namespace: session.access.namespace.clone(),
        name: name.clone(),
    })?;
    let phase = request.status.as_ref().map(|status| status.phase);
    if let Some(phase) = phase.filter(|phase| is_too_late(*phase)) {
        return Err(Error::TooLate {
            name: name.clone(),
            phase: format!("{phase:?}"),
        });
    }
    let user = session.access.user().await?;
    // The version: what was looked at is what is approved, and no other request of that name.
    let patch = json!({"metadata": {
        "resourceVersion": request.resource_version(),
        "annotations": {names::APPROVED_BY: (!arguments.withdraw).then_some(&user)},
    }});
    let params = PatchParams::default();
    asking(
        &format!("approving the RollbackRequest {name}"),
        api.patch(name, &params, &Patch::Merge(&patch)),
    )
    .await?;
    let deed = if arguments.withdraw {
        "withdrawn"
    } else {
        "approved"
    };
    stdout::say(format_args!("RollbackRequest {name} is {deed} by {user}"));
    Ok(ExitCode::SUCCESS)
}

/// Whether an approval changes nothing any more.
fn is_too_late(phase: RequestPhase) -> bool {
    phase.is_final() || phase == RequestPhase::Running
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_or_is_over_is_too_late_to_approve() {
        for open in [RequestPhase::Pending, RequestPhase::AwaitingApproval] {
            assert!(!is_too_late(open), "{open:?}");
        }
        for late in [
            RequestPhase::Running,
            RequestPhase::Complete,
            RequestPhase::Refused,
        ] {
            assert!(is_too_late(late), "{late:?}");
        }
    }
}
