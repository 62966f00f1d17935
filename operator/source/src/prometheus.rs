//! Asking a Prometheus one number, or one for each series.
//!
//! Its HTTP API as <https://prometheus.io/docs/prometheus/latest/querying/api/> has it, which Thanos, Mimir,
//! `VictoriaMetrics` and others answer as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use crate::error::Error;
use crate::http::{Answer, Document, Http, QUERY_BYTES, Validators};
use crate::location::{Access, shown};
use crate::request::{ClientCertificate, Credentials};
use crate::settings::Settings;

/// The longest that a question may take, redirects included.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// The longest that a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Questions at the same time.
const QUESTIONS: usize = 32;
/// The most bytes of an answer's own words.
const WORDS: usize = 300;

/// An instant query, and what opens the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrometheusQuery {
    /// The address below which `/api/v1/query` is. A user and password inside it are used when `credentials` is empty.
    pub url: String,
    /// The query, in `PromQL`.
    pub query: String,
    /// Sent to this address' own origin and nowhere else.
    pub credentials: Option<Credentials>,
    /// PEM certificates of authorities that are trusted besides the system's.
    pub ca_bundle: Option<String>,
    /// Shown to servers that ask for a certificate in TLS.
    pub client_certificate: Option<ClientCertificate>,
}

/// A number of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The labels of its series, as `{pod="web-1"}`; empty where there are none.
    pub series: String,
    /// The number; may be `NaN` or infinite.
    pub number: f64,
}

/// Asks. Clones share connections; make one for a process.
#[derive(Clone, Debug)]
pub struct Prometheus {
    http: Arc<Http>,
}

impl Prometheus {
    /// Under the limits of `settings`, where its own are not narrower: ten seconds for a question as a whole, a mebibyte
    /// for an answer. It shares no limit with what fetches charts, so that a server that does not answer holds up none.
    pub fn new(settings: &Settings) -> Self {
        Self {
            http: Arc::new(Http::new(&Settings {
                connect_time: settings.connect_time.min(CONNECT_TIME),
                stall_time: settings.stall_time.min(REQUEST_TIME),
                request_time: settings.request_time.min(REQUEST_TIME),
                transfers: QUESTIONS,
                ..settings.clone()
            })),
        }
    }

    /// What a query gives now: a number for a scalar, one for each series of an instant vector, none for an empty one.
    ///
    /// # Errors
    /// [`Error::BadQuery`] where the query is refused, cannot be carried out, gives something else, or too much of it;
    /// otherwise why there was no answer. Nothing is tried twice.
    pub async fn ask(&self, asked: &PrometheusQuery) -> Result<Vec<Sample>, Error> {
        let access = Access::at(
            &asked.url,
            asked.credentials.as_ref(),
            asked.ca_bundle.as_deref(),
            asked.client_certificate.as_ref(),
        )?;
        let url = access.instant_query(&asked.query, REQUEST_TIME.as_secs());
        let nothing = Validators::default();
        let answer = self
            .http
            .get(&access, url.clone(), Document::Query, &nothing);
        match answer.await {
            Ok(Answer::Body(received)) => read(&url, &received.bytes),
            Ok(Answer::NotModified | Answer::Challenged(_)) => Err(Error::NotPrometheus {
                url: shown(&url),
                detail: "an answer to another question".to_owned(),
            }),
            Err(Error::TooLarge { .. }) => Err(bad_query(
                &url,
                format!(
                    "it gives more than {} KiB; have it give fewer series, as sum() or max() do",
                    QUERY_BYTES / 1024
                ),
            )),
            Err(error) => Err(error),
        }
    }
}

/// An answer, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    status: String,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Scalar(Point),
    Vector(Vec<Element>),
    Matrix(IgnoredAny),
    String(IgnoredAny),
}

#[derive(Deserialize)]
struct Element {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    /// Absent for a histogram.
    value: Option<Point>,
}

/// When, and the number as a text.
#[derive(Deserialize)]
struct Point(IgnoredAny, String);

fn read(url: &Url, body: &[u8]) -> Result<Vec<Sample>, Error> {
    let strange = |detail: String| Error::NotPrometheus {
        url: shown(url),
        detail,
    };
    let envelope: Envelope = serde_json::from_slice(body)
        .map_err(|error| strange(format!("its answer cannot be read: {error}")))?;
    match (envelope.status.as_str(), envelope.data) {
        ("success", Some(data)) => numbers(url, data),
        ("error", _) => {
            let (kind, words) = (&envelope.error_type, clipped(&envelope.error));
            Err(match kind.as_str() {
                "bad_data" | "execution" => bad_query(url, words),
                _ => Error::Unreachable {
                    url: shown(url),
                    detail: format!("{kind}: {words}"),
                    retry_after: None,
                    source: None,
                },
            })
        }
        _ => Err(strange(
            "its answer has neither data nor an error".to_owned(),
        )),
    }
}

fn numbers(url: &Url, data: Data) -> Result<Vec<Sample>, Error> {
    let other = |found: &str| {
        let detail = format!("it gives {found}; a scalar or an instant vector is compared");
        bad_query(url, detail)
    };
    match data {
        Data::Scalar(point) => Ok(vec![Sample {
            series: String::new(),
            number: number(url, &point)?,
        }]),
        Data::Vector(elements) => elements
            .into_iter()
            .map(|element| match &element.value {
                Some(point) => Ok(Sample {
                    series: labels(&element.metric),
                    number: number(url, point)?,
                }),
                None => Err(other("histograms")),
            })
            .collect(),
        Data::Matrix(_) => Err(other("a range of values over time")),
        Data::String(_) => Err(other("a text")),
    }
}

/// Go prints numbers as Rust reads them: `0.5`, `1e+21`, `NaN`, `+Inf`.
fn number(url: &Url, point: &Point) -> Result<f64, Error> {
    point.1.parse().map_err(|_| Error::NotPrometheus {
        url: shown(url),
        detail: format!("{:?} is no number", clipped(&point.1)),
    })
}

fn labels(metric: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, value) in metric {
        let joint = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{joint}{name}={value:?}");
    }
    if text.is_empty() {
        text
    } else {
        format!("{{{text}}}")
    }
}

fn bad_query(url: &Url, detail: String) -> Error {
    Error::BadQuery {
        url: shown(url),
        detail,
    }
}

fn clipped(text: &str) -> String {
    let end = text.floor_char_boundary(WORDS);
    if end < text.len() {
        format!("{}…", &text[..end])
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read_text(body: &str) -> Result<Vec<Sample>, Error> {
        read(
            &Url::parse("http://p.example/api/v1/query").unwrap(),
            body.as_bytes(),
        )
    }

    fn vector(value: &str) -> String {
        format!(
            r#"{{"status": "success", "data": {{"resultType": "vector", "result": [{{"metric": {{"b": "2", "a": "x\"y"}}, "value": [1.5, "{value}"]}}]}}}}"#
        )
    }

    #[rstest]
    #[case("0.25", 0.25)]
    #[case("-3", -3.0)]
    #[case("1e+21", 1e21)]
    #[case("1e-09", 1e-9)]
    #[case("+Inf", f64::INFINITY)]
    #[case("-Inf", f64::NEG_INFINITY)]
    fn numbers_are_read_as_go_prints_them(#[case] text: &str, #[case] number: f64) {
        let samples = read_text(&vector(text)).unwrap();

        assert_eq!(samples.len(), 1);
        assert_eq!(samples[0].number, number);
        assert_eq!(samples[0].series, r#"{a="x\"y", b="2"}"#);
    }

    #[test]
    fn nan_stays_nan() {
        assert!(read_text(&vector("NaN")).unwrap()[0].number.is_nan());
    }

    #[test]
    fn a_scalar_is_one_number_without_a_series() {
        let body =
            r#"{"status": "success", "data": {"resultType": "scalar", "result": [1.5, "7"]}}"#;

        let one = Sample {
            series: String::new(),
            number: 7.0,
        };
        assert_eq!(read_text(body).unwrap(), [one]);
    }

    #[rstest]
    #[case(r#"{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "2"]]}]}}"#, "over time")]
    #[case(
        r#"{"status": "success", "data": {"resultType": "string", "result": [1, "2"]}}"#,
        "a text"
    )]
    #[case(r#"{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {"count": "2"}]}]}}"#, "histograms")]
    #[case(
        r#"{"status": "error", "errorType": "bad_data", "error": "1:4: parse error"}"#,
        "1:4: parse error"
    )]
    #[case(
        r#"{"status": "error", "errorType": "execution", "error": "many-to-many"}"#,
        "many-to-many"
    )]
    fn a_query_that_gives_nothing_to_compare_is_told_from_no_answer(
        #[case] body: &str,
        #[case] says: &str,
    ) {
        let error = read_text(body).unwrap_err();

        assert!(matches!(error, Error::BadQuery { .. }), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
    }

    #[rstest]
    #[case("")]
    #[case("<html>")]
    #[case("{}")]
    #[case(r#"{"status": "success"}"#)]
    #[case(r#"{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "many"]}]}}"#)]
    fn what_no_prometheus_answers_is_told_so(#[case] body: &str) {
        let error = read_text(body).unwrap_err();

        assert!(matches!(error, Error::NotPrometheus { .. }), "{error:?}");
    }

    #[test]
    fn a_timeout_of_its_own_may_pass() {
        let error =
            read_text(r#"{"status": "error", "errorType": "timeout", "error": "query timed out"}"#);

        assert!(error.unwrap_err().is_transient());
    }
}
