//! Packages that have to be signed with PGP: signed by the real helm, judged by it too, and served by a real server.

use std::path::Path;

use belay_harness::{Fault, HttpRepo, Publisher, Tools};
use belay_source::{Error, HttpRepository, Keyring, Kind};
use rstest::rstest;
use tempfile::TempDir;

use super::asking::{ANY_AGE, NOW, fetch, fetcher};

struct World {
    tools: Tools,
    repository: HttpRepo,
    chart: TempDir,
    jane: Publisher,
}

/// A repository with `web` in version 1.0.0, signed by Jane.
async fn signed() -> World {
    let tools = Tools::ensure().await.unwrap();
    let repository = HttpRepo::start(&tools).await.unwrap();
    let chart = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = chart.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.0.0\n");
    write("templates/web.yaml", "kind: ConfigMap\n");
    let jane = Publisher::new("Jane <jane@example.org>").unwrap();
    let world = World {
        tools,
        repository,
        chart,
        jane,
    };
    world.publish("1.0.0").await;
    world
}

impl World {
    async fn publish(&self, version: &str) {
        let (chart, jane) = (self.chart.path(), &self.jane);
        self.repository
            .publish_signed(chart, version, jane)
            .await
            .unwrap();
    }

    fn wanted(&self, publisher: &Publisher) -> HttpRepository {
        let ring = std::fs::read(publisher.keyring()).unwrap();
        HttpRepository {
            url: self.repository.url().to_owned(),
            name: "web".into(),
            provenance: Some(Keyring::read([("pubring.gpg", ring.as_slice())]).unwrap()),
            ..HttpRepository::default()
        }
    }

    /// Whether the real helm verifies what the repository serves.
    async fn helm_verifies(&self, publisher: &Publisher) -> bool {
        let shown = |path: &Path| path.display().to_string();
        let package = shown(&self.repository.folder().join("web-1.0.0.tgz"));
        let keyring = shown(&publisher.keyring());
        let verify = ["verify", &package, "--keyring", &keyring];
        self.tools.helm(&verify).await.unwrap().ok().is_ok()
    }

    fn rewrite(&self, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let content = std::fs::read(self.repository.folder().join(name)).unwrap();
        self.repository.put(name, &change(content)).unwrap();
    }
}

fn unverified(error: &Error) -> String {
    assert_eq!(error.kind(), Kind::Unverified, "{error}");
    assert!(!error.is_transient());
    error.to_string()
}

#[tokio::test]
async fn a_package_is_taken_when_helm_would_verify_it_and_not_otherwise() {
    let world = signed().await;
    let joe = Publisher::new("Joe <joe@example.org>").unwrap();

    let fetched = fetch(&fetcher(), &world.wanted(&world.jane), NOW).await;
    assert_eq!(fetched.unwrap().version, "1.0.0");
    assert!(world.helm_verifies(&world.jane).await);

    let told = unverified(
        &fetch(&fetcher(), &world.wanted(&joe), NOW)
            .await
            .unwrap_err(),
    );
    assert!(!world.helm_verifies(&joe).await);
    let tried = format!(
        "tried the PGP keys {} (Joe <joe@example.org>)",
        joe.fingerprint()
    );
    assert!(told.ends_with(&tried), "{told}");
    assert!(told.contains(&world.jane.fingerprint()), "{told}");
    assert_eq!(
        world.repository.requests("/web-1.0.0.tgz"),
        1,
        "what is not verified is not even transferred"
    );
}

fn replaced(content: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(content).unwrap();
    assert!(text.contains(from), "{text}");
    text.replace(from, to).into_bytes()
}

#[rstest]
#[case::no_file(|_: Vec<u8>| Vec::new())]
#[case::changed_text(|text: Vec<u8>| replaced(text, "name: web", "name: wep"))]
#[case::no_signature(|text: Vec<u8>| text[..text.len() / 2].to_vec())]
#[tokio::test]
async fn a_provenance_file_that_helm_refuses_is_refused(#[case] change: fn(Vec<u8>) -> Vec<u8>) {
    let world = signed().await;
    world.rewrite("web-1.0.0.tgz.prov", change);

    let told = fetch(&fetcher(), &world.wanted(&world.jane), NOW).await;

    let told = unverified(&told.unwrap_err());
    assert!(told.contains("/web-1.0.0.tgz.prov"), "{told}");
    assert!(!world.helm_verifies(&world.jane).await);
}

/// Given an index that was made anew for a package that somebody put in place of the signed one.
#[tokio::test]
async fn a_package_that_took_the_place_of_the_signed_one_is_refused() {
    let world = signed().await;
    let proof = std::fs::read(world.repository.folder().join("web-1.0.0.tgz.prov")).unwrap();
    std::fs::write(world.chart.path().join("values.yaml"), "evil: true\n").unwrap();
    let chart = world.chart.path();
    world.repository.publish(chart, "1.0.0").await.unwrap();
    world.repository.put("web-1.0.0.tgz.prov", &proof).unwrap();

    let told = fetch(&fetcher(), &world.wanted(&world.jane), NOW).await;

    let told = unverified(&told.unwrap_err());
    assert!(told.contains("signed for another web-1.0.0.tgz"), "{told}");
    assert!(!world.helm_verifies(&world.jane).await);
}

#[tokio::test]
async fn a_package_without_a_provenance_file_is_refused_until_it_has_one() {
    let world = signed().await;
    let file = world.repository.folder().join("web-1.0.0.tgz.prov");
    let proof = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let (fetcher, wanted) = (fetcher(), world.wanted(&world.jane));

    let told = unverified(&fetch(&fetcher, &wanted, NOW).await.unwrap_err());
    assert!(told.contains("there is no provenance file at"), "{told}");

    world.repository.put("web-1.0.0.tgz.prov", &proof).unwrap();
    assert!(fetch(&fetcher, &wanted, ANY_AGE).await.is_err());
    // An interval that is over, however short it was.
    let over = std::time::Duration::from_nanos(1);
    fetch(&fetcher, &wanted, over).await.unwrap();
}

/// Given an index without digests, as old ones are: the package itself says what it is.
#[tokio::test]
async fn a_package_that_the_index_does_not_describe_is_verified_too() {
    let world = signed().await;
    let joe = Publisher::new("Joe <joe@example.org>").unwrap();
    world.rewrite("index.yaml", |index| {
        let text = String::from_utf8(index).unwrap();
        let kept = text.lines().filter(|line| !line.contains("digest:"));
        kept.collect::<Vec<_>>().join("\n").into_bytes()
    });

    fetch(&fetcher(), &world.wanted(&world.jane), NOW)
        .await
        .unwrap();
    let refused = fetch(&fetcher(), &world.wanted(&joe), NOW).await;

    unverified(&refused.unwrap_err());
}

/// Given a chart that one release has verified, another release's keyring is asked all the same.
#[tokio::test]
async fn what_one_keyring_verified_is_not_verified_for_another() {
    let world = signed().await;
    let joe = Publisher::new("Joe <joe@example.org>").unwrap();
    let fetcher = fetcher();
    fetch(&fetcher, &world.wanted(&world.jane), NOW)
        .await
        .unwrap();

    let refused = fetch(&fetcher, &world.wanted(&joe), ANY_AGE).await;

    unverified(&refused.unwrap_err());
}

#[tokio::test]
async fn a_thousand_releases_ask_for_one_provenance_file() {
    let world = signed().await;
    let (fetcher, wanted) = (fetcher(), world.wanted(&world.jane));

    let all = (0..1000).map(|_| fetch(&fetcher, &wanted, ANY_AGE));
    let all = futures::future::join_all(all).await;
    assert!(all.iter().all(Result::is_ok));
    fetch(&fetcher, &wanted, ANY_AGE).await.unwrap();

    assert_eq!(world.repository.requests("/web-1.0.0.tgz.prov"), 1);
}

#[tokio::test]
async fn a_repository_that_fails_is_not_called_unsigned() {
    let world = signed().await;
    let fetcher = fetcher();
    let mut plain = world.wanted(&world.jane);
    plain.provenance = None;
    fetch(&fetcher, &plain, NOW).await.unwrap();
    world.repository.fail(Fault::Status(503));

    let error = fetch(&fetcher, &world.wanted(&world.jane), ANY_AGE).await;

    assert_eq!(error.unwrap_err().kind(), Kind::Unreachable);
}
