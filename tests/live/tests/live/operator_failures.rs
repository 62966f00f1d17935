//! Every way in which a rollout can fail: each with its class, its patience and its evidence. All of a table roll out
//! at once.

use belay_api::helm_release::FailureClass;
use belay_api::{HelmRelease, Reason};
use belay_harness::{GENEROUS, until};
use futures::future::join_all;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::operator_charts::{BETTER, BROKEN, Files, GOOD, shop};
use crate::operator_world::{SHOP, World, current, message, operated_world, ready};

/// When an attempt is given up.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    /// Long before its time is over.
    Early,
    /// With its time: what is wrong may pass, or nobody is to fail early.
    WithItsTime,
}

use Ends::{Early, WithItsTime};

/// One way to fail.
struct Case {
    name: &'static str,
    chart: Files,
    /// What the spec says besides the chart.
    spec: Value,
    ends: Ends,
    class: FailureClass,
    reason: Reason,
    /// What the evidence has to say.
    told: &'static [&'static str],
}

/// The time of attempts that end with it, long enough for a busy machine to come that far.
const SHORT: &str = "20s";
/// The time of attempts that end early: over only if they do not.
const LONG: &str = "10m";

impl Case {
    /// An upgrade to this image fails.
    fn image(name: &'static str, image: &str, ends: Ends, reason: Reason) -> Self {
        Self {
            name,
            chart: shop(),
            spec: json!({"values": {"image": image}}),
            ends,
            class: FailureClass::Terminal,
            reason,
            told: &[],
        }
    }

    /// An upgrade to a chart with this object fails.
    fn object(name: &'static str, object: &Value, ends: Ends, reason: Reason) -> Self {
        Self {
            chart: shop().with_object(object),
            ..Self::image(name, BETTER, ends, reason)
        }
    }

    fn class(self, class: FailureClass) -> Self {
        Self { class, ..self }
    }

    fn telling(self, told: &'static [&'static str]) -> Self {
        Self { told, ..self }
    }

    fn with(mut self, field: &str, value: Value) -> Self {
        self.spec[field] = value;
        self
    }

    fn whole(&self) -> Value {
        let timeout = match self.ends {
            Early => LONG,
            WithItsTime => SHORT,
        };
        let mut whole = json!({
            "chart": self.chart.inline(), "timeout": timeout, "rollback": {"timeout": "5m"},
        });
        for (key, value) in self.spec.as_object().unwrap() {
            whole[key] = value.clone();
        }
        whole
    }

    /// Rolls out a good revision, then this one, which has to be taken back.
    async fn play(&self, world: &World) {
        world.deploy(self.name, &shop(), &json!({})).await;
        let asked = world.apply(self.name, &self.whole()).await;
        let release = self.taken_back(world, &asked).await;
        self.check(&release);
        assert_eq!(world.image(self.name).await, GOOD, "{}", self.name);
        assert_eq!(current(&release), Some(3), "{}", self.name);
    }

    /// Waits until the release is back. What may pass is tried again later, and told so.
    async fn taken_back(&self, world: &World, asked: &HelmRelease) -> HelmRelease {
        let reason = match self.class {
            FailureClass::Transient => Reason::RetryScheduled,
            _ => Reason::RevisionBlocked,
        };
        let generation = asked.metadata.generation;
        world
            .until_release(self.name, "taken back", |release| {
                ready(release).is_some_and(|ready| {
                    ready.reason == reason && Some(ready.observed_generation) == generation
                })
            })
            .await
    }

    fn check(&self, release: &HelmRelease) {
        let status = release.status.as_ref().unwrap();
        let failure = status.last_failure.as_ref().unwrap();
        let what = format!("{}: {failure:#?}", self.name);
        assert_eq!(
            (failure.class, failure.reason),
            (self.class, self.reason),
            "{what}"
        );
        let late = failure.message.starts_with("not ready within");
        assert_eq!(late, self.ends == WithItsTime, "{what}");
        let evidence = serde_json::to_string(failure).unwrap();
        for part in self.told {
            assert!(evidence.contains(part), "{part:?} is not told of {what}");
        }
        let blocked = &status.blocked[0];
        assert_eq!(
            (blocked.class, blocked.reason),
            (self.class, self.reason),
            "{what}"
        );
        let retried = self.class == FailureClass::Transient;
        assert_eq!(blocked.retry_at.is_some(), retried, "{what}");
    }
}

async fn play(label: &str, cases: Vec<Case>) {
    let world = operated_world(label).await;
    join_all(cases.iter().map(|case| case.play(&world))).await;
    world.end().await;
}

/// A pod template of its own in a Deployment of the release, `change`d.
fn deployment(change: impl FnOnce(&mut Value)) -> Value {
    let labels = json!({"app": "{{ .Release.Name }}-more"});
    let mut pod = json!({
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": GOOD}],
    });
    change(&mut pod);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "{{ .Release.Name }}-more"},
        "spec": {"selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": pod}},
    })
}

fn job(image: &str) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "{{ .Release.Name }}-work"},
        "spec": {"backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "work", "image": image}],
        }}},
    })
}

#[tokio::test]
async fn images_that_cannot_be_had_end_an_attempt_early_unless_their_registry_may_answer_yet() {
    let pull = Reason::ImagePullFailed;
    let init = deployment(|pod| {
        pod["initContainers"] =
            json!([{"name": "prepare", "image": "registry.example/no-such-image:1"}]);
    });
    let cases = vec![
        Case::image("missing", BROKEN, Early, pull).telling(&["ImageNotFound", BROKEN, "web"]),
        Case::image("denied", "belay.test/pull-denied:1", Early, pull)
            .telling(&["pull access denied"]),
        Case::image(
            "misnamed",
            "belay.test/invalid-image-name:1",
            Early,
            Reason::InvalidImageName,
        )
        .telling(&["invalid reference format"]),
        Case::image(
            "unreachable",
            "belay.test/registry-unreachable:1",
            WithItsTime,
            pull,
        )
        .class(FailureClass::Transient)
        .telling(&["RegistryUnavailable", "i/o timeout"]),
        Case::object("init-missing", &init, Early, pull)
            .telling(&["init container prepare", "no-such-image"]),
    ];
    play("images", cases).await;
}

#[tokio::test]
async fn a_registry_that_is_merely_slow_is_waited_for() {
    let world = operated_world("slow").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let slow = deployment(|pod| {
        pod["containers"][0]["image"] = json!("belay.test/registry-unreachable:1");
    });
    let mut slow = slow;
    slow["spec"]["template"]["metadata"]["annotations"] =
        json!({"belay.test/recovers-after": "4s"});
    // Four times the grace of this release.
    let chart = shop().with_object(&slow);
    let release = world.deploy(SHOP, &chart, &json!({})).await;
    assert!(release.status.unwrap().last_failure.is_none());
    world.end().await;
}

#[tokio::test]
async fn containers_that_do_not_start_or_do_not_stay_end_an_attempt_early() {
    let crash = Reason::CrashLoop;
    let init = deployment(|pod| {
        pod["initContainers"] = json!([{"name": "migrate", "image": "belay.test/crash-loop:1"}]);
    });
    let cases = vec![
        Case::image(
            "unmakable",
            "belay.test/create-error:1",
            Early,
            Reason::ContainerFailed,
        )
        .telling(&["CreateContainerError", "no command specified"]),
        Case::image(
            "unrunnable",
            "belay.test/run-error:1",
            Early,
            Reason::ContainerFailed,
        )
        .telling(&["RunContainerError", "/no/such/program"]),
        Case::image("crashing", "belay.test/crash-loop:1", Early, crash).telling(&[
            "\"exitCode\":1",
            "\"logTail\":\"",
            "\"restarts\":",
        ]),
        Case::image(
            "greedy",
            "belay.test/oom-killed:1",
            Early,
            Reason::OutOfMemory,
        )
        .telling(&["OOMKilled", "\"exitCode\":137"]),
        Case::object("init-crashing", &init, Early, crash)
            .telling(&["init container migrate", "\"exitCode\":1"]),
        // Another controller may make it yet, so it has a minute, or what is left of the attempt.
        Case::image(
            "unconfigured",
            "belay.test/config-error:1",
            WithItsTime,
            Reason::ConfigMissing,
        )
        .telling(&["MissingConfig", "belay-test-missing"]),
    ];
    play("containers", cases).await;
}

#[tokio::test]
async fn failed_jobs_hooks_and_pods_end_an_attempt_early() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "{{ .Release.Name }}-once"},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                 "containers": [{"name": "once", "image": "belay.test/fail:1"}]},
    });
    let hook = |events: &str| {
        shop().with_hook("{{ .Release.Name }}-hook", "belay.test/fail:1", events, "")
    };
    let hooked = |name, events: &str| Case {
        chart: hook(events),
        ..Case::image(name, BETTER, Early, Reason::HookFailed)
    };
    let cases = vec![
        Case::object(
            "working",
            &job("belay.test/fail:1"),
            Early,
            Reason::JobFailed,
        )
        .telling(&["-work", "BackoffLimitExceeded"]),
        Case::object("once", &pod, Early, Reason::WorkloadFailed)
            .telling(&["-once", "exit code 1"]),
        hooked("after", "post-upgrade").telling(&["-hook", "BackoffLimitExceeded"]),
    ];
    play("work", cases).await;
}

#[tokio::test]
async fn what_nobody_can_tell_to_be_lost_has_its_whole_time() {
    let large = deployment(|pod| {
        pod["containers"][0]["resources"] = json!({"requests": {"cpu": "100000"}});
    });
    let balancer = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "{{ .Release.Name }}-public", "annotations": {"belay.test/no-address": "true"}},
        "spec": {"type": "LoadBalancer", "selector": {"app": "x"}, "ports": [{"port": 80}]},
    });
    let late = Reason::Timeout;
    let cases = vec![
        Case::object("large", &large, WithItsTime, Reason::Unschedulable)
            .class(FailureClass::Transient)
            .telling(&["-more", "Insufficient cpu"]),
        Case::image("silent", "belay.test/never-ready:1", WithItsTime, late)
            .class(FailureClass::Timeout)
            .telling(&["-web", "replicas"]),
        Case {
            chart: shop().with("templates/public.yaml", &balancer.to_string()),
            ..Case::image("nowhere", BETTER, WithItsTime, late)
        }
        .class(FailureClass::Timeout)
        .telling(&["-public", "no address"]),
        Case::image("patient", BROKEN, WithItsTime, Reason::ImagePullFailed)
            .with("failFast", json!({"mode": "disabled"}))
            .telling(&["ImageNotFound"]),
        Case::image("narrowed", BROKEN, WithItsTime, Reason::ImagePullFailed)
            .with(
                "failFast",
                json!({"grace": "1s", "ignore": ["ImageNotFound"]}),
            )
            .telling(&["ImageNotFound"]),
        Case::image("elsewhere", BROKEN, Early, Reason::ImagePullFailed).with(
            "failFast",
            json!({"grace": "1s", "ignore": ["CrashLoopBackOff"]}),
        ),
    ];
    play("late", cases).await;
}

#[tokio::test]
async fn a_quota_that_holds_pods_back_is_told_and_tried_again_later() {
    let world = operated_world("quota").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"},
        "spec": {"hard": {"pods": "2"}},
    });
    let quotas = world.api::<ResourceQuota>();
    let quota = serde_json::from_value(quota).unwrap();
    let created = quotas.create(&PostParams::default(), &quota).await;
    created.unwrap();
    until(&quotas, "few", "the quota's count", GENEROUS, |quota| {
        let used = quota
            .status
            .as_ref()
            .and_then(|status| status.used.as_ref());
        used.is_some_and(|used| used.get("pods").is_some_and(|pods| pods.0 == "2"))
    })
    .await
    .unwrap();
    let case = Case::image("shop", BETTER, WithItsTime, Reason::Timeout)
        .class(FailureClass::Transient)
        .telling(&["exceeded quota"]);
    let asked = world.apply(SHOP, &case.whole()).await;
    let release = case.taken_back(&world, &asked).await;
    case.check(&release);
    assert_eq!(world.image(SHOP).await, GOOD);
    world.end().await;
}

#[tokio::test]
async fn what_an_admission_policy_refuses_changes_nothing_and_pods_that_it_refuses_are_told() {
    const WORDS: &str = "nobody may run this here";
    let world = operated_world("admission").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let policies = Policies::of(&world);
    policies
        .refuse(
            "deployments",
            "object.spec.template.spec.containers[0].image != 'registry.example/refused:1'",
            WORDS,
        )
        .await;
    policies
        .refuse(
            "pods",
            "object.spec.containers[0].image != 'registry.example/podless:1'",
            WORDS,
        )
        .await;

    let before = world.history(SHOP).await;
    let asked = world
        .roll_out(
            SHOP,
            &shop(),
            &json!({"image": "registry.example/refused:1"}),
        )
        .await;
    let release = world.stopped(&asked, Reason::ManifestRejected).await;
    for part in [WORDS, "shop-web"] {
        assert!(message(&release).contains(part), "{}", message(&release));
    }
    assert_eq!(world.history(SHOP).await, before);
    assert_eq!(world.image(SHOP).await, GOOD);

    let case = Case::image(
        "shop",
        "registry.example/podless:1",
        WithItsTime,
        Reason::Timeout,
    )
    .class(FailureClass::Timeout)
    .telling(&[WORDS]);
    let asked = world.apply(SHOP, &case.whole()).await;
    let release = case.taken_back(&world, &asked).await;
    case.check(&release);
    policies.lift().await;
    world.end().await;
}

#[tokio::test]
async fn what_was_broken_before_an_attempt_is_not_held_against_it() {
    let world = operated_world("before").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    // Left in place: its pods cannot be pulled, and go on failing while the next revision rolls out.
    let broken = json!({
        "chart": shop().inline(), "values": {"image": BROKEN}, "atomic": false,
    });
    let asked = world.apply(SHOP, &broken).await;
    world.stopped(&asked, Reason::LeftInPlace).await;

    // Its own pods take four times the grace to be ready, with the broken ones beside them all the time.
    let mut slow = shop();
    slow = slow.with(
        "templates/deployment.yaml",
        &deployment_that_is_ready_after("4s"),
    );
    let release = world.deploy(SHOP, &slow, &json!({"image": BETTER})).await;
    assert_eq!(current(&release), Some(3));
    world.end().await;
}

/// The Deployment of the shop, whose new pods take a while.
fn deployment_that_is_ready_after(time: &str) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "{{ .Release.Name }}-web"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "{{ .Release.Name }}"}},
            "template": {
                "metadata": {"labels": {"app": "{{ .Release.Name }}"}, "annotations": {"belay.test/ready-after": time}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "web", "image": "{{ .Values.image }}"}]},
            },
        },
    })
    .to_string()
}

#[tokio::test]
async fn a_fault_that_does_not_exist_cannot_be_ignored() {
    let world = operated_world("unknown").await;
    let spec = json!({"chart": shop().inline(), "failFast": {"ignore": ["ImageNotFound", "ErrImagePull"]}});
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::SpecInvalid).await;
    for part in [
        "spec.failFast.ignore[1]",
        "ErrImagePull",
        "ImagePullBackOff",
    ] {
        assert!(message(&release).contains(part), "{}", message(&release));
    }
    world.end().await;
}

/// Admission policies for the namespace of a world. They belong to no namespace, so they have to be lifted.
struct Policies<'w> {
    world: &'w World,
    made: Api<ValidatingAdmissionPolicy>,
    bindings: Api<ValidatingAdmissionPolicyBinding>,
}

impl<'w> Policies<'w> {
    fn of(world: &'w World) -> Self {
        Self {
            world,
            made: Api::all(world.client.clone()),
            bindings: Api::all(world.client.clone()),
        }
    }

    fn names(&self) -> [String; 2] {
        ["deployments", "pods"].map(|resource| format!("{}-{resource}", self.world.namespace()))
    }

    /// Refuses objects of which the expression is not true; returns when the API server does.
    async fn refuse(&self, resource: &str, unless: &str, words: &str) {
        let name = format!("{}-{resource}", self.world.namespace());
        let group = if resource == "pods" { "" } else { "apps" };
        let rules = json!([{
            "apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource],
        }]);
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": rules},
                     "validations": [{"expression": unless, "message": words}]},
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": {
                "matchLabels": {"kubernetes.io/metadata.name": self.world.namespace()}}}},
        });
        let params = PostParams::default();
        let policy = serde_json::from_value(policy).unwrap();
        let created = self.made.create(&params, &policy).await;
        created.unwrap();
        let binding = serde_json::from_value(binding).unwrap();
        let created = self.bindings.create(&params, &binding).await;
        created.unwrap();
        self.enforced(resource, words).await;
    }

    /// The API server takes a new policy up a moment later, and tells nobody: it is asked until it refuses.
    async fn enforced(&self, resource: &str, words: &str) {
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let asked = async {
            loop {
                let refused = if resource == "pods" {
                    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"},
                        "spec": {"containers": [{"name": "a", "image": "registry.example/podless:1"}]}});
                    let api = self.world.api::<k8s_openapi::api::core::v1::Pod>();
                    api.create(&dry, &serde_json::from_value(pod).unwrap())
                        .await
                        .err()
                } else {
                    let mut probe = deployment(|pod| {
                        pod["containers"][0]["image"] = json!("registry.example/refused:1");
                    });
                    probe["metadata"]["name"] = json!("probe");
                    let labels = json!({"app": "probe"});
                    probe["spec"]["selector"]["matchLabels"] = labels.clone();
                    probe["spec"]["template"]["metadata"]["labels"] = labels;
                    let api = self.world.api::<Deployment>();
                    api.create(&dry, &serde_json::from_value(probe).unwrap())
                        .await
                        .err()
                };
                if refused.is_some_and(|error| error.to_string().contains(words)) {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(GENEROUS, asked).await.unwrap();
    }

    async fn lift(&self) {
        for name in self.names() {
            self.bindings
                .delete(&name, &DeleteParams::default())
                .await
                .unwrap();
            self.made
                .delete(&name, &DeleteParams::default())
                .await
                .unwrap();
        }
    }
}
