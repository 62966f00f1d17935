//! What all reconciles share, and what it says of one release.

use std::sync::Arc;

use belay_api::rollback_request::RequestPhase;
use belay_api::{HelmRelease, RollbackRequest};
use belay_cluster::{Connection, Lane};
use belay_rollout::{Order, Place};
use belay_source::Fetcher;
use kube::ResourceExt;
use kube::runtime::events::Recorder;
use kube::runtime::reflector::{ObjectRef, Store};

use crate::checks::Checks;
use crate::clusters::{Cluster, Clusters};
use crate::dependents::Dependents;
use crate::error::Error;
use crate::gather;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::references::References;
use crate::render::Renders;
use crate::settings::Settings;
use crate::turns::Turns;

/// What reconciles share.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) connection: Connection,
    pub(crate) clusters: Clusters,
    pub(crate) checks: Checks,
    pub(crate) fetcher: Fetcher,
    pub(crate) renders: Renders,
    pub(crate) memory: Arc<Memory>,
    pub(crate) references: References,
    pub(crate) dependents: Arc<Dependents>,
    pub(crate) metrics: Metrics,
    pub(crate) recorder: Recorder,
    pub(crate) releases: Vec<Store<HelmRelease>>,
    pub(crate) requests: Vec<Store<RollbackRequest>>,
    pub(crate) turns: Turns,
}

impl Context {
    /// The cluster that a release lives in.
    pub(crate) async fn cluster_of(&self, release: &HelmRelease) -> Result<Arc<Cluster>, Error> {
        let reader = self.reading_for(release)?;
        self.clusters.of(release, &reader, &self.references).await
    }

    /// What a release's next reconcile, and what it asks of the API server, gives way to. What people order goes back,
    /// too.
    pub(crate) fn lane(&self, release: &HelmRelease) -> Lane {
        match self.memory.lane(&release.uid().unwrap_or_default()) {
            Lane::New if self.is_ordered_back(release) => Lane::Revert,
            lane => lane,
        }
    }

    fn is_ordered_back(&self, release: &HelmRelease) -> bool {
        let open = |request: &RollbackRequest| {
            let phase = request.status.as_ref().map(|status| status.phase);
            request.namespace() == release.namespace()
                && request.spec.release_ref.name == release.name_any()
                && !phase.is_some_and(RequestPhase::is_final)
        };
        self.requests.iter().any(|store| store.find(open).is_some())
    }

    /// The way to a release's cluster as the account that it is rolled out as, giving way to what comes first.
    pub(crate) fn speaking_for(
        &self,
        release: &HelmRelease,
        cluster: &Cluster,
    ) -> Result<Connection, Error> {
        let way = self.as_account_of(release, cluster)?;
        Ok(way.in_lane(self.lane(release)))
    }

    fn as_account_of(&self, release: &HelmRelease, cluster: &Cluster) -> Result<Connection, Error> {
        if release.spec.kube_config.is_none() {
            return self.reading_for(release);
        }
        match &release.spec.service_account_name {
            Some(account) => {
                let namespace = release.namespace().unwrap_or_default();
                Ok(cluster.connection.impersonate(&namespace, account)?)
            }
            // The kubeconfig's own account: whoever wrote it has given it what it may do.
            None => Ok(cluster.connection.clone()),
        }
    }

    /// The way to what a spec names, which is in the operator's own cluster: the release's account, unless that is one
    /// of another cluster.
    pub(crate) fn reading_for(&self, release: &HelmRelease) -> Result<Connection, Error> {
        match self.account_of(release) {
            Some(account) => {
                let namespace = release.namespace().unwrap_or_default();
                Ok(self.connection.impersonate(&namespace, account)?)
            }
            None => Ok(self.connection.clone()),
        }
    }

    /// The service account, of the operator's own cluster, as which what a spec names is read; none: as the operator.
    pub(crate) fn account_of<'r>(&'r self, release: &'r HelmRelease) -> Option<&'r str> {
        let spec = &release.spec;
        let named = spec.service_account_name.as_deref();
        let default = self.settings.default_service_account.as_deref();
        named.filter(|_| spec.kube_config.is_none()).or(default)
    }

    /// A release as the watch last saw it.
    pub(crate) fn cached_release(&self, release: &HelmRelease) -> Option<Arc<HelmRelease>> {
        let key = ObjectRef::from_obj(release);
        self.releases.iter().find_map(|store| store.get(&key))
    }

    /// A request as the watch last saw it.
    pub(crate) fn cached_request(
        &self,
        namespace: &str,
        name: &str,
    ) -> Option<Arc<RollbackRequest>> {
        let key = ObjectRef::new(name).within(namespace);
        self.requests.iter().find_map(|store| store.get(&key))
    }

    /// The release at a place as the watch last saw it.
    pub(crate) fn cached(&self, place: &Place) -> Option<Arc<HelmRelease>> {
        let key = ObjectRef::new(&place.name).within(&place.namespace);
        self.releases.iter().find_map(|store| store.get(&key))
    }

    /// The requests of a release as the watch last saw them, oldest first.
    pub(crate) fn cached_orders(&self, release: &HelmRelease) -> Vec<Order> {
        let namespace = release.namespace();
        let requests: Vec<_> = self
            .requests
            .iter()
            .flat_map(Store::state)
            .filter(|request| request.namespace() == namespace)
            .collect();
        gather::orders(release, requests.iter().map(AsRef::as_ref))
    }
}
