//! How random stories are made: worlds with charts of all kinds, and deeds with sensible weights.

use belay_api::Reason;
use belay_api::helm_release::{DeletionPolicy, DriftMode, FailFastMode, OutsideChanges};
use belay_api::rollback_request::Until;
use belay_health::PodFaultReason;
use belay_rollout::When;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::ask::{Aim, Ask};
use crate::cluster::{Ends, Health, Hook, Meddling, Says, Words, Writes};
use crate::deed::Deed;
use crate::knob::Knob;
use crate::teller::{Before, Story};

/// The charts of all stories; the first is asked for in the beginning.
const CHARTS: &[&str] = &[
    "apple", "birch", "cedar", "daisy", "elder", "guarded", "jobs",
];
const REQUESTS: &[&str] = &["one", "two", "three", "four"];
/// At most so many deeds.
const DEEDS: usize = 70;

/// Any story; some of them are more about one thing than about others.
pub fn stories() -> impl Strategy<Value = Story> {
    let soaks = Just(vec![Knob::Soak(3), Knob::Checks(Some(1))]);
    let drifts = select(&[DriftMode::Warn, DriftMode::Enabled][..]);
    let words = select(
        &[
            Words::NotNeeded,
            Words::Checked,
            Words::Checked,
            Words::Unchecked,
        ][..],
    );
    prop_oneof![
        5 => story(vec(knob(), 0..6), deed()),
        2 => story(words.prop_map(|words| vec![Knob::Words(words)]), prop_oneof![
            6 => orders(),
                1 => Just(Deed::Delete),
                1 => Just(Deed::Remake),
                1 => Just(Deed::Unenforce),
            4 => spec(),
            4 => deed(),
        ]),
        2 => story(soaks, prop_oneof![
            2 => select(&[Says::Good, Says::Bad, Says::Nothing][..]).prop_map(Deed::Say),
            1 => Just(Deed::Degrade),
            1 => Just(Deed::Recover),
            2 => chart().prop_map(Deed::Edit),
            4 => deed(),
        ]),
        1 => story(drifts.prop_map(|mode| vec![Knob::Drift(mode)]), prop_oneof![
            2 => meddling(),
            2 => deed(),
        ]),
    ]
}

/// Stories whose spec and whose deeds are like these.
fn story(
    spec: impl Strategy<Value = Vec<Knob>> + 'static,
    deed: impl Strategy<Value = Deed> + 'static,
) -> BoxedStrategy<Story> {
    let deed = deed.boxed();
    let charts = CHARTS
        .iter()
        .map(|name| (Just(*name), health_of(name), hooks()));
    let charts: Vec<_> = charts.collect();
    (charts, spec, before(), vec(passage(deed), 1..DEEDS))
        .prop_map(|(charts, spec, before, deeds)| Story {
            charts,
            spec,
            before,
            deeds: deeds.into_iter().flatten().take(DEEDS).collect(),
        })
        .boxed()
}

/// One deed after some turns; now and then the same again and again.
fn passage(deed: BoxedStrategy<Deed>) -> impl Strategy<Value = Vec<(u8, Deed)>> {
    let turns = prop_oneof![4 => 0_u8..4, 3 => 4_u8..12, 1 => 12_u8..40];
    let once = (turns, deed.clone()).prop_map(|told| vec![told]);
    let often = (3_u8..9, deed, 3_usize..6);
    let often = often.prop_map(|(turns, deed, times)| vec![(turns, deed); times]);
    prop_oneof![24 => once, 1 => often]
}

fn chart() -> impl Strategy<Value = &'static str> + Clone {
    select(CHARTS)
}

fn health() -> BoxedStrategy<Health> {
    prop_oneof![
        10 => Just(Health::Good),
        3 => Just(Health::NoImage),
        4 => select(PodFaultReason::ALL).prop_map(Health::Faulty),
        2 => Just(Health::Fails),
        1 => Just(Health::NoQuota),
        1 => Just(Health::Silent),
        1 => Just(Health::Refused),
        1 => Just(Health::Unacceptable),
    ]
    .boxed()
}

/// That of a chart with a job fails now and then as only a job does.
fn health_of(chart: &str) -> BoxedStrategy<Health> {
    if chart.starts_with("job") {
        return prop_oneof![3 => health(), 1 => Just(Health::Fails)].boxed();
    }
    health().boxed()
}

fn hooks() -> impl Strategy<Value = Vec<Hook>> {
    let hook = (
        select(&[When::Before, When::After, When::Test][..]),
        prop::bool::weighted(0.2),
        prop_oneof![8 => Just(Ends::Well), 1 => Just(Ends::Badly), 1 => Just(Ends::Never)],
    )
        .prop_map(|(when, irreversible, ends)| Hook {
            when,
            irreversible,
            ends,
        });
    prop_oneof![3 => Just(Vec::new()), 2 => vec(hook, 1..4)]
}

fn before() -> impl Strategy<Value = Before> {
    prop_oneof![
        12 => Just(Before::Nothing),
        3 => chart().prop_map(Before::Helm),
        1 => chart().prop_map(Before::Pending),
        1 => Just(Before::Claimed),
    ]
}

fn knob() -> BoxedStrategy<Knob> {
    prop_oneof![
        2 => prop::bool::weighted(0.7).prop_map(Knob::Atomic),
        2 => select(&[OutsideChanges::Adopt, OutsideChanges::Revert][..]).prop_map(Knob::Outside),
        1 => select(&[DeletionPolicy::Uninstall, DeletionPolicy::Orphan][..])
            .prop_map(Knob::Deletion),
        2 => select(&[0_u64, 1, 3][..]).prop_map(Knob::Soak),
        2 => option::of(1_u32..3).prop_map(Knob::Checks),
        1 => select(&[FailFastMode::Enabled, FailFastMode::Disabled][..]).prop_map(Knob::FailFast),
        1 => any::<bool>().prop_map(Knob::Ignore),
        3 => select(&[DriftMode::Disabled, DriftMode::Warn, DriftMode::Enabled][..])
            .prop_map(Knob::Drift),
        1 => select(&[1_u64, 5, 30][..]).prop_map(Knob::Timeout),
        1 => select(&[1_usize, 2, 3, 10][..]).prop_map(Knob::History),
        1 => select(&[Words::NotNeeded, Words::Checked, Words::Checked, Words::Unchecked][..])
            .prop_map(Knob::Words),
        2 => any::<bool>().prop_map(Knob::Sticky),
    ]
    .boxed()
}

fn deed() -> BoxedStrategy<Deed> {
    prop_oneof![
        14 => spec(),
        12 => machine(),
        9 => orders(),
        6 => helm(),
        10 => objects(),
        5 => around(),
        1 => losses(),
    ]
    .boxed()
}

/// What people make of the `HelmRelease`.
fn spec() -> BoxedStrategy<Deed> {
    prop_oneof![
        10 => chart().prop_map(Deed::Edit),
        2 => Just(Deed::EditInterval),
        4 => knob().prop_map(Deed::Set),
        2 => Just(Deed::Suspend),
        3 => Just(Deed::Resume),
        1 => chart().prop_map(Deed::AskFor),
        2 => Just(Deed::AskAnew),
        2 => Just(Deed::Delete),
    ]
    .boxed()
}

/// What happens to the process and to its requests.
fn machine() -> BoxedStrategy<Deed> {
    prop_oneof![
        3 => Just(Deed::Crash),
        4 => (1_u32..12).prop_map(Deed::Kill),
        4 => (1_u32..12).prop_map(Deed::LoseAnswer),
        4 => select(&[1_u32, 15, 60, 300, 1_200, 7_200, 200_000][..]).prop_map(Deed::Pass),
        1 => Just(Deed::WipeStatus),
    ]
    .boxed()
}

fn orders() -> BoxedStrategy<Deed> {
    let target = prop_oneof![
        4 => Just(Aim::Previous),
        2 => (0_u32..4).prop_map(Aim::Revision),
        1 => chart().prop_map(Aim::Digest),
        1 => chart().prop_map(Aim::Version),
    ];
    let until = select(
        &[
            Until::SpecChange,
            Until::DesiredChange,
            Until::Manual,
            Until::Time,
        ][..],
    );
    let name = || select(REQUESTS);
    let ask = (
        name(),
        target,
        until,
        select(&[20_u32, 300, 7_200][..]),
        option::weighted(0.2, select(&[1_u32, 60, 600][..])),
        option::weighted(0.2, 0_u32..2),
        prop::bool::weighted(0.15),
    )
        .prop_map(
            |(name, target, until, hold, not_after, expects, dry_run)| Ask {
                name,
                target,
                until,
                hold,
                not_after,
                expects,
                dry_run,
            },
        );
    prop_oneof![
        6 => ask.prop_map(Deed::Request),
        2 => name().prop_map(Deed::DeleteRequest),
        2 => name().prop_map(Deed::RemakeRequest),
        4 => (name(), select(&["bob", "bob", "jane", ""][..]))
            .prop_map(|(name, by)| Deed::ApproveRequest(name, by)),
    ]
    .boxed()
}

fn helm() -> BoxedStrategy<Deed> {
    prop_oneof![
        3 => chart().prop_map(Deed::Helm),
        2 => chart().prop_map(Deed::HelmFails),
        2 => chart().prop_map(Deed::HelmHangs),
        1 => Just(Deed::HelmEnds),
        1 => any::<bool>().prop_map(Deed::HelmUninstall),
    ]
    .boxed()
}

fn meddling() -> BoxedStrategy<Deed> {
    let how = prop_oneof![
        4 => Just(Meddling::Edits),
        2 => Just(Meddling::Deletes),
        1 => Just(Meddling::Fixes),
        1 => Just(Meddling::Takes),
        1 => Just(Meddling::Hides),
    ];
    (any::<bool>(), how)
        .prop_map(|(own, how)| Deed::Meddle(own, how))
        .boxed()
}

fn objects() -> BoxedStrategy<Deed> {
    prop_oneof![
        3 => Just(Deed::Degrade),
        2 => Just(Deed::Recover),
        4 => meddling(),
        1 => Just(Deed::Keep),
        1 => Just(Deed::LetGo),
        3 => (chart(), health()).prop_map(|(chart, health)| Deed::Turn(chart, health)),
        4 => select(&[Says::Good, Says::Bad, Says::Bad, Says::Nothing][..])
            .prop_map(Deed::Say),
    ]
    .boxed()
}

/// What happens around the release.
fn around() -> BoxedStrategy<Deed> {
    let rejected = select(&[Reason::ChartNotFound, Reason::SourceUnavailable][..]);
    prop_oneof![
        2 => select(&[Writes::Taken, Writes::Refused, Writes::Anew, Writes::Unanswered][..])
            .prop_map(Deed::Write),
        2 => Just(Deed::Write(Writes::Taken)),
        2 => (rejected, option::of(10_u32..100))
            .prop_map(|(reason, retry)| Deed::Reject(reason, retry)),
        3 => Just(Deed::Accept),
        1 => Just(Deed::HoldUp),
        1 => Just(Deed::GoInCircles),
        3 => Just(Deed::Free),
    ]
    .boxed()
}

/// What is lost, and what is brought back.
fn losses() -> BoxedStrategy<Deed> {
    prop_oneof![
        1 => Just(Deed::LoseLedger),
        2 => Just(Deed::BackUp),
        1 => Just(Deed::Restore),
        2 => Just(Deed::Remake),
    ]
    .boxed()
}
