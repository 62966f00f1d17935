//! Charts that have to be signed: what is not is never rendered, and the status says which key was tried.

use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason};
use belay_harness::{CosignKey, HttpRepo, Publisher, Registry, RegistryOptions, SignatureFormat};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::operator_charts::note;
use crate::operator_world::{
    SHOP, World, at_rest, condition, current, message, operated_world, ready,
};

impl World {
    /// Applies a Secret with these files.
    async fn keys(&self, name: &str, files: Value) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": files,
        });
        let params = PatchParams::apply("gitops").force();
        let secrets = self.api::<Secret>();
        secrets
            .patch(name, &params, &Patch::Apply(&secret))
            .await
            .unwrap();
    }

    /// Waits until a release runs a chart, at rest.
    async fn until_runs(&self, chart: &str) -> HelmRelease {
        self.until_release(SHOP, chart, |release| {
            let status = release.status.as_ref();
            let current = status.and_then(|status| status.current.as_ref());
            at_rest(release) && current.is_some_and(|current| current.chart == chart)
        })
        .await
    }
}

fn source_ready(release: &HelmRelease) -> (ConditionStatus, Reason, String) {
    let found = condition(release, ConditionType::SourceReady).unwrap();
    (found.status, found.reason, found.message.clone())
}

#[tokio::test]
async fn a_package_is_rolled_out_only_if_a_known_publisher_signed_it() {
    let world = operated_world("verifyprov").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    let jane = Publisher::new("Jane <jane@example.org>").unwrap();
    let joe = Publisher::new("Joe <joe@example.org>").unwrap();
    repository
        .publish_signed(folder.path(), "1.0.0", &jane)
        .await
        .unwrap();
    world
        .keys("publishers", json!({"joe.asc": joe.armored().unwrap()}))
        .await;
    let from = json!({
        "url": repository.url(), "name": SHOP,
        "verify": {"provenance": {"keySecretRef": {"name": "publishers"}}},
    });
    let spec = json!({"chart": {"repository": from}, "interval": "1h"});

    // Joe's key does not open what Jane signed.
    let asked = world.apply(SHOP, &spec).await;
    let stopped = world.stopped(&asked, Reason::ChartUnverified).await;
    let told = message(&stopped);
    let tried = format!(
        "tried the PGP keys {} (Joe <joe@example.org>)",
        joe.fingerprint()
    );
    assert!(told.contains(&tried), "{told}");
    assert_eq!(current(&stopped), None);
    let (status, reason, _) = source_ready(&stopped);
    assert_eq!(
        (status, reason),
        (ConditionStatus::False, Reason::ChartUnverified)
    );

    // Hers does, from the moment that it is there.
    let both = json!({"joe.asc": joe.armored().unwrap(), "jane.asc": jane.armored().unwrap()});
    world.keys("publishers", both).await;
    let deployed = world.deployed(&asked).await;
    let (status, reason, told) = source_ready(&deployed);
    assert_eq!(
        (status, reason),
        (ConditionStatus::True, Reason::ChartFound)
    );
    assert!(told.contains("shop-1.0.0 comes from http://"), "{told}");

    // A newer version that nobody signed stays where it is, and what runs stays too.
    repository.publish(folder.path(), "1.1.0").await.unwrap();
    world.looked_at(SHOP, "unsigned").await;
    let release = world
        .until_release(SHOP, "the refusal", |release| {
            message(release).contains("no provenance file")
        })
        .await;
    assert_eq!(current(&release), Some(1));
    world.end().await;
}

#[tokio::test]
async fn a_manifest_is_rolled_out_only_if_a_known_cosign_key_signed_it() {
    let world = operated_world("verifycosign").await;
    let registry = Registry::start(world.cluster.tools(), RegistryOptions::default())
        .await
        .unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    registry.push(folder.path(), "1.0.0").await.unwrap();
    let (key, other) = (CosignKey::new(), CosignKey::new());
    world
        .keys("signers", json!({"cosign.pub": other.public().unwrap()}))
        .await;
    let from = json!({
        "url": registry.url(SHOP), "version": "1.x", "plainHttp": true,
        "verify": {"cosign": {"keySecretRef": {"name": "signers"}}},
    });
    let spec = json!({"chart": {"oci": from}, "interval": "1h"});

    let asked = world.apply(SHOP, &spec).await;
    let told = message(&world.stopped(&asked, Reason::ChartUnverified).await);
    assert!(told.contains("has no signature of cosign's"), "{told}");

    key.sign(&registry, SHOP, "1.0.0", SignatureFormat::Payload)
        .await
        .unwrap();
    world.looked_at(SHOP, "signed").await;
    let release = world
        .until_release(SHOP, "the refusal", |release| {
            message(release).contains("by none of them")
        })
        .await;
    let told = message(&release);
    assert!(
        told.contains("tried the cosign keys cosign.pub (SHA-256 "),
        "{told}"
    );

    world
        .keys("signers", json!({"cosign.pub": key.public().unwrap()}))
        .await;
    world.deployed(&asked).await;

    // And by cosign 3's way.
    registry.push(folder.path(), "1.1.0").await.unwrap();
    key.sign(&registry, SHOP, "1.1.0", SignatureFormat::Bundle)
        .await
        .unwrap();
    world.looked_at(SHOP, "a bundle").await;
    world.until_runs("shop-1.1.0").await;
    world.end().await;
}

#[tokio::test]
async fn what_is_no_public_key_is_told_and_a_private_one_is_not_shown() {
    let world = operated_world("verifykeys").await;
    let registry = Registry::start(world.cluster.tools(), RegistryOptions::default())
        .await
        .unwrap();
    let from = |verify: Value| {
        let chart = json!({"url": registry.url(SHOP), "plainHttp": true, "verify": verify});
        json!({"chart": {"oci": chart}})
    };
    let cosign = json!({"cosign": {"keySecretRef": {"name": "signers"}}});

    let asked = world.apply(SHOP, &from(cosign)).await;
    world
        .until_release(SHOP, "the missing Secret", |release| {
            ready(release).is_some_and(|ready| ready.reason == Reason::ReferenceNotFound)
        })
        .await;

    world.keys("signers", json!({"cosign.key": "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\naHVudGVyMg==\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"})).await;
    let told = message(&world.stopped(&asked, Reason::SpecInvalid).await);
    assert!(told.contains("no key that ends in .pub"), "{told}");
    assert!(!told.contains("aHVudGVyMg"), "{told}");
    world.end().await;
}
