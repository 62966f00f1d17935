use belay_api::Duration;
use belay_api::helm_release::PrometheusQuery;

use super::*;

fn check(name: &str) -> Check {
    Check {
        name: name.into(),
        prometheus: PrometheusQuery {
            url: "http://prometheus:9090".into(),
            query: "errors".into(),
            secret_ref: None,
            ca_secret_ref: None,
            cert_secret_ref: None,
        },
        threshold_range: ThresholdRange {
            min: None,
            max: Some(1.0),
        },
        interval: Duration::seconds(15),
        failure_threshold: 2,
    }
}

fn sample(series: &str, number: f64) -> Sample {
    Sample {
        series: series.into(),
        number,
    }
}

fn to(samples: &[Sample]) -> Reply {
    Reply::to(&check("errors"), samples)
}

fn looked(check: &Check, at: i64, reply: Reply) -> Look {
    let mut look = Look::new(CheckId::of(check));
    look.settle(Timestamp(at), reply);
    look
}

fn bad(value: &str) -> Reply {
    Reply::Bad {
        value: value.into(),
    }
}

fn good() -> Reply {
    Reply::Good { value: "0".into() }
}

fn fresh() -> Soaking {
    Soaking {
        since: Timestamp(0),
        until: Timestamp(600_000),
        unsteady_since: None,
        answered: Vec::new(),
    }
}

fn row(soaking: &Soaking) -> Vec<&str> {
    let answered = soaking.answered.iter();
    answered
        .flat_map(|answered| &answered.bad)
        .map(|reading| reading.value.as_str())
        .collect()
}

#[test]
fn the_worst_of_several_series_decides_and_is_named() {
    let reply = to(&[
        sample(r#"{pod="a"}"#, 0.5),
        sample(r#"{pod="b"}"#, 3.0),
        sample(r#"{pod="c"}"#, 2.0),
    ]);
    let value = r#"3 ({pod="b"}, the worst of 3 series)"#.to_owned();
    assert_eq!(reply, Reply::Bad { value });
    let reply = to(&[sample("", 0.5), sample("", 0.75)]);
    let value = "0.75 (the worst of 2 series)".to_owned();
    assert_eq!(reply, Reply::Good { value });
}

#[test]
fn nothing_and_nan_are_no_answer() {
    assert!(matches!(to(&[]), Reply::None { why } if why.contains("empty")));
    assert!(matches!(to(&[sample("", f64::NAN)]), Reply::None { why } if why.contains("NaN")));
    // A series without a number says nothing of the others.
    let reply = to(&[sample("", f64::NAN), sample("", 2.0)]);
    assert_eq!(reply, bad("2"));
}

#[test]
fn infinity_is_a_number_beyond_every_other() {
    assert_eq!(to(&[sample("", f64::INFINITY)]), bad("+Inf"));
    let value = "-Inf".to_owned();
    assert_eq!(to(&[sample("", f64::NEG_INFINITY)]), Reply::Good { value });
}

#[test]
fn a_number_at_the_bound_is_in_range() {
    let value = "1".to_owned();
    assert_eq!(to(&[sample("", 1.0)]), Reply::Good { value });
}

#[test]
fn an_answer_counts_once_however_often_it_is_looked_at() {
    let checks = [check("errors")];
    let looks = [looked(&checks[0], 1000, bad("2"))];
    let (once, news) = fresh().after(&checks, &looks);
    assert_eq!((row(&once), news.len()), (vec!["2"], 1));

    let (twice, news) = once.after(&checks, &looks);

    assert_eq!((&twice, news.len()), (&once, 0));
}

#[test]
fn bad_answers_make_a_row_which_a_good_one_ends() {
    let checks = [check("errors")];
    let (first, _) = fresh().after(&checks, &[looked(&checks[0], 1000, bad("2"))]);
    let (second, news) = first.after(&checks, &[looked(&checks[0], 2000, bad("3"))]);
    assert_eq!(row(&second), ["2", "3"]);
    assert!(news[0].what.contains("2 of 2 in a row"), "{news:?}");

    let (well, news) = second.after(&checks, &[looked(&checks[0], 3000, good())]);

    assert_eq!(row(&well), Vec::<&str>::new());
    assert!(news[0].what.contains("in range again"), "{news:?}");
    assert!(well.answered(&CheckId::of(&checks[0])).is_some());
}

#[test]
fn no_answer_neither_lengthens_nor_ends_a_row() {
    let checks = [check("errors")];
    let (first, _) = fresh().after(&checks, &[looked(&checks[0], 1000, bad("2"))]);
    let silence = [looked(&checks[0], 2000, Reply::none("nobody is there"))];

    assert_eq!(first.after(&checks, &silence), (first.clone(), Vec::new()));
    assert_eq!(fresh().after(&checks, &silence), (fresh(), Vec::new()));
}

#[test]
fn what_a_check_answered_before_it_was_edited_does_not_count_for_it() {
    let old = check("errors");
    let (first, _) = fresh().after(std::slice::from_ref(&old), &[looked(&old, 1000, bad("2"))]);
    let mut new = old.clone();
    new.threshold_range.max = Some(5.0);

    let (after, _) = first.after(&[new], &[looked(&old, 1000, bad("2"))]);

    assert!(after.answered.is_empty());
}

#[test]
fn how_often_a_check_is_asked_is_no_part_of_its_identity() {
    let mut slower = check("errors");
    slower.interval = Duration::minutes(1);
    slower.failure_threshold = 5;
    assert_eq!(CheckId::of(&check("errors")), CheckId::of(&slower));
}

#[test]
fn a_row_on_record_survives_the_ledger_and_an_older_ledger_has_none() {
    let checks = [check("errors")];
    let (first, _) = fresh().after(&checks, &[looked(&checks[0], 1000, bad("+Inf"))]);
    let text = serde_json::to_string(&first).unwrap();
    assert_eq!(serde_json::from_str::<Soaking>(&text).unwrap(), first);

    let older = r#"{"until": "2026-01-01T00:00:00Z", "unsteady_since": null}"#;
    assert!(
        serde_json::from_str::<Soaking>(older)
            .unwrap()
            .answered
            .is_empty()
    );
}
