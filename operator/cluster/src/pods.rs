//! Evidence: the pods of a workload, and what they print.

use belay_health::ObjectKey;
use serde::Deserialize;
use serde_json::Value;

use crate::client::Connection;
use crate::error::{Error, RefusalKind};
use crate::wire::Call;

/// The most pods that are read for one workload.
const PODS_AT_MOST: u32 = 100;

#[derive(Deserialize)]
struct Items {
    #[serde(default)]
    items: Vec<Value>,
}

impl Connection {
    /// The pods that a workload selects, at most a hundred; a Pod is its own. Empty when the workload is not there or
    /// selects nothing.
    ///
    /// # Errors
    /// Read errors.
    pub async fn pods_of(&self, workload: &ObjectKey) -> Result<Vec<Value>, Error> {
        let Some(live) = self.get(workload).await? else {
            return Ok(Vec::new());
        };
        if workload.kind == "Pod" && workload.group.is_empty() {
            return Ok(vec![live]);
        }
        let namespace = workload.namespace.as_deref().unwrap_or_default();
        let Some(selector) = selector(&live) else {
            return Ok(Vec::new());
        };
        let pods: Items = Call::get(format!("/api/v1/namespaces/{namespace}/pods"))
            .query("labelSelector", &selector)
            .query("limit", &PODS_AT_MOST.to_string())
            .read(self)
            .await?;
        Ok(pods.items)
    }

    /// The end of a container's log, at most `bytes` long, cut at a line where it was cut; `None` when there is no such
    /// run, or nobody can tell its log.
    ///
    /// # Errors
    /// Read errors other than that.
    pub async fn log_tail(
        &self,
        log: ContainerLog<'_>,
        bytes: usize,
    ) -> Result<Option<String>, Error> {
        let call = Call::get(format!(
            "/api/v1/namespaces/{}/pods/{}/log",
            log.namespace, log.pod
        ))
        .accept("text/plain, application/json, */*")
        .query("container", log.container)
        .query("previous", if log.previous { "true" } else { "false" })
        .query("tailLines", "100")
        // The API cuts at the wrong end, so this bounds the transfer only.
        .query("limitBytes", &(bytes.saturating_mul(8)).to_string());
        match call.read_text(self).await {
            Ok(text) => Ok(Some(tail(&text, bytes).to_owned()).filter(|text| !text.is_empty())),
            // No such pod, no previous run, still starting, or its node does not answer.
            Err(Error::Refused(refusal))
                if matches!(
                    refusal.kind,
                    RefusalKind::NotFound | RefusalKind::NotServed | RefusalKind::Invalid
                ) || refusal.status >= 500 =>
            {
                tracing::debug!(pod = log.pod, container = log.container, %refusal, "no log");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerLog<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod.
    pub pod: &'a str,
    /// The container.
    pub container: &'a str,
    /// The run before the current one?
    pub previous: bool,
}

fn tail(text: &str, bytes: usize) -> &str {
    let text = text.trim_end();
    if text.len() <= bytes {
        return text;
    }
    let mut start = text.len() - bytes;
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let cut = &text[start..];
    cut.split_once('\n').map_or(cut, |(_, whole)| whole)
}

/// A workload's label selector in the API's notation; `None` when it has none, which selects nothing.
fn selector(workload: &Value) -> Option<String> {
    let selector = workload.pointer("/spec/selector")?;
    let mut terms = Vec::new();
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    // A ReplicationController's selector is the map itself.
    let plain = selector
        .as_object()
        .filter(|all| all.values().all(Value::is_string));
    for (key, value) in labels.or(plain).into_iter().flatten() {
        terms.push(format!("{key}={}", value.as_str()?));
    }
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let key = expression.get("key").and_then(Value::as_str)?;
        let values: Vec<&str> = expression
            .get("values")
            .and_then(Value::as_array)
            .map(|values| values.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        terms.push(match expression.get("operator").and_then(Value::as_str)? {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!terms.is_empty()).then(|| terms.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_selector_is_written_in_the_api_s_notation() {
        let workload = json!({"spec": {"selector": {"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}]}}});
        assert_eq!(
            selector(&workload).as_deref(),
            Some("app=web,tier in (a,b),!old")
        );
        assert_eq!(
            selector(&json!({"spec": {"selector": {"app": "web"}}})).as_deref(),
            Some("app=web")
        );
        assert_eq!(selector(&json!({"spec": {}})), None);
    }

    #[test]
    fn a_log_is_cut_at_a_line_and_never_inside_a_character() {
        assert_eq!(tail("one\ntwo\nthree\n", 8), "three");
        assert_eq!(tail("äöü", 3), "ü");
        assert_eq!(tail("short\n", 100), "short");
    }
}
