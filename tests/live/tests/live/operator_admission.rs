//! Webhooks and policies that have a say in a release's objects: its own, those of the revision before, and foreign ones.

use belay_api::helm_release::{AttemptKind, FailureClass, Stage};
use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionType, HelmRelease, Reason};
use belay_harness::{Admission, Extension, GENEROUS, gone, until};
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::operator_charts::{BROKEN, Files, GOOD, note, shop};
use crate::operator_world::{
    SHOP, World, at_rest, condition, current, holds, message, operated_world, phase, ready,
};

/// The Service by which the API server reaches the webhook's server.
const HOOKS: &str = "shop-hooks";

fn refuses() -> Admission {
    Admission::Refuses("not today".to_owned())
}

/// A webhook's server, and the objects that lead to it.
struct Guard {
    server: Extension,
    namespace: String,
}

impl Guard {
    async fn start(world: &World) -> Self {
        let namespace = world.namespace().to_owned();
        let names = [format!("{HOOKS}.{namespace}.svc")];
        let server = Extension::start(&world.cluster, &names).await.unwrap();
        Self { server, namespace }
    }

    /// Configurations belong to all namespaces: each test has one of its own.
    fn name(&self) -> String {
        format!("{}-guard", self.namespace)
    }

    /// The webhook, as refusals name it.
    fn webhook(&self) -> String {
        format!("guard.{}.example.org", self.namespace)
    }

    fn service(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": HOOKS, "namespace": self.namespace},
            "spec": {"type": "ExternalName", "externalName": "127.0.0.1"},
        })
    }

    /// Has the server asked about every write of these kinds in the namespace.
    fn configuration(&self, groups: &[&str], resources: &[&str]) -> Value {
        let namespace = json!({"kubernetes.io/metadata.name": self.namespace});
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": self.name()},
            "webhooks": [{
                "name": self.webhook(), "failurePolicy": "Fail", "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "timeoutSeconds": 5,
                "namespaceSelector": {"matchLabels": namespace},
                "rules": [{
                    "apiGroups": groups, "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"],
                    "resources": resources,
                }],
                "clientConfig": {
                    "caBundle": self.server.ca_bundle(),
                    "service": {
                        "name": HOOKS, "namespace": self.namespace, "port": self.server.port(), "path": "/ask",
                    },
                },
            }],
        })
    }

    /// A chart with the webhook and with what leads to its server.
    fn bring(&self, chart: Files, groups: &[&str], resources: &[&str]) -> Files {
        chart
            .with("templates/hooks-service.yaml", &self.service().to_string())
            .with_object(&self.configuration(groups, resources))
    }

    async fn configured(&self, world: &World) -> Option<ValidatingWebhookConfiguration> {
        let api: Api<ValidatingWebhookConfiguration> = Api::all(world.client.clone());
        api.get_opt(&self.name()).await.unwrap()
    }

    /// Nobody takes it along who takes the namespace away.
    async fn forget(&self, world: &World) {
        let api: Api<ValidatingWebhookConfiguration> = Api::all(world.client.clone());
        let _ = api.delete(&self.name(), &DeleteParams::default()).await;
    }
}

/// What the webhooks of these tests refuse: what the charts hold, and what their hooks run as.
const EVERYTHING: (&[&str], &[&str]) = (
    &["", "apps", "batch"],
    &["configmaps", "deployments", "services", "jobs", "pods"],
);

/// A kind of its own and one object of it, which comes after the webhook: Helm knows no order for it.
fn with_widget(world: &World, chart: Files, size: u32) -> Files {
    let group = widgets(world);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    let widget = json!({
        "apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": "one"}, "spec": {"size": size},
    });
    chart
        .with("crds/widgets.yaml", &definition.to_string())
        .with_object(&widget)
}

/// The group of that kind.
fn widgets(world: &World) -> String {
    format!("{}.example.org", world.namespace())
}

/// The shop with a widget, which the webhook that the chart brings guards, and nothing else.
fn guarded_widget(world: &World, guard: &Guard, size: u32) -> Files {
    let group = widgets(world);
    with_widget(world, guard.bring(shop(), &[&group], &["widgets"]), size)
}

async fn forget_widgets(world: &World) {
    let name = format!("crd/widgets.{}", widgets(world));
    world.kubectl(&["delete", &name, "--wait=false"]).await;
}

async fn widget(world: &World) -> String {
    let widgets = format!("widgets.{}", widgets(world));
    let size = ["get", &widgets, "-o", "jsonpath={.items[*].spec.size}"];
    world.kubectl(&size).await
}

/// Waits until the webhook is asked, so that the operator has met its silence.
async fn met(guard: &Guard) {
    let asked = guard.server.asked();
    guard.server.asked_more_than(asked, GENEROUS).await.unwrap();
}

/// Whether all is applied and waited for.
fn waits(release: &HelmRelease) -> bool {
    let status = release.status.as_ref();
    let attempt = status.and_then(|status| status.attempt.as_ref());
    attempt.is_some_and(|attempt| attempt.stage == Stage::Waiting)
}

fn under_way(release: &HelmRelease, kind: AttemptKind) -> bool {
    let attempt = release
        .status
        .as_ref()
        .and_then(|status| status.attempt.as_ref());
    attempt.is_some_and(|attempt| attempt.kind == kind)
}

#[tokio::test]
async fn an_object_that_the_charts_own_webhook_guards_waits_until_its_server_answers() {
    let world = operated_world("webhook").await;
    let guard = Guard::start(&world).await;
    let chart = |size| guarded_widget(&world, &guard, size);

    // Given an install whose webhook does not answer yet.
    guard.server.set(Admission::Down);
    let asked = world.roll_out(SHOP, &chart(1), &json!({})).await;
    met(&guard).await;
    met(&guard).await;
    // What is not guarded is there: in a chart of real pods, the server is among it.
    assert_eq!(world.image(SHOP).await, GOOD);
    // It is told as what is waited for, not as a failure.
    let waits = |release: &HelmRelease| {
        let progress = release
            .status
            .as_ref()
            .and_then(|status| status.attempt.as_ref()?.progress.clone());
        let told = progress
            .into_iter()
            .flat_map(|progress| progress.waiting_for);
        let mut told =
            told.filter(|told| told.contains("Widget") && told.contains(&guard.webhook()));
        under_way(release, AttemptKind::Install) && told.next().is_some()
    };
    world
        .until_release(SHOP, "the widget among what is waited for", waits)
        .await;
    // When it answers, then all of it becomes ready.
    guard.server.set(Admission::Admits);
    let release = world.deployed(&asked).await;
    assert_eq!(current(&release), Some(1));
    assert_eq!(widget(&world).await, "1");

    // The same with an upgrade, whose dry run meets the webhook, too.
    guard.server.set(Admission::Down);
    let asked = world.roll_out(SHOP, &chart(2), &json!({})).await;
    let applying = |release: &HelmRelease| {
        let attempt = release
            .status
            .as_ref()
            .and_then(|status| status.attempt.clone());
        attempt.is_some_and(|attempt| attempt.revision == 2)
    };
    world
        .until_release(SHOP, "the upgrade's beginning", applying)
        .await;
    met(&guard).await;
    guard.server.set(Admission::Admits);
    world.deployed(&asked).await;
    assert_eq!(widget(&world).await, "2");
    let history = [(1, "superseded".to_owned()), (2, "deployed".to_owned())];
    assert_eq!(world.history(SHOP).await, history);

    // In a removal it goes before what it guards.
    guard.server.set(refuses());
    world.delete::<HelmRelease>(SHOP).await;
    assert!(guard.configured(&world).await.is_none());
    forget_widgets(&world).await;
    world.end().await;
}

#[tokio::test]
async fn helm_gives_up_where_the_charts_own_webhook_is_not_ready() {
    let world = operated_world("helmhook").await;
    let guard = Guard::start(&world).await;
    let chart = guarded_widget(&world, &guard, 1);
    guard.server.set(Admission::Down);
    let folder = tempfile::tempdir().unwrap();
    chart.write(folder.path());
    let folder = folder.path().to_str().unwrap();
    let install = [
        "install",
        SHOP,
        folder,
        "--wait",
        "--timeout",
        "60s",
        "-n",
        world.namespace(),
    ];
    let told = world
        .cluster
        .helm(&install)
        .await
        .unwrap()
        .ok()
        .unwrap_err();
    let told = told.to_string();
    assert!(told.contains(&guard.webhook()), "{told}");
    let history = world.history(SHOP).await;
    assert_eq!(history, [(1, "failed".to_owned())]);
    guard.forget(&world).await;
    forget_widgets(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_webhook_whose_server_never_comes_ends_with_the_time_and_broken_pods_before() {
    let world = operated_world("webhookless").await;
    let guard = Guard::start(&world).await;
    let chart = guarded_widget(&world, &guard, 1);
    guard.server.set(Admission::Down);

    let spec = json!({"chart": chart.inline(), "timeout": "5s"});
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = release.status.unwrap().last_failure.unwrap();
    assert_eq!(failure.class, FailureClass::Timeout, "{failure:?}");
    for part in ["not applied yet", "Widget", &guard.webhook()] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
    // Nothing of it stays.
    assert!(guard.configured(&world).await.is_none());
    gone(&world.api::<ConfigMap>(), "shop-config", GENEROUS)
        .await
        .unwrap();

    // Where pods say why the webhook does not answer, nobody waits for the time.
    let spec = json!({"chart": chart.inline(), "values": {"image": BROKEN}, "timeout": "10m"});
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = release.status.unwrap().last_failure.unwrap();
    assert_eq!(failure.reason, Reason::ImagePullFailed, "{failure:?}");
    forget_widgets(&world).await;
    world.end().await;
}

/// A policy that takes no ConfigMap of the namespace any more.
fn policy(world: &World) -> (Value, Value) {
    let name = format!("{}-policy", world.namespace());
    let namespace = json!({"kubernetes.io/metadata.name": world.namespace()});
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"],
            }]},
            "validations": [{"expression": "object.metadata.name == 'other'", "message": "not today"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": namespace}},
        },
    });
    (policy, binding)
}

async fn forget_policy(world: &World) {
    let name = format!("{}-policy", world.namespace());
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(world.client.clone());
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(world.client.clone());
    let _ = bindings.delete(&name, &DeleteParams::default()).await;
    let _ = policies.delete(&name, &DeleteParams::default()).await;
}

/// Waits until the old revision is back after the new one failed, all of it.
async fn taken_back(world: &World, asked: &HelmRelease) -> HelmRelease {
    let generation = asked.metadata.generation;
    // Whether it is tried again by itself is another matter.
    let rests = |release: &HelmRelease| {
        let status = release.status.as_ref();
        status.map(|status| status.observed_generation) >= generation
            && at_rest(release)
            && holds(release, ConditionType::RolledBack)
            && holds(release, ConditionType::Available)
            && holds(release, ConditionType::Consistent)
    };
    let release = world.until_release(SHOP, "the way back", rests).await;
    assert_eq!(world.greeting(SHOP).await, "hello");
    assert_eq!(world.image(SHOP).await, GOOD);
    release
}

#[tokio::test]
async fn a_webhook_or_policy_that_a_failed_revision_brought_goes_before_what_it_would_refuse() {
    let world = operated_world("brought").await;
    let guard = Guard::start(&world).await;
    // A hook of the way back, whose pods the webhook would refuse, too.
    let chart = shop().with_hook("ask", GOOD, "pre-rollback", "");
    world.deploy(SHOP, &chart, &json!({})).await;

    let (policy, binding) = policy(&world);
    let webhook = guard.bring(chart.clone(), EVERYTHING.0, EVERYTHING.1);
    let policy = chart.clone().with_object(&policy).with_object(&binding);
    for (case, (bad, answers, timeout)) in [
        // Where its pods are refused, too, they are waited for: that may pass.
        (&webhook, refuses(), "6s"),
        (&webhook, Admission::Down, "6s"),
        (&policy, Admission::Admits, "60s"),
    ]
    .into_iter()
    .enumerate()
    {
        guard.server.set(answers);
        let values = json!({"image": BROKEN, "greeting": format!("case {case}")});
        let spec = json!({
            "chart": bad.inline(), "values": values, "timeout": timeout, "rollback": {"timeout": "60s"},
        });
        let asked = world.apply(SHOP, &spec).await;
        let release = taken_back(&world, &asked).await;
        let failure = release.status.unwrap().last_failure.unwrap();
        // The attempt failed for its own reason, and the way back for none.
        let own = [Reason::Timeout, Reason::ImagePullFailed];
        assert!(own.contains(&failure.reason), "{case}: {failure:?}");
        assert!(guard.configured(&world).await.is_none(), "{case}");
        let history = world.history(SHOP).await;
        let last: Vec<_> = history
            .iter()
            .rev()
            .take(2)
            .map(|entry| entry.1.as_str())
            .collect();
        assert_eq!(last, ["deployed", "failed"], "{case}: {history:?}");
    }
    guard.forget(&world).await;
    forget_policy(&world).await;
    world.end().await;
}

#[tokio::test]
async fn helm_does_not_come_back_from_such_a_webhook() {
    let world = operated_world("helmstuck").await;
    let guard = Guard::start(&world).await;
    guard.server.set(refuses());
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    shop().write(&old);
    guard.bring(shop(), EVERYTHING.0, EVERYTHING.1).write(&new);
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    world.helm(&["install", "shop", old, "--wait"]).await;

    let image = format!("image={BROKEN}");
    let upgrade = [
        "upgrade",
        "shop",
        new,
        "--set",
        &image,
        "--set",
        "greeting=new",
        "--rollback-on-failure",
        "--timeout",
        "5s",
        "-n",
        world.namespace(),
    ];
    let told = world
        .cluster
        .helm(&upgrade)
        .await
        .unwrap()
        .ok()
        .unwrap_err()
        .to_string();
    assert!(told.contains("not today"), "{told}");
    assert_eq!(
        world.greeting(SHOP).await,
        "new",
        "the failed revision stays"
    );
    let back = ["rollback", "shop", "1", "-n", world.namespace()];
    let told = world
        .cluster
        .helm(&back)
        .await
        .unwrap()
        .ok()
        .unwrap_err()
        .to_string();
    assert!(told.contains("not today"), "{told}");
    assert_eq!(world.greeting(SHOP).await, "new");
    assert!(guard.configured(&world).await.is_some());
    guard.forget(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_webhook_that_a_failed_revision_changed_is_put_back_before_what_it_would_refuse() {
    let world = operated_world("changed").await;
    let guard = Guard::start(&world).await;
    guard.server.set(refuses());
    // Given a webhook that is asked about nothing that the chart has, and an upgrade that has it asked about everything.
    let narrow = guard.bring(shop(), &["example.org"], &["nothing"]);
    let wide = guard.bring(shop(), EVERYTHING.0, EVERYTHING.1);
    world.deploy(SHOP, &narrow, &json!({})).await;
    let values = json!({"image": BROKEN, "greeting": "new"});
    let spec = json!({
        "chart": wide.inline(), "values": values, "timeout": "6s", "rollback": {"timeout": "60s"},
    });
    let asked = world.apply(SHOP, &spec).await;
    taken_back(&world, &asked).await;
    let configured = guard.configured(&world).await.unwrap();
    let rules = configured.webhooks.unwrap().remove(0).rules.unwrap();
    assert_eq!(rules[0].resources, Some(vec!["nothing".to_owned()]));
    guard.forget(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_webhook_of_both_revisions_whose_server_went_down_holds_up_only_what_it_guards() {
    let world = operated_world("broke").await;
    let guard = Guard::start(&world).await;
    let chart = guard.bring(shop(), &[""], &["configmaps"]);
    world.deploy(SHOP, &chart, &json!({})).await;

    // Given an upgrade whose pods do not come, and with them the server of its webhook.
    let values = json!({"image": "belay.test/never-ready:1", "greeting": "new"});
    let spec = json!({
        "chart": chart.inline(), "values": values, "timeout": "8s", "rollback": {"timeout": "60s"},
    });
    let asked = world.apply(SHOP, &spec).await;
    world
        .until_release(SHOP, "the upgrade, applied", waits)
        .await;
    guard.server.set(Admission::Down);
    world
        .until_release(SHOP, "the way back", |release| {
            under_way(release, AttemptKind::Revert)
        })
        .await;
    // The pods come back although the ConfigMap before them waits, and with them the server.
    let is_back = |deployment: &Deployment| {
        let spec = deployment.spec.as_ref();
        let pod = spec.and_then(|spec| spec.template.spec.as_ref());
        pod.is_some_and(|pod| pod.containers[0].image.as_deref() == Some(GOOD))
    };
    until(&world.api(), "shop-web", "the old image", GENEROUS, is_back)
        .await
        .unwrap();
    assert_eq!(world.greeting(SHOP).await, "new");
    guard.server.set(Admission::Admits);
    taken_back(&world, &asked).await;
    guard.forget(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_revision_without_the_webhook_that_refuses_it_can_be_rolled_out_and_brought_back() {
    let world = operated_world("dropped").await;
    let guard = Guard::start(&world).await;
    let guarded = guard.bring(shop(), EVERYTHING.0, EVERYTHING.1);
    world.deploy(SHOP, &shop(), &json!({})).await;
    let values = json!({"greeting": "guarded"});
    let release = world.deploy(SHOP, &guarded, &values).await;
    assert!(holds(&release, ConditionType::RollbackReady), "{release:?}");

    // Given a webhook that refuses everything from now on. What it is asked in a dry run says nothing of the way back.
    guard.server.set(refuses());
    let spec = json!({"target": {"previous": {}}, "dryRun": true});
    let request = world.order("look", &spec).await;
    let plan = request.status.unwrap().plan.unwrap();
    assert!(plan.refused.is_empty(), "{plan:?}");
    let request = world
        .order("back", &json!({"target": {"previous": {}}}))
        .await;
    assert_eq!(phase(&request), RequestPhase::Complete, "{request:?}");
    assert_eq!(world.greeting(SHOP).await, "hello");
    assert!(guard.configured(&world).await.is_none());

    // A newer revision that does without it gets past it as well.
    guard.server.set(Admission::Admits);
    world
        .deploy(SHOP, &guarded, &json!({"greeting": "again"}))
        .await;
    guard.server.set(refuses());
    world
        .deploy(SHOP, &shop(), &json!({"greeting": "free"}))
        .await;
    assert_eq!(world.greeting(SHOP).await, "free");
    assert!(guard.configured(&world).await.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_foreign_webhook_that_refuses_the_way_back_is_named_and_outlasted() {
    let world = operated_world("foreign").await;
    let guard = Guard::start(&world).await;
    guard.server.set(refuses());
    world.deploy(SHOP, &shop(), &json!({})).await;
    let values = json!({"image": "belay.test/never-ready:1", "greeting": "new"});
    let spec = json!({
        "chart": shop().inline(), "values": values, "timeout": "8s", "rollback": {"timeout": "3s"},
    });
    let asked = world.apply(SHOP, &spec).await;
    world
        .until_release(SHOP, "the upgrade, applied", waits)
        .await;
    // Given somebody else's webhook that begins to refuse while it waits.
    world
        .cluster
        .apply(&format!(
            "{}\n---\n{}",
            guard.service(),
            guard.configuration(EVERYTHING.0, EVERYTHING.1)
        ))
        .await
        .unwrap()
        .ok()
        .unwrap();

    let refused = |release: &HelmRelease| {
        ready(release).is_some_and(|ready| ready.reason == Reason::RevertFailed)
            && holds(release, ConditionType::Stalled)
    };
    let release = world
        .until_release(SHOP, "Stalled, RevertFailed", refused)
        .await;
    assert!(!holds(&release, ConditionType::Consistent));
    assert!(
        message(&release).contains(&guard.webhook()),
        "{}",
        message(&release)
    );
    let told = &condition(&release, ConditionType::Consistent)
        .unwrap()
        .message;
    for part in [guard.webhook().as_str(), "not today", "shop-config"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // When it is gone, then the next try succeeds without a human.
    guard.forget(&world).await;
    let release = taken_back(&world, &asked).await;
    assert_eq!(current(&release), Some(3));
    world.end().await;
}

/// A webhook of old (`v1beta1`) that says of itself that it has side effects: the API server does not ask it in a dry
/// run, and refuses that. No such object can be made any more; those that were made stay.
async fn with_side_effects(world: &World, guard: &Guard) {
    let mut old = guard.configuration(&[""], &["configmaps"]);
    old["webhooks"][0]["sideEffects"] = "Some".into();
    old["webhooks"][0]["matchPolicy"] = "Equivalent".into();
    old["webhooks"][0]["rules"][0]["scope"] = "*".into();
    old["webhooks"][0]["objectSelector"] = json!({});
    old["metadata"]["uid"] = "6b2f5a3c-0000-4000-8000-000000000000".into();
    old["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z".into();
    let key = format!("/registry/validatingwebhookconfigurations/{}", guard.name());
    world.cluster.store(&key, &old).await.unwrap();
    world
        .cluster
        .apply(&guard.service().to_string())
        .await
        .unwrap()
        .ok()
        .unwrap();
    // In force as soon as a dry run is refused.
    let maps = world.api::<ConfigMap>();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe"}});
    let dry = PatchParams {
        dry_run: true,
        ..PatchParams::apply("test")
    };
    let in_force = async {
        while maps.patch("probe", &dry, &Patch::Apply(&map)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(GENEROUS, in_force).await.unwrap();
}

#[tokio::test]
async fn a_webhook_with_side_effects_takes_no_dry_run_and_holds_nothing_up() {
    let world = operated_world("effects").await;
    let guard = Guard::start(&world).await;
    with_side_effects(&world, &guard).await;

    // What cannot be tried is applied untried, and that is told.
    world.deploy(SHOP, &note(), &json!({})).await;
    let release = world
        .deploy(SHOP, &note(), &json!({"greeting": "two"}))
        .await;
    assert_eq!(world.greeting(SHOP).await, "two");
    assert_eq!(current(&release), Some(2));
    let told = [
        "get",
        "events",
        "-o",
        "jsonpath={range .items[?(@.reason=='DryRunSkipped')]}{.message}{.note}{\"\\n\"}{end}",
    ];
    let told = world.kubectl(&told).await;
    for part in [
        "ConfigMap",
        "shop-config",
        &guard.webhook(),
        "does not support dry run",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Nor does the dry run of the way back report what it cannot know.
    assert!(holds(&release, ConditionType::RollbackReady), "{release:?}");

    // What it really refuses, it refuses when it is applied: the attempt fails, by its name.
    guard.server.set(refuses());
    let spec = json!({"chart": note().inline(), "values": {"greeting": "three"}, "rollback": {"timeout": "3s"}});
    let asked = world.apply(SHOP, &spec).await;
    let failed = |release: &HelmRelease| {
        let failure = release
            .status
            .as_ref()
            .and_then(|status| status.last_failure.as_ref());
        failure.is_some_and(|failure| failure.message.contains("not today"))
    };
    let release = world.until_release(SHOP, "the refusal", failed).await;
    let failure = release.status.unwrap().last_failure.unwrap();
    assert!(failure.message.contains(&guard.webhook()), "{failure:?}");
    guard.server.set(Admission::Admits);
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    assert!(holds(&release, ConditionType::Available));
    assert_eq!(world.greeting(SHOP).await, "two");
    guard.forget(&world).await;
    assert_eq!(asked.name_any(), SHOP);
    world.end().await;
}

#[tokio::test]
async fn a_foreign_webhook_that_does_not_answer_holds_an_upgrade_up_before_it_begins() {
    let world = operated_world("silent").await;
    let guard = Guard::start(&world).await;
    world.deploy(SHOP, &note(), &json!({})).await;
    guard.server.set(Admission::Down);
    world
        .cluster
        .apply(&format!(
            "{}\n---\n{}",
            guard.service(),
            guard.configuration(&[""], &["configmaps"])
        ))
        .await
        .unwrap()
        .ok()
        .unwrap();

    let asked = world
        .roll_out(SHOP, &note(), &json!({"greeting": "two"}))
        .await;
    let release = world.stopped(&asked, Reason::ApiUnavailable).await;
    assert!(
        message(&release).contains(&guard.webhook()),
        "{}",
        message(&release)
    );
    assert!(holds(&release, ConditionType::Available));
    assert_eq!(world.history(SHOP).await.len(), 1, "nothing was begun");
    // It is tried again by itself.
    guard.server.set(Admission::Admits);
    world.deployed(&asked).await;
    assert_eq!(world.greeting(SHOP).await, "two");
    guard.forget(&world).await;
    world.end().await;
}

/// A removal that is refused goes on with everything else, and says what stays.
#[tokio::test]
async fn a_removal_that_a_foreign_webhook_refuses_names_what_stays_and_ends_when_it_may() {
    let world = operated_world("unremoved").await;
    let guard = Guard::start(&world).await;
    guard.server.set(refuses());
    world.deploy(SHOP, &shop(), &json!({})).await;
    let spec = json!({"uninstall": {"timeout": "3s"}});
    world.edit(SHOP, &json!({"spec": spec})).await;
    let mut configuration = guard.configuration(&[""], &["configmaps"]);
    configuration["webhooks"][0]["rules"][0]["operations"] = json!(["DELETE"]);
    world
        .cluster
        .apply(&format!("{}\n---\n{configuration}", guard.service()))
        .await
        .unwrap()
        .ok()
        .unwrap();

    let api = world.api::<HelmRelease>();
    api.delete(SHOP, &DeleteParams::default()).await.unwrap();
    let refused = |release: &HelmRelease| {
        ready(release).is_some_and(|ready| ready.reason == Reason::RemoveFailed)
    };
    let release = world.until_release(SHOP, "RemoveFailed", refused).await;
    for part in ["shop-config", guard.webhook().as_str(), "not today"] {
        assert!(
            message(&release).contains(part),
            "{part}: {}",
            message(&release)
        );
    }
    // All else has gone meanwhile.
    let deployments = world.api::<Deployment>();
    gone(&deployments, "shop-web", GENEROUS).await.unwrap();
    guard.server.set(Admission::Admits);
    gone(&api, SHOP, GENEROUS).await.unwrap();
    gone(&world.api::<ConfigMap>(), "shop-config", GENEROUS)
        .await
        .unwrap();
    guard.forget(&world).await;
    world.end().await;
}
