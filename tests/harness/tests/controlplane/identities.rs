//! Users have the rights that were asked for, and their requests are counted.

use belay_harness::{Cluster, Rights, rule};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::ListParams;

#[tokio::test]
async fn rights_in_one_namespace_end_at_its_border() {
    let cluster = Cluster::shared().await.unwrap();
    let (mine, other) = (
        cluster.namespace("mine").await.unwrap(),
        cluster.namespace("other").await.unwrap(),
    );
    let rights = Rights::none().within(mine.name(), [rule(&[""], &["configmaps"], &["list"])]);
    let identity = cluster.identity("tenant", rights).await.unwrap();
    let client = identity.client().await.unwrap();

    Api::<ConfigMap>::namespaced(client.clone(), mine.name())
        .list(&ListParams::default())
        .await
        .unwrap();
    let refused = Api::<ConfigMap>::namespaced(client, other.name())
        .list(&ListParams::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, kube::Error::Api(status) if status.code == 403),
        "{refused}"
    );
}

#[tokio::test]
async fn each_request_of_a_user_is_counted_once_and_listed() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("counted").await.unwrap();
    let identity = cluster
        .identity("counted", Rights::administrator())
        .await
        .unwrap();
    let other = cluster
        .identity("other", Rights::administrator())
        .await
        .unwrap();
    let list = |client| async move {
        Api::<ConfigMap>::namespaced(client, namespace.name())
            .list(&ListParams::default())
            .await
            .unwrap();
        namespace
    };
    let before = cluster.request_totals().await.unwrap();

    let namespace = list(identity.client().await.unwrap()).await;
    let list_again =
        Api::<ConfigMap>::namespaced(identity.client().await.unwrap(), namespace.name());
    list_again.list(&ListParams::default()).await.unwrap();

    assert_eq!(cluster.requests_by(&identity).await.unwrap(), 2);
    assert_eq!(cluster.requests_by(&other).await.unwrap(), 0);
    let listed = cluster.requests_of(&identity).unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|one| {
            (
                one.verb.as_str(),
                one.resource.as_str(),
                one.namespace.as_str(),
                one.status,
            )
        })
        .collect();
    assert_eq!(listed, [("list", "configmaps", namespace.name(), 200); 2]);
    let key = ("LIST".to_owned(), "configmaps".to_owned());
    let totals = cluster.request_totals().await.unwrap();
    assert!(totals[&key] >= before.get(&key).copied().unwrap_or(0) + 2);
}

#[tokio::test]
async fn helm_and_kubectl_act_as_the_user() {
    let cluster = Cluster::shared().await.unwrap();
    let identity = cluster.identity("nobody", Rights::none()).await.unwrap();
    let answer = identity
        .kubectl(&["get", "secrets", "-n", "default"])
        .await
        .unwrap();
    assert_ne!(answer.status, 0);
    assert!(answer.stderr.contains(identity.user()), "{}", answer.stderr);
    cluster.helm(&["list", "-A"]).await.unwrap().ok().unwrap();
}
