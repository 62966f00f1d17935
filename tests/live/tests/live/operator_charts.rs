//! The charts that the tests of the operator roll out: small, and each with one thing in it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

pub const GOOD: &str = "registry.example/shop:1";
pub const BETTER: &str = "registry.example/shop:2";
/// The fake nodes cannot pull it.
pub const BROKEN: &str = "belay.test/cannot-pull:1";
/// How many pods the chart's Deployment has.
pub const REPLICAS: i32 = 2;

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\nappVersion: \"9\"\n";
const VALUES: &str = "image: registry.example/shop:1\nreplicas: 2\ngreeting: hello\n";
const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: {{ .Values.image }}
";
const SERVICE: &str = "apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-web
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80}]
";
const CONFIG: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-config
data:
  greeting: {{ .Values.greeting | quote }}
";
const NOTES: &str = "{{ .Release.Name }} says {{ .Values.greeting }}.\n";

const STATEFUL_SET: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Release.Name }}-data
spec:
  serviceName: {{ .Release.Name }}-data
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ .Release.Name }}-data}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}-data}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: data
          image: {{ .Values.image }}
";
/// What a Job among the hooks runs as; a hook too, as many charts have it.
const HOOKS_ACCOUNT: &str = "apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}-hooks
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: \"-5\"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
";

/// A chart's files by their paths.
#[derive(Clone, Debug)]
pub struct Files(BTreeMap<String, String>);

/// A Deployment, a Service and a ConfigMap.
pub fn shop() -> Files {
    Files::empty()
        .with("Chart.yaml", CHART)
        .with("values.yaml", VALUES)
        .with("templates/deployment.yaml", DEPLOYMENT)
        .with("templates/service.yaml", SERVICE)
        .with("templates/config.yaml", CONFIG)
        .with("templates/NOTES.txt", NOTES)
}

/// Only the ConfigMap: for what has nothing to do with pods.
pub fn note() -> Files {
    shop()
        .without("templates/deployment.yaml")
        .without("templates/service.yaml")
}

impl Files {
    fn empty() -> Self {
        Self(BTreeMap::new())
    }

    pub fn with(mut self, path: &str, text: &str) -> Self {
        self.0.insert(path.into(), text.into());
        self
    }

    pub fn without(mut self, path: &str) -> Self {
        self.0.remove(path);
        self
    }

    /// A ConfigMap of this name, with these annotations.
    pub fn with_config_map(self, name: &str, annotations: &Value) -> Self {
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "annotations": annotations},
        });
        self.with(&format!("templates/{name}.yaml"), &object.to_string())
    }

    /// A `StatefulSet`.
    pub fn with_stateful_set(self) -> Self {
        self.with("templates/stateful-set.yaml", STATEFUL_SET)
    }

    /// A service account that is a hook, as which the Job `name` among the hooks runs.
    pub fn with_hooks_account(self, name: &str) -> Self {
        let path = format!("templates/{name}.yaml");
        let mut job: Value = serde_json::from_str(&self.0[&path]).unwrap();
        job["spec"]["template"]["spec"]["serviceAccountName"] = json!("{{ .Release.Name }}-hooks");
        self.with(&path, &job.to_string())
            .with("templates/hooks-account.yaml", HOOKS_ACCOUNT)
    }

    /// A Job that is a hook.
    pub fn with_hook(self, name: &str, image: &str, events: &str, policy: &str) -> Self {
        let mut job = json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": name, "annotations": {"helm.sh/hook": events}},
            "spec": {"backoffLimit": 0, "template": {"spec": {
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "hook", "image": image}],
            }}},
        });
        if !policy.is_empty() {
            job["metadata"]["annotations"]["helm.sh/hook-delete-policy"] = json!(policy);
        }
        self.with(&format!("templates/{name}.yaml"), &job.to_string())
    }

    /// An object whose name begins with the release's.
    pub fn with_object(self, object: &Value) -> Self {
        let kind = object["kind"].as_str().unwrap().to_lowercase();
        self.with(&format!("templates/{kind}.yaml"), &object.to_string())
    }

    /// The pods of the Job `name` take their time.
    pub fn that_runs_for(self, name: &str, span: &str) -> Self {
        let path = format!("templates/{name}.yaml");
        let mut job: Value = serde_json::from_str(&self.0[&path]).unwrap();
        job["spec"]["template"]["metadata"] = json!({"annotations": {"belay.test/runs-for": span}});
        self.with(&path, &job.to_string())
    }

    /// As `spec.chart`.
    pub fn inline(&self) -> Value {
        json!({"inline": {"files": self.0}})
    }

    /// As a folder that helm can use.
    pub fn write(&self, folder: &Path) {
        for (path, text) in &self.0 {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
}
