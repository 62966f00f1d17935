//! What a strategic merge comes to, asked of the real kubectl: `kubectl patch --local`, and `kubectl kustomize` for
//! what only kustomize knows.

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use belay_harness::Tools;
    use belay_patch::{Outcome, Patch, Target};
    use serde_json::{Value, json};

    async fn kubectl() -> PathBuf {
        Tools::ensure().await.unwrap().path("kubectl")
    }

    fn ours(object: &Value, patch: &Value) -> Result<Value, String> {
        let patch =
            Patch::new(Some(&Target::default()), patch).map_err(|error| error.to_string())?;
        match patch.apply(object.clone()) {
            Ok(Outcome::Changed(object)) => Ok(object),
            Ok(Outcome::Deleted) => Ok(Value::Null),
            Err(error) => Err(error.to_string()),
        }
    }

    fn run(kubectl: &Path, args: &[&str]) -> Result<String, String> {
        let output = Command::new(kubectl)
            .args(args)
            .env("KUBECONFIG", "/dev/null")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// What `kubectl patch --local` makes of it.
    fn patched(kubectl: &Path, object: &Value, patch: &Value) -> Result<Value, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), object.to_string()).unwrap();
        let object = file.path().display().to_string();
        let text = patch.to_string();
        let args = [
            "patch",
            "--local",
            "--type=strategic",
            "-o",
            "json",
            "-f",
            &object,
            "-p",
            &text,
        ];
        run(kubectl, &args).map(|text| without_nulls(serde_json::from_str(&text).unwrap()))
    }

    /// A null in an object that is made anew says nothing; kubectl sometimes leaves it there.
    fn without_nulls(value: Value) -> Value {
        match value {
            Value::Object(map) => map
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect(),
            Value::Array(list) => list.into_iter().map(without_nulls).collect(),
            other => other,
        }
    }

    /// What `kubectl kustomize` makes of it, object by object.
    fn kustomized(
        kubectl: &Path,
        objects: &[Value],
        patches: &Value,
    ) -> Result<Vec<Value>, String> {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..objects.len()).map(|n| format!("{n}.yaml")).collect();
        for (name, object) in names.iter().zip(objects) {
            std::fs::write(folder.path().join(name), object.to_string()).unwrap();
        }
        let patches: Vec<Value> = patches
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let mut entry = entry.clone();
                entry["patch"] = json!(entry["patch"].to_string());
                entry
            })
            .collect();
        let kustomization = json!({"resources": names, "patches": patches});
        std::fs::write(
            folder.path().join("kustomization.yaml"),
            kustomization.to_string(),
        )
        .unwrap();
        let text = run(
            kubectl,
            &["kustomize", &folder.path().display().to_string()],
        )?;
        Ok(text
            .split("\n---\n")
            .map(|document| without_nulls(serde_yaml::from_str(document).unwrap()))
            .collect())
    }

    fn pod_spec() -> Value {
        json!({
            "containers": [
                {"name": "web", "image": "web:1",
                 "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}],
                 "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                 "args": ["a", "b"],
                 "envFrom": [{"configMapRef": {"name": "one"}}],
                 "volumeMounts": [{"mountPath": "/data", "name": "data"}],
                 "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}},
                {"name": "proxy", "image": "proxy:1"},
            ],
            "initContainers": [{"name": "init", "image": "init:1"}],
            "volumes": [{"name": "data", "emptyDir": {}}, {"name": "config", "configMap": {"name": "c"}}],
            "imagePullSecrets": [{"name": "pull"}],
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}],
            "tolerations": [{"key": "a", "operator": "Exists"}],
            "topologySpreadConstraints": [
                {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}],
            "nodeSelector": {"disk": "ssd"},
        })
    }

    fn deployment() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app": "web"}, "finalizers": ["b.test/x", "a.test/y"]},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": "web"}},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec()},
            },
        })
    }

    fn of_pod(change: &Value) -> Value {
        json!({"spec": {"template": {"spec": change}}})
    }

    fn of_container(change: &Value) -> Value {
        let mut change = change.clone();
        change["name"] = json!("web");
        of_pod(&json!({"containers": [change]}))
    }

    /// Patches of the Deployment that kubectl and kustomize understand alike, but for the order of lists.
    fn changes() -> Vec<Value> {
        vec![
            json!({"spec": {"replicas": 3, "paused": true}}),
            json!({"metadata": {"labels": {"tier": "front"}, "annotations": {"a": "b"}}}),
            of_container(&json!({"image": "web:2"})),
            of_container(
                &json!({"env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]}),
            ),
            of_container(
                &json!({"env": [{"name": "A", "value": null, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}),
            ),
            of_container(
                &json!({"ports": [{"containerPort": 81, "name": "admin"}, {"containerPort": 82}]}),
            ),
            of_container(&json!({"args": ["c"]})),
            of_container(&json!({"envFrom": [{"secretRef": {"name": "two"}}]})),
            of_container(&json!({"volumeMounts": [{"mountPath": "/config", "name": "config"}]})),
            of_container(&json!({"resources": {"limits": {"memory": "1Gi", "cpu": null}}})),
            of_container(&json!({"resources": {"$patch": "replace", "limits": {"memory": "1Gi"}}})),
            of_pod(
                &json!({"containers": [{"name": "new", "image": "new:1", "env": [{"name": "X", "value": null}]}]}),
            ),
            of_pod(&json!({"containers": [{"name": "proxy", "$patch": "delete"}]})),
            of_pod(
                &json!({"containers": [{"$patch": "replace"}, {"name": "only", "image": "only:1"}]}),
            ),
            of_pod(
                &json!({"initContainers": [{"name": "second", "image": "i:2"}, {"name": "init", "image": "i:1"}]}),
            ),
            of_pod(
                &json!({"volumes": [{"name": "config", "configMap": {"name": "d"}}, {"name": "more", "emptyDir": {}}]}),
            ),
            of_pod(&json!({"imagePullSecrets": [{"name": "other"}]})),
            of_pod(&json!({"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["b"]}]})),
            of_pod(&json!({"tolerations": [{"key": "b", "operator": "Exists"}]})),
            of_pod(&json!({"nodeSelector": {"disk": null, "zone": "a"}})),
            of_pod(&json!({"securityContext": {"runAsUser": 1000, "fsGroup": null}})),
        ]
    }

    /// What kubectl alone knows.
    fn directives() -> Vec<Value> {
        vec![
            // kustomize writes the text "null".
            json!({"metadata": {"labels": {"app": null}}}),
            of_pod(
                &json!({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}, {"topologyKey": "host", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}]}),
            ),
            json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
            of_pod(
                &json!({"volumes": [{"name": "data", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/d"}}]}),
            ),
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["b.test/x"]}}),
            json!({"metadata": {"finalizers": ["c.test/z", "a.test/y"]}}),
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["b.test/x"], "finalizers": ["d.test/z"]}}),
        ]
    }

    /// One kind each whose lists have a key.
    fn others() -> Vec<(Value, Value)> {
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": pod_spec()});
        let change = json!({"spec": {"containers": [{"name": "web", "image": "web:2"}]}});
        let of_kind = |api_version: &str, kind: &str, spec: Value| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, "spec": spec});
        vec![
            (of_kind("v1", "Pod", pod_spec()), change.clone()),
            (
                of_kind(
                    "apps/v1",
                    "StatefulSet",
                    json!({"serviceName": "web", "selector": {}, "template": template,
                "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"storageClassName": "a"}}]}),
                ),
                json!({"spec": {"template": change, "volumeClaimTemplates": [{"metadata": {"name": "more"}}]}}),
            ),
            (
                of_kind(
                    "apps/v1",
                    "DaemonSet",
                    json!({"selector": {}, "template": template}),
                ),
                json!({"spec": {"template": change}}),
            ),
            (
                of_kind("batch/v1", "Job", json!({"template": template})),
                json!({"spec": {"template": change}}),
            ),
            (
                of_kind(
                    "batch/v1",
                    "CronJob",
                    json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}),
                ),
                json!({"spec": {"jobTemplate": {"spec": {"template": change}}}}),
            ),
            (
                of_kind(
                    "v1",
                    "Service",
                    json!({"ports": [{"port": 80, "targetPort": 8080}, {"port": 81}], "externalIPs": ["1.1.1.1"]}),
                ),
                json!({"spec": {"ports": [{"port": 81, "name": "b"}, {"port": 82}], "externalIPs": ["2.2.2.2"]}}),
            ),
            (
                json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"},
                "secrets": [{"name": "a"}], "imagePullSecrets": [{"name": "a"}]}),
                json!({"secrets": [{"name": "b"}], "imagePullSecrets": [{"name": "b"}]}),
            ),
            (
                of_kind(
                    "policy/v1",
                    "PodDisruptionBudget",
                    json!({"maxUnavailable": 1, "selector": {"matchLabels": {"a": "b"}}}),
                ),
                json!({"spec": {"selector": {"matchLabels": {"c": "d"}}}}),
            ),
            (
                json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "web"}, "webhooks": [
                {"name": "a.test.io", "sideEffects": "None", "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://a"},
                 "rules": [{"apiGroups": ["a"]}], "matchConditions": [{"name": "x", "expression": "true"}]},
                {"name": "b.test.io", "sideEffects": "None", "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://b"}}]}),
                json!({"webhooks": [{"name": "a.test.io", "timeoutSeconds": 3, "rules": [{"apiGroups": ["b"]}],
                "matchConditions": [{"name": "y", "expression": "false"}]}]}),
            ),
            (
                of_kind(
                    "networking.k8s.io/v1",
                    "Ingress",
                    json!({"rules": [{"host": "a"}], "tls": [{"hosts": ["a"]}]}),
                ),
                json!({"spec": {"rules": [{"host": "b"}], "tls": null}}),
            ),
            (
                json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "web"},
                "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
                json!({"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]}),
            ),
            (
                of_kind(
                    "autoscaling/v2",
                    "HorizontalPodAutoscaler",
                    json!({"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"},
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}]}),
                ),
                json!({"spec": {"maxReplicas": 5, "metrics": [{"type": "Pods"}]}}),
            ),
            (
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": "1", "b": "2"}}),
                json!({"data": {"a": null, "c": "3"}}),
            ),
        ]
    }

    #[tokio::test]
    async fn a_merge_comes_to_what_kubectl_makes_of_it_lists_in_their_order() {
        let kubectl = kubectl().await;
        let of_deployment = changes().into_iter().chain(directives());
        let cases = of_deployment.map(|change| (deployment(), change));
        let mut compared = 0;
        for (object, change) in cases.chain(others()) {
            let expected = patched(&kubectl, &object, &change)
                .unwrap_or_else(|error| panic!("kubectl refuses {change}: {error}"));
            assert_eq!(ours(&object, &change), Ok(expected), "{change}");
            compared += 1;
        }
        assert!(compared > 35, "{compared}");
    }

    #[tokio::test]
    async fn what_kubectl_refuses_is_refused() {
        let kubectl = kubectl().await;
        for change in [
            of_pod(&json!({"containers": [{"image": "nameless"}]})),
            of_pod(&json!({"containers": [{"$patch": "delete"}]})),
            json!({"spec": {"strategy": {"$patch": "other"}}}),
            json!({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {"maxSurge": 2}}}}),
        ] {
            assert!(
                patched(&kubectl, &deployment(), &change).is_err(),
                "{change}"
            );
            assert!(ours(&deployment(), &change).is_err(), "{change}");
        }
    }

    /// Lists without an order of their own: kustomize orders them otherwise.
    fn unordered(value: &Value) -> Value {
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), unordered(value)))
                .collect(),
            Value::Array(list) => {
                let mut list: Vec<Value> = list.iter().map(unordered).collect();
                list.sort_by_key(Value::to_string);
                Value::Array(list)
            }
            other => other.clone(),
        }
    }

    #[tokio::test]
    async fn a_merge_comes_to_what_kustomize_makes_of_it() {
        let kubectl = kubectl().await;
        // What kustomize alone knows.
        let more = [
            of_container(&json!({"resources": {"$patch": "delete"}})),
            of_container(&json!({"$patch": "merge", "image": "web:2"})),
        ];
        let mut differ = Vec::new();
        for change in changes().into_iter().chain(more) {
            let patches = json!([{"target": {"kind": "Deployment"}, "patch": change}]);
            let mut named = patches.clone();
            // kustomize wants every patch to name something.
            named[0]["patch"]["apiVersion"] = json!("apps/v1");
            named[0]["patch"]["kind"] = json!("Deployment");
            named[0]["patch"]["metadata"]["name"] = json!("any");
            let expected = kustomized(&kubectl, &[deployment()], &named)
                .unwrap_or_else(|error| panic!("kustomize refuses {change}: {error}"));
            let ours = ours(&deployment(), &change).unwrap();
            if unordered(&ours) != unordered(&expected[0]) {
                differ.push(format!("{change}:\n{ours}\n{}", expected[0]));
            }
        }
        assert!(differ.is_empty(), "{}", differ.join("\n"));
    }

    fn target(given: &Value) -> Target {
        let text = |field: &str| given[field].as_str().map(str::to_owned);
        Target {
            group: text("group"),
            version: text("version"),
            kind: text("kind"),
            name: text("name"),
            namespace: text("namespace"),
            label_selector: text("labelSelector"),
            annotation_selector: text("annotationSelector"),
        }
    }

    #[tokio::test]
    async fn a_target_means_the_objects_that_kustomize_would_patch() {
        let kubectl = kubectl().await;
        let object = |api_version: &str, kind: &str, name: &str, labels: Value| {
            json!({"apiVersion": api_version, "kind": kind, "metadata": {
            "name": name, "labels": labels, "annotations": {"team": name}}})
        };
        let mut elsewhere = object("v1", "ConfigMap", "far", json!({"app": "web"}));
        elsewhere["metadata"]["namespace"] = json!("far");
        let objects = [
            object(
                "apps/v1",
                "Deployment",
                "web",
                json!({"app": "web", "tier": "front"}),
            ),
            object("apps/v1", "StatefulSet", "data", json!({"app": "data"})),
            object("v1", "Service", "web", json!({"app": "web"})),
            object("example.org/v1beta1", "Widget", "web-two", json!({})),
            elsewhere,
        ];
        for given in [
            json!({"kind": "Deployment"}),
            json!({"kind": "Deploy"}),
            json!({"kind": ".*Set|Deployment"}),
            json!({"name": "web"}),
            json!({"name": "web.*"}),
            json!({"group": "apps"}),
            json!({"group": "apps|example.org", "version": "v1.*"}),
            json!({"namespace": "far"}),
            json!({"namespace": "default"}),
            json!({"labelSelector": "app=web"}),
            json!({"labelSelector": "app=web,tier notin (front)"}),
            json!({"labelSelector": "!tier"}),
            json!({"annotationSelector": "team in (web, data)"}),
            json!({"kind": "Service", "name": "web", "labelSelector": "app"}),
        ] {
            let mark = json!([{"op": "add", "path": "/marked", "value": true}]);
            let patches = json!([{"target": given, "patch": mark}]);
            let made = kustomized(&kubectl, &objects, &patches).unwrap();
            let name =
                |object: &Value| format!("{}/{}", object["kind"], object["metadata"]["name"]);
            let mut theirs: Vec<_> = made
                .iter()
                .filter(|object| object["marked"] == true)
                .map(name)
                .collect();
            theirs.sort();
            let patch = Patch::new(Some(&target(&given)), &mark).unwrap();
            let mut ours: Vec<_> = objects
                .iter()
                .filter(|object| patch.is_meant_for(object, "default"))
                .map(name)
                .collect();
            ours.sort();
            assert_eq!(ours, theirs, "{given}");
        }
    }

    #[tokio::test]
    async fn a_json_patch_comes_to_what_kustomize_makes_of_it() {
        let kubectl = kubectl().await;
        let container = "/spec/template/spec/containers/0";
        for (operations, fits) in [
            (
                json!([{"op": "replace", "path": "/spec/replicas", "value": 2}]),
                true,
            ),
            (
                json!([{"op": "add", "path": format!("{container}/env/-"), "value": {"name": "Z"}}]),
                true,
            ),
            (
                json!([{"op": "add", "path": format!("{container}/env/0"), "value": {"name": "Z"}}]),
                true,
            ),
            (
                json!([{"op": "add", "path": "/metadata/annotations", "value": {"a/b": "c"}},
                {"op": "replace", "path": "/metadata/annotations/a~1b", "value": "d"}]),
                true,
            ),
            (
                json!([{"op": "remove", "path": format!("{container}/args")}]),
                true,
            ),
            (
                json!([{"op": "move", "from": "/spec/replicas", "path": "/spec/minReadySeconds"}]),
                true,
            ),
            (
                json!([{"op": "copy", "from": "/spec/replicas", "path": "/spec/minReadySeconds"}]),
                true,
            ),
            (
                json!([{"op": "test", "path": "/spec/replicas", "value": 1},
                {"op": "remove", "path": "/spec/replicas"}]),
                true,
            ),
            (
                json!([{"op": "test", "path": "/spec/replicas", "value": 7}]),
                false,
            ),
            (json!([{"op": "remove", "path": "/spec/absent"}]), false),
            (
                json!([{"op": "add", "path": "/spec/absent/deeper", "value": 1}]),
                false,
            ),
            (
                json!([{"op": "add", "path": format!("{container}/env/9"), "value": {}}]),
                false,
            ),
        ] {
            let patches = json!([{"target": {"kind": "Deployment"}, "patch": operations}]);
            let theirs = kustomized(&kubectl, &[deployment()], &patches);
            assert_eq!(theirs.is_ok(), fits, "{operations}: {theirs:?}");
            let ours = ours(&deployment(), &operations);
            match theirs {
                Ok(theirs) => assert_eq!(ours, Ok(theirs[0].clone()), "{operations}"),
                Err(_) => assert!(ours.is_err(), "{operations}"),
            }
        }
    }

    /// kubectl drops the rest of such an element, kustomize the whole of it: neither can be meant.
    #[test]
    fn an_element_that_would_replace_another_is_refused() {
        let element = json!({"name": "web", "$patch": "replace", "image": "web:9"});
        let change = of_pod(&json!({"containers": [element]}));
        let error = ours(&deployment(), &change).unwrap_err();
        assert!(
            error.contains("containers[0]") && error.contains("an element of its own"),
            "{error}"
        );
    }

    /// RFC 6902 says that what is replaced has to be there; kustomize adds it in silence, and a misspelt path with it.
    #[tokio::test]
    async fn what_is_to_be_replaced_has_to_be_there() {
        let operations = json!([{"op": "replace", "path": "/spec/replica", "value": 2}]);
        let error = ours(&deployment(), &operations).unwrap_err();
        assert!(error.contains("/spec/replica"), "{error}");
    }
}
