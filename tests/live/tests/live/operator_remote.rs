//! Releases in another cluster: `spec.kubeConfig`.

use std::path::Path;

use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason};
use belay_cluster::{ConnectOptions, connect};
use belay_harness::{Cluster, ControlPlane, GENEROUS, Rights, gone, rule};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::operator_charts::{Files, note};
use crate::operator_world::{SHOP, World, condition, current, message, operated_world, ready};

/// The Secret with the kubeconfig.
const ACCESS: &str = "access";

/// A second cluster for all tests here: an API server with its etcd, which ends with this process.
async fn elsewhere() -> Cluster {
    static STARTED: OnceCell<ControlPlane> = OnceCell::const_new();
    let start = async {
        let folder = std::env::temp_dir().join(belay_harness::unique("belay-elsewhere"));
        ControlPlane::start_bare(&folder).await.unwrap()
    };
    STARTED.get_or_init(|| start).await.cluster().clone()
}

/// A namespace here with an operator, and the cluster elsewhere in which a namespace of the same name is made.
struct Two {
    here: World,
    there: Cluster,
}

async fn two(label: &str) -> Two {
    Two {
        here: operated_world(label).await,
        there: elsewhere().await,
    }
}

impl Two {
    fn api<K>(&self, client: &kube::Client) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(client.clone(), self.here.namespace())
    }

    async fn client(&self) -> kube::Client {
        self.there.client().await.unwrap()
    }

    /// Puts a kubeconfig into the Secret.
    async fn give(&self, text: &str) {
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(ACCESS.into()),
                ..ObjectMeta::default()
            },
            data: Some([("value".to_owned(), ByteString(text.into()))].into()),
            ..Secret::default()
        };
        self.here
            .api::<Secret>()
            .patch(
                ACCESS,
                &PatchParams::apply("test").force(),
                &Patch::Apply(&secret),
            )
            .await
            .unwrap();
    }

    async fn give_file(&self, path: &Path) {
        self.give(&std::fs::read_to_string(path).unwrap()).await;
    }

    async fn give_admin(&self) {
        self.give_file(&self.there.kubeconfig()).await;
    }

    async fn make_namespace_there(&self) {
        let name = self.here.namespace();
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let namespaces: Api<Namespace> = Api::all(self.client().await);
        let made = namespaces.create(&PostParams::default(), &namespace).await;
        made.unwrap();
    }

    async fn declare(&self, chart: &Files, greeting: &str, more: &Value) -> HelmRelease {
        let mut spec = json!({
            "chart": chart.inline(), "values": {"greeting": greeting},
            "kubeConfig": {"secretRef": {"name": ACCESS}},
        });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        self.here.apply(SHOP, &spec).await
    }

    async fn greeting_there(&self) -> Option<String> {
        let maps = self.api::<ConfigMap>(&self.client().await);
        let map = maps.get_opt("shop-config").await.unwrap()?;
        map.data?.remove("greeting")
    }

    async fn helm_there(&self, args: &[&str]) -> String {
        let all = [args, &["-n", self.here.namespace()]].concat();
        self.there.helm(&all).await.unwrap().ok().unwrap()
    }

    async fn secrets_there(&self) -> Vec<String> {
        let secrets = self.api::<Secret>(&self.client().await);
        let listed = secrets.list(&ListParams::default()).await.unwrap();
        listed.iter().map(ResourceExt::name_any).collect()
    }

    /// Waits until the release is told not to be Ready for this reason.
    async fn told(&self, reason: Reason) -> HelmRelease {
        self.here
            .until_release(SHOP, &format!("Ready=False, {reason}"), |release| {
                ready(release).is_some_and(|ready| {
                    ready.status == ConditionStatus::False && ready.reason == reason
                })
            })
            .await
    }
}

#[tokio::test]
async fn all_that_belongs_to_a_release_is_in_the_cluster_of_its_kubeconfig() {
    // Given a chart with a hook, and a kubeconfig in a Secret.
    let two = two("remote").await;
    two.give_admin().await;
    let prepared = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "prepared", "annotations": {"helm.sh/hook": "pre-install"}},
    });
    let chart = note().with("templates/prepared.yaml", &prepared.to_string());

    // When it is installed, then objects, hooks, records and ledger are there, and nothing of them is here.
    let more = json!({"createNamespace": true});
    let asked = two.declare(&chart, "one", &more).await;
    two.here.deployed(&asked).await;
    assert_eq!(two.greeting_there().await.as_deref(), Some("one"));
    let there = two.api::<ConfigMap>(&two.client().await);
    assert!(there.get_opt("prepared").await.unwrap().is_some());
    let secrets = two.secrets_there().await;
    assert_eq!(secrets, ["belay.v1.shop", "sh.helm.release.v1.shop.v1"]);
    assert_eq!(two.here.secrets().await, [ACCESS]);
    assert!(two.here.config_map("shop-config").await.is_none());

    // And what somebody's helm does there is noticed.
    let asked = two.declare(&chart, "two", &more).await;
    two.here.deployed(&asked).await;
    two.helm_there(&["rollback", SHOP, "1"]).await;
    let release = two
        .here
        .until_release(SHOP, "the outside change", |release| {
            current(release) == Some(3)
        })
        .await;
    assert_eq!(release.status.unwrap().current.unwrap().revision, 3);
    assert_eq!(two.greeting_there().await.as_deref(), Some("one"));

    // And it goes there, too.
    two.here.delete::<HelmRelease>(SHOP).await;
    gone(&there, "shop-config", GENEROUS).await.unwrap();
    assert!(two.secrets_there().await.is_empty());
    two.here.end().await;
}

#[tokio::test]
async fn a_service_account_is_one_of_the_other_cluster() {
    let two = two("remotesa").await;
    two.give_admin().await;
    two.make_namespace_there().await;
    let more = json!({"serviceAccountName": "deployer"});

    // Given an account there that may do nothing.
    two.declare(&note(), "one", &more).await;
    let release = two.told(Reason::AccessDenied).await;
    let told = message(&release);
    assert!(told.contains("deployer"), "{told}");
    assert_eq!(two.greeting_there().await, None);

    // When it gets the right there, then the release goes on.
    let client = two.client().await;
    let role: Role = serde_json::from_value(json!({
        "metadata": {"name": "deployer"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}],
    }))
    .unwrap();
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "deployer"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"},
        "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": two.here.namespace()}],
    }))
    .unwrap();
    let post = PostParams::default();
    two.api::<Role>(&client).create(&post, &role).await.unwrap();
    let bindings = two.api::<RoleBinding>(&client);
    bindings.create(&post, &binding).await.unwrap();
    let annotated = json!({"belay.dev/reconcile": "granted"});
    let asked = two.here.annotate(SHOP, &annotated).await;
    two.here.deployed(&asked).await;
    assert_eq!(two.greeting_there().await.as_deref(), Some("one"));
    two.here.delete::<HelmRelease>(SHOP).await;
    two.here.end().await;
}

#[tokio::test]
async fn a_kubeconfig_that_comes_late_or_changes_is_taken_up_at_once() {
    let two = two("rotated").await;
    two.make_namespace_there().await;

    // Given a release before its Secret.
    let asked = two.declare(&note(), "one", &json!({})).await;
    let release = two.told(Reason::ReferenceNotFound).await;
    assert!(message(&release).contains(ACCESS), "{}", message(&release));
    two.give_admin().await;
    two.here.deployed(&asked).await;

    // When the credentials are those of somebody who may do less, then that is what counts.
    let everything = rule(&["*"], &["*"], &["*"]);
    let rights = Rights::none().within(two.here.namespace(), [everything]);
    let user = two.there.identity("tenant", rights).await.unwrap();
    two.give_file(user.kubeconfig()).await;
    let asked = two.declare(&note(), "two", &json!({})).await;
    two.here.deployed(&asked).await;
    assert_eq!(two.greeting_there().await.as_deref(), Some("two"));

    // And without the Secret it is told, while what was known stays.
    two.here.kubectl(&["delete", "secret", ACCESS]).await;
    let release = two.told(Reason::ReferenceNotFound).await;
    assert_eq!(current(&release), Some(2));
    let available = condition(&release, ConditionType::Available);
    assert_eq!(available.unwrap().status, ConditionStatus::True);
    two.give_admin().await;
    two.here.deployed(&asked).await;
    two.here.delete::<HelmRelease>(SHOP).await;
    two.here.end().await;
}

#[tokio::test]
async fn a_kubeconfig_neither_runs_commands_nor_reads_files_nor_speaks_in_the_open() {
    let two = two("untrusted").await;
    let config = |server: &str, user: &Value| {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "a",
            "clusters": [{"name": "a", "cluster": {"server": server}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            "users": [{"name": "a", "user": user}],
        })
        .to_string()
    };
    let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh"}});
    let https = "https://127.0.0.1:1";
    for (text, part) in [
        (config(https, &exec), "command"),
        (config(https, &json!({"tokenFile": "/etc/passwd"})), "file"),
        (
            config("http://127.0.0.1:1", &json!({"token": "geheim"})),
            "https",
        ),
        ("geheim: [".to_owned(), "cannot be used"),
    ] {
        two.give(&text).await;
        two.declare(&note(), "one", &json!({})).await;
        let release = two
            .here
            .until_release(SHOP, part, |release| {
                ready(release).is_some_and(|ready| ready.reason == Reason::SpecInvalid)
                    && message(release).contains(part)
            })
            .await;
        assert!(
            !message(&release).contains("geheim"),
            "{}",
            message(&release)
        );
    }
    two.here.delete::<HelmRelease>(SHOP).await;
    two.here.end().await;
}

#[tokio::test]
async fn a_release_whose_kubeconfig_is_gone_is_let_go_and_what_stays_is_named() {
    let two = two("lost").await;
    two.give_admin().await;
    two.make_namespace_there().await;
    let asked = two.declare(&note(), "one", &json!({})).await;
    two.here.deployed(&asked).await;

    // When the Secret goes before its release.
    two.here.kubectl(&["delete", "secret", ACCESS]).await;
    two.told(Reason::ReferenceNotFound).await;
    two.here.delete::<HelmRelease>(SHOP).await;

    // Then nothing holds it up, an event names what is left, and that is left.
    let events: Value =
        serde_json::from_str(&two.here.kubectl(&["get", "events", "-o", "json"]).await).unwrap();
    let left: Vec<_> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["reason"] == "LeftBehind")
        .map(|event| event["message"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        left.iter()
            .any(|note| note.contains("belay.v1.shop") && note.contains("helm uninstall")),
        "{left:?}"
    );
    assert_eq!(two.greeting_there().await.as_deref(), Some("one"));
    two.here.end().await;
}

#[tokio::test]
async fn two_releases_of_one_name_in_two_clusters_are_two() {
    // Given a release here and one there, of the same release name.
    let two = two("samename").await;
    two.give_admin().await;
    two.make_namespace_there().await;
    let asked = two.declare(&note(), "there", &json!({})).await;
    two.here.deployed(&asked).await;
    let local =
        json!({"chart": note().inline(), "releaseName": SHOP, "values": {"greeting": "here"}});
    let asked = two.here.apply("local", &local).await;
    two.here.deployed(&asked).await;

    // Then each has its own.
    assert_eq!(two.greeting_there().await.as_deref(), Some("there"));
    assert_eq!(two.here.greeting(SHOP).await, "here");
    two.here.delete::<HelmRelease>("local").await;
    assert_eq!(two.greeting_there().await.as_deref(), Some("there"));
    two.here.delete::<HelmRelease>(SHOP).await;
    two.here.end().await;
}

#[tokio::test]
async fn a_comparison_is_with_the_cluster_that_the_release_lives_in() {
    let two = two("compared").await;
    two.give_admin().await;
    two.make_namespace_there().await;
    let asked = two.declare(&note(), "there", &json!({})).await;
    let release = two.here.deployed(&asked).await;

    let connection = connect(ConnectOptions {
        kubeconfig: Some(two.here.cluster.kubeconfig()),
        ..ConnectOptions::default()
    });
    let connection = connection.await.unwrap();
    let comparison = belay_controller::compare(&connection, &release, None)
        .await
        .unwrap();

    assert_eq!(
        comparison.differences,
        [],
        "nothing of it is here, all of it is there"
    );
    assert!(comparison.unchanged > 0);
    two.here.delete::<HelmRelease>(SHOP).await;
    two.here.end().await;
}
