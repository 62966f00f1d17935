use std::sync::LazyLock;

use belay_harness::{Publisher, Tools};
use rstest::rstest;

use super::*;

/// A package of the chart `web` with its provenance file, by the real helm.
struct Signed {
    package: PackageDigest,
    text: String,
    keyring: Keyring,
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let publisher = Publisher::new("Jane <jane@example.org>").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let chart = folder.path().join("web");
    std::fs::create_dir(&chart).unwrap();
    std::fs::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: |\n  - dashes\n  \n  ...\n",
    )
    .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let packaging = async {
        let tools = Tools::ensure().await.unwrap();
        let into = folder.path();
        publisher.package(&tools, &chart, "1.0.0", into).await
    };
    std::thread::scope(|scope| {
        let made = scope.spawn(|| runtime.block_on(packaging)).join();
        made.unwrap().unwrap();
    });
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    Signed {
        package: PackageDigest::of(&read("web-1.0.0.tgz")),
        text: String::from_utf8(read("web-1.0.0.tgz.prov")).unwrap(),
        keyring: Keyring::read([(
            "ring",
            std::fs::read(publisher.keyring()).unwrap().as_slice(),
        )])
        .unwrap(),
    }
});

fn judged(text: &str, file: Option<&str>) -> Result<Signer, String> {
    judge(
        text.as_bytes(),
        &SIGNED.keyring,
        file,
        SIGNED.package,
        SystemTime::now(),
    )
}

#[rstest]
#[case(Some("web-1.0.0.tgz"))]
#[case(None)]
fn what_helm_signed_is_verified(#[case] file: Option<&str>) {
    let signer = judged(&SIGNED.text, file).unwrap();

    assert_eq!(signer.user.as_deref(), Some("Jane <jane@example.org>"));
}

#[test]
fn a_provenance_file_may_have_travelled_through_windows() {
    judged(&SIGNED.text.replace('\n', "\r\n"), None).unwrap();
}

#[test]
fn a_file_for_another_name_is_refused_as_helm_does() {
    let doubt = judged(&SIGNED.text, Some("web-2.0.0.tgz")).unwrap_err();

    assert!(doubt.contains("web-1.0.0.tgz"), "{doubt}");
    assert!(doubt.contains("not for web-2.0.0.tgz"), "{doubt}");
}

#[rstest]
#[case(Some("web-1.0.0.tgz"))]
#[case(None)]
fn another_package_under_the_name_is_refused(#[case] file: Option<&str>) {
    let other = PackageDigest::of(b"another package");
    let (text, now) = (SIGNED.text.as_bytes(), SystemTime::now());

    let doubt = judge(text, &SIGNED.keyring, file, other, now).unwrap_err();

    assert!(doubt.contains(&other.to_string()), "{doubt}");
}

/// Given the digest of another package put in place of the signed one, inside the signed text or before it.
#[test]
fn only_what_was_signed_counts() {
    let other = PackageDigest::of(b"another package");
    let ours = SIGNED.package.to_string();
    let inside = SIGNED.text.replace(&ours, &other.to_string());
    let before = format!(
        "x: y\n...\nfiles:\n  web-1.0.0.tgz: sha256:{other}\n{}",
        SIGNED.text
    );
    for text in [inside, before] {
        let now = SystemTime::now();

        let verdict = judge(text.as_bytes(), &SIGNED.keyring, None, other, now);

        assert!(verdict.is_err(), "{verdict:?}");
    }
}

#[rstest]
#[case("", "no signed text")]
#[case("-----BEGIN PGP SIGNED MESSAGE-----\n", "cannot be read")]
#[case("<html>", "no signed text")]
fn what_is_no_provenance_file_says_so(#[case] text: &str, #[case] says: &str) {
    let doubt = judged(text, None).unwrap_err();

    assert!(doubt.contains(says), "{doubt}");
}
