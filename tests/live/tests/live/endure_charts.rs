//! Charts that the tests of the operator as a whole write into their releases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Path in the chart to text.
pub type Files = BTreeMap<String, String>;

const SETTINGS: &str = r"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
data:
  greeting: {{ .Values.greeting | quote }}
";

/// Only with some values: a revision that brings an object, and one that leaves it out again.
const EXTRA: &str = r"{{- if .Values.extra }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-extra
data:
  extra: {{ .Values.extra | quote }}
{{- end }}
";

const WEB: &str = r"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
spec:
  replicas: 1
  selector:
    matchLabels: {app: {{ .Release.Name }}-web}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}-web}
      annotations: {belay.test/ready-after: {{ .Values.readyAfter }}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: {{ .Values.image | quote }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-web
spec:
  selector: {app: {{ .Release.Name }}-web}
  ports: [{port: 80}]
";

/// A name for each revision, so that a hook that runs twice for one attempt is seen.
const HOOK: &str = r"apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-WHEN-{{ .Release.Revision }}
  annotations:
    helm.sh/hook: HOOKS
    helm.sh/hook-delete-policy: POLICY
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers:
        - name: hook
          image: hooks.test/WHEN:1
";

/// One ConfigMap, and a second one with some values.
pub fn tiny() -> Files {
    chart(
        "tiny",
        &[
            ("templates/settings.yaml", SETTINGS),
            ("templates/extra.yaml", EXTRA),
        ],
        "greeting: hello\nextra: \"\"\n",
    )
}

/// The same with a Deployment and a Service.
pub fn web() -> Files {
    let mut files = tiny();
    files.extend(chart(
        "web",
        &[("templates/web.yaml", WEB)],
        "greeting: hello\nextra: \"\"\nimage: web.test/one:1\nreadyAfter: 300ms\n",
    ));
    files
}

/// The same with a Job before and a Job after each change and the removal; some go when they have succeeded.
pub fn web_with_hooks() -> Files {
    let mut files = web();
    for (when, hooks, policy) in [
        ("before", "pre-install,pre-upgrade", "hook-succeeded"),
        ("after", "post-install,post-upgrade", "before-hook-creation"),
        ("leaving", "pre-delete", "before-hook-creation"),
        ("left", "post-delete", "hook-succeeded"),
    ] {
        let text = HOOK
            .replace("WHEN", when)
            .replace("HOOKS", hooks)
            .replace("POLICY", policy);
        files.insert(format!("templates/{when}.yaml"), text);
    }
    files
}

fn chart(name: &str, templates: &[(&str, &str)], values: &str) -> Files {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\nappVersion: \"1\"\n");
    let own = [("Chart.yaml", metadata.as_str()), ("values.yaml", values)];
    own.iter()
        .chain(templates)
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

/// The chart as a folder, for helm.
pub fn write(files: &Files, folder: &Path) -> PathBuf {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder.to_path_buf()
}
