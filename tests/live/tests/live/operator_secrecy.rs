//! Credentials are in no log, however much is logged.

use belay_api::{ConditionType, HelmRelease};
use belay_harness::{GENEROUS, HttpRepo, Operator, Registry, RegistryOptions, belay_binary, until};
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::operator_charts::note;
use crate::operator_world::{holds, message, quiet_world};

const PASSWORD: &str = "correct-horse-battery";
/// `jane:correct-horse-battery` and `jane:wrong-horse-battery`, as they travel.
const ENCODED: [&str; 2] = ["amFuZTpjb3JyZWN0LWhvcnNl", "amFuZTp3cm9uZy1ob3JzZ"];

/// Given the real operator at its most talkative, sources that want a password, a value out of a Secret, and one wrong
/// password.
#[tokio::test]
async fn no_log_holds_a_password_or_a_secret_value() {
    let world = quiet_world("secrecy").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    repository.publish(folder.path(), "1.0.0").await.unwrap();
    repository.require("jane", PASSWORD);
    let options = RegistryOptions {
        credentials: Some(("jane".into(), PASSWORD.into())),
        ..RegistryOptions::default()
    };
    let tools = world.cluster.tools();
    let registry = Registry::start(tools, options).await.unwrap();
    registry.push(folder.path(), "1.0.0").await.unwrap();
    let secret = async |name: &str, data: Value| {
        let secret = json!({"metadata": {"name": name}, "stringData": data});
        let secret = serde_json::from_value(secret).unwrap();
        let secrets = world.api::<Secret>();
        secrets
            .create(&PostParams::default(), &secret)
            .await
            .unwrap();
    };
    let login = |password: &str| json!({"username": "jane", "password": password});
    secret("right", login(PASSWORD)).await;
    secret("wrong", login("wrong-horse-battery")).await;
    secret(
        "values",
        json!({"values.yaml": "greeting: secret-horse-battery\n"}),
    )
    .await;
    let flags = [
        "--namespaces",
        world.namespace(),
        "--own-namespace",
        world.namespace(),
        "--allow-source-addresses",
        "127.0.0.0/8",
        "--log-level",
        "trace",
    ];
    let kubeconfig = world.cluster.kubeconfig();
    let binary = belay_binary().unwrap();
    let operator = Operator::start(&binary, &kubeconfig, &flags.map(str::to_owned)).unwrap();

    let from_repository = |name: &str| {
        let secret = json!({"name": name});
        json!({"repository": {"url": repository.url(), "name": "shop", "secretRef": secret}})
    };
    let url = registry.url("shop");
    let oci =
        json!({"url": url, "version": "1.x", "plainHttp": true, "secretRef": {"name": "right"}});
    let values = json!([{"kind": "Secret", "name": "values"}]);
    for (name, chart, told) in [
        ("shop-a", from_repository("right"), ""),
        ("shop-b", json!({"oci": oci}), ""),
        ("shop-c", from_repository("wrong"), "check the user"),
    ] {
        let spec = json!({"chart": chart, "valuesFrom": values, "interval": "1h"});
        world.apply(name, &spec).await;
        let ended = |release: &HelmRelease| match told {
            "" => holds(release, ConditionType::Ready),
            told => message(release).contains(told),
        };
        until(&world.api(), name, "the end of it", GENEROUS, ended)
            .await
            .unwrap();
    }

    let log = operator.log();
    assert!(log.contains("TRACE"), "nothing was logged");
    for hidden in [PASSWORD, "wrong-horse", "secret-horse"]
        .into_iter()
        .chain(ENCODED)
    {
        let line = log.lines().find(|line| line.contains(hidden));
        assert_eq!(line, None, "{hidden}");
    }
    operator.stop(GENEROUS).await.unwrap();
}
