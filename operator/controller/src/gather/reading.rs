//! Reading what a spec names, each object once, and noting what was read.

use std::collections::BTreeMap;

use belay_api::HelmRelease;
use belay_cluster::Connection;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::{Api, ResourceExt};

use crate::clusters::{Cluster, Clusters};
use crate::context::Context;
use crate::error::Error;
use crate::references::{Read, Reference, ReferenceKind, References};

/// The `ConfigMap`s and Secrets of one look at a spec.
pub(crate) struct Reading<'c> {
    references: &'c References,
    connection: Connection,
    /// The name of that account, or the one that pods have which name none.
    account: String,
    namespace: String,
    release: String,
    read: BTreeMap<Reference, Read>,
    config_maps: BTreeMap<String, Option<ConfigMap>>,
    secrets: BTreeMap<String, Option<Secret>>,
}

impl<'c> Reading<'c> {
    /// As the account that reads what the release's spec names.
    pub(super) fn new(
        context: &'c Context,
        release: &HelmRelease,
        cluster: &Cluster,
    ) -> Result<Self, Error> {
        let connection = context.reading_for(release)?;
        let account = context.account_of(release).unwrap_or("default");
        let reading = Self::through(connection, &context.references, release, account);
        Ok(Self {
            read: Clusters::read_of(release, cluster),
            ..reading
        })
    }

    /// As whoever speaks through the connection; `account` is the one that the release is rolled out as.
    pub(crate) fn through(
        connection: Connection,
        references: &'c References,
        release: &HelmRelease,
        account: &str,
    ) -> Self {
        Self {
            references,
            connection,
            account: account.to_owned(),
            namespace: release.namespace().unwrap_or_default(),
            release: release.name_any(),
            read: BTreeMap::new(),
            config_maps: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }

    /// The namespace of all that a spec names: its release's own.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A ConfigMap, if it exists.
    pub(super) async fn config_map(&mut self, name: &str) -> Result<Option<&ConfigMap>, Error> {
        if !self.config_maps.contains_key(name) {
            let reference = self.begin(ReferenceKind::ConfigMap, name);
            let client = self.connection.client();
            let found = Api::<ConfigMap>::namespaced(client, &self.namespace)
                .get_opt(name)
                .await
                .map_err(Error::kube("reading a ConfigMap of the spec"))?;
            self.read.insert(reference, version(found.as_ref()));
            self.config_maps.insert(name.to_owned(), found);
        }
        Ok(self.config_maps.get(name).and_then(Option::as_ref))
    }

    /// A Secret, if it exists.
    pub(super) async fn secret(&mut self, name: &str) -> Result<Option<&Secret>, Error> {
        if !self.secrets.contains_key(name) {
            let reference = self.begin(ReferenceKind::Secret, name);
            let client = self.connection.client();
            let found = Api::<Secret>::namespaced(client, &self.namespace)
                .get_opt(name)
                .await
                .map_err(Error::kube("reading a Secret of the spec"))?;
            self.read.insert(reference, version(found.as_ref()));
            self.secrets.insert(name.to_owned(), found);
        }
        Ok(self.secrets.get(name).and_then(Option::as_ref))
    }

    /// The pull secrets of the release's service account, by name; none where the account may not be read, as most
    /// charts need none.
    pub(super) async fn pull_secrets(&self) -> Result<Vec<String>, Error> {
        let client = self.connection.client();
        let accounts = Api::<ServiceAccount>::namespaced(client, &self.namespace);
        let found = accounts
            .get_opt(&self.account)
            .await
            .map_err(Error::kube("reading the service account"));
        let account = match found {
            Err(error) if error.is_access_denied() => None,
            found => found?,
        };
        let secrets = account.and_then(|account| account.image_pull_secrets);
        let named = secrets.unwrap_or_default().into_iter();
        Ok(named.map(|secret| secret.name).collect())
    }

    /// A key of a ConfigMap as bytes; `None` when either does not exist.
    pub(super) async fn config_map_key(
        &mut self,
        name: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(map) = self.config_map(name).await? else {
            return Ok(None);
        };
        let binary = map.binary_data.as_ref().and_then(|data| data.get(key));
        let text = map.data.as_ref().and_then(|data| data.get(key));
        Ok(binary
            .map(|bytes| bytes.0.clone())
            .or_else(|| text.map(|text| text.clone().into_bytes())))
    }

    /// A key of a Secret as bytes; `None` when either does not exist.
    pub(super) async fn secret_key(
        &mut self,
        name: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        let secret = self.secret(name).await?;
        let data = secret.and_then(|secret| secret.data.as_ref());
        Ok(data
            .and_then(|data| data.get(key))
            .map(|bytes| bytes.0.clone()))
    }

    /// All was read that the spec names, or as much as there was use for: from here on a change wakes the release.
    pub(super) fn end(self) {
        self.references
            .end(&self.namespace, &self.release, self.read);
    }

    fn begin(&self, kind: ReferenceKind, name: &str) -> Reference {
        let reference = Reference {
            kind,
            namespace: self.namespace.clone(),
            name: name.to_owned(),
        };
        self.references.begin(&self.release, &reference);
        reference
    }
}

fn version<K: ResourceExt>(found: Option<&K>) -> Read {
    let version = |object: &K| object.resource_version().and_then(|text| text.parse().ok());
    match found {
        None => Read::Absent,
        Some(object) => Read::At(version(object).unwrap_or_default()),
    }
}
