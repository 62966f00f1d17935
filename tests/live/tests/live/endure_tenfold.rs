//! helm and Belay pass one release to and fro ten times: nothing restarts, nothing conflicts, no revision is lost.

use std::collections::{BTreeMap, BTreeSet};

use belay_api::rollback_request::RequestPhase;
use belay_api::{HelmRelease, Reason, RollbackRequest};
use belay_harness::until;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::endure_charts::{Files, web, write};
use crate::endure_handover::settled;
use crate::endure_world::{LIMIT, RELEASE, World, current, rests, spec, world};

/// How often each of the two has its turn.
const TURNS: u32 = 10;
/// More revisions than the story makes.
const ALL: &str = "100";

const SETTINGS: &str = r"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
data:
  greeting: {{ .Values.greeting | quote }}
{{- with .Values.more }}
  more: {{ . | quote }}
{{- end }}
";

/// A chart whose Deployment depends on none of the values that the story changes.
fn chart() -> Files {
    let mut files = web();
    files.insert("templates/settings.yaml".to_owned(), SETTINGS.to_owned());
    files
}

/// What runs: the Deployment with its generation, its `ReplicaSet`s, its pods, the Service, each by its uid.
async fn workload(world: &World) -> BTreeSet<String> {
    let kinds = "deployments,replicasets,pods,services";
    let columns = "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.generation}{\"\\n\"}{end}";
    let listed = world.kubectl(&["get", kinds, "-o", columns]).await;
    listed.lines().map(str::to_owned).collect()
}

/// Who has applied each object of the chart, as `manager/operation`.
async fn appliers(world: &World) -> BTreeMap<String, Vec<String>> {
    let get = [
        "get",
        "configmaps,services,deployments",
        "-o",
        "json",
        "--show-managed-fields",
    ];
    let list: Value = serde_json::from_str(&world.kubectl(&get).await).unwrap();
    let text = |value: &Value, path: &str| {
        let text = value.pointer(path).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let of_release = list["items"].as_array().unwrap().iter().filter(|object| {
        text(object, "/metadata/annotations/meta.helm.sh~1release-name") == RELEASE
    });
    of_release
        .map(|object| {
            let entries = object["metadata"]["managedFields"].as_array().unwrap();
            let appliers = entries
                .iter()
                .filter(|entry| entry["manager"] == "helm")
                .map(|entry| format!("helm/{}", text(entry, "/operation")));
            let name = format!(
                "{}/{}",
                text(object, "/kind"),
                text(object, "/metadata/name")
            );
            (name, appliers.collect())
        })
        .collect()
}

/// Everything is applied server-side as `helm`, and by nobody else.
async fn server_side(world: &World) {
    for (object, appliers) in appliers(world).await {
        assert_eq!(appliers, ["helm/Apply"], "{object}");
    }
}

/// Helm's history: all revisions from 1 on, none failed, the newest deployed and no other.
async fn history_is_whole(world: &World, newest: u32) {
    let text = world
        .helm(&["history", RELEASE, "--max", ALL, "-o", "json"])
        .await;
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry["revision"].as_u64().unwrap(),
                entry["status"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let status = |revision| {
        if revision == u64::from(newest) {
            "deployed"
        } else {
            "superseded"
        }
    };
    let expected: Vec<_> = (1..=u64::from(newest))
        .map(|revision| (revision, status(revision).to_owned()))
        .collect();
    assert_eq!(told, expected);
}

/// The cluster holds what the newest record says.
async fn record_is_what_runs(world: &World) {
    let manifest = world.helm(&["get", "manifest", RELEASE]).await;
    let greeting = world.setting("shop-settings", "greeting").await.unwrap();
    assert!(
        manifest.contains(&format!("greeting: \"{greeting}\"")),
        "{greeting} runs, and the record says {manifest}"
    );
}

/// Belay has taken note of a revision and rests.
async fn rests_at(world: &World, revision: u32) -> HelmRelease {
    let what = format!("rest at revision {revision}");
    until(
        &world.api(),
        RELEASE,
        &what,
        LIMIT,
        |release: &HelmRelease| rests(release).is_some() && current(release) == Some(revision),
    )
    .await
    .unwrap()
}

struct Story {
    world: World,
    _folder: TempDir,
    path: String,
    newest: u32,
}

impl Story {
    /// helm installs; the workload has come to rest.
    async fn begun(label: &str, method: &str) -> Self {
        let world = world(label).await;
        let folder = TempDir::new().unwrap();
        let path = write(&chart(), folder.path()).display().to_string();
        let install = ["install", RELEASE, &path, method, "--wait"];
        let values = ["--set", "greeting=helm-0,more=old"];
        world.helm(&[&install[..], &values].concat()).await;
        settled(&world).await;
        Self {
            world,
            _folder: folder,
            path,
            newest: 1,
        }
    }

    async fn helm_upgrades(&mut self, turn: u32) {
        let greeting = format!("greeting=helm-{turn}");
        let args = ["upgrade", RELEASE, &self.path, "--set", &greeting];
        let more = ["--wait", "--history-max", ALL];
        self.world.helm(&[&args[..], &more].concat()).await;
        self.helm_had_its_turn(&format!("helm-{turn}")).await;
    }

    async fn helm_rolls_back(&mut self, to: u32) {
        let to = to.to_string();
        let args = ["rollback", RELEASE, &to, "--wait", "--history-max", ALL];
        let manifest = ["get", "manifest", RELEASE, "--revision", &to];
        let manifest = self.world.helm(&manifest).await;
        self.world.helm(&args).await;
        let greeting = self.world.setting("shop-settings", "greeting").await;
        let greeting = greeting.unwrap();
        assert!(manifest.contains(&greeting), "{greeting}: {manifest}");
        self.helm_had_its_turn(&greeting).await;
    }

    async fn helm_had_its_turn(&mut self, greeting: &str) {
        self.newest += 1;
        rests_at(&self.world, self.newest).await;
        self.is(greeting).await;
    }

    async fn belay_upgrades(&mut self, turn: u32) {
        let greeting = format!("belay-{turn}");
        let mut spec = spec(&chart(), &json!({"greeting": greeting}));
        spec["maxHistory"] = json!(100);
        self.world.declare(RELEASE, &spec).await;
        self.world.rests(RELEASE, Reason::Deployed).await;
        self.newest += 1;
        let release = rests_at(&self.world, self.newest).await;
        assert_eq!(release.status.unwrap().pin, None);
        self.is(&greeting).await;
        server_side(&self.world).await;
    }

    async fn belay_rolls_back(&mut self, turn: u32) {
        let name = format!("back-{turn}");
        let target = json!({"previous": {}});
        self.world.request_rollback(&name, &target).await;
        let requests = self.world.api::<RollbackRequest>();
        let request = until(
            &requests,
            &name,
            "its end",
            LIMIT,
            |request: &RollbackRequest| {
                let status = request.status.as_ref();
                status.is_some_and(|status| status.phase.is_final())
            },
        )
        .await
        .unwrap();
        let status = request.status.unwrap();
        assert_eq!(status.phase, RequestPhase::Complete, "{status:?}");
        self.newest += 1;
        rests_at(&self.world, self.newest).await;
        record_is_what_runs(&self.world).await;
        history_is_whole(&self.world, self.newest).await;
        server_side(&self.world).await;
    }

    async fn is(&self, greeting: &str) {
        let found = self.world.setting("shop-settings", "greeting").await;
        assert_eq!(found.as_deref(), Some(greeting));
        record_is_what_runs(&self.world).await;
        history_is_whole(&self.world, self.newest).await;
    }

    /// Ten turns each: upgrades, and rollbacks in every other turn.
    async fn passes_to_and_fro(&mut self, workload_before: &BTreeSet<String>) {
        for turn in 1..=TURNS {
            if turn % 2 == 1 {
                self.helm_upgrades(turn).await;
                self.belay_upgrades(turn).await;
            } else {
                // Alternately to what helm made first, and to what Belay made last.
                let to = if turn % 4 == 0 { 1 } else { self.newest - 1 };
                self.helm_rolls_back(to).await;
                self.belay_rolls_back(turn).await;
            }
            assert_eq!(&workload(&self.world).await, workload_before, "{turn}");
        }
    }
}

#[tokio::test]
async fn helm_and_belay_pass_a_release_to_and_fro_ten_times_without_a_restart_or_a_conflict() {
    // Given a release that helm installed and Belay has taken over with an upgrade.
    let mut story = Story::begun("tenfold", "--server-side=true").await;
    let before = workload(&story.world).await;
    let operator = story.world.start();
    story.belay_upgrades(0).await;

    // When each has its turn ten times, then all is as it was asked for, each time.
    story.passes_to_and_fro(&before).await;

    assert_eq!(story.newest, 2 + 2 * TURNS);
    server_side(&story.world).await;
    operator.stop(LIMIT).await.unwrap();
}

#[tokio::test]
async fn the_same_after_a_start_with_client_side_objects_whose_fields_are_migrated() {
    // Given a release whose objects helm made client-side, as Helm 3 does, with a field that goes.
    let mut story = Story::begun("clientside", "--server-side=false").await;
    let before = workload(&story.world).await;
    let made = appliers(&story.world).await;
    assert!(
        made.values().all(|appliers| appliers == &["helm/Update"]),
        "{made:?}"
    );
    let operator = story.world.start();

    // When Belay upgrades it, then nothing of it is owned client-side any more, and what the chart dropped is gone.
    story.belay_upgrades(0).await;
    assert_eq!(story.world.setting("shop-settings", "more").await, None);
    assert_eq!(workload(&story.world).await, before);

    // And both go on with it, ten times each; helm goes back to the client-side revision, too.
    story.passes_to_and_fro(&before).await;

    story.belay_upgrades(TURNS + 1).await;
    assert_eq!(story.world.setting("shop-settings", "more").await, None);
    assert_eq!(workload(&story.world).await, before);
    operator.stop(LIMIT).await.unwrap();
}
