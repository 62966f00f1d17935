//! One fetch for everybody who wants the same thing.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::Error;
use crate::recent::Recent;

/// What is fetched by one caller at a time, and shared by all who asked meanwhile.
#[derive(Debug)]
pub(crate) struct Flight<T> {
    landed: Mutex<Landed<T>>,
}

#[derive(Debug)]
struct Landed<T> {
    /// The newest value, and when its fetch began: it shows the world of that moment or later.
    value: Option<(Instant, T)>,
    /// The failure after it, and when it was known.
    failure: Option<(Instant, Error)>,
}

/// A value, and whether it was fetched (or confirmed) for this very call.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    pub value: T,
    pub fresh: bool,
}

impl<T: Clone> Flight<T> {
    pub fn new() -> Self {
        Self {
            landed: Mutex::new(Landed {
                value: None,
                failure: None,
            }),
        }
    }

    /// A value whose fetch began at most `max_age` before this call. `fetch` runs only when there is none; it gets
    /// the newest value, to build on.
    ///
    /// A failure is shared with those who were already waiting when it happened: when a server hangs, a thousand
    /// callers wait for one time limit, not for a thousand in a row. One that time may cure is shared a moment longer,
    /// or for as long as the server asks to be left alone, so that a thousand callers who come one after the other
    /// make no thousand tries. Whoever calls after that, or asks for what is new, tries anew.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub async fn share<F>(
        &self,
        max_age: Duration,
        fetch: impl FnOnce(Option<T>) -> F,
    ) -> Result<Shared<T>, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let asked = Instant::now();
        let mut landed = self.landed.lock().await;
        if let Some((at, error)) = &landed.failure
            && *at >= asked
        {
            return Err(error.clone());
        }
        if let Some((began, value)) = &landed.value
            && asked.saturating_duration_since(*began) <= max_age
            && (max_age > Duration::ZERO || *began >= asked)
        {
            return Ok(Shared {
                value: value.clone(),
                fresh: *began >= asked,
            });
        }
        if let Some((at, error)) = &landed.failure
            && max_age > Duration::ZERO
            && asked < *at + patience(error)
        {
            return Err(error.clone());
        }
        let began = Instant::now();
        let known = landed.value.as_ref().map(|(_, value)| value.clone());
        match fetch(known).await {
            Ok(value) => {
                landed.value = Some((began, value.clone()));
                landed.failure = None;
                Ok(Shared { value, fresh: true })
            }
            Err(error) => {
                landed.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

/// How long a failure serves who asks after it.
fn patience(error: &Error) -> Duration {
    if error.is_transient() {
        error.retry_after().unwrap_or(MOMENT)
    } else {
        Duration::ZERO
    }
}

/// Long enough for all who were woken together, short enough for nobody to notice.
const MOMENT: Duration = Duration::from_secs(1);

/// A flight for each of many things, those that were not asked for longest forgotten first.
#[derive(Debug)]
pub(crate) struct Flights<K, T> {
    known: std::sync::Mutex<Recent<K, Arc<Flight<T>>>>,
}

impl<K: Ord + Clone, T: Clone> Flights<K, T> {
    pub fn new(limit: u64) -> Self {
        Self {
            known: std::sync::Mutex::new(Recent::new(limit)),
        }
    }

    pub fn of(&self, key: &K) -> Arc<Flight<T>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = known.get(key) {
            return Arc::clone(flight);
        }
        let flight = Arc::new(Flight::new());
        known.insert(key.clone(), Arc::clone(&flight), 1);
        flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const MINUTE: Duration = Duration::from_mins(1);

    fn down() -> Error {
        Error::Interrupted {
            origin: "test".into(),
        }
    }

    /// Waits for `callers` at once, each fetch taking a second of the paused clock; gives the number of fetches.
    async fn fetches(
        flight: &Flight<usize>,
        callers: usize,
        max_age: Duration,
        fails: bool,
    ) -> usize {
        let count = AtomicUsize::new(0);
        let calls = (0..callers).map(|_| {
            flight.share(max_age, |_| async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let nth = count.fetch_add(1, Ordering::Relaxed);
                if fails { Err(down()) } else { Ok(nth) }
            })
        });
        let results = futures::future::join_all(calls).await;
        assert!(results.iter().all(|result| result.is_err() == fails));
        count.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_callers_cost_one_fetch() {
        assert_eq!(
            fetches(&Flight::new(), 1000, Duration::ZERO, false).await,
            1
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_callers_wait_for_one_failure() {
        assert_eq!(fetches(&Flight::new(), 1000, MINUTE, true).await, 1);
    }

    /// Given a failure that time does not cure: who waited for it gets it, and the next one tries.
    #[tokio::test(start_paused = true)]
    async fn who_was_waiting_gets_the_failure_whatever_it_is() {
        let flight = Flight::<usize>::new();
        let count = AtomicUsize::new(0);
        let refused = || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            count.fetch_add(1, Ordering::Relaxed);
            Err(Error::Refused {
                url: "test".into(),
                status: 400,
            })
        };

        let waiting = (0..1000).map(|_| flight.share(Duration::ZERO, |_| refused()));
        futures::future::join_all(waiting).await;
        assert_eq!(count.load(Ordering::Relaxed), 1);

        tokio::time::advance(Duration::from_millis(1)).await;
        flight.share(MINUTE, |_| refused()).await.unwrap_err();
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_tried_again_by_the_next_caller_and_does_not_lose_the_value_before_it() {
        let flight = Flight::new();
        fetches(&flight, 1, Duration::ZERO, false).await;
        tokio::time::advance(MINUTE).await;
        fetches(&flight, 1, Duration::ZERO, true).await;
        tokio::time::advance(MINUTE).await;

        let known = flight
            .share(Duration::ZERO, |known| async move {
                Ok(known.map_or(0, |v| v + 10))
            })
            .await;

        assert_eq!(known.unwrap().value, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_that_comes_after_a_failure_waits_a_moment_and_who_asks_for_what_is_new_does_not()
     {
        let flight = Flight::new();
        fetches(&flight, 1, MINUTE, true).await;

        tokio::time::advance(Duration::from_millis(900)).await;
        assert_eq!(fetches(&flight, 1000, MINUTE, true).await, 0);
        assert_eq!(fetches(&flight, 1, Duration::ZERO, true).await, 1);
        tokio::time::advance(Duration::from_millis(1100)).await;
        assert_eq!(fetches(&flight, 1000, MINUTE, false).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_asks_to_be_left_alone_is() {
        let flight = Flight::<usize>::new();
        let busy = || async {
            Err(Error::Unreachable {
                url: "test".into(),
                detail: "HTTP 429".into(),
                retry_after: Some(MINUTE),
                source: None,
            })
        };
        flight.share(MINUTE, |_| busy()).await.unwrap_err();

        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(fetches(&flight, 10, MINUTE, true).await, 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(fetches(&flight, 10, MINUTE, false).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_serves_until_it_is_older_than_the_caller_allows() {
        let flight = Flight::new();
        fetches(&flight, 1, MINUTE, false).await;

        tokio::time::advance(Duration::from_secs(58)).await;
        assert_eq!(fetches(&flight, 1, MINUTE, false).await, 0);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(fetches(&flight, 1, MINUTE, false).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_what_is_new_does_not_get_what_began_before_he_asked() {
        let flight = Flight::new();
        let (first, second) = tokio::join!(
            flight.share(Duration::ZERO, |_| async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                Ok(1)
            }),
            async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                flight.share(Duration::ZERO, |_| async { Ok(2) }).await
            }
        );

        assert_eq!(first.unwrap().value, 1);
        assert_eq!(second.unwrap().value, 2);
    }
}
