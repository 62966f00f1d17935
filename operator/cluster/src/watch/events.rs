//! One watch as a stream of events, read line by line with a bound on a line's length and on silence.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::BytesMut;
use futures::{Stream, stream};
use http::StatusCode;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::Value;

use crate::client::Connection;
use crate::error::{Error, Refusal, Transport};
use crate::layers::AnswerBody;
use crate::object::{ResourceVersion, resource_version};
use crate::wire::Call;

/// The API server ends a watch after this long; so no connection is trusted for longer.
const SERVER_ENDS_AFTER: Duration = Duration::from_secs(290);
/// How much later than that silence counts as a dead connection.
const GRACE: Duration = Duration::from_secs(20);
/// The longest event: etcd takes 1.5 MiB an object, JSON and managedFields add to it.
const LONGEST_LINE: usize = 16 << 20;

/// Small pages: a page of whole objects is held in memory at once.
const PAGE: &str = "50";

/// What to watch.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// The collection's path.
    pub path: String,
    /// A label selector; empty for all.
    pub labels: String,
    /// A field selector; empty for all.
    pub fields: String,
    /// What to ask for: whole objects or metadata.
    pub accept: &'static str,
}

impl Selection {
    /// The call for one page of what is selected, from the first or from where the last one ended.
    pub fn page(&self, accept: &'static str, next: Option<&str>) -> Call {
        self.list(accept).query("limit", PAGE).query_if(
            next.is_some(),
            "continue",
            next.unwrap_or_default(),
        )
    }

    /// The call that lists what is selected.
    pub fn list(&self, accept: &'static str) -> Call {
        Call::get(self.path.clone())
            .accept(accept)
            .query_if(!self.labels.is_empty(), "labelSelector", &self.labels)
            .query_if(!self.fields.is_empty(), "fieldSelector", &self.fields)
    }
}

/// Where the next page of a list begins; `None` after the last.
pub(crate) fn next_page(page: &Value) -> Option<String> {
    let token = page.pointer("/metadata/continue")?.as_str()?;
    (!token.is_empty()).then(|| token.to_owned())
}

/// One event of a watch.
#[derive(Debug)]
pub(crate) enum Event {
    /// The object is there, in this state.
    Seen(Value),
    /// The object is gone, or no longer selected; this was its last state.
    Deleted(Value),
    /// All events up to here were told.
    Bookmark(ResourceVersion),
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

struct Reader {
    body: AnswerBody,
    buffer: BytesMut,
    ready: VecDeque<Result<Event, Error>>,
    what: String,
    ended: bool,
}

/// Opens a watch after `from`. It ends after some minutes, or with an error; the caller opens the next one where
/// this one stopped.
pub(crate) async fn watch(
    connection: &Connection,
    selection: &Selection,
    from: ResourceVersion,
) -> Result<impl Stream<Item = Result<Event, Error>> + Send + use<>, Error> {
    let body = selection
        .list(selection.accept)
        .query("watch", "true")
        .query("allowWatchBookmarks", "true")
        .query("timeoutSeconds", &SERVER_ENDS_AFTER.as_secs().to_string())
        .query("resourceVersion", &from.to_string())
        .stream(connection)
        .await?;
    let reader = Reader {
        body,
        buffer: BytesMut::new(),
        ready: VecDeque::new(),
        what: format!("watch {}", selection.path),
        ended: false,
    };
    Ok(stream::unfold(reader, |mut reader| async move {
        reader.next().await.map(|event| (event, reader))
    }))
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Event, Error>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            let silence = SERVER_ENDS_AFTER + GRACE;
            match tokio::time::timeout(silence, self.body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.buffer.extend_from_slice(&bytes);
                        self.split();
                    }
                }
                Ok(None) => self.ended = true,
                Ok(Some(Err(error))) => self.fail(Transport::Lost(error)),
                Err(_) => self.fail(Transport::TimedOut(silence)),
            }
        }
    }

    fn fail(&mut self, source: Transport) {
        self.ended = true;
        self.ready.push_back(Err(Error::Transport {
            call: self.what.clone(),
            source,
        }));
    }

    fn split(&mut self) {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = self.buffer.split_to(end + 1);
            if !line.trim_ascii().is_empty() {
                let event = read(&line, &self.what);
                self.ended |= event.is_err();
                self.ready.push_back(event);
            }
        }
        if self.buffer.len() > LONGEST_LINE {
            self.ended = true;
            self.ready.push_back(Err(Error::TooLarge {
                what: format!("an event of {}", self.what),
                bytes: self.buffer.len(),
                limit: LONGEST_LINE,
            }));
        }
    }
}

fn read(line: &[u8], what: &str) -> Result<Event, Error> {
    let Line { kind, object } = serde_json::from_slice(line).map_err(|source| Error::Decode {
        what: format!("an event of {what}"),
        source,
    })?;
    Ok(match kind.as_str() {
        "DELETED" => Event::Deleted(object),
        "BOOKMARK" => Event::Bookmark(resource_version(&object)),
        "ERROR" => {
            let code = object
                .get("code")
                .and_then(Value::as_u64)
                .and_then(|code| u16::try_from(code).ok());
            let code = code
                .and_then(|code| StatusCode::from_u16(code).ok())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return Err(
                Refusal::read(what.to_owned(), code, None, object.to_string().as_bytes()).into(),
            );
        }
        _ => Event::Seen(object),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RefusalKind;
    use crate::layers::whole;
    use futures::FutureExt;

    fn reader(text: &'static str) -> Reader {
        Reader {
            body: whole(text.into()),
            buffer: BytesMut::new(),
            ready: VecDeque::new(),
            what: "watch pods".into(),
            ended: false,
        }
    }

    #[tokio::test]
    async fn an_expired_position_is_told_as_such() {
        let mut reader = reader(
            "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"4\"}}}\n\
             {\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\",\"reason\":\"Expired\"}}\n",
        );
        assert!(matches!(
            reader.next().now_or_never(),
            Some(Some(Ok(Event::Seen(_))))
        ));
        let error = reader.next().now_or_never().flatten().unwrap().unwrap_err();
        assert!(error.is(RefusalKind::Expired), "{error}");
        assert!(reader.next().now_or_never().flatten().is_none());
    }

    #[tokio::test]
    async fn half_a_line_at_the_end_is_no_event() {
        let mut reader = reader(
            "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}\n{\"type\":",
        );
        let first = reader.next().now_or_never().flatten().unwrap().unwrap();
        assert!(matches!(first, Event::Bookmark(ResourceVersion(9))));
        assert!(reader.next().now_or_never().flatten().is_none());
    }
}
