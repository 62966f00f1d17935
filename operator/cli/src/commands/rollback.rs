//! `belay rollback`: orders it by a RollbackRequest, and follows that.

use std::process::ExitCode;

use belay_api::helm_release::NameRef;
use belay_api::rollback_request::{
    ExpectedCurrent, Previous, RequestPhase, RollbackPlan, RollbackTarget, Until,
};
use belay_api::{Duration, RollbackRequest, RollbackRequestSpec, Timestamp};
use clap::Args;
use kube::ResourceExt;
use kube::api::{ObjectMeta, PostParams};

use crate::commands::Session;
use crate::connect::asking;
use crate::error::Error;
use crate::follow::{Screen, follow_request};
use crate::release_spec::MANAGER;
use crate::stdout;
use crate::when;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
    /// The revision to bring back [default: the previous good one]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    revision: Option<u32>,
    /// Bring back the newest deployed revision of this chart version instead
    #[arg(long, value_name = "VERSION", conflicts_with = "revision")]
    chart_version: Option<String>,
    /// Bring back the revision with this digest instead
    #[arg(long, conflicts_with_all = ["revision", "chart_version"])]
    digest: Option<String>,
    /// Refuse unless this revision runs
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(u32).range(1..))]
    expect: Option<u32>,
    /// Change nothing: show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Why, for the record
    #[arg(long, default_value = "")]
    reason: String,
    /// How long to hold the release there: `SpecChange`, `DesiredChange`, `Manual`, an instant such as
    /// 2026-01-31T08:00:00Z, or a span such as 2h
    #[arg(long, default_value = "SpecChange", value_parser = hold)]
    until: Hold,
    /// Follow it until it is done; --wait=false only orders it
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    wait: bool,
    /// How long to follow it, such as 90s or 10m
    #[arg(long, default_value = "10m")]
    timeout: Duration,
}

/// How long a release is held at the revision that was brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Until(Until),
    At(Timestamp),
    For(Duration),
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let release = session.release(&arguments.name).await?;
    let api = session.access.api::<RollbackRequest>();
    let mut order = request(&arguments, &release.name_any(), when::now());
    order.spec.requested_by = session.access.user().await?;
    let parameters = PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    };
    let made = asking("ordering the rollback", api.create(&parameters, &order)).await?;
    let name = made.name_any();
    stdout::say(format_args!("RollbackRequest {name} is made"));
    if !arguments.wait {
        return Ok(ExitCode::SUCCESS);
    }
    let mut screen = Screen::new(session.style);
    let settled = follow_request(
        &session.access,
        &name,
        &arguments.name,
        arguments.timeout,
        &mut screen,
    )
    .await?;
    drop(screen);
    let status = settled.status.unwrap_or_default();
    if let Some(plan) = &status.plan {
        stdout::print(told(plan))?;
    }
    Ok(if status.phase == RequestPhase::Complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn request(arguments: &Arguments, release: &str, now: Timestamp) -> RollbackRequest {
    let (until, hold_until) = match arguments.until {
        Hold::Until(until) => (until, None),
        Hold::At(instant) => (Until::Time, Some(instant)),
        Hold::For(span) => (Until::Time, Some(now.plus(span).whole_seconds())),
    };
    RollbackRequest {
        metadata: ObjectMeta {
            generate_name: Some(format!("{release}-")),
            ..ObjectMeta::default()
        },
        spec: RollbackRequestSpec {
            release_ref: NameRef {
                name: release.to_owned(),
            },
            target: target(arguments),
            expected_current: arguments.expect.map(|revision| ExpectedCurrent {
                revision: Some(revision),
                digest: None,
            }),
            reason: arguments.reason.clone(),
            requested_by: String::new(),
            until,
            hold_until,
            not_after: None,
            dry_run: arguments.dry_run,
        },
        status: None,
    }
}

fn target(arguments: &Arguments) -> RollbackTarget {
    let target = RollbackTarget {
        revision: arguments.revision,
        digest: arguments.digest.clone(),
        chart_version: arguments.chart_version.clone(),
        previous: None,
    };
    if target == RollbackTarget::default() {
        return RollbackTarget {
            previous: Some(Previous {}),
            ..target
        };
    }
    target
}

/// A plan, a line for each object, as a diff marks them.
fn told(plan: &RollbackPlan) -> String {
    let marked = [
        ("+", &plan.added),
        ("~", &plan.changed),
        ("-/+", &plan.recreated),
        ("-", &plan.removed),
    ]
    .into_iter()
    .flat_map(|(mark, objects)| {
        objects
            .iter()
            .map(move |object| format!("{mark} {object}\n"))
    });
    let omitted = (plan.omitted > 0).then(|| format!("… and {} more\n", plan.omitted));
    let refused = plan.refused.iter();
    let refused = refused.map(|refused| format!("! {}: {}\n", refused.object, refused.message));
    marked.chain(omitted).chain(refused).collect()
}

fn hold(text: &str) -> Result<Hold, String> {
    match text {
        "SpecChange" => Ok(Hold::Until(Until::SpecChange)),
        "DesiredChange" => Ok(Hold::Until(Until::DesiredChange)),
        "Manual" => Ok(Hold::Until(Until::Manual)),
        _ => text
            .parse()
            .map(Hold::At)
            .or_else(|_| text.parse().map(Hold::For))
            .map_err(|_: belay_api::time::NotADuration| {
                "write SpecChange, DesiredChange, Manual, an instant such as 2026-01-31T08:00:00Z or a span such as 2h"
                    .to_owned()
            }),
    }
}

#[cfg(test)]
mod tests {
    use belay_api::helm_release::FaultyObject;
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn ordered(line: &[&str]) -> RollbackRequest {
        let arguments = Line::parse_from(std::iter::once(&"rollback").chain(line)).arguments;
        request(&arguments, "web", Timestamp(0))
    }

    #[test]
    fn without_a_revision_the_previous_good_one_is_meant() {
        let request = ordered(&["web"]);

        assert_eq!(request.metadata.generate_name.as_deref(), Some("web-"));
        assert_eq!(request.spec.target.previous, Some(Previous {}));
        assert_eq!(request.spec.until, Until::SpecChange);
    }

    #[test]
    fn a_revision_a_reason_and_an_end_are_passed_on() {
        let request = ordered(&["web", "7", "--reason", "errors", "--until", "2h"]);

        assert_eq!(request.spec.target.revision, Some(7));
        assert_eq!(request.spec.target.previous, None);
        assert_eq!(request.spec.reason, "errors");
        assert_eq!(
            (request.spec.until, request.spec.hold_until),
            (Until::Time, Some(Timestamp(7_200_000)))
        );
    }

    #[test]
    fn an_end_may_be_an_instant_and_nothing_else() {
        assert_eq!(hold("1970-01-01T00:00:01Z"), Ok(Hold::At(Timestamp(1000))));
        assert!(hold("tomorrow").unwrap_err().contains("SpecChange"));
    }

    #[test]
    fn a_target_is_named_in_one_way_only() {
        let target = ordered(&["web", "--chart-version", "6.1.0"]).spec.target;
        assert_eq!(target.chart_version.as_deref(), Some("6.1.0"));
        assert_eq!(target.previous, None);
        assert!(Line::try_parse_from(["rollback", "web", "3", "--digest", "v1:a"]).is_err());
    }

    #[test]
    fn a_dry_run_and_an_expectation_are_passed_on() {
        let spec = ordered(&["web", "--dry-run", "--expect", "9"]).spec;
        assert!(spec.dry_run);
        assert_eq!(spec.expected_current.unwrap().revision, Some(9));
    }

    #[test]
    fn a_plan_is_shown_like_a_diff_with_what_would_be_refused() {
        let plan = RollbackPlan {
            added: vec!["ConfigMap shop/old".to_owned()],
            changed: vec!["Deployment shop/web".to_owned()],
            recreated: vec!["Job shop/migrate".to_owned()],
            removed: vec!["ConfigMap shop/new".to_owned()],
            refused: vec![FaultyObject {
                object: "Deployment shop/web".to_owned(),
                message: "field is immutable".to_owned(),
            }],
            ..RollbackPlan::default()
        };
        assert_eq!(
            told(&plan),
            "+ ConfigMap shop/old\n~ Deployment shop/web\n-/+ Job shop/migrate\n- ConfigMap shop/new\n! Deployment shop/web: field is immutable\n"
        );
    }

    #[test]
    fn revision_zero_is_not_one() {
        assert!(Line::try_parse_from(["rollback", "web", "0"]).is_err());
    }
}
