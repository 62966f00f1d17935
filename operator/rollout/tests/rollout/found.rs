//! Stories that broke a promise when they were found, as they were printed.

use belay_api::helm_release::{DriftMode, OutsideChanges};
use belay_api::rollback_request::Until;
use belay_rollout::When;

use crate::ask::{Aim, Ask};
use crate::cluster::{Ends, Health, Hook};
use crate::deed::Deed;
use crate::knob::Knob;
use crate::teller::{Before, tell};

use Deed::{
    AskFor, Crash, Degrade, Edit, EditInterval, Helm, HelmFails, HelmUninstall, Request, Resume,
    Set, Suspend,
};

const ASK: Ask = Ask {
    name: "one",
    target: Aim::Previous,
    until: Until::SpecChange,
    hold: 20,
    not_after: None,
    expects: None,
    dry_run: false,
};

#[test]
fn helm_deploys_and_fails_before_anybody_looks() {
    let deeds = [
        (4, EditInterval),
        (2, Edit("daisy")),
        (2, Helm("birch")),
        (0, HelmFails("apple")),
    ];
    tell(&[], &[], Before::Nothing, &deeds);
}

#[test]
fn helm_fails_with_a_suspended_release() {
    let deeds = [
        (4, EditInterval),
        (3, Set(Knob::Drift(DriftMode::Warn))),
        (2, Suspend),
        (0, HelmFails("birch")),
    ];
    tell(&[], &[], Before::Nothing, &deeds);
}

#[test]
fn helm_upgrades_and_uninstalls_while_it_soaks() {
    let soaks = [Knob::Soak(3), Knob::Checks(Some(1))];
    let deeds = [
        (1, Resume),
        (7, Crash),
        (1, Edit("apple")),
        (0, Helm("apple")),
        (0, HelmUninstall(true)),
    ];
    tell(&[], &soaks, Before::Nothing, &deeds);
}

#[test]
fn helm_upgrades_what_is_suspended_then() {
    let deeds = [
        (5, Degrade),
        (4, Edit("cedar")),
        (0, Set(Knob::Outside(OutsideChanges::Revert))),
        (1, Suspend),
        (1, Helm("apple")),
    ];
    let charts: [(_, _, &[Hook]); 1] = [("cedar", Health::NoImage, &[])];
    tell(&charts, &[], Before::Nothing, &deeds);
}

#[test]
fn a_removal_meets_a_hook_that_fails() {
    let hook = Hook {
        when: When::After,
        irreversible: false,
        ends: Ends::Badly,
    };
    let charts: [(_, _, &[Hook]); 2] = [
        ("apple", Health::NoImage, &[]),
        ("elder", Health::Good, &[hook]),
    ];
    let deeds = [(15, Edit("apple")), (1, Deed::Delete)];
    tell(&charts, &[], Before::Helm("elder"), &deeds);
}

#[test]
fn a_rollback_is_ordered_of_what_helm_has_uninstalled() {
    let deeds = [
        (2, Edit("apple")),
        (2, Helm("birch")),
        (4, Edit("birch")),
        (5, HelmUninstall(true)),
        (0, Degrade),
        (0, Edit("apple")),
        (0, AskFor("apple")),
        (0, Request(ASK)),
        (0, Resume),
    ];
    tell(&[], &[], Before::Pending("apple"), &deeds);
}

#[test]
fn a_rollback_for_a_time_leaves_what_failed() {
    let charts: [(_, _, &[Hook]); 1] = [("elder", Health::Fails, &[])];
    let ask = Ask {
        until: Until::Time,
        ..ASK
    };
    let deeds = [
        (7, Deed::Kill(1)),
        (1, Edit("elder")),
        (5, Request(ask)),
        (0, EditInterval),
    ];
    tell(&charts, &[Knob::Atomic(false)], Before::Nothing, &deeds);
}

#[test]
fn a_rollback_for_a_time_leaves_what_halted() {
    let hook = |irreversible, ends| Hook {
        when: When::Before,
        irreversible,
        ends,
    };
    let hooks = [hook(true, Ends::Well), hook(false, Ends::Badly)];
    let charts: [(_, _, &[Hook]); 1] = [("cedar", Health::Good, &hooks)];
    let ask = Ask {
        until: Until::Time,
        ..ASK
    };
    let deeds = [
        (12, Edit("cedar")),
        (5, Resume),
        (1, Request(ask)),
        (0, Crash),
    ];
    tell(&charts, &[], Before::Nothing, &deeds);
}

#[test]
fn helm_installs_again_what_it_removed_from_a_suspended_release() {
    let deeds = [
        (2, Set(Knob::Outside(OutsideChanges::Revert))),
        (7, Suspend),
        (0, HelmUninstall(false)),
        (1, Helm("apple")),
    ];
    tell(&[], &[], Before::Nothing, &deeds);
}

#[test]
fn helm_fails_where_what_is_asked_for_is_blocked() {
    let charts: [(_, _, &[Hook]); 2] = [
        ("apple", Health::NoImage, &[]),
        ("elder", Health::NoImage, &[]),
    ];
    let deeds = [
        (0, Edit("elder")),
        (7, Edit("apple")),
        (1, Helm("elder")),
        (0, Edit("apple")),
        (0, HelmFails("apple")),
        (0, Edit("elder")),
    ];
    tell(&charts, &[], Before::Nothing, &deeds);
}
