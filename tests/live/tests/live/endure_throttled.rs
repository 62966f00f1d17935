//! An API server that has too much to do.

use belay_api::Reason;
use belay_harness::{Operator, Rights, belay_binary, until};
use k8s_openapi::api::flowcontrol::v1::{FlowSchema, PriorityLevelConfiguration};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::endure_charts::web;
use crate::endure_world::{LIMIT, spec, world};

/// How many releases want something at once: few enough that they get there beside all other tests.
const RELEASES: usize = 6;

/// Its answer to who asks too much: 429, by the priority and fairness of a real cluster.
const TOO_MANY: u16 = 429;

/// A share of the API server so small that next to nothing fits, with no queue to wait in.
async fn squeeze(client: &Client, user: &str) {
    let levels: Api<PriorityLevelConfiguration> = Api::all(client.clone());
    let level = json!({
        "metadata": {"name": user},
        "spec": {"type": "Limited", "limited": {
            "nominalConcurrencyShares": 1, "lendablePercent": 0, "borrowingLimitPercent": 0,
            "limitResponse": {"type": "Reject"},
        }},
    });
    create(&levels, level).await;
    let schemas: Api<FlowSchema> = Api::all(client.clone());
    let name = format!("{user}-squeezed");
    // Leases have a level of their own in every cluster, so that nobody loses his claim for want of an answer.
    let schema = json!({
        "metadata": {"name": name},
        "spec": {
            "matchingPrecedence": 40, "priorityLevelConfiguration": {"name": user},
            "rules": [{
                "subjects": [{"kind": "User", "user": {"name": user}}],
                "resourceRules": [{
                    "verbs": ["*"], "apiGroups": ["", "apps", "belay.dev", "events.k8s.io"],
                    "resources": ["*"], "namespaces": ["*"], "clusterScope": true,
                }],
            }],
        },
    });
    create(&schemas, schema).await;
    until(&schemas, &name, "a flow schema in force", LIMIT, |schema| {
        let status = schema.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_ref());
        conditions.is_some_and(|all| all.iter().any(|c| c.status.as_deref() == Some("False")))
    })
    .await
    .unwrap();
}

async fn create<K>(api: &Api<K>, object: Value)
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let object = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

#[tokio::test]
async fn an_api_server_that_says_too_many_requests_is_given_time_and_everything_gets_there() {
    // Given an operator for which the API server has little room.
    let world = world("squeezed").await;
    let identity = world
        .cluster
        .identity("squeezed", Rights::administrator())
        .await
        .unwrap();
    squeeze(&world.client, identity.user()).await;
    let operator = Operator::start(
        &belay_binary().unwrap(),
        identity.kubeconfig(),
        &world.flags(),
    )
    .unwrap();

    // When many releases want to be installed at once.
    let names: Vec<_> = (0..RELEASES).map(|n| format!("shop-{n}")).collect();
    for name in &names {
        world
            .declare(name, &spec(&web(), &json!({"greeting": name})))
            .await;
    }

    // Then all of them get there, although the API server refused some of what was asked.
    for name in &names {
        world.rests(name, Reason::Deployed).await;
    }
    let asked = world.cluster.requests_of(&identity).unwrap();
    let refused = asked.iter().filter(|asked| asked.status == TOO_MANY);
    let (refused, all) = (refused.count(), asked.len());
    assert!(refused > 0, "{all} requests, and none was refused");
    // Who asks again at once is refused again and again.
    assert!(
        refused < all / 2,
        "{refused} of {all} requests were refused"
    );

    operator.stop(LIMIT).await.unwrap();
    let user = identity.user();
    let schemas: Api<FlowSchema> = Api::all(world.client.clone());
    let levels: Api<PriorityLevelConfiguration> = Api::all(world.client.clone());
    let params = DeleteParams::default();
    schemas
        .delete(&format!("{user}-squeezed"), &params)
        .await
        .unwrap();
    levels.delete(user, &params).await.unwrap();
}
