//! `--verify` and `--keyring` of the command line, case by case as the real helm judges them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use belay_api::{HelmRelease, Reason};
use belay_harness::{HttpRepo, Publisher, Registry, RegistryOptions, Tools, belay_binary};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::ListParams;
use tempfile::{TempDir, tempdir};

use crate::operator_charts::note;
use crate::operator_registry::belay;
use crate::operator_world::{SHOP, current, message, operated_world};

/// A chart's folder, its package, signed by Jane, and who else might have signed it.
struct Signed {
    tools: Tools,
    folder: TempDir,
    jane: Publisher,
    joe: Publisher,
}

async fn signed() -> Signed {
    let tools = Tools::ensure().await.unwrap();
    let folder = tempdir().unwrap();
    note().write(&folder.path().join(SHOP));
    let jane = Publisher::new("Jane <jane@example.org>").unwrap();
    let joe = Publisher::new("Joe <joe@example.org>").unwrap();
    let signed = Signed {
        tools,
        folder,
        jane,
        joe,
    };
    let (chart, into) = (signed.chart(), signed.folder.path());
    let packaged = signed.jane.package(&signed.tools, &chart, "1.0.0", into);
    packaged.await.unwrap();
    signed
}

impl Signed {
    fn chart(&self) -> PathBuf {
        self.folder.path().join(SHOP)
    }

    fn package(&self) -> PathBuf {
        self.folder.path().join("shop-1.0.0.tgz")
    }

    /// What helm and belay say to the same line, and whether each does it.
    async fn both(&self, line: &[&str]) -> [(bool, String); 2] {
        let helm = self.tools.helm(line).await.unwrap();
        let ours = tokio::process::Command::new(belay_binary().unwrap())
            .args(line)
            .env("KUBECONFIG", "/dev/null")
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let told = String::from_utf8_lossy(&ours.stderr).into_owned();
        [
            (helm.status == 0, helm.stderr),
            (ours.status.success(), told),
        ]
    }

    /// A line that both refuse in the same words.
    async fn same(&self, line: &[&str]) {
        let [helm, ours] = self.both(line).await;
        assert!(!helm.0, "{helm:?}");
        assert_eq!(ours, helm, "{line:?}");
    }

    /// A line that both refuse, ours in these words.
    async fn refused(&self, line: &[&str], words: &[&str]) {
        let [helm, ours] = self.both(line).await;
        assert!(!helm.0 && !ours.0, "{line:?}: {helm:?}, {ours:?}");
        for word in words {
            assert!(ours.1.contains(word), "{word:?} is not in {}", ours.1);
        }
    }

    /// A line that both do.
    async fn done(&self, line: &[&str]) {
        let [helm, ours] = self.both(line).await;
        assert!(helm.0 && ours.0, "{line:?}: {helm:?}, {ours:?}");
    }
}

fn line(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn a_package_is_taken_when_helm_takes_it_and_refused_when_helm_refuses_it() {
    let signed = signed().await;
    let (package, chart) = (text(&signed.package()), text(&signed.chart()));
    let (jane, joe) = (text(&signed.jane.keyring()), text(&signed.joe.keyring()));
    let private = signed.folder.path().join("secring.gpg");
    std::fs::write(&private, signed.jane.secret().unwrap()).unwrap();
    let private = text(&private);
    let absent = text(&signed.folder.path().join("absent.gpg"));

    for command in [&["template"][..], &["show", "chart"], &["show", "values"]] {
        let with = |chart: &str, keyring: &str| -> Vec<String> {
            let line = command.iter().copied();
            let flags = [chart, "--verify", "--keyring", keyring];
            line.chain(flags).map(str::to_owned).collect()
        };
        for keyring in [&jane, &private] {
            let owned = with(&package, keyring);
            signed.done(&line(&owned)).await;
        }
        let owned = with(&package, &joe);
        let fingerprint = signed.jane.fingerprint();
        let words = [&fingerprint, "not among them", &signed.joe.fingerprint()];
        signed.refused(&line(&owned), &words).await;
        let owned = with(&package, &absent);
        signed.same(&line(&owned)).await;
        let owned = with(&chart, &jane);
        signed.same(&line(&owned)).await;
    }
    // Without the flag nothing is looked at.
    let line = ["template", &package, "--keyring", &absent];
    signed.done(&line).await;

    let provenance = format!("{package}.prov");
    let whole = std::fs::read_to_string(&provenance).unwrap();
    let verify = ["template", &package, "--verify", "--keyring", &jane];
    std::fs::write(&provenance, whole.replace("name: shop", "name: shut")).unwrap();
    signed.refused(&verify, &["does not fit the text"]).await;
    std::fs::write(&provenance, "no signature").unwrap();
    signed.refused(&verify, &["no signed text"]).await;
    std::fs::remove_file(&provenance).unwrap();
    signed.same(&verify).await;

    std::fs::write(&provenance, whole).unwrap();
    let mut bytes = std::fs::read(&package).unwrap();
    bytes.push(0);
    std::fs::write(&package, bytes).unwrap();
    let words = ["signed for another shop-1.0.0.tgz"];
    signed.refused(&verify, &words).await;
}

#[tokio::test]
async fn a_chart_of_a_repository_or_registry_is_verified_where_it_is_fetched() {
    let signed = signed().await;
    let (jane, joe) = (text(&signed.jane.keyring()), text(&signed.joe.keyring()));
    let repository = HttpRepo::start(&signed.tools).await.unwrap();
    let registry = Registry::start(&signed.tools, RegistryOptions::default())
        .await
        .unwrap();
    let chart = signed.chart();
    repository
        .publish_signed(&chart, "1.0.0", &signed.jane)
        .await
        .unwrap();
    registry
        .push_signed(&chart, "1.0.0", &signed.jane)
        .await
        .unwrap();
    let url = registry.url(SHOP);

    for from in [
        &[SHOP, "--repo", repository.url()][..],
        &[&url, "--plain-http", "--version", "1.0.0"],
    ] {
        let line = [&["template"], from, &["--verify", "--keyring"]].concat();
        signed.done(&[&line[..], &[&jane]].concat()).await;
        let words = ["not among them", "tried the PGP keys"];
        signed.refused(&[&line[..], &[&joe]].concat(), &words).await;
    }

    // A version that nobody signed.
    repository.publish(&chart, "1.1.0").await.unwrap();
    let from = ["template", SHOP, "--repo", repository.url()];
    let line = [&from[..], &["--verify", "--keyring", &jane]].concat();
    signed.refused(&line, &["no provenance file"]).await;
}

/// The operator fetches, so it is the operator that has to look: at this version and at each newer one.
#[tokio::test]
async fn a_release_that_was_installed_so_is_verified_from_then_on() {
    let world = operated_world("verifycli").await;
    let signed = signed().await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let chart = signed.chart();
    let publish = repository.publish_signed(&chart, "1.0.0", &signed.jane);
    publish.await.unwrap();
    let (jane, joe) = (text(&signed.jane.keyring()), text(&signed.joe.keyring()));
    let from = [SHOP, SHOP, "--repo", repository.url()];
    let install = |keyring: &str| -> Vec<String> {
        let flags = ["--verify", "--keyring", keyring];
        let line = ["install"].into_iter().chain(from).chain(flags);
        line.map(str::to_owned).collect()
    };

    let with_jane = install(&jane);
    let printed = [&line(&with_jane)[..], &["--dry-run"]].concat();
    let printed = belay(&world, &printed).await;
    assert!(printed.contains("kind: Secret"), "{printed}");
    assert!(printed.contains("keySecretRef"), "{printed}");
    let said = belay(&world, &line(&with_jane)).await;
    assert!(said.contains("go into the Secret shop-keyring-"), "{said}");
    let secrets = world.api::<Secret>();
    let labelled = ListParams::default().labels("belay.dev/keyring-of=shop");
    let kept = secrets.list(&labelled).await.unwrap();
    assert_eq!(kept.items.len(), 1);
    assert_eq!(kept.items[0].owner_references()[0].name, SHOP);

    // An upgrade that does not speak of it keeps it, and what nobody signed is not taken.
    repository.publish(&chart, "1.1.0").await.unwrap();
    let upgrade = [
        "upgrade",
        SHOP,
        SHOP,
        "--repo",
        repository.url(),
        "--wait=false",
    ];
    belay(&world, &upgrade).await;
    world.looked_at(SHOP, "unsigned").await;
    let release = world
        .until_release(SHOP, "the refusal", |release| {
            message(release).contains("no provenance file")
        })
        .await;
    assert_eq!(current(&release), Some(1));

    // Another keyring is another Secret.
    let other = ["upgrade"].into_iter().chain(from);
    let flags = [
        "--verify",
        "--keyring",
        &joe,
        "--version",
        "1.0.0",
        "--wait=false",
    ];
    let other: Vec<_> = other.chain(flags).collect();
    belay(&world, &other).await;
    let api = world.api::<HelmRelease>();
    let asked = api.get(SHOP).await.unwrap();
    let stopped = world.stopped(&asked, Reason::ChartUnverified).await;
    assert!(message(&stopped).contains(&signed.joe.fingerprint()));
    assert_eq!(secrets.list(&labelled).await.unwrap().items.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_private_key_does_not_go_into_the_cluster() {
    let world = operated_world("verifypriv").await;
    let signed = signed().await;
    let private = signed.folder.path().join("secring.gpg");
    std::fs::write(&private, signed.jane.secret().unwrap()).unwrap();
    let output = tokio::process::Command::new(belay_binary().unwrap())
        .args(["install", SHOP, SHOP, "--repo", "https://charts.example"])
        .args(["--verify", "--keyring", &text(&private)])
        .args(["-n", world.namespace()])
        .env("KUBECONFIG", world.cluster.kubeconfig())
        .output()
        .await
        .unwrap();

    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{told}");
    assert!(told.contains("holds a private PGP key"), "{told}");
    let made = world.api::<HelmRelease>().get_opt(SHOP).await.unwrap();
    assert!(made.is_none());
    assert!(
        world
            .secrets()
            .await
            .iter()
            .all(|name| !name.contains("keyring"))
    );
    world.end().await;
}
