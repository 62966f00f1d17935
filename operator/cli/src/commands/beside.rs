//! What a HelmRelease needs beside it: made before it, and gone with it.

use belay_api::HelmRelease;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Patch, PatchParams};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commands::Session;
use crate::connect::asking;
use crate::error::Error;
use crate::release_spec::MANAGER;
use crate::stdout;

/// Objects that a HelmRelease names and that this command makes. Their names follow from their content: another content
/// is another spec, and what an older revision needs stays until the release goes.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The chart's package.
    pub(super) package: Option<ConfigMap>,
    /// The keys by which the chart has to be signed.
    pub(super) keyring: Option<Secret>,
}

impl Beside {
    /// Prints them as documents, ready to be applied before what follows.
    pub(super) fn print(&self, namespace: &str) -> Result<(), Error> {
        if let Some(package) = &self.package {
            print(namespace, package)?;
        }
        if let Some(keyring) = &self.keyring {
            print(namespace, keyring)?;
        }
        Ok(())
    }

    /// Stores them and says so.
    pub(super) async fn store(&self, session: &Session) -> Result<(), Error> {
        if let Some(package) = &self.package {
            let name = package.name_any();
            store(session, "the chart in the ConfigMap", package).await?;
            stdout::say(format_args!("the chart goes into the ConfigMap {name}"));
        }
        if let Some(keyring) = &self.keyring {
            let name = keyring.name_any();
            store(session, "the keyring in the Secret", keyring).await?;
            stdout::say(format_args!(
                "the keys by which the chart has to be signed go into the Secret {name}"
            ));
        }
        Ok(())
    }

    /// Lets them go with the release.
    pub(super) async fn own(&self, session: &Session, release: &HelmRelease) -> Result<(), Error> {
        if let Some(package) = &self.package {
            let owned = owned(package, release);
            store(session, "the chart in the ConfigMap", &owned).await?;
        }
        if let Some(keyring) = &self.keyring {
            let owned = owned(keyring, release);
            store(session, "the keyring in the Secret", &owned).await?;
        }
        Ok(())
    }
}

/// A kind of object that lies in a namespace.
trait Kept:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + std::fmt::Debug
    + Serialize
    + DeserializeOwned
{
}

impl Kept for ConfigMap {}
impl Kept for Secret {}

fn print<K: Kept>(namespace: &str, object: &K) -> Result<(), Error> {
    let mut object = object.clone();
    object.meta_mut().namespace = Some(namespace.to_owned());
    let text = serde_yaml::to_string(&object).map_err(|source| Error::Print {
        format: "YAML",
        source: source.into(),
    })?;
    stdout::print(format!("{text}---\n"))
}

/// What is there under its name already has the same content.
async fn store<K: Kept>(session: &Session, what: &str, object: &K) -> Result<(), Error> {
    let name = object.name_any();
    let api = session.access.api::<K>();
    let parameters = PatchParams::apply(MANAGER).force();
    asking(
        &format!("storing {what} {name}"),
        api.patch(&name, &parameters, &Patch::Apply(object)),
    )
    .await?;
    Ok(())
}

fn owned<K: Kept>(object: &K, release: &HelmRelease) -> K {
    let owner = OwnerReference {
        api_version: HelmRelease::api_version(&()).into_owned(),
        kind: HelmRelease::kind(&()).into_owned(),
        name: release.name_any(),
        uid: release.uid().unwrap_or_default(),
        ..OwnerReference::default()
    };
    let mut object = object.clone();
    object.meta_mut().owner_references = Some(vec![owner]);
    object
}
