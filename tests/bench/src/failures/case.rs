//! The ways in which a rollout fails.

use serde_json::{Value, json};

/// For how long an attempt may take that ends with its time.
const SHORT: &str = "30s";

/// What ends the attempt, once something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// The first sign of it.
    AtOnce,
    /// `failFast.grace` after the first sign.
    WithTheGrace,
    /// A minute after the first sign.
    WithTheMinute,
    /// The second restart.
    WithRestarts,
    /// The attempt's timeout.
    WithItsTime,
    /// The dry run: it never begins.
    BeforeItBegins,
}

impl Ends {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at once",
            Self::WithTheGrace => "grace, 10 s",
            Self::WithTheMinute => "a minute",
            Self::WithRestarts => "2 restarts",
            Self::WithItsTime => "timeout, 30 s",
            Self::BeforeItBegins => "dry run",
        }
    }
}

/// One way to fail.
pub(crate) struct Case {
    /// For people.
    pub(crate) name: &'static str,
    /// What ends it.
    pub(crate) ends: Ends,
    /// What is changed about the `HelmRelease`.
    pub(crate) change: Value,
}

impl Case {
    fn new(name: &'static str, ends: Ends, mut spec: Value) -> Self {
        if ends == Ends::WithItsTime {
            spec["timeout"] = json!(SHORT);
        }
        let change = json!({ "spec": spec });
        Self { name, ends, change }
    }

    /// The chart's own Deployment has another image.
    fn image(name: &'static str, image: &str, ends: Ends) -> Self {
        let image = json!({"repository": image, "tag": "1"});
        Self::new(name, ends, json!({"values": {"image": image}}))
    }

    /// The chart has one object more.
    fn object(name: &'static str, object: &Value, ends: Ends) -> Self {
        let files = json!({"templates/more.yaml": object.to_string()});
        Self::new(name, ends, json!({"chart": {"inline": {"files": files}}}))
    }
}

/// The image that admission refuses pods of, where [`super::Hindrances`] stand.
pub(super) const FORBIDDEN: &str = "belay.test/forbidden";
/// The resource of which the namespace's quota leaves nothing.
pub(super) const SCARCE: &str = "belay.test/dongle";

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    use Ends::{AtOnce, BeforeItBegins, WithItsTime, WithRestarts, WithTheGrace, WithTheMinute};
    let init = deployment(json!({
        "initContainers": [{"name": "migrate", "image": "belay.test/crash-loop:1"}],
        "containers": [{"name": "main", "image": "registry.k8s.io/pause:1"}],
    }));
    let large = deployment(json!({"containers": [{
        "name": "main", "image": "registry.k8s.io/pause:1", "resources": {"requests": {"cpu": "100000"}},
    }]}));
    let scarce = deployment(json!({"containers": [{
        "name": "main", "image": "registry.k8s.io/pause:1", "resources": {"limits": {(SCARCE): "1"}},
    }]}));
    let mut once = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "{{ .Release.Name }}-once"},
        "spec": pod(json!({"restartPolicy": "Never", "containers": [{"name": "once", "image": "belay.test/fail:1"}]})),
    });
    once["metadata"]["labels"] = labels();
    let mut hook = job();
    hook["metadata"]["annotations"] = json!({"helm.sh/hook": "post-upgrade"});
    let service = |kind: &str, port: u32| {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "{{ .Release.Name }}-more", "annotations": {"belay.test/no-address": "true"}},
            "spec": {"type": kind, "selector": {"app": "more"}, "ports": [{"port": port}]},
        })
    };
    vec![
        Case::image(
            "image does not exist",
            "registry.example/no-such-image",
            WithTheGrace,
        ),
        Case::image(
            "image may not be had",
            "belay.test/pull-denied",
            WithTheGrace,
        ),
        Case::image(
            "image's name is not valid",
            "belay.test/invalid-image-name",
            WithTheGrace,
        ),
        Case::image(
            "container cannot be created",
            "belay.test/create-error",
            WithTheGrace,
        ),
        Case::image(
            "configuration is missing",
            "belay.test/config-error",
            WithTheMinute,
        ),
        Case::image(
            "container cannot be started",
            "belay.test/run-error",
            WithRestarts,
        ),
        Case::image("container crashes", "belay.test/crash-loop", WithRestarts),
        Case::image(
            "container is killed for memory",
            "belay.test/oom-killed",
            WithRestarts,
        ),
        Case::object("init container crashes", &init, WithRestarts),
        Case::object("Job fails", &job(), AtOnce),
        Case::object("hook fails", &hook, AtOnce),
        Case::object("Pod fails", &once, AtOnce),
        Case::image(
            "registry does not answer",
            "belay.test/registry-unreachable",
            WithItsTime,
        ),
        Case::object("no node takes the pod", &large, WithItsTime),
        Case::object("quota holds pods back", &scarce, WithItsTime),
        Case::image("admission refuses pods", FORBIDDEN, WithItsTime),
        Case::image("never ready", "belay.test/never-ready", WithItsTime),
        Case::object(
            "load balancer has no address",
            &service("LoadBalancer", 80),
            WithItsTime,
        ),
        Case::object(
            "API server refuses an object",
            &service("ClusterIP", 99_999),
            BeforeItBegins,
        ),
    ]
}

fn labels() -> Value {
    json!({"app": "{{ .Release.Name }}-more", (super::INSTANCE): "{{ .Release.Name }}"})
}

fn pod(mut spec: Value) -> Value {
    spec["terminationGracePeriodSeconds"] = json!(0);
    spec
}

fn deployment(spec: Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "{{ .Release.Name }}-more"},
        "spec": {"selector": {"matchLabels": labels()},
                 "template": {"metadata": {"labels": labels()}, "spec": pod(spec)}},
    })
}

fn job() -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "{{ .Release.Name }}-work", "labels": labels()},
        "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels()}, "spec": pod(json!({
            "restartPolicy": "Never", "containers": [{"name": "work", "image": "belay.test/fail:1"}],
        }))}},
    })
}
