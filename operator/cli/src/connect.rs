//! The way to the cluster, with a time limit on everything.

use std::fmt::Debug;
use std::time::Duration;

use belay_cluster::{ConnectOptions, Connection};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::Api;
use kube::api::PostParams;
use kube::core::NamespaceResourceScope;
use serde::de::DeserializeOwned;

use crate::args::Globals;
use crate::error::{Error, explain};

/// No single request takes longer.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// A client and the one namespace that a command works in.
pub(crate) struct Access {
    pub(crate) client: kube::Client,
    /// For what is not of Belay's kinds.
    pub(crate) connection: Connection,
    pub(crate) namespace: String,
}

impl Access {
    pub(crate) async fn new(globals: &Globals) -> Result<Self, Error> {
        if globals.namespace.len() > 1 {
            return Err(Error::ManyNamespaces(globals.namespace.len()));
        }
        let connection = belay_cluster::connect(ConnectOptions {
            kubeconfig: globals.kubeconfig.clone(),
            context: globals.context.clone(),
            user_agent: concat!("belay-cli/", env!("CARGO_PKG_VERSION")).to_owned(),
            request_timeout: REQUEST_LIMIT,
            ..ConnectOptions::default()
        })
        .await?;
        let namespace = globals
            .namespace
            .first()
            .map_or_else(|| connection.default_namespace().to_owned(), Clone::clone);
        Ok(Self {
            client: connection.client(),
            connection,
            namespace,
        })
    }

    /// The user name under which the API server knows whoever runs the command.
    pub(crate) async fn user(&self) -> Result<String, Error> {
        let api: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let review = asking(
            "asking the API server who you are",
            api.create(&PostParams::default(), &SelfSubjectReview::default()),
        )
        .await?;
        let user = review.status.and_then(|status| status.user_info);
        Ok(user.and_then(|user| user.username).unwrap_or_default())
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

/// Awaits one request; `doing` begins the text of what goes wrong.
pub(crate) async fn asking<T>(
    doing: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(REQUEST_LIMIT, request).await {
        Ok(answer) => answer.map_err(|source| Error::Api {
            doing: doing.to_owned(),
            message: explain(&source),
            source: Box::new(source),
        }),
        Err(_) => Err(Error::Slow {
            doing: doing.to_owned(),
            seconds: REQUEST_LIMIT.as_secs(),
        }),
    }
}
