//! Every way in which a rollout fails, each of one release, all at the same time: from the first sign of it in the
//! cluster until it is on record, until the way back begins, and until the release is back.

mod case;
mod seen;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use belay_api::HelmRelease;
use belay_harness::{GENEROUS, TestNamespace};
use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

use crate::error::Error;
use crate::ground::Ground;
use crate::news::states;
use crate::operated::Operated;

pub(crate) use case::cases;
use case::{Case, Ends, FORBIDDEN, SCARCE};
use seen::{News, Seen};

/// The label that tells whose pod or Job it is.
const INSTANCE: &str = "app.kubernetes.io/instance";
/// Upgrades begin a second apart: all are of one kind of night, not of one moment.
const APART: Duration = Duration::from_secs(1);

/// What was seen of each.
struct Failures(Vec<(Case, Seen)>);

/// Installs a release for each way to fail, upgrades each to what fails, and prints what that took.
pub(crate) async fn measure(ground: &Ground) -> Result<(), Error> {
    let (namespace, _, operated) = Operated::alone(ground).await?;
    let names: Vec<_> = ground.names().collect();
    let hindrances = Hindrances::put(ground.client.clone(), &namespace).await?;
    futures::try_join!(
        operated.create(ground, &names),
        ground.all_ready(&namespace)
    )?;
    let seen = Box::pin(follow(ground, &namespace, &names)).await;
    hindrances.clear().await?;
    println!("{}", Failures(seen?));
    operated.end(&names).await?;
    ground.clear(namespace).await
}

async fn follow(
    ground: &Ground,
    namespace: &TestNamespace,
    names: &[String],
) -> Result<Vec<(Case, Seen)>, Error> {
    let releases: Api<HelmRelease> = Api::namespaced(ground.client.clone(), namespace.name());
    let pods: Api<Pod> = Api::namespaced(ground.client.clone(), namespace.name());
    let jobs: Api<Job> = Api::namespaced(ground.client.clone(), namespace.name());
    let told = states(releases.clone()).map(|found| News::Release(Box::new(found)));
    let pods = states(pods).map(|found| News::Pod(Box::new(found)));
    let jobs = states(jobs).map(|found| News::Job(Box::new(found)));
    let mut news = pin!(futures::stream::select(
        told,
        futures::stream::select(pods, jobs)
    ));
    let mut followed: BTreeMap<String, (Case, Seen)> = names
        .iter()
        .zip(cases())
        .map(|(name, case)| (name.clone(), (case, Seen::default())))
        .collect();
    let changes: Vec<_> = followed
        .iter()
        .map(|(name, (case, _))| (name.clone(), case.change.clone()))
        .collect();
    let (asking, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let change = async {
        for (name, change) in changes {
            // Whoever listens knows of it before anything can come of it.
            let _ = asking.send((name.clone(), Timestamp::now()));
            releases
                .patch(&name, &PatchParams::default(), &Patch::Merge(&change))
                .await
                .map_err(Error::kube("changing a HelmRelease"))?;
            tokio::time::sleep(APART).await;
        }
        Ok(())
    };
    let listen = async {
        while followed.values().any(|(_, seen)| seen.back.is_none()) {
            let Some(news) = news.next().await else { break };
            let now = Timestamp::now();
            while let Ok((name, at)) = asked.try_recv() {
                if let Some((_, seen)) = followed.get_mut(&name) {
                    seen.asked = Some(at);
                }
            }
            if let Some((_, seen)) = news.release().and_then(|name| followed.get_mut(&name)) {
                seen.take(&news, now);
            }
        }
    };
    let listen = async {
        let limit = tokio::time::timeout(GENEROUS * 3, listen).await;
        Ok::<_, Error>(limit.is_ok())
    };
    let ((), whole) = futures::try_join!(change, listen)?;
    if whole {
        return Ok(followed.into_values().collect());
    }
    let open = followed
        .values()
        .filter(|(_, seen)| seen.back.is_none())
        .map(|(case, seen)| format!("{} ({seen:?})", case.name));
    let open: Vec<_> = open.collect();
    Err(Error::NotDone(format!("not back: {}", open.join(", "))))
}

/// What stands in the way of pods in the namespace.
struct Hindrances {
    policies: Api<ValidatingAdmissionPolicy>,
    bindings: Api<ValidatingAdmissionPolicyBinding>,
    name: String,
}

impl Hindrances {
    async fn put(client: Client, namespace: &TestNamespace) -> Result<Self, Error> {
        let name = namespace.name().to_owned();
        let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), &name);
        let quota = json!({
            "metadata": {"name": "scarce"}, "spec": {"hard": {(format!("requests.{SCARCE}")): "0"}},
        });
        let policy = json!({
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"],
                }]},
                "validations": [{
                    "expression": format!("!object.spec.containers.exists(c, c.image.startsWith('{FORBIDDEN}'))"),
                    "message": "nobody may run this here",
                }],
            },
        });
        let binding = json!({
            "metadata": {"name": name},
            "spec": {
                "policyName": name, "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}},
            },
        });
        let put = Self {
            policies: Api::all(client.clone()),
            bindings: Api::all(client),
            name,
        };
        create(&quotas, quota).await?;
        create(&put.policies, policy).await?;
        create(&put.bindings, binding).await?;
        Ok(put)
    }

    async fn clear(self) -> Result<(), Error> {
        let options = DeleteParams::default();
        let deleting = || Error::kube("removing an admission policy");
        let gone = self.bindings.delete(&self.name, &options).await;
        gone.map_err(deleting())?;
        let gone = self.policies.delete(&self.name, &options).await;
        gone.map_err(deleting())?;
        Ok(())
    }
}

async fn create<K>(api: &Api<K>, object: serde_json::Value) -> Result<(), Error>
where
    K: Clone + fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let object = serde_json::from_value(object)
        .map_err(|error| Error::NotDone(format!("an object could not be written: {error}")))?;
    let created = api.create(&PostParams::default(), &object).await;
    created
        .map(drop)
        .map_err(Error::kube("creating what stands in the way of pods"))
}

impl fmt::Display for Failures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{:<31}{:<17}{:<15}{:>10}{:>10}{:>10}{:>10}",
            "seconds since the first sign",
            "reason",
            "waits for",
            "on record",
            "reverting",
            "back",
            "beyond"
        )?;
        for (case, seen) in &self.0 {
            let at = |at: Option<Timestamp>| match (seen.sign(case.ends), at) {
                (Some(sign), Some(at)) => format!("{:.2}", at.duration_since(sign).as_secs_f64()),
                _ => "-".to_owned(),
            };
            let beyond = match (seen.due(case.ends), seen.back) {
                (Some(due), Some(back)) => format!("{:.2}", back.duration_since(due).as_secs_f64()),
                _ => "-".to_owned(),
            };
            let begun = seen.begun.filter(|_| case.ends != Ends::BeforeItBegins);
            writeln!(
                out,
                "{:<31}{:<17}{:<15}{:>10}{:>10}{:>10}{:>10}",
                case.name,
                seen.reason.as_deref().unwrap_or("-"),
                case.ends.name(),
                at(seen.recorded),
                at(begun),
                at(seen.back),
                beyond
            )?;
        }
        writeln!(
            out,
            "beyond: from when the attempt had to end, by what it waits for, until all of it was back and at rest"
        )
    }
}
