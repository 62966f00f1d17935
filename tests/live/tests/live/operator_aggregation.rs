//! APIs that the API server does not serve itself: those that a chart brings, and those of others that are down.
//!
//! A cluster of their own: an API that is down is felt by everybody who asks what there is.

use belay_api::helm_release::FailureClass;
use belay_api::{ConditionType, HelmRelease, Phase, Reason};
use belay_harness::{Admission, Cluster, ControlPlane, Extension, GENEROUS, gone, rule, until};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::command_line::{User, folder};
use crate::operator_charts::{Files, note, shop};
use crate::operator_world::{SHOP, World, current, holds, message, operated_world_in, ready};

/// The Service by which the API server reaches the server of the API.
const ADAPTER: &str = "shop-adapter";

/// A cluster for all tests here, which ends with this process.
async fn cluster() -> Cluster {
    static STARTED: OnceCell<ControlPlane> = OnceCell::const_new();
    let start = async {
        let folder = std::env::temp_dir().join(belay_harness::unique("belay-aggregation"));
        ControlPlane::start(&folder).await.unwrap()
    };
    let started = Box::pin(STARTED.get_or_init(|| start)).await;
    started.cluster().clone()
}

async fn world(label: &str) -> World {
    operated_world_in(cluster().await, label).await
}

/// An API with one kind, `Gauge`, and its server.
struct Adapter {
    server: Extension,
    group: String,
    namespace: String,
}

impl Adapter {
    async fn start(world: &World) -> Self {
        let namespace = world.namespace().to_owned();
        let names = [format!("{ADAPTER}.{namespace}.svc")];
        Self {
            server: Extension::start(&world.cluster, &names).await.unwrap(),
            group: format!("{namespace}.example.org"),
            namespace,
        }
    }

    /// The name of its `APIService`.
    fn name(&self) -> String {
        format!("v1.{}", self.group)
    }

    fn service(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": ADAPTER, "namespace": self.namespace},
            "spec": {"type": "ExternalName", "externalName": "127.0.0.1"},
        })
    }

    fn api_service(&self) -> Value {
        json!({
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": self.name()},
            "spec": {
                "group": self.group, "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
                "caBundle": self.server.ca_bundle(),
                "service": {"name": ADAPTER, "namespace": self.namespace, "port": self.server.port()},
            },
        })
    }

    fn gauge(&self, size: u32) -> Value {
        json!({
            "apiVersion": format!("{}/v1", self.group), "kind": "Gauge",
            "metadata": {"name": "one"}, "spec": {"size": size},
        })
    }

    /// A chart with the API and what leads to its server.
    fn bring(&self, chart: Files) -> Files {
        chart
            .with("templates/adapter.yaml", &self.service().to_string())
            .with_object(&self.api_service())
    }

    /// Somebody else brings the API.
    async fn register(&self, world: &World) {
        let manifests = format!("{}\n---\n{}", self.service(), self.api_service());
        world.cluster.apply(&manifests).await.unwrap().ok().unwrap();
    }

    async fn registered(&self, world: &World, what: &str, status: &str) {
        let services: Api<APIService> = Api::all(world.client.clone());
        let is = |service: &APIService| {
            let conditions = service
                .status
                .as_ref()
                .and_then(|status| status.conditions.as_ref());
            conditions
                .into_iter()
                .flatten()
                .any(|condition| condition.type_ == "Available" && condition.status == status)
        };
        until(&services, &self.name(), what, GENEROUS, is)
            .await
            .unwrap();
    }

    async fn forget(&self, world: &World) {
        let services: Api<APIService> = Api::all(world.client.clone());
        let _ = services
            .delete(&self.name(), &DeleteParams::default())
            .await;
    }
}

#[tokio::test]
async fn an_api_that_a_chart_brings_is_waited_for_with_the_objects_that_it_serves() {
    let world = world("adapter").await;
    let adapter = Adapter::start(&world).await;
    let chart = |size| adapter.bring(shop()).with_object(&adapter.gauge(size));

    // Given a server that does not answer yet: the API server says so, and nothing is ready.
    adapter.server.set(Admission::Down);
    let asked = world.roll_out(SHOP, &chart(1), &json!({})).await;
    adapter
        .registered(&world, "an API that is down", "False")
        .await;
    let release = world.api::<HelmRelease>().get(SHOP).await.unwrap();
    assert!(!holds(&release, ConditionType::Ready));
    // When it answers, then its objects come, and all of it is ready.
    adapter.server.set(Admission::Admits);
    let release = world.deployed(&asked).await;
    assert_eq!(current(&release), Some(1));
    assert_eq!(adapter.server.objects(), ["one"]);

    // An upgrade goes the same way, also if the API is down when it begins.
    world
        .deploy(SHOP, &chart(2), &json!({"greeting": "two"}))
        .await;
    adapter.server.set(Admission::Down);
    adapter
        .registered(&world, "an API that is down", "False")
        .await;
    let asked = world
        .roll_out(SHOP, &chart(3), &json!({"greeting": "three"}))
        .await;
    let begun = |release: &HelmRelease| {
        let attempt = release
            .status
            .as_ref()
            .and_then(|status| status.attempt.as_ref());
        attempt.is_some_and(|attempt| attempt.revision == 3)
    };
    world
        .until_release(SHOP, "the upgrade's beginning", begun)
        .await;
    adapter.server.set(Admission::Admits);
    world.deployed(&asked).await;
    assert_eq!(world.greeting(SHOP).await, "three");

    // A removal takes the API away, whether or not it answers.
    adapter.server.set(Admission::Down);
    world.delete::<HelmRelease>(SHOP).await;
    let services: Api<APIService> = Api::all(world.client.clone());
    assert!(services.get_opt(&adapter.name()).await.unwrap().is_none());
    world.end().await;
}

#[tokio::test]
async fn an_api_that_never_answers_ends_with_the_time_and_says_why() {
    let world = world("silent").await;
    let adapter = Adapter::start(&world).await;
    world.deploy(SHOP, &note(), &json!({})).await;
    adapter.server.set(Admission::Down);
    // Without an object of it, and with one.
    let charts = [
        adapter.bring(note()),
        adapter.bring(note()).with_object(&adapter.gauge(1)),
    ];
    for (case, chart) in charts.iter().enumerate() {
        let values = json!({"greeting": format!("case {case}")});
        let spec = json!({"chart": chart.inline(), "values": values, "timeout": "8s"});
        let asked = world.apply(SHOP, &spec).await;
        let release = world.stopped(&asked, Reason::RevisionBlocked).await;
        assert!(holds(&release, ConditionType::Consistent), "{release:?}");
        assert_eq!(world.greeting(SHOP).await, "hello");
        let failure = release.status.unwrap().last_failure.unwrap();
        assert_eq!(failure.class, FailureClass::Timeout, "{failure:?}");
        let told = format!("{failure:?}");
        for part in [adapter.name().as_str(), "FailedDiscoveryCheck"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let services: Api<APIService> = Api::all(world.client.clone());
        assert!(services.get_opt(&adapter.name()).await.unwrap().is_none());
    }
    // One that leads nowhere says that.
    let mut nowhere = adapter.api_service();
    nowhere["spec"]["service"]["name"] = "nobody".into();
    let spec = json!({"chart": note().with_object(&nowhere).inline(), "timeout": "8s"});
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = release.status.unwrap().last_failure.unwrap();
    assert!(failure.message.contains("ServiceNotFound"), "{failure:?}");
    world.end().await;
}

/// As where metrics-server does not answer: one of the most common states of a cluster.
#[tokio::test]
async fn an_api_of_somebody_else_that_is_down_holds_nobody_up() {
    let world = world("bystander").await;
    let adapter = Adapter::start(&world).await;
    adapter.server.set(Admission::Down);
    adapter.register(&world).await;
    adapter
        .registered(&world, "an API that is down", "False")
        .await;

    let release = world.deploy(SHOP, &shop(), &json!({})).await;
    assert_eq!(current(&release), Some(1));
    let verbs = ["get", "list", "create", "patch"];
    let user = User::with(&world, "reader", [rule(&["*"], &["*"], &verbs)]).await;
    let (_kept, chart) = folder(&shop());
    let rendered = user.does(&["template", SHOP, &chart]).await;
    assert!(rendered.contains("shop-web"), "{rendered}");
    let differs = user
        .does(&["diff", SHOP, &chart, "--set", "greeting=two"])
        .await;
    assert!(differs.contains("two"), "{differs}");
    world
        .deploy(SHOP, &shop(), &json!({"greeting": "two"}))
        .await;
    let asked = world
        .roll_out(
            SHOP,
            &shop(),
            &json!({"image": crate::operator_charts::BROKEN}),
        )
        .await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    assert!(holds(&release, ConditionType::Consistent));
    world.delete::<HelmRelease>(SHOP).await;
    gone(&world.api::<ConfigMap>(), "shop-config", GENEROUS)
        .await
        .unwrap();
    adapter.forget(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_removal_whose_objects_belong_to_an_api_that_is_down_names_them_and_ends_when_it_may() {
    let world = world("stranded").await;
    let adapter = Adapter::start(&world).await;
    adapter.register(&world).await;
    adapter
        .registered(&world, "an API that answers", "True")
        .await;
    let chart = shop().with_object(&adapter.gauge(1));
    let spec = json!({"chart": chart.inline(), "uninstall": {"timeout": "3s"}});
    let asked = world.apply(SHOP, &spec).await;
    world.deployed(&asked).await;
    adapter.server.set(Admission::Down);
    adapter
        .registered(&world, "an API that is down", "False")
        .await;

    let api = world.api::<HelmRelease>();
    api.delete(SHOP, &DeleteParams::default()).await.unwrap();
    let refused = |release: &HelmRelease| {
        ready(release).is_some_and(|ready| ready.reason == Reason::RemoveFailed)
    };
    let release = world.until_release(SHOP, "RemoveFailed", refused).await;
    assert!(message(&release).contains("Gauge"), "{}", message(&release));
    assert_eq!(release.status.unwrap().phase, Phase::Uninstalling);
    gone(&world.api::<ConfigMap>(), "shop-config", GENEROUS)
        .await
        .unwrap();
    // The API goes for good, and its objects with it.
    adapter.forget(&world).await;
    gone(&api, SHOP, GENEROUS).await.unwrap();
    world.end().await;
}

/// Kubernetes takes no namespace away while any API is down, as it cannot tell what is left in it: so the release has to
/// take its own API along.
#[tokio::test]
async fn a_release_whose_own_api_is_down_goes_with_its_namespace_and_takes_the_api_along() {
    let world = world("goes").await;
    let adapter = Adapter::start(&world).await;
    let chart = adapter.bring(shop()).with_object(&adapter.gauge(1));
    world.deploy(SHOP, &chart, &json!({})).await;
    adapter.server.set(Admission::Down);
    adapter
        .registered(&world, "an API that is down", "False")
        .await;
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    namespaces
        .delete(world.namespace(), &DeleteParams::default())
        .await
        .unwrap();
    let services: Api<APIService> = Api::all(world.client.clone());
    gone(&services, &adapter.name(), GENEROUS).await.unwrap();
    gone(&world.api::<HelmRelease>(), SHOP, GENEROUS)
        .await
        .unwrap();
    world.end().await;
}
