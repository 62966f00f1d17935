//! The `belay` command, as somebody uses it who has rights on Belay's kinds and on nothing else.

use std::process::Stdio;
use std::time::Duration;

use belay_api::HelmRelease;
use belay_harness::{GENEROUS, Identity, Rights, belay_binary, gone, rule};
use k8s_openapi::api::rbac::v1::PolicyRule;
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use tokio::process::Command;

use crate::operator_charts::{BETTER, BROKEN, Files, GOOD, note, shop};
use crate::operator_world::{SHOP, World, current, operated_world};

/// No command here takes longer: what it follows has limits of its own.
const LIMIT: Duration = Duration::from_mins(4);

/// A user with a `belay` command.
pub struct User {
    pub identity: Identity,
    pub namespace: String,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Said {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl User {
    /// Somebody who may do everything with Belay's kinds in this namespace.
    pub async fn of(world: &World) -> Self {
        Self::who_may(world, []).await
    }

    /// The same, who may read these, too.
    pub async fn who_reads(world: &World, resources: &[&str]) -> Self {
        Self::who_may(world, [rule(&[""], resources, &["get", "list"])]).await
    }

    async fn who_may(world: &World, more: impl IntoIterator<Item = PolicyRule>) -> Self {
        let verbs = ["get", "list", "watch", "create", "patch", "delete"];
        let kinds = rule(
            &["belay.dev"],
            &["helmreleases", "rollbackrequests"],
            &verbs,
        );
        let rules = std::iter::once(kinds).chain(more);
        Self::with(world, "user", rules).await
    }

    /// Somebody who may do this in the namespace, and nothing else.
    pub async fn with(
        world: &World,
        label: &str,
        rules: impl IntoIterator<Item = PolicyRule>,
    ) -> Self {
        let rights = Rights::none().within(world.namespace(), rules);
        Self {
            identity: world.cluster.identity(label, rights).await.unwrap(),
            namespace: world.namespace().to_owned(),
        }
    }

    pub async fn belay(&self, args: &[&str]) -> Said {
        let output = Command::new(belay_binary().unwrap())
            .args(args)
            .args(["-n", &self.namespace])
            .env("KUBECONFIG", self.identity.kubeconfig())
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

    /// Runs what has to succeed.
    pub async fn does(&self, args: &[&str]) -> String {
        let said = self.belay(args).await;
        assert_eq!(said.status, Some(0), "{args:?}: {said:?}");
        said.out
    }

    /// Runs what has to fail, and gives all that was said.
    pub async fn fails(&self, args: &[&str]) -> String {
        let said = self.belay(args).await;
        assert_eq!(said.status, Some(1), "{args:?}: {said:?}");
        said.out + &said.err
    }
}

pub fn folder(chart: &Files) -> (TempDir, String) {
    let folder = tempdir().unwrap();
    chart.write(folder.path());
    let path = folder.path().display().to_string();
    (folder, path)
}

#[tokio::test]
async fn every_habit_of_helm_has_its_command_which_needs_rights_on_belays_kinds_alone() {
    let world = operated_world("command").await;
    let user = User::of(&world).await;
    let (_chart, path) = folder(&note());

    // Installed once, and not over what is there.
    let said = user
        .does(&["install", SHOP, &path, "--set", "greeting=one"])
        .await;
    assert!(said.contains("is created"), "{said}");
    assert_eq!(world.greeting(SHOP).await, "one", "it was followed");
    let said = user.fails(&["install", SHOP, &path]).await;
    assert!(
        said.contains(SHOP) && said.contains("belay upgrade"),
        "{said}"
    );
    let said = user.fails(&["upgrade", "absent", &path]).await;
    assert!(said.contains("--install"), "{said}");

    // Upgraded; another chart without other values keeps those from before.
    user.does(&["upgrade", SHOP, &path, "--set", "greeting=two"])
        .await;
    assert_eq!(world.greeting(SHOP).await, "two");
    let chart = note().with("templates/more.yaml", "# nothing\n");
    let (_chart, changed) = folder(&chart);
    user.does(&["upgrade", "--install", SHOP, &changed]).await;
    assert_eq!(world.greeting(SHOP).await, "two");

    // Shown, with the facts that helm shows.
    let page = user.does(&["status", SHOP]).await;
    assert!(
        page.contains("Deployed") && page.contains("shop-1.0.0"),
        "{page}"
    );
    let shown = user.does(&["history", SHOP, "-o", "json"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let helms = world.helm_json(&["history", SHOP]).await;
    assert_eq!(facts(&shown), facts(&helms));
    assert_eq!(shown[2]["current"], true);
    let told = user.fails(&["status", "absent"]).await;
    assert!(told.contains("absent"), "{told}");

    // Taken back, or told why not.
    let said = user.fails(&["rollback", SHOP, "7"]).await;
    assert!(said.contains("revision 7 does not exist"), "{said}");
    user.does(&["rollback", SHOP, "1", "--reason", "two is rude"])
        .await;
    assert_eq!(world.greeting(SHOP).await, "one");

    // And gone.
    let said = user.does(&["uninstall", SHOP]).await;
    assert!(said.contains("is gone"), "{said}");
    assert!(world.config_map("shop-config").await.is_none());
    world.end().await;
}

#[tokio::test]
async fn the_exit_status_says_whether_what_was_asked_for_runs() {
    let world = operated_world("exit").await;
    let user = User::of(&world).await;
    let (_chart, path) = folder(&shop());
    user.does(&["upgrade", "--install", SHOP, &path]).await;
    user.does(&["status", SHOP, "--watch"]).await;

    let image = format!("image={BROKEN}");
    let said = user.fails(&["upgrade", SHOP, &path, "--set", &image]).await;
    assert!(said.contains("ImagePullFailed"), "{said}");
    assert!(said.contains(BROKEN), "the evidence: {said}");
    assert_eq!(world.image(SHOP).await, GOOD, "it was followed to the end");
    user.fails(&["status", SHOP, "--watch"]).await;
    assert_eq!(world.history(SHOP).await.len(), 3);

    // Asked by its name it is tried once more, and followed again.
    user.fails(&["retry", SHOP]).await;
    assert_eq!(world.history(SHOP).await.len(), 5);

    let image = format!("image={BETTER}");
    user.does(&["upgrade", SHOP, &path, "--set", &image]).await;
    assert_eq!(world.image(SHOP).await, BETTER);
    world.delete::<HelmRelease>(SHOP).await;
    gone(&world.api::<HelmRelease>(), SHOP, GENEROUS)
        .await
        .unwrap();
    world.end().await;
}

/// What `helm history` tells of each revision, its clock left out.
fn facts(history: &Value) -> Vec<Value> {
    let entries = history.as_array().unwrap();
    let fields = ["revision", "status", "chart", "app_version", "description"];
    entries
        .iter()
        .map(|entry| fields.iter().map(|field| entry[field].clone()).collect())
        .collect::<Vec<Value>>()
}

#[tokio::test]
async fn a_dry_run_prints_what_would_be_asked_for_and_asks_nothing() {
    let world = operated_world("dryrun").await;
    let user = User::of(&world).await;
    let (_chart, path) = folder(&note());
    let line = ["install", SHOP, &path, "--set", "greeting=one", "--dry-run"];
    let printed = user.does(&line).await;
    assert!(printed.contains("kind: HelmRelease"), "{printed}");
    let found = world.api::<HelmRelease>().get_opt(SHOP).await.unwrap();
    assert!(found.is_none());

    // What is printed can be applied as it is.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), printed).unwrap();
    let path = file.path().display().to_string();
    world
        .kubectl(&["apply", "--server-side", "-f", &path])
        .await;
    world
        .until_release(SHOP, "Ready", |release| current(release) == Some(1))
        .await;
    assert_eq!(world.greeting(SHOP).await, "one");
    world.end().await;
}
