//! The watches behind the story. Nothing is polled.

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use belay_api::rollback_request::RequestPhase;
use belay_api::{HelmRelease, RollbackRequest};
use futures::StreamExt;
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watch_object};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::connect::Access;
use crate::error::{Error, explain};
use crate::follow::rest::{Patience, Rest, rest};
use crate::follow::screen::Screen;

/// After this long without any word from an operator the user is told.
const FIRST_WORD: Duration = Duration::from_secs(15);

/// Follows a release until it is at rest; `None` when it was deleted.
///
/// What happened before `known` is not told.
pub(crate) async fn follow_release(
    access: &Access,
    name: &str,
    known: Option<HelmRelease>,
    generation: i64,
    patience: Patience,
    limit: Option<belay_api::Duration>,
    screen: &mut Screen,
) -> Result<Option<(HelmRelease, Rest)>, Error> {
    let api: Api<HelmRelease> = access.api();
    let mut old_news = (patience == Patience::AfterNews)
        .then(|| known.as_ref().and_then(|release| release.status.clone()))
        .flatten();
    let mut last = known;
    let mut heard = Heard::new();
    let what = format!("release {name}");
    let seen = states(
        &api,
        name,
        &what,
        limit,
        screen,
        |screen, release: Option<HelmRelease>| {
            let Some(release) = release else {
                screen.show(None);
                return Some(None);
            };
            let status = release.status.as_ref();
            heard.note(status.is_some_and(|status| status.observed_generation >= generation));
            screen.follow(last.as_ref(), &release);
            if status != old_news.as_ref() {
                old_news = None;
            }
            let end = rest(&release, generation, patience).filter(|_| old_news.is_none());
            last = Some(release.clone());
            end.map(|end| Some((release, end)))
        },
    );
    until_interrupted(Box::pin(seen), name).await
}

/// Follows a request, and the release that it takes back, until the request is settled.
pub(crate) async fn follow_request(
    access: &Access,
    request: &str,
    release: &str,
    limit: belay_api::Duration,
    screen: &mut Screen,
) -> Result<RollbackRequest, Error> {
    let requests: Api<RollbackRequest> = access.api();
    let releases: Api<HelmRelease> = access.api();
    let deadline = Instant::now() + limit.as_std();
    let mut settled = pin!(objects(&requests, request));
    let mut moved = pin!(objects(&releases, release));
    let mut before: Option<HelmRelease> = None;
    let mut phase = RequestPhase::Pending;
    let following = async {
        loop {
            tokio::select! {
                state = settled.next() => {
                    let Seen::State(state) = readable(state, &format!("RollbackRequest {request}"), screen)? else { continue };
                    let Some(state) = state else {
                        return Err(Error::Watch {
                            what: format!("RollbackRequest {request}"),
                            message: "it was deleted; the release is no longer held by it".to_owned(),
                        });
                    };
                    let status = state.status.clone().unwrap_or_default();
                    if status.phase != phase {
                        phase = status.phase;
                        screen.tell(&format!("request {request}: {phase:?}, {}", status.message));
                    }
                    if phase.is_final() {
                        return Ok(state);
                    }
                }
                state = moved.next() => {
                    let Seen::State(Some(state)) = readable(state, &format!("release {release}"), screen)? else { continue };
                    // Where it stood before the request is no news.
                    screen.follow(before.as_ref().or(Some(&state)), &state);
                    before = Some(state);
                }
                () = sleep_until(deadline) => {
                    return Err(Error::StillUnderWay { what: format!("the request {request}"), name: release.to_owned(), limit });
                }
            }
        }
    };
    until_interrupted(Box::pin(following), release).await
}

/// Gives each state of an object to `each`, until that has an answer.
async fn states<K, T>(
    api: &Api<K>,
    name: &str,
    what: &str,
    limit: Option<belay_api::Duration>,
    screen: &mut Screen,
    mut each: impl FnMut(&mut Screen, Option<K>) -> Option<T>,
) -> Result<T, Error>
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut objects = pin!(objects(api, name));
    let deadline = limit.map(|limit| (limit, Instant::now() + limit.as_std()));
    loop {
        let next = match deadline {
            None => objects.next().await,
            Some((limit, deadline)) => {
                timeout_at(deadline, objects.next())
                    .await
                    .map_err(|_| Error::StillUnderWay {
                        what: what.to_owned(),
                        name: name.to_owned(),
                        limit,
                    })?
            }
        };
        if let Seen::State(state) = readable(next, what, screen)?
            && let Some(answer) = each(screen, state)
        {
            return Ok(answer);
        }
    }
}

fn objects<K>(
    api: &Api<K>,
    name: &str,
) -> impl futures::Stream<Item = Result<Option<K>, watcher::Error>> + use<K>
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    watch_object(api.clone(), name).default_backoff()
}

/// What a watch gave.
enum Seen<K> {
    /// The object, or that there is none.
    State(Option<K>),
    /// Nothing; it goes on by itself.
    Disturbed,
}

/// What a watch gave; an error if it cannot go on.
fn readable<K>(
    next: Option<Result<Option<K>, watcher::Error>>,
    what: &str,
    screen: &Screen,
) -> Result<Seen<K>, Error> {
    let ended = |message: String| Error::Watch {
        what: what.to_owned(),
        message,
    };
    match next {
        Some(Ok(state)) => Ok(Seen::State(state)),
        None => Err(ended("the API server closed it".to_owned())),
        Some(Err(
            watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error),
        )) if matches!(&error, kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404)) => {
            Err(ended(explain(&error)))
        }
        // An expired watch is begun anew; that is everyday life and not worth a line.
        Some(Err(watcher::Error::WatchError(_))) => Ok(Seen::Disturbed),
        Some(Err(error)) => {
            screen.tell(
                &screen
                    .style()
                    .attention(&format!("(disturbed, goes on: {error})")),
            );
            Ok(Seen::Disturbed)
        }
    }
}

async fn until_interrupted<T>(
    following: impl Future<Output = Result<T, Error>>,
    name: &str,
) -> Result<T, Error> {
    tokio::select! {
        outcome = following => outcome,
        _ = tokio::signal::ctrl_c() => Err(Error::Watch {
            what: format!("release {name}"),
            message: format!("you stopped; the operator goes on: `belay status {name} --watch` follows it again"),
        }),
    }
}

/// Whether an operator has said anything yet; tells the user once when it takes long.
struct Heard {
    hint: Option<tokio::task::JoinHandle<()>>,
}

impl Heard {
    fn new() -> Self {
        let hint = tokio::spawn(async {
            tokio::time::sleep(FIRST_WORD).await;
            eprintln!(
                "no operator has answered yet; see whether it runs: kubectl get pods -n belay-system"
            );
        });
        Self { hint: Some(hint) }
    }

    fn note(&mut self, answered: bool) {
        if answered && let Some(hint) = self.hint.take() {
            hint.abort();
        }
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.note(true);
    }
}
