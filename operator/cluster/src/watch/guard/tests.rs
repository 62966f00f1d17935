use super::*;

fn release(name: &str) -> ReleaseKey {
    ReleaseKey {
        namespace: "a".into(),
        name: name.into(),
    }
}

fn key(name: &str) -> ObjectKey {
    ObjectKey {
        group: "apps".into(),
        kind: "Deployment".into(),
        namespace: Some("a".into()),
        name: name.into(),
    }
}

fn sight(owned: u64, content: u64) -> Sight {
    Sight {
        owned: Some(Fingerprint(owned)),
        content: Fingerprint(content),
    }
}

fn left(name: &str, at: u64, print: Option<u64>) -> Guard {
    Guard {
        key: key(name),
        not_before: ResourceVersion(at),
        print: print.map(Fingerprint),
    }
}

const AT: fn(u64) -> ResourceVersion = ResourceVersion;

fn guarded() -> Guards {
    let mut guards = Guards::default();
    let fresh = guards.guard(&release("shop"), &[left("web", 10, Some(1))]);
    assert_eq!(fresh, Some(vec![key("web")]));
    guards
}

fn suspects(guards: &Guards) -> usize {
    guards.suspects(&release("shop")).len()
}

#[test]
fn what_was_left_and_what_came_before_is_no_news() {
    let mut guards = guarded();
    assert!(
        guards
            .seen(&key("web"), AT(9), Some(sight(7, 7)))
            .is_empty()
    );
    assert!(
        guards
            .seen(&key("web"), AT(10), Some(sight(1, 2)))
            .is_empty()
    );
    // Somebody else's field, or a status.
    assert!(
        guards
            .seen(&key("web"), AT(11), Some(sight(1, 3)))
            .is_empty()
    );
    assert_eq!(suspects(&guards), 0);
}

#[test]
fn another_state_is_news_and_so_is_none() {
    let mut guards = guarded();
    let woken = guards.seen(&key("web"), AT(11), Some(sight(2, 3)));
    assert_eq!(woken, [release("shop")]);
    assert_eq!(suspects(&guards), 1);
    let mut guards = guarded();
    assert_eq!(guards.seen(&key("web"), AT(11), None), [release("shop")]);
    assert_eq!(suspects(&guards), 1);
    // An older state that arrives late changes nothing.
    assert!(
        guards
            .seen(&key("web"), AT(10), Some(sight(1, 1)))
            .is_empty()
    );
    assert_eq!(suspects(&guards), 1);
}

#[test]
fn what_nothing_is_known_of_is_news_at_first_sight() {
    let mut guards = Guards::default();
    guards.guard(&release("shop"), &[left("web", 10, None)]);
    assert_eq!(suspects(&guards), 0, "not seen yet");
    guards.seen(&key("web"), AT(10), Some(sight(1, 1)));
    assert_eq!(suspects(&guards), 1);
}

#[test]
fn a_state_that_was_looked_at_is_no_news_until_something_of_ours_changes() {
    let mut guards = guarded();
    guards.seen(&key("web"), AT(11), Some(sight(2, 2)));
    guards.accept(
        &release("shop"),
        &key("web"),
        AT(11),
        Some(sight(2, 2)),
        true,
    );
    assert_eq!(suspects(&guards), 0);
    guards.seen(&key("web"), AT(12), Some(sight(2, 9)));
    assert_eq!(suspects(&guards), 0, "what others own");
    guards.seen(&key("web"), AT(13), Some(sight(3, 9)));
    assert_eq!(suspects(&guards), 1);
}

#[test]
fn of_what_is_only_half_ours_any_change_is_news() {
    let mut guards = guarded();
    guards.seen(&key("web"), AT(11), Some(sight(2, 2)));
    guards.accept(
        &release("shop"),
        &key("web"),
        AT(11),
        Some(sight(2, 2)),
        false,
    );
    guards.seen(&key("web"), AT(12), Some(sight(2, 2)));
    assert_eq!(suspects(&guards), 0, "a status");
    // Whoever took the field from us changes it once more, and takes nothing from us by it.
    guards.seen(&key("web"), AT(13), Some(sight(2, 3)));
    assert_eq!(suspects(&guards), 1);
}

#[test]
fn a_look_at_an_older_state_does_not_answer_for_a_newer_one() {
    let mut guards = guarded();
    guards.seen(&key("web"), AT(12), Some(sight(3, 3)));
    guards.accept(
        &release("shop"),
        &key("web"),
        AT(11),
        Some(sight(2, 2)),
        true,
    );
    assert_eq!(suspects(&guards), 1);
}

#[test]
fn what_is_missing_and_known_to_be_is_news_when_it_comes_back() {
    let mut guards = guarded();
    guards.seen(&key("web"), AT(11), None);
    let at = guards.known(&key("web")).unwrap();
    guards.accept(&release("shop"), &key("web"), at, None, false);
    assert_eq!(suspects(&guards), 0);
    guards.seen(&key("web"), AT(12), Some(sight(5, 5)));
    assert_eq!(suspects(&guards), 1);
}

#[test]
fn guarding_the_same_again_keeps_what_was_seen_and_a_new_apply_starts_anew() {
    let mut guards = guarded();
    guards.seen(&key("web"), AT(11), Some(sight(2, 2)));
    guards.accept(
        &release("shop"),
        &key("web"),
        AT(11),
        Some(sight(2, 2)),
        true,
    );
    assert_eq!(
        guards.guard(&release("shop"), &[left("web", 10, Some(1))]),
        None
    );
    assert_eq!(suspects(&guards), 0);
    // An apply left another state; what was seen before it does not count.
    let fresh = guards.guard(
        &release("shop"),
        &[left("web", 20, Some(8)), left("api", 20, Some(1))],
    );
    assert_eq!(fresh, Some(vec![key("api")]));
    assert_eq!(suspects(&guards), 0);
    guards.seen(&key("web"), AT(21), Some(sight(2, 2)));
    assert_eq!(suspects(&guards), 1);
}

#[test]
fn what_is_no_longer_guarded_leaves_nothing_behind() {
    let mut guards = guarded();
    guards.guard(&release("other"), &[left("web", 10, Some(1))]);
    let woken = guards.seen(&key("web"), AT(11), Some(sight(2, 2)));
    assert_eq!(woken, [release("shop"), release("other")]);
    guards.guard(&release("shop"), &[]);
    assert!(guards.is_guarded(&key("web")));
    guards.guard(&release("other"), &[]);
    assert!(!guards.is_guarded(&key("web")));
    assert!(guards.releases.is_empty() && guards.objects.is_empty());
}
