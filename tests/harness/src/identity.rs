//! Users with chosen rights, whose requests the API server counts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use k8s_openapi::api::flowcontrol::v1::FlowSchema;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding};
use kube::api::PostParams;
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::certificates::Authority;
use crate::command::{self, Output};
use crate::control_plane::AUDITED;
use crate::{Cluster, Error, GENEROUS, Result, eventually, kubeconfig, unique};

/// The authorizer reads rules from a cache of its own, which gives no event.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A user of the cluster, with a kubeconfig.
#[derive(Debug, Clone)]
pub struct Identity {
    cluster: Cluster,
    user: String,
    kubeconfig: PathBuf,
}

/// What an [`Identity`] may do.
#[derive(Debug, Clone, Default)]
pub struct Rights {
    administrator: bool,
    everywhere: Vec<PolicyRule>,
    within: Vec<(String, Vec<PolicyRule>)>,
}

/// A rule for these API groups (`""` is the core), resources and verbs; `*` is all.
pub fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> PolicyRule {
    let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    PolicyRule {
        api_groups: Some(owned(groups)),
        resources: Some(owned(resources)),
        verbs: owned(verbs),
        ..PolicyRule::default()
    }
}

impl Rights {
    /// No rights, beyond those of every authenticated user.
    pub fn none() -> Self {
        Self::default()
    }

    /// All rights, by the role `cluster-admin`; requests are still counted.
    pub fn administrator() -> Self {
        Self {
            administrator: true,
            ..Self::default()
        }
    }

    /// Adds rights in every namespace and on cluster-wide objects.
    #[must_use]
    pub fn everywhere(mut self, rules: impl IntoIterator<Item = PolicyRule>) -> Self {
        self.everywhere.extend(rules);
        self
    }

    /// Adds rights in one namespace, which must exist.
    #[must_use]
    pub fn within(mut self, namespace: &str, rules: impl IntoIterator<Item = PolicyRule>) -> Self {
        self.within
            .push((namespace.to_owned(), rules.into_iter().collect()));
        self
    }
}

impl Cluster {
    /// Makes a user with these rights, under a name that begins with `label`, and
    /// returns when the API server honours them and counts the user's requests.
    ///
    /// # Errors
    /// If the API server refuses an object or never honours it.
    pub async fn identity(&self, label: &str, rights: Rights) -> Result<Identity> {
        let user = unique(label);
        let authority = Authority::open(self.folder())?;
        let pair = authority.user(&user, Some(AUDITED))?;
        let path = self.folder().join(format!("{user}.kubeconfig"));
        kubeconfig::write(&path, self.url(), &authority.certificate, &user, &pair)?;

        let client = self.client().await?;
        grant(&client, &user, &rights).await?;
        count(&client, &user).await?;
        Ok(Identity {
            cluster: self.clone(),
            user,
            kubeconfig: path,
        })
    }
}

impl Identity {
    /// The user's name, as RBAC and the audit log know it.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The user's kubeconfig: one file, with no path in it.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A new client that acts as this user, for the runtime of the calling test.
    ///
    /// # Errors
    /// If the kubeconfig cannot be used.
    pub async fn client(&self) -> Result<Client> {
        kubeconfig::client(&self.kubeconfig).await
    }

    /// Runs the real helm as this user.
    ///
    /// # Errors
    /// If it could not be run at all; its own failures are in the [`Output`].
    pub async fn helm(&self, args: &[&str]) -> Result<Output> {
        command::run(
            &self.cluster.tools().path("helm"),
            args,
            &self.kubeconfig,
            None,
        )
        .await
    }

    /// Runs the real kubectl as this user.
    ///
    /// # Errors
    /// If it could not be run at all; its own failures are in the [`Output`].
    pub async fn kubectl(&self, args: &[&str]) -> Result<Output> {
        command::run(
            &self.cluster.tools().path("kubectl"),
            args,
            &self.kubeconfig,
            None,
        )
        .await
    }
}

async fn grant(client: &Client, user: &str, rights: &Rights) -> Result<()> {
    let subjects = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]);
    let role = |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let cluster_roles = Api::<ClusterRole>::all(client.clone());
    let cluster_bindings = Api::<ClusterRoleBinding>::all(client.clone());
    if rights.administrator {
        let binding = json!({"metadata": {"name": user}, "roleRef": role("ClusterRole", "cluster-admin"), "subjects": subjects});
        create(&cluster_bindings, binding).await?;
        honoured(client, user, None, &rule(&["*"], &["*"], &["*"])).await?;
    } else if let Some(last) = rights.everywhere.last() {
        create(
            &cluster_roles,
            json!({"metadata": {"name": user}, "rules": rights.everywhere}),
        )
        .await?;
        let binding = json!({"metadata": {"name": user}, "roleRef": role("ClusterRole", user), "subjects": subjects});
        create(&cluster_bindings, binding).await?;
        honoured(client, user, None, last).await?;
    }
    for (namespace, rules) in &rights.within {
        let roles = Api::<Role>::namespaced(client.clone(), namespace);
        let bindings = Api::<RoleBinding>::namespaced(client.clone(), namespace);
        create(&roles, json!({"metadata": {"name": user}, "rules": rules})).await?;
        let binding = json!({"metadata": {"name": user}, "roleRef": role("Role", user), "subjects": subjects});
        create(&bindings, binding).await?;
        if let Some(last) = rules.last() {
            honoured(client, user, Some(namespace), last).await?;
        }
    }
    Ok(())
}

/// A flow schema of the user's own, so that the API server's metrics name the user.
async fn count(client: &Client, user: &str) -> Result<()> {
    let everything = json!([{
        "subjects": [{"kind": "User", "user": {"name": user}}],
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": true}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }]);
    let schemas = Api::<FlowSchema>::all(client.clone());
    create(
        &schemas,
        json!({
            "metadata": {"name": user},
            "spec": {
                "matchingPrecedence": 50,
                "priorityLevelConfiguration": {"name": "exempt"},
                "rules": everything,
            },
        }),
    )
    .await?;
    eventually::until(
        &schemas,
        user,
        "a flow schema in force",
        GENEROUS,
        |schema| {
            let conditions = schema
                .status
                .as_ref()
                .and_then(|status| status.conditions.as_ref());
            conditions.is_some_and(|conditions| {
                conditions
                    .iter()
                    .any(|c| c.status.as_deref() == Some("False"))
            })
        },
    )
    .await?;
    Ok(())
}

async fn create<K>(api: &Api<K>, object: Value) -> Result<()>
where
    K: Resource + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let object: K =
        serde_json::from_value(object).map_err(Error::unreadable("an object of the harness"))?;
    let name = object.meta().name.clone().unwrap_or_default();
    api.create(&PostParams::default(), &object)
        .await
        .map_err(Error::kube(format!("creating {name}")))?;
    Ok(())
}

async fn honoured(
    client: &Client,
    user: &str,
    namespace: Option<&str>,
    rule: &PolicyRule,
) -> Result<()> {
    let first = |list: Option<&Vec<String>>| list.and_then(|list| list.first().cloned());
    let resource = first(rule.resources.as_ref()).unwrap_or_default();
    let (resource, subresource) = match resource.split_once('/') {
        Some((resource, subresource)) => (resource.to_owned(), Some(subresource.to_owned())),
        None => (resource, None),
    };
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(user.to_owned()),
            resource_attributes: Some(ResourceAttributes {
                namespace: namespace.map(ToOwned::to_owned),
                group: first(rule.api_groups.as_ref()),
                resource: Some(resource),
                subresource,
                verb: rule.verbs.first().cloned(),
                name: rule
                    .resource_names
                    .as_ref()
                    .and_then(|names| names.first().cloned()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let reviews = Api::<SubjectAccessReview>::all(client.clone());
    let deadline = Instant::now() + GENEROUS;
    loop {
        let answer = reviews
            .create(&PostParams::default(), &review)
            .await
            .map_err(Error::kube("asking for a user's rights"))?;
        if answer.status.as_ref().is_some_and(|status| status.allowed) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let last = format!("{:?}", answer.status);
            return Err(Error::NeverHappened {
                what: format!("granting {rule:?} to {user}"),
                limit: GENEROUS,
                last,
            });
        }
        sleep(ASK_AGAIN).await;
    }
}
