//! Whole charts of the kinds that people write.

use belay_conformance::{Case, Oracle, assert_all, assert_same};

#[test]
fn what_helm_create_makes() {
    let folder = tempfile::tempdir().unwrap();
    Oracle::get()
        .unwrap()
        .create(folder.path(), "fresh")
        .unwrap();
    assert_all(
        [
            &[][..],
            &[
                "--set",
                "autoscaling.enabled=true,ingress.enabled=true,replicaCount=3",
            ],
            &[
                "--set",
                "httpRoute.enabled=true,serviceAccount.create=false",
                "-n",
                "other",
            ],
            &[
                "--set-json",
                r#"resources={"limits":{"cpu":"100m"}}"#,
                "--set",
                "volumes[0].name=a,tolerations[0].key=b",
            ],
        ]
        .into_iter()
        .map(|args| Case::at(folder.path().join("fresh")).args(args.iter().copied())),
    );
}

#[test]
fn a_web_application() {
    assert_all([
        &[][..],
        &["--set", "hpa.enabled=true,hpa.cpu=80,ingress.enabled=true,ingress.className=nginx"],
        &["--set", "service.type=NodePort,host=0.0.0.0,backends={a,b},service.httpPort=80"],
        &["--set", "ingress.enabled=true", "--set-string", r"ingress.hosts[0].host=\{\{ .Release.Name \}\}.x"],
        &["--set", "serviceAccount.enabled=true,fullnameOverride=web,podAnnotations.a=1,image.tag=v2"],
        &["--set", "securityContext.privileged=true,ui.message=it's \"so\",nodeSelector.disk=ssd,nameOverride=x"],
        &["--kube-version", "1.18.2"],
        &["--kube-version", "1.24.3-gke.100", "--set", "hpa.enabled=true"],
    ].into_iter().map(|args| {
        Case::kept("webapp").args(args.iter().copied())
    }));
}

#[test]
fn an_umbrella_with_aliases_hooks_and_crds() {
    assert_all(
        [
            &[][..],
            &["--include-crds"],
            &[
                "--set",
                "tags.pages=false,sessions.enabled=false,tags.storage=false,db.enabled=true",
            ],
            &["--set", "tags.pages=false", "--is-upgrade", "-n", "prod"],
            &[
                "--set",
                "global.registry=other,pages.size=5,sessions.size=null",
                "--no-hooks",
            ],
            &[
                "--set",
                "imported.service.port=1,level=low,global.labels.team=null,global.labels.who=me",
            ],
        ]
        .into_iter()
        .map(|args| Case::kept("umbrella").args(args.iter().copied())),
    );
}

#[test]
fn a_package_is_the_same_chart_as_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let umbrella = Case::kept("umbrella");
    Oracle::get()
        .unwrap()
        .package(umbrella.chart(), folder.path())
        .unwrap();
    assert_same(
        &Case::at(folder.path().join("umbrella-0.3.0+build.7.tgz")).args(["--include-crds"]),
    );
}
