//! What the tests of the API server's crate start from: a namespace of their own and a connection to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use belay_cluster::{
    ApplyOptions, ConnectOptions, Connection, OnImmutable, Owner, RequestInfo, RequestObserver,
    connect,
};
use belay_harness::{Cluster, TestNamespace};
use serde_json::{Value, json};

/// Counts requests.
#[derive(Debug, Default)]
pub struct Counter(AtomicUsize);

impl RequestObserver for Counter {
    fn observed(&self, _: &RequestInfo, _: Option<u16>, _: Duration) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counter {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub struct World {
    pub cluster: Cluster,
    pub namespace: TestNamespace,
    pub connection: Connection,
    pub requests: Arc<Counter>,
}

pub async fn world(label: &str) -> World {
    world_with(label, ConnectOptions::default()).await
}

pub async fn world_with(label: &str, options: ConnectOptions) -> World {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace(label).await.unwrap();
    let requests = Arc::new(Counter::default());
    let options = ConnectOptions {
        kubeconfig: Some(cluster.kubeconfig()),
        observer: Some(requests.clone()),
        ..options
    };
    let connection = connect(options).await.unwrap();
    World {
        cluster,
        namespace,
        connection,
        requests,
    }
}

impl World {
    pub fn owner(&self) -> Owner {
        self.owner_of("shop")
    }

    pub fn owner_of(&self, release: &str) -> Owner {
        Owner {
            release: release.into(),
            namespace: self.namespace.name().into(),
        }
    }

    pub fn apply_options(&self) -> ApplyOptions {
        ApplyOptions {
            owner: self.owner(),
            take_ownership: false,
            on_immutable: OnImmutable::Fail,
        }
    }

    /// Runs kubectl in the namespace, which has to succeed.
    pub async fn kubectl(&self, args: &[&str]) -> String {
        let all = [args, &["-n", self.namespace.name()]].concat();
        self.cluster.kubectl(&all).await.unwrap().ok().unwrap()
    }
}

pub fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

pub fn deployment(name: &str, image: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "app", "image": image}]},
            },
        },
    })
}
