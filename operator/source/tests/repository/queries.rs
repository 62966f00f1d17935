//! Asking a Prometheus, played by a server that answers well, badly, slowly, or not at all.

use std::time::Duration;

use belay_source::{
    Credentials, Destinations, Error, Kind, Prometheus, PrometheusQuery, Sample, Secret, Settings,
};
use rstest::rstest;

use super::asking::{install_tls, settings};
use super::server::{Fault, Page, Server};

/// Where `up` is asked for.
const UP: &str = "/prom/api/v1/query?query=up&timeout=10s";
const ONE: &str = r#"{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {"job": "web"}, "value": [1, "1"]}]}}"#;
const REFUSED: &str = r#"{"status": "error", "errorType": "bad_data", "error": "1:3: parse error: unexpected end of input"}"#;

fn up(server: &Server) -> PrometheusQuery {
    PrometheusQuery {
        url: server.url("/prom"),
        query: "up".into(),
        credentials: None,
        ca_bundle: None,
        client_certificate: None,
    }
}

fn prometheus(settings: &Settings) -> Prometheus {
    install_tls();
    Prometheus::new(settings)
}

async fn ask(query: &PrometheusQuery) -> Result<Vec<Sample>, Error> {
    prometheus(&settings()).ask(query).await
}

async fn failure(page: Page) -> Error {
    failure_under(&settings(), page).await
}

async fn failure_under(settings: &Settings, page: Page) -> Error {
    let server = Server::start().await;
    server.serve(UP, page);
    prometheus(settings).ask(&up(&server)).await.unwrap_err()
}

#[tokio::test]
async fn a_query_gives_its_numbers_with_their_series() {
    let server = Server::start().await;
    server.serve(UP, Page::ok(ONE));

    let samples = ask(&up(&server)).await.unwrap();

    let one = Sample {
        series: r#"{job="web"}"#.into(),
        number: 1.0,
    };
    assert_eq!(samples, [one]);
}

#[tokio::test]
async fn a_query_is_sent_as_it_is_written_and_what_the_address_asks_for_stays() {
    let server = Server::start().await;
    let query = PrometheusQuery {
        url: server.url("/prom/?tenant=a"),
        query: r#"sum(rate(x{code=~"5.."}[1m])) + 1 & 2"#.into(),
        ..up(&server)
    };
    let path = "/prom/api/v1/query?tenant=a&query=sum%28rate%28x%7Bcode%3D%7E%225..%22%7D%5B1m%5D%29%29+%2B+1+%26+2&timeout=10s";
    server.serve(path, Page::ok(ONE));

    ask(&query).await.unwrap();

    assert_eq!(server.seen(path).len(), 1);
}

#[rstest]
#[case(400)]
#[case(422)]
#[tokio::test]
async fn a_query_that_is_refused_is_told_in_the_words_of_the_refusal(#[case] status: u16) {
    let mut page = Page::ok(REFUSED);
    page.status = status;

    let error = failure(page).await;

    assert!(matches!(error, Error::BadQuery { .. }), "{error:?}");
    assert!(error.to_string().contains("1:3: parse error"), "{error}");
}

#[rstest]
#[case(400, Kind::NotFound, "does not answer as a Prometheus")]
#[case(404, Kind::NotFound, "does not answer as a Prometheus")]
#[case(401, Kind::Unauthorized, "secretRef")]
#[case(403, Kind::Unauthorized, "secretRef")]
#[case(429, Kind::Unreachable, "HTTP 429")]
#[case(500, Kind::Unreachable, "HTTP 500")]
#[case(503, Kind::Unreachable, "HTTP 503")]
#[tokio::test]
async fn a_status_says_why_there_is_no_answer(
    #[case] status: u16,
    #[case] kind: Kind,
    #[case] says: &str,
) {
    let error = failure(Page::status(status)).await;

    assert_eq!(error.kind(), kind, "{error}");
    assert!(!matches!(error, Error::BadQuery { .. }), "{error:?}");
    assert!(error.to_string().contains(says), "{error}");
}

#[rstest]
#[case(Fault::Truncated)]
#[case(Fault::Stalled)]
#[case(Fault::Silent)]
#[tokio::test]
async fn an_answer_that_does_not_come_whole_is_none(#[case] fault: Fault) {
    let impatient = Settings {
        stall_time: Duration::from_millis(100),
        ..settings()
    };

    let error = failure_under(&impatient, Page::ok(ONE).fault(fault)).await;

    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
}

#[tokio::test]
async fn a_question_ends_at_its_limit_whatever_trickles_in() {
    let impatient = Settings {
        request_time: Duration::from_millis(100),
        ..settings()
    };

    let error = failure_under(&impatient, Page::ok(ONE).fault(Fault::Stalled)).await;

    let told = error.to_string();
    assert!(told.contains("no complete answer in 0 s"), "{told}");
}

#[tokio::test]
async fn an_answer_without_bounds_is_the_query_s_fault() {
    let error = failure(Page::ok(vec![b' '; 2 * 1024 * 1024])).await;

    assert!(matches!(error, Error::BadQuery { .. }), "{error:?}");
    assert!(error.to_string().contains("fewer series"), "{error}");
}

#[tokio::test]
async fn nobody_listening_may_pass() {
    let server = Server::start().await;
    let query = up(&server);
    drop(server);

    let error = ask(&query).await.unwrap_err();

    assert!(error.is_transient(), "{error}");
}

#[rstest]
#[case(
    Credentials::Basic { username: "jane".into(), password: Secret::new("hunter2") },
    "Basic amFuZTpodW50ZXIy"
)]
#[case(Credentials::Bearer(Secret::new("t0ken")), "Bearer t0ken")]
#[tokio::test]
async fn credentials_open_the_door_of_the_address_and_of_no_other(
    #[case] credentials: Credentials,
    #[case] header: &str,
) {
    let server = Server::start().await;
    let elsewhere = Server::start().await;
    server.serve(UP, Page::ok(ONE).guarded(header, Page::status(401)));
    let known = PrometheusQuery {
        credentials: Some(credentials),
        ..up(&server)
    };
    assert_eq!(
        ask(&up(&server)).await.unwrap_err().kind(),
        Kind::Unauthorized
    );
    ask(&known).await.unwrap();

    server.serve(UP, Page::redirect(elsewhere.url("/there")));
    elsewhere.serve("/there", Page::ok(ONE));
    ask(&known).await.unwrap();

    assert_eq!(elsewhere.seen("/there")[0].header("authorization"), None);
}

#[tokio::test]
async fn what_is_not_for_tenants_is_not_asked_not_even_by_a_redirect() {
    let server = Server::start().await;
    server.serve(UP, Page::redirect("http://169.254.169.254/latest"));
    let forbidden = |error: &Error| matches!(error, Error::ForbiddenAddress { .. });
    let guarded = |besides: Vec<belay_source::IpNet>| {
        prometheus(&Settings {
            destinations: Destinations::Guarded { besides },
            ..settings()
        })
    };

    let by_address = guarded(Vec::new()).ask(&up(&server)).await.unwrap_err();
    assert!(forbidden(&by_address), "{by_address:?}");
    assert!(server.seen(UP).is_empty());

    let but_here = vec!["127.0.0.0/8".parse().unwrap()];
    let by_redirect = guarded(but_here).ask(&up(&server)).await.unwrap_err();
    assert!(forbidden(&by_redirect), "{by_redirect:?}");
}
