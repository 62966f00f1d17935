//! Charts out of a real OCI registry.

use std::process::Stdio;

use belay_api::Reason;
use belay_harness::{Fault, Registry, RegistryOptions, belay_binary};
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::operator_charts::note;
use crate::operator_world::{SHOP, World, at_rest, current, message, operated_world};

/// A registry with these versions of the chart, and the chart's folder.
async fn registry(
    world: &World,
    options: RegistryOptions,
    versions: &[&str],
) -> (Registry, TempDir) {
    let registry = Registry::start(world.cluster.tools(), options)
        .await
        .unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    for version in versions {
        registry.push(folder.path(), version).await.unwrap();
    }
    (registry, folder)
}

fn from(url: &str, version: &str) -> Value {
    json!({"url": url, "version": version, "plainHttp": true})
}

/// Runs the belay binary, which has to succeed.
pub async fn belay(world: &World, args: &[&str]) -> String {
    let output = tokio::process::Command::new(belay_binary().unwrap())
        .args(args)
        .args(["-n", world.namespace()])
        .env("KUBECONFIG", world.cluster.kubeconfig())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

/// What helm renders. It puts two lines about its download before it, into the same stream.
async fn rendered(world: &World, args: &[&str]) -> String {
    let printed = world.helm(args).await;
    let (told, manifest) = printed.split_at(printed.find("---\n").unwrap());
    assert!(told.starts_with("Pulled: "), "{told}");
    manifest.to_owned()
}

async fn runs(world: &World, chart: &str) {
    world
        .until_release(SHOP, chart, |release| {
            let status = release.status.as_ref();
            let current = status.and_then(|status| status.current.as_ref());
            at_rest(release) && current.is_some_and(|current| current.chart == chart)
        })
        .await;
}

#[tokio::test]
async fn a_range_over_tags_takes_what_is_pushed_with_a_pull_secret() {
    let world = operated_world("ocirange").await;
    let options = RegistryOptions {
        credentials: Some(("jane".into(), "hunter2".into())),
        ..RegistryOptions::default()
    };
    let (registry, folder) = registry(&world, options, &["1.0.0", "2.0.0"]).await;
    let host = format!("--docker-server={}", registry.address());
    let made = ["create", "secret", "docker-registry", "pull", &host];
    let as_jane = ["--docker-username=jane", "--docker-password=hunter2"];
    world.kubectl(&[&made[..], &as_jane].concat()).await;
    let mut chart = from(&registry.url(SHOP), ">=1 <2");
    chart["secretRef"] = json!({"name": "pull"});
    let spec = json!({"chart": {"oci": chart}, "interval": "1s"});

    world.deployed(&world.apply(SHOP, &spec).await).await;
    runs(&world, "shop-1.0.0").await;

    registry.push(folder.path(), "1.1.0+build.7").await.unwrap();
    runs(&world, "shop-1.1.0+build.7").await;
    world.end().await;
}

/// Given a release that names no Secret: the account that it is rolled out as opens the registry, as for its images.
#[tokio::test]
async fn the_pull_secrets_of_the_service_account_open_the_registry() {
    let world = operated_world("ociaccount").await;
    let options = RegistryOptions {
        credentials: Some(("jane".into(), "hunter2".into())),
        ..RegistryOptions::default()
    };
    let (registry, _folder) = registry(&world, options, &["1.0.0"]).await;
    let pull = async |name: &str, host: &str, password: &str| {
        let (host, password) = (
            format!("--docker-server={host}"),
            format!("--docker-password={password}"),
        );
        let made = [
            "create",
            "secret",
            "docker-registry",
            name,
            &host,
            &password,
        ];
        world
            .kubectl(&[&made[..], &["--docker-username=jane"]].concat())
            .await;
    };
    pull("elsewhere", "elsewhere.example", "other").await;
    pull("pull", registry.address(), "hunter2").await;
    world
        .kubectl(&["create", "serviceaccount", "deployer"])
        .await;
    let rights = ["--verb=*", "--resource=configmaps,secrets,serviceaccounts"];
    world
        .kubectl(&[&["create", "role", "some"][..], &rights].concat())
        .await;
    let subject = format!("--serviceaccount={}:deployer", world.namespace());
    world
        .kubectl(&["create", "rolebinding", "some", "--role=some", &subject])
        .await;
    let chart = from(&registry.url(SHOP), "1.0.0");
    let spec = json!({"chart": {"oci": chart}, "serviceAccountName": "deployer", "interval": "1h"});

    let asked = world.apply(SHOP, &spec).await;
    let told = message(&world.stopped(&asked, Reason::SourceUnauthorized).await);
    assert!(told.contains("no credentials were sent"), "{told}");

    let secrets =
        r#"{"imagePullSecrets": [{"name": "elsewhere"}, {"name": "absent"}, {"name": "pull"}]}"#;
    let patch = ["patch", "serviceaccount", "deployer", "-p", secrets];
    world.kubectl(&patch).await;
    world.looked_at(SHOP, "with pull secrets").await;
    world.deployed(&asked).await;
    world.end().await;
}

#[tokio::test]
async fn a_registry_that_knows_its_clients_by_certificates_is_shown_one() {
    let world = operated_world("ocicert").await;
    let options = RegistryOptions {
        tls: true,
        client_certificates: true,
        ..RegistryOptions::default()
    };
    let (registry, _folder) = registry(&world, options, &["1.0.0"]).await;
    let (certificate, key) = registry.client("jane").unwrap();
    let secret = json!({
        "metadata": {"name": "certificate"},
        "stringData": {"tls.crt": certificate, "tls.key": key, "ca.crt": registry.authority()},
    });
    let secret = serde_json::from_value::<Secret>(secret).unwrap();
    let secrets = world.api::<Secret>();
    secrets
        .create(&PostParams::default(), &secret)
        .await
        .unwrap();
    let chart = json!({
        "url": registry.url(SHOP), "version": "1.0.0", "certSecretRef": {"name": "certificate"},
    });

    let asked = world.apply(SHOP, &json!({"chart": {"oci": chart}})).await;

    world.deployed(&asked).await;
    world.end().await;
}

#[tokio::test]
async fn a_tag_that_is_pushed_anew_is_rolled_out_and_a_digest_is_not() {
    let world = operated_world("ocitag").await;
    let (registry, folder) = registry(&world, RegistryOptions::default(), &["1.0.0"]).await;
    let chart = from(&registry.url(SHOP), "1.0.0");
    let spec = json!({"chart": {"oci": chart}, "interval": "1s"});
    world.deployed(&world.apply(SHOP, &spec).await).await;

    note()
        .with(
            "values.yaml",
            "greeting: pushed anew\nimage: x\nreplicas: 1\n",
        )
        .write(folder.path());
    registry.push(folder.path(), "1.0.0").await.unwrap();
    world
        .until_release(SHOP, "the second revision", |release| {
            at_rest(release) && current(release) == Some(2)
        })
        .await;
    assert_eq!(world.greeting(SHOP).await, "pushed anew");
    world.end().await;
}

#[tokio::test]
async fn a_registry_that_refuses_or_has_nothing_is_told_by_its_reason() {
    let world = operated_world("ocirefuse").await;
    let (registry, _folder) = registry(&world, RegistryOptions::default(), &["1.0.0"]).await;
    let front = registry.front().await.unwrap();
    let oci = |version: &str| {
        let chart = from(&front.url(SHOP), version);
        json!({"chart": {"oci": chart}, "interval": "1s"})
    };

    let nothing = world.apply(SHOP, &oci(">=3")).await;
    let told = message(&world.stopped(&nothing, Reason::ChartNotFound).await);
    assert!(told.contains("nearest: 1.0.0"), "{told}");

    front.fail("", Fault::Status(403));
    let refused = world.apply(SHOP, &oci("1.0.0")).await;
    world.stopped(&refused, Reason::SourceUnauthorized).await;

    front.heal();
    world.deployed(&refused).await;
    world.end().await;
}

#[tokio::test]
async fn a_pull_secret_without_the_registry_says_so() {
    let world = operated_world("ocisecret").await;
    let (registry, _folder) = registry(&world, RegistryOptions::default(), &["1.0.0"]).await;
    let secret = json!({
        "metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": r#"{"auths": {"elsewhere.example": {"auth": "YTpi"}}}"#},
    });
    let secret = serde_json::from_value::<Secret>(secret).unwrap();
    let secrets = world.api::<Secret>();
    secrets
        .create(&PostParams::default(), &secret)
        .await
        .unwrap();
    let mut chart = from(&registry.url(SHOP), "1.0.0");
    chart["secretRef"] = json!({"name": "pull"});

    let asked = world.apply(SHOP, &json!({"chart": {"oci": chart}})).await;

    let told = message(&world.stopped(&asked, Reason::SpecInvalid).await);
    assert!(
        told.contains("no entry for the registry of oci://"),
        "{told}"
    );
    world.end().await;
}

#[tokio::test]
async fn the_command_line_takes_the_same_address_as_helm() {
    let world = operated_world("ocicli").await;
    let (registry, _folder) =
        registry(&world, RegistryOptions::default(), &["1.0.0", "1.1.0"]).await;
    let url = registry.url(SHOP);

    let ask = ["template", SHOP, &url, "--version", "~1.0", "--plain-http"];
    assert_eq!(belay(&world, &ask).await, rendered(&world, &ask).await);
    let tagged = format!("{url}:1.1.0");
    let ask = ["template", SHOP, &tagged, "--plain-http"];
    assert_eq!(belay(&world, &ask).await, rendered(&world, &ask).await);

    let installed = belay(&world, &["install", SHOP, &url, "--plain-http"]).await;
    assert!(installed.contains("created"), "{installed}");
    runs(&world, "shop-1.1.0").await;
    world.end().await;
}

/// Given a registry that lets in only who shows a certificate: the files are helm's.
#[tokio::test]
async fn the_command_line_shows_a_certificate_as_helm_does() {
    let world = operated_world("ocicertcli").await;
    let options = RegistryOptions {
        tls: true,
        client_certificates: true,
        ..RegistryOptions::default()
    };
    let (registry, folder) = registry(&world, options, &["1.0.0"]).await;
    let (certificate, key) = registry.client("jane").unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (certificate, key) = (file("jane.crt", &certificate), file("jane.key", &key));
    let authority = registry.authority_file().display().to_string();
    let url = registry.url(SHOP);
    let ask = [
        "template",
        SHOP,
        &url,
        "--version",
        "1.0.0",
        "--ca-file",
        &authority,
    ];
    let shown = [&ask[..], &["--cert-file", &certificate, "--key-file", &key]].concat();

    assert_eq!(belay(&world, &shown).await, rendered(&world, &shown).await);

    let output = tokio::process::Command::new(belay_binary().unwrap())
        .args(ask)
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && told.contains("ertificate"),
        "{told}"
    );
    world.end().await;
}
