//! Which kinds the cluster serves, and under which paths: two aggregated discovery calls, asked again when a kind
//! is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kube::client::{APIGroupDiscoveryList, APIVersionDiscovery};
use serde::Deserialize;
use tokio::time::Instant;

use crate::client::Connection;
use crate::error::Error;
use crate::wire::Call;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/// A kind that is not there is not looked for more often than this, however many objects want it.
const NOT_AGAIN_WITHIN: Duration = Duration::from_secs(1);

/// Does an object of a kind live in a namespace?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// One for the whole cluster.
    Cluster,
    /// In a namespace.
    Namespaced,
}

/// A kind as the cluster serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Empty for the core group.
    pub group: String,
    /// For example `v1`.
    pub version: String,
    /// For example `Deployment`.
    pub kind: String,
    /// The plural in paths, for example `deployments`.
    pub plural: String,
    /// Where its objects live.
    pub scope: Scope,
    /// Can it be watched?
    pub watchable: bool,
    /// Can it be listed?
    pub listable: bool,
}

impl Resolved {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        join(&self.group, &self.version)
    }

    /// The path of all objects, or of those in one namespace. The namespace of a cluster-scoped kind is ignored.
    pub(crate) fn collection(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match (
            self.scope,
            namespace.filter(|namespace| !namespace.is_empty()),
        ) {
            (Scope::Namespaced, Some(namespace)) => {
                format!("{root}/namespaces/{namespace}/{}", self.plural)
            }
            _ => format!("{root}/{}", self.plural),
        }
    }

    /// The path of one object.
    pub(crate) fn object(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{name}", self.collection(namespace))
    }
}

/// What the cluster calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerVersion {
    /// For example `1`.
    pub major: String,
    /// For example `36`, on some providers `36+`.
    pub minor: String,
    /// For example `v1.36.3`.
    pub git_version: String,
}

#[derive(Debug, Default)]
struct Table {
    /// By (apiVersion, kind).
    kinds: BTreeMap<(String, String), Resolved>,
    /// By (group, kind): the version that the cluster prefers.
    preferred: BTreeMap<(String, String), Resolved>,
    /// As Helm lists them: every group/version and every group/version/Kind, subresources' kinds too.
    api_versions: Vec<String>,
}

/// The cache of what is served. Shared by all accounts of a connection.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    table: Arc<RwLock<Option<Arc<Table>>>>,
    // One refresh at a time: those who wait use what it found. Holds when the last one ended.
    refreshing: Arc<tokio::sync::Mutex<Option<Instant>>>,
}

impl Kinds {
    fn current(&self) -> Option<Arc<Table>> {
        self.table
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn newer_than(
        &self,
        seen: Option<&Arc<Table>>,
        not_within: Duration,
        connection: &Connection,
    ) -> Result<Arc<Table>, Error> {
        let mut last = self.refreshing.lock().await;
        let changed = |now: &Arc<Table>| seen.is_none_or(|seen| !Arc::ptr_eq(seen, now));
        if let Some(now) = self.current().filter(changed) {
            return Ok(now);
        }
        if let (Some(now), Some(last)) = (self.current(), *last)
            && last.elapsed() < not_within
        {
            return Ok(now);
        }
        let core = Call::get("/api".into()).accept(AGGREGATED);
        let groups = Call::get("/apis".into()).accept(AGGREGATED);
        let (core, groups): (APIGroupDiscoveryList, APIGroupDiscoveryList) =
            tokio::try_join!(core.read(connection), groups.read(connection))?;
        let table = Arc::new(read(&[core, groups]));
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Some(table.clone());
        *last = Some(Instant::now());
        Ok(table)
    }
}

impl Connection {
    /// The kind as it is served; asks the cluster again when it is not known.
    ///
    /// # Errors
    /// [`Error::UnknownKind`] when the cluster does not serve it; read errors.
    pub async fn resolve(&self, api_version: &str, kind: &str) -> Result<Resolved, Error> {
        let key = (api_version.to_owned(), kind.to_owned());
        let found = self.find(|table| table.kinds.get(&key).cloned()).await?;
        let (api_version, kind) = key;
        found.ok_or(Error::UnknownKind { api_version, kind })
    }

    /// The kind in the version that the cluster prefers; asks the cluster again when it is not known. The group is
    /// empty for the core group.
    ///
    /// # Errors
    /// As [`Connection::resolve`].
    pub async fn resolve_preferred(&self, group: &str, kind: &str) -> Result<Resolved, Error> {
        let key = (group.to_owned(), kind.to_owned());
        let found = self
            .find(|table| table.preferred.get(&key).cloned())
            .await?;
        let (api_version, kind) = key;
        found.ok_or(Error::UnknownKind { api_version, kind })
    }

    async fn find(
        &self,
        look: impl Fn(&Table) -> Option<Resolved>,
    ) -> Result<Option<Resolved>, Error> {
        let known = self.kinds().current();
        if let Some(found) = known.as_deref().and_then(&look) {
            return Ok(Some(found));
        }
        let table = self
            .kinds()
            .newer_than(known.as_ref(), NOT_AGAIN_WITHIN, self)
            .await?;
        Ok(look(&table))
    }

    /// Asks the cluster again what it serves, for example after CRDs were applied.
    ///
    /// # Errors
    /// Read errors.
    pub async fn rediscover(&self) -> Result<(), Error> {
        let known = self.kinds().current();
        self.kinds()
            .newer_than(known.as_ref(), Duration::ZERO, self)
            .await
            .map(|_| ())
    }

    /// The `.Capabilities.APIVersions` that a chart sees: `v1`, `v1/Pod`, `apps/v1`, `apps/v1/Deployment`, …
    ///
    /// # Errors
    /// Read errors.
    pub async fn api_versions(&self) -> Result<Vec<String>, Error> {
        let table = match self.kinds().current() {
            Some(table) => table,
            None => self.kinds().newer_than(None, Duration::ZERO, self).await?,
        };
        Ok(table.api_versions.clone())
    }

    /// The `.Capabilities.KubeVersion` that a chart sees.
    ///
    /// # Errors
    /// Read errors.
    pub async fn server_version(&self) -> Result<ServerVersion, Error> {
        Call::get("/version".into()).read(self).await
    }
}

fn read(lists: &[APIGroupDiscoveryList]) -> Table {
    let mut kinds = BTreeMap::new();
    let mut preferred = BTreeMap::new();
    let mut api_versions = BTreeSet::new();
    for group in lists.iter().flat_map(|list| &list.items) {
        let name = group
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.name.as_deref())
            .unwrap_or_default();
        for version in &group.versions {
            read_version(name, version, &mut kinds, &mut api_versions);
            // Versions come in the order of preference.
            let api_version = join(name, version.version.as_deref().unwrap_or_default());
            for ((_, kind), resolved) in kinds
                .range((api_version.clone(), String::new())..)
                .take_while(|((of, _), _)| *of == api_version)
            {
                preferred
                    .entry((name.to_owned(), kind.clone()))
                    .or_insert_with(|| resolved.clone());
            }
        }
    }
    Table {
        kinds,
        preferred,
        api_versions: api_versions.into_iter().collect(),
    }
}

fn join(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

fn read_version(
    group: &str,
    served: &APIVersionDiscovery,
    kinds: &mut BTreeMap<(String, String), Resolved>,
    api_versions: &mut BTreeSet<String>,
) {
    let version = served.version.as_deref().unwrap_or_default();
    let api_version = join(group, version);
    api_versions.insert(api_version.clone());
    for resource in &served.resources {
        for sub in &resource.subresources {
            if let Some(kind) = sub
                .response_kind
                .as_ref()
                .and_then(|kind| kind.kind.as_deref())
            {
                api_versions.insert(format!("{api_version}/{kind}"));
            }
        }
        let kind = resource
            .response_kind
            .as_ref()
            .and_then(|kind| kind.kind.as_deref())
            .unwrap_or_default();
        let plural = resource.resource.as_deref().unwrap_or_default();
        if kind.is_empty() || plural.is_empty() {
            continue;
        }
        api_versions.insert(format!("{api_version}/{kind}"));
        let can = |verb: &str| resource.verbs.iter().any(|offered| offered == verb);
        let resolved = Resolved {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            scope: if resource.scope.as_deref() == Some("Namespaced") {
                Scope::Namespaced
            } else {
                Scope::Cluster
            },
            watchable: can("watch"),
            listable: can("list"),
        };
        // Two resources may share a kind; the one that offers more is the object itself.
        let slot = kinds.entry((api_version.clone(), kind.to_owned()));
        slot.and_modify(|known: &mut Resolved| {
            if resolved.listable && !known.listable {
                *known = resolved.clone();
            }
        })
        .or_insert(resolved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_helm_s_list_come_from_one_document() {
        let document = serde_json::json!({"items": [{"metadata": {"name": "apps"}, "versions": [{
            "version": "v1",
            "resources": [{
                "resource": "deployments", "scope": "Namespaced", "verbs": ["get", "list", "watch", "patch"],
                "responseKind": {"group": "apps", "version": "v1", "kind": "Deployment"},
                "subresources": [{"subresource": "scale", "verbs": ["get"],
                    "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"}}]
            }]
        }]}]});
        let table = read(&[serde_json::from_value(document).unwrap()]);
        assert_eq!(
            table.api_versions,
            ["apps/v1", "apps/v1/Deployment", "apps/v1/Scale"]
        );
        let found = &table.kinds[&("apps/v1".to_owned(), "Deployment".to_owned())];
        assert!(found.watchable);
        assert_eq!(
            &table.preferred[&("apps".to_owned(), "Deployment".to_owned())],
            found
        );
        assert_eq!(
            found.object(Some("shop"), "web"),
            "/apis/apps/v1/namespaces/shop/deployments/web"
        );
    }

    #[test]
    fn a_cluster_scoped_kind_has_no_namespace_in_its_path() {
        let found = Resolved {
            group: String::new(),
            version: "v1".into(),
            kind: "Namespace".into(),
            plural: "namespaces".into(),
            scope: Scope::Cluster,
            watchable: true,
            listable: true,
        };
        assert_eq!(
            found.object(Some("ignored"), "shop"),
            "/api/v1/namespaces/shop"
        );
    }
}
