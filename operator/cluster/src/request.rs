//! What a request to the API server is, read from its method and path: for metrics, permits and fault plans.

use http::Method;

/// The API verb, as RBAC and audit logs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Read one object.
    Get,
    /// Read many.
    List,
    /// Follow changes.
    Watch,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH, server-side apply included.
    Patch,
    /// DELETE of one object.
    Delete,
    /// DELETE of many.
    DeleteCollection,
    /// Not an API verb.
    Other,
}

impl Verb {
    /// The verb in RBAC's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Other => "other",
        }
    }
}

/// One request, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// What it does.
    pub verb: Verb,
    /// The API group; empty for the core group and for paths that are no resource.
    pub group: String,
    /// The plural resource name with its subresource (`deployments/scale`), or the first path segment.
    pub resource: String,
    /// The namespace; empty when cluster-wide.
    pub namespace: String,
    /// The object's name; empty for lists and creates.
    pub name: String,
    /// Is it a dry run?
    pub dry_run: bool,
    /// Does its answer have no end (a watch, a followed log)?
    pub streaming: bool,
}

impl RequestInfo {
    /// Reads method, path and query.
    pub fn of(method: &Method, uri: &http::Uri) -> Self {
        let query: Vec<(&str, &str)> = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .collect();
        let has = |key: &str, value: &str| query.iter().any(|(k, v)| *k == key && *v == value);
        let watching = has("watch", "true") || has("watch", "1");
        let segments: Vec<&str> = uri
            .path()
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let (group, rest) = match segments.as_slice() {
            ["api", _, rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            other => ("", other.get(..1).unwrap_or_default()),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..]
                if rest
                    .first()
                    .is_some_and(|first| *first != "status" && *first != "finalize") =>
            {
                (*namespace, rest)
            }
            other => ("", other),
        };
        let (resource, name, sub) = match rest {
            [] => ("", "", ""),
            [resource] => (*resource, "", ""),
            [resource, name] => (*resource, *name, ""),
            [resource, name, sub, ..] => (*resource, *name, *sub),
        };
        let verb = match (method.as_str(), name.is_empty()) {
            ("GET", _) if watching => Verb::Watch,
            ("GET", true) => Verb::List,
            ("GET", false) => Verb::Get,
            ("POST", _) => Verb::Create,
            ("PUT", _) => Verb::Update,
            ("PATCH", _) => Verb::Patch,
            ("DELETE", false) => Verb::Delete,
            ("DELETE", true) => Verb::DeleteCollection,
            _ => Verb::Other,
        };
        Self {
            verb,
            group: group.to_owned(),
            resource: if sub.is_empty() {
                resource.to_owned()
            } else {
                format!("{resource}/{sub}")
            },
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dry_run: has("dryRun", "All"),
            streaming: watching || has("follow", "true"),
        }
    }

    /// Does it change something in the cluster?
    pub fn is_write(&self) -> bool {
        !self.dry_run
            && matches!(
                self.verb,
                Verb::Create | Verb::Update | Verb::Patch | Verb::Delete | Verb::DeleteCollection
            )
    }

    /// Verb, resource and object in one line, for error texts.
    pub fn describe(&self) -> String {
        let mut text = format!("{} {}", self.verb.as_str(), self.resource);
        if !self.group.is_empty() {
            text.push('.');
            text.push_str(&self.group);
        }
        if !self.name.is_empty() {
            text.push(' ');
            if !self.namespace.is_empty() {
                text.push_str(&self.namespace);
                text.push('/');
            }
            text.push_str(&self.name);
        } else if !self.namespace.is_empty() {
            text.push_str(" in ");
            text.push_str(&self.namespace);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(method: &Method, uri: &str) -> RequestInfo {
        RequestInfo::of(method, &uri.parse().unwrap())
    }

    #[test]
    fn a_namespaced_object_of_a_group() {
        let info = info(
            &Method::PATCH,
            "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=helm&force=true",
        );
        assert_eq!(info.verb, Verb::Patch);
        assert_eq!(
            (info.group.as_str(), info.resource.as_str()),
            ("apps", "deployments")
        );
        assert_eq!(
            (info.namespace.as_str(), info.name.as_str()),
            ("shop", "web")
        );
        assert!(info.is_write());
        assert_eq!(info.describe(), "patch deployments.apps shop/web");
    }

    #[test]
    fn a_namespace_is_an_object_and_not_its_own_container() {
        let info = info(&Method::GET, "/api/v1/namespaces/shop");
        assert_eq!(
            (info.verb, info.resource.as_str(), info.name.as_str()),
            (Verb::Get, "namespaces", "shop")
        );
        assert!(info.namespace.is_empty());
    }

    #[test]
    fn a_watch_streams_and_a_dry_run_writes_nothing() {
        assert!(info(&Method::GET, "/api/v1/pods?watch=true&resourceVersion=1").streaming);
        assert!(!info(&Method::POST, "/api/v1/namespaces/a/pods?dryRun=All").is_write());
    }

    #[test]
    fn discovery_is_no_resource() {
        let info = info(&Method::GET, "/version");
        assert_eq!((info.verb, info.resource.as_str()), (Verb::List, "version"));
    }
}
