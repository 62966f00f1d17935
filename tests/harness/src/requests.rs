//! What the API server itself says about the requests that it served.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Cluster, Error, Identity, Result};

/// How many requests the API server served since it started, by verb and resource
/// (`("PATCH", "deployments")`). Verbs are the metric's: `GET`, `LIST`, `WATCH`,
/// `POST`, `PUT`, `PATCH`, `APPLY`, `DELETE`.
pub type RequestTotals = BTreeMap<(String, String), u64>;

/// One request from the API server's audit log, in the order in which they ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, …
    pub verb: String,
    /// The plural, with the subresource: `deployments`, `helmreleases/status`. Empty
    /// for discovery and other paths that name no resource.
    pub resource: String,
    /// The namespace, or empty.
    pub namespace: String,
    /// The object, or empty.
    pub name: String,
    /// The path with its query.
    pub uri: String,
    /// The HTTP status of the answer.
    pub status: u16,
}

impl Cluster {
    /// How many requests `identity` has made, counted by the API server's flow control
    /// (`apiserver_flowcontrol_dispatched_requests_total`). A watch counts once, when
    /// it starts.
    ///
    /// # Errors
    /// If the metrics cannot be read.
    pub async fn requests_by(&self, identity: &Identity) -> Result<u64> {
        let metrics = self.metrics().await?;
        Ok(
            samples(&metrics, "apiserver_flowcontrol_dispatched_requests_total")
                .filter(|sample| sample.label("flow_schema") == Some(identity.user()))
                .map(|sample| sample.value)
                .sum(),
        )
    }

    /// All requests since the API server started, whoever made them.
    ///
    /// # Errors
    /// If the metrics cannot be read.
    pub async fn request_totals(&self) -> Result<RequestTotals> {
        let metrics = self.metrics().await?;
        let mut totals = RequestTotals::new();
        for sample in samples(&metrics, "apiserver_request_total") {
            let key = |label| sample.label(label).unwrap_or_default().to_owned();
            *totals.entry((key("verb"), key("resource"))).or_default() += sample.value;
        }
        Ok(totals)
    }

    /// Every request that `identity` has made, in the order in which they ended, from
    /// the API server's audit log. Long-running watches appear when they end.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn requests_of(&self, identity: &Identity) -> Result<Vec<Request>> {
        let path = self.folder().join("audit.jsonl");
        let log = std::fs::read_to_string(&path)
            .map_err(Error::io(format!("reading {}", path.display())))?;
        // The last line may still be half written.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        let mut requests = Vec::new();
        for line in whole.lines().filter(|line| line.contains(identity.user())) {
            let event: AuditEvent =
                serde_json::from_str(line).map_err(Error::unreadable("the audit log"))?;
            if event.user.username == identity.user() {
                requests.push(event.into());
            }
        }
        Ok(requests)
    }

    async fn metrics(&self) -> Result<String> {
        let request = http::Request::get("/metrics")
            .body(Vec::new())
            .map_err(|error| Error::Unreadable {
                what: "the path of the metrics".to_owned(),
                detail: error.to_string(),
            })?;
        self.client()
            .await?
            .request_text(request)
            .await
            .map_err(Error::kube("reading the API server's metrics"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuditEvent {
    verb: String,
    #[serde(rename = "requestURI")]
    uri: String,
    user: AuditUser,
    object_ref: Option<ObjectRef>,
    response_status: Option<ResponseStatus>,
}

#[derive(Deserialize)]
struct AuditUser {
    username: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

impl From<AuditEvent> for Request {
    fn from(event: AuditEvent) -> Self {
        let object = event.object_ref.unwrap_or_default();
        let resource = match object.subresource.as_str() {
            "" => object.resource,
            subresource => format!("{}/{subresource}", object.resource),
        };
        Self {
            verb: event.verb,
            resource,
            namespace: object.namespace,
            name: object.name,
            uri: event.uri,
            status: event.response_status.map_or(0, |status| status.code),
        }
    }
}

/// One line of Prometheus' text format.
struct Sample<'a> {
    labels: &'a str,
    value: u64,
}

impl<'a> Sample<'a> {
    /// Kubernetes' label values hold neither quotes nor commas.
    fn label(&self, name: &str) -> Option<&'a str> {
        self.labels.split(',').find_map(|label| {
            let (key, value) = label.split_once('=')?;
            (key == name).then(|| value.trim_matches('"'))
        })
    }
}

fn samples<'a>(metrics: &'a str, name: &'a str) -> impl Iterator<Item = Sample<'a>> {
    metrics.lines().filter_map(move |line| {
        let (labels, value) = line
            .strip_prefix(name)?
            .strip_prefix('{')?
            .split_once("} ")?;
        Some(Sample {
            labels,
            value: value.parse::<f64>().ok()? as u64,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_its_whole_name_and_its_labels() {
        let metrics = "# HELP requests Requests.\nrequests{verb=\"GET\",code=\"200\"} 12\nrequests_other{verb=\"GET\"} 5\nrequests{verb=\"PUT\"} 1.5e+03\n";
        let found: Vec<_> = samples(metrics, "requests")
            .map(|sample| (sample.label("verb"), sample.value))
            .collect();
        assert_eq!(found, [(Some("GET"), 12), (Some("PUT"), 1500)]);
    }
}
