//! How the objects of a release are judged where the rules of their kind are not enough: by rules of the release's own,
//! and claims by what their storage class says.

use std::sync::Arc;

use belay_api::{HelmRelease, Reason};
use belay_cluster::Judge;
use belay_health::{ObjectKey, ReadinessRule, claim_verdict};
use belay_rollout::Rejection;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::Api;
use kube::api::ListParams;
use serde_json::Value;

use crate::error::Error;
use crate::session::Session;

/// The most storage classes that are looked at.
const MOST_CLASSES: u32 = 200;

/// The readiness rules of a spec, read once for each generation of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readiness {
    generation: Option<i64>,
    rules: Arc<[Arc<ReadinessRule>]>,
}

impl Readiness {
    /// Those of a release; `known` are those that were read last.
    pub(crate) fn of(release: &HelmRelease, known: &Self) -> Self {
        if known.generation.is_some() && known.generation == release.metadata.generation {
            return known.clone();
        }
        let rules = release
            .spec
            .readiness
            .iter()
            .enumerate()
            .map(|(index, rule)| {
                let failed = rule.failed.as_deref();
                let rule = ReadinessRule::read(
                    index,
                    &rule.api_version,
                    &rule.kind,
                    &rule.current,
                    failed,
                );
                Arc::new(rule)
            });
        Self {
            generation: release.metadata.generation,
            rules: rules.collect(),
        }
    }

    /// Whether they judge as others do.
    pub(crate) fn judge_as(&self, others: &Self) -> bool {
        self.rules == others.rules
    }

    /// Why nothing can be rolled out by them.
    pub(super) fn refusal(&self) -> Option<Rejection> {
        let wrong = self.rules.iter().find_map(|rule| rule.wrong())?;
        Some(Rejection {
            reason: Reason::SpecInvalid,
            message: format!("spec.{wrong}"),
            retry_at: None,
        })
    }

    fn rule(&self, object: &ObjectKey) -> Option<&Arc<ReadinessRule>> {
        self.rules.iter().find(|rule| rule.is_for(object))
    }
}

/// How the objects of a release are judged.
pub(crate) struct Judging {
    readiness: Readiness,
    classes: Arc<[Value]>,
}

impl Judging {
    /// What these objects of a release need. The cluster's storage classes are read only if there are claims.
    pub(crate) async fn of(
        session: &Session,
        objects: impl IntoIterator<Item = ObjectKey>,
    ) -> Result<Self, Error> {
        let readiness = session.readiness.clone();
        let claims = objects
            .into_iter()
            .any(|object| is_claim(&object) && readiness.rule(&object).is_none());
        let classes = if claims {
            storage_classes(session).await?
        } else {
            Arc::default()
        };
        Ok(Self { readiness, classes })
    }

    /// Judges this object; by its kind's rules when `None`.
    pub(crate) fn judge(&self, object: &ObjectKey) -> Option<Judge> {
        if let Some(rule) = self.readiness.rule(object) {
            let rule = Arc::clone(rule);
            return Some(Arc::new(move |object| rule.verdict(object)));
        }
        if !is_claim(object) || self.classes.is_empty() {
            return None;
        }
        let classes = Arc::clone(&self.classes);
        Some(Arc::new(move |claim| claim_verdict(claim, &classes)))
    }
}

fn is_claim(object: &ObjectKey) -> bool {
    object.group.is_empty() && object.kind == "PersistentVolumeClaim"
}

/// The classes, under the operator's own account: they belong to no release. Without the right to read them no claim is
/// excused.
async fn storage_classes(session: &Session) -> Result<Arc<[Value]>, Error> {
    let api: Api<StorageClass> = Api::all(session.cluster.connection.client());
    let listed = api
        .list(&ListParams::default().limit(MOST_CLASSES))
        .await
        .map_err(Error::kube("listing StorageClasses"));
    match listed {
        Ok(classes) => Ok(classes
            .iter()
            .filter_map(|class| serde_json::to_value(class).ok())
            .collect()),
        Err(error) if error.is_access_denied() => {
            tracing::warn!(%error, "claims that wait for their first pod are waited for");
            Ok(Arc::default())
        }
        Err(error) => Err(error),
    }
}
