//! `belay diff`: what an upgrade would change, for somebody with the rights that helm would need.

use belay_api::HelmRelease;
use belay_harness::{Identity, Rights, belay_binary, rule};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tempfile::{TempDir, tempdir};
use tokio::process::Command;

use crate::operator_charts::{BETTER, Files, shop};
use crate::operator_world::{SHOP, World, operated_world};

const LIMIT: Duration = Duration::from_mins(2);

struct Said {
    status: Option<i32>,
    out: String,
    err: String,
}

/// Somebody who may do with Belay's kinds what `belay` needs, and with the rest what the rules say.
async fn user(world: &World, reads_and_tries: bool) -> Identity {
    let verbs = ["get", "list", "watch", "create", "patch", "delete"];
    let kinds = rule(&["belay.dev"], &["helmreleases"], &verbs);
    let tries = rule(&["*"], &["*"], &["get", "list", "create", "patch"]);
    let mut rules = vec![kinds];
    if reads_and_tries {
        rules.push(tries);
    }
    let rights = Rights::none().within(world.namespace(), rules);
    world.cluster.identity("user", rights).await.unwrap()
}

async fn belay(world: &World, user: &Identity, args: &[&str]) -> Said {
    let output = Command::new(belay_binary().unwrap())
        .args(args)
        .args(["-n", world.namespace()])
        .env("KUBECONFIG", user.kubeconfig())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, output).await.unwrap().unwrap();
    Said {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn diff(world: &World, user: &Identity, args: &[&str]) -> Said {
    belay(world, user, &[&["diff", SHOP], args].concat()).await
}

fn with(chart: Files, name: &str, object: &Value) -> Files {
    chart.with(&format!("templates/{name}.yaml"), &object.to_string())
}

fn secret(password: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"},
        "stringData": {"password": password, "user": "jane"},
    })
}

fn written(chart: &Files) -> (TempDir, String) {
    let folder = tempdir().unwrap();
    chart.write(folder.path());
    let path = folder.path().display().to_string();
    (folder, path)
}

#[tokio::test]
async fn a_diff_shows_what_an_upgrade_would_change_and_changes_nothing() {
    let world = operated_world("diff").await;
    let user = user(&world, true).await;
    let first = with(shop(), "login", &secret("hunter2hunter2")).with_config_map("old", &json!({}));
    world.deploy(SHOP, &first, &json!({})).await;
    let said = diff(&world, &user, &["--exit-code"]).await;
    assert_eq!(said.status, Some(0), "{}{}", said.out, said.err);
    assert_eq!(said.out, "revision 2 (shop-1.0.0): 5 unchanged\n");

    // A spec that is not rolled out yet, as the release is suspended.
    let second = with(shop(), "login", &secret("correct horse")).with_config_map("new", &json!({}));
    let spec = json!({
        "chart": second.inline(), "values": {"image": BETTER, "greeting": "ahoy"}, "suspend": true,
    });
    world.apply(SHOP, &spec).await;
    world.looked_at(SHOP, "suspended").await;
    let states = world.states().await;
    let said = diff(&world, &user, &["--exit-code"]).await;
    assert_eq!(said.status, Some(1), "{}{}", said.out, said.err);
    let normal = |line: &str| {
        let (sign, rest) = line.split_at(line.len().min(1));
        format!("{sign}{}", rest.trim())
    };
    let namespace = world.namespace();
    for line in [
        format!("diff Deployment {namespace}/shop-web: changed").as_str(),
        "-- image: registry.example/shop:1",
        "+- image: registry.example/shop:2",
        "-greeting: hello",
        "+greeting: ahoy",
        "-password: '*** (before)'",
        "+password: '*** (after)'",
        format!("diff ConfigMap {namespace}/new: added").as_str(),
        format!("diff ConfigMap {namespace}/old: removed").as_str(),
        "revision 2 (shop-1.0.0): 1 to add, 3 to change, 1 to remove, 1 unchanged",
    ] {
        assert!(
            said.out.lines().any(|told| normal(told) == line),
            "{line}:\n{}",
            said.out
        );
    }
    for secret in ["hunter2", "horse", "aHVudGVyMg", "Y29ycmVjdCBob3Jz"] {
        assert!(!said.out.contains(secret), "{secret}: {}", said.out);
    }
    assert!(!said.out.contains('\u{1b}'), "no colours but on a terminal");
    // Without being asked for it, a difference is no failure.
    assert_eq!(diff(&world, &user, &[]).await.status, Some(0));
    assert_eq!(world.states().await, states);
    assert_eq!(world.history(SHOP).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_diff_of_another_chart_or_other_values_leaves_the_release_as_it_is() {
    let world = operated_world("propose").await;
    let user = user(&world, true).await;
    let (_folder, path) = written(&shop());
    let install = ["install", SHOP, &path, "--set", "greeting=one"];
    assert_eq!(belay(&world, &user, &install).await.status, Some(0));
    let before = world.api::<HelmRelease>().get(SHOP).await.unwrap();

    let said = diff(&world, &user, &["--set", "greeting=two", "--exit-code"]).await;
    assert_eq!(said.status, Some(1), "{}{}", said.out, said.err);
    assert!(said.out.contains("+  greeting: two"), "{}", said.out);
    assert!(
        said.out.contains("1 to change, 2 unchanged"),
        "{}",
        said.out
    );

    let (_folder, path) = written(&shop().without("templates/service.yaml"));
    let said = diff(&world, &user, &[&path]).await;
    assert!(
        said.out.contains(&format!(
            "diff Service {}/shop-web: removed",
            world.namespace()
        )),
        "{}{}",
        said.out,
        said.err
    );
    let after = world.api::<HelmRelease>().get(SHOP).await.unwrap();
    assert_eq!(after.metadata.generation, before.metadata.generation);
    assert_eq!(after.spec, before.spec);
    assert_eq!(world.greeting(SHOP).await, "one");

    // A first install of what is not there yet.
    let said = belay(&world, &user, &["diff", "other", &path]).await;
    let out = said.out + &said.err;
    assert!(out.contains("revision 1 (shop-1.0.0): 2 to add"), "{out}");
    world.end().await;
}

#[tokio::test]
async fn what_would_be_refused_and_what_may_not_be_asked_is_told() {
    let world = operated_world("trouble").await;
    let asking = user(&world, true).await;
    let job = |image: &str| {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "fixed"}, "spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "j", "image": image}]}}}})
    };
    world
        .deploy(
            SHOP,
            &with(shop(), "job", &job("registry.example/j:1")),
            &json!({}),
        )
        .await;
    let (_folder, path) = written(&with(shop(), "job", &job("registry.example/j:2")));
    let said = diff(&world, &asking, &[&path, "--exit-code"]).await;
    assert_eq!(said.status, Some(2), "{}{}", said.out, said.err);
    assert!(said.out.contains("fixed: refused:"), "{}", said.out);
    assert!(said.out.contains("onImmutable"), "{}", said.out);

    // Allowed, it is shown as what it is.
    let edit = json!({"spec": {"upgrade": {"onImmutable": "Recreate"}}});
    world.edit(SHOP, &edit).await;
    let said = diff(&world, &asking, &[&path, "--exit-code"]).await;
    assert_eq!(said.status, Some(1), "{}{}", said.out, said.err);
    assert!(
        said.out.contains("fixed: deleted and made anew"),
        "{}",
        said.out
    );
    let image = said
        .out
        .lines()
        .find(|line| line.contains("registry.example/j:2"));
    assert!(
        image.is_some_and(|line| line.starts_with('+')),
        "{}",
        said.out
    );

    // Without rights on what is compared.
    let stranger = user(&world, false).await;
    let said = diff(&world, &stranger, &["--exit-code"]).await;
    assert_eq!(said.status, Some(2), "{}", said.out);
    assert!(said.err.contains("your own rights"), "{}", said.err);
    assert_eq!(diff(&world, &stranger, &[]).await.status, Some(1));
    world.end().await;
}
