//! The pool of permits towards the API server: it halves when the server says 429 and grows back with what
//! succeeds, and it serves lanes in order, so that a revert never queues behind a drift check.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// What a request is for. Earlier lanes are served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Lane {
    /// Keeping the claim, without which nothing else may be done: served at once, whatever the limit.
    Claim,
    /// Bringing something good back.
    Revert,
    /// Finishing what has begun.
    Waiting,
    /// Beginning something new.
    #[default]
    New,
    /// Looking whether anything has changed.
    Drift,
}

const LANES: usize = 5;

/// A pool of at most `limit` requests in flight.
#[derive(Debug, Clone)]
pub struct Permits {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    most: usize,
    limit: usize,
    in_use: usize,
    /// Counts halvings: a request that began before the last halving does not halve again.
    epoch: u64,
    successes: usize,
    // Bounded by the number of tasks that hold a request, each at most one entry here.
    queues: [VecDeque<oneshot::Sender<Permit>>; LANES],
}

impl Permits {
    /// A pool that starts at, and never grows past, `most` permits (at least one).
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            state: Arc::new(Mutex::new(State {
                most,
                limit: most,
                in_use: 0,
                epoch: 0,
                successes: 0,
                queues: [const { VecDeque::new() }; LANES],
            })),
        }
    }

    /// Waits for a permit. Dropping the future gives up the place in the queue.
    pub async fn acquire(&self, lane: Lane) -> Permit {
        loop {
            let waiting = {
                let mut state = self.lock();
                if lane == Lane::Claim || state.in_use < state.limit {
                    state.in_use += 1;
                    let epoch = state.epoch;
                    return Permit {
                        pool: Some(self.clone()),
                        epoch,
                    };
                }
                let (sender, receiver) = oneshot::channel();
                state.queues[lane as usize].push_back(sender);
                receiver
            };
            if let Ok(permit) = waiting.await {
                return permit;
            }
        }
    }

    /// How many may be in flight now.
    pub fn limit(&self) -> usize {
        self.lock().limit
    }

    /// How many are in flight now.
    pub fn in_use(&self) -> usize {
        self.lock().in_use
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self) {
        let mut refused = Vec::new();
        let mut state = self.lock();
        state.in_use = state.in_use.saturating_sub(1);
        while state.in_use < state.limit {
            let Some(next) = state.queues.iter_mut().find_map(VecDeque::pop_front) else {
                break;
            };
            let permit = Permit {
                pool: Some(self.clone()),
                epoch: state.epoch,
            };
            match next.send(permit) {
                Ok(()) => state.in_use += 1,
                // Nobody waits there any more. Its drop must not give back what was never taken.
                Err(mut unwanted) => {
                    unwanted.pool = None;
                    refused.push(unwanted);
                }
            }
        }
    }
}

/// The right to have one request in flight; given back on drop.
#[derive(Debug)]
#[must_use = "it is given back at once when it is dropped"]
pub struct Permit {
    pool: Option<Permits>,
    epoch: u64,
}

impl Permit {
    /// The API server answered 429: halve the pool, once for all requests that were in flight together.
    pub fn throttled(&self) {
        if let Some(pool) = &self.pool {
            let mut state = pool.lock();
            if state.epoch == self.epoch {
                state.limit = (state.limit / 2).max(1);
                state.epoch += 1;
                state.successes = 0;
            }
        }
    }

    /// The API server answered in kind: after as many successes as the pool is large, it grows by one.
    pub fn succeeded(&self) {
        if let Some(pool) = &self.pool {
            let mut state = pool.lock();
            if state.limit < state.most {
                state.successes += 1;
                if state.successes >= state.limit {
                    state.limit += 1;
                    state.successes = 0;
                }
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, poll};
    use std::pin::pin;

    #[tokio::test]
    async fn no_more_than_the_limit_are_in_flight() {
        let pool = Permits::new(2);
        let first = pool.acquire(Lane::New).await;
        let _second = pool.acquire(Lane::New).await;
        let mut third = pin!(pool.acquire(Lane::New));
        assert!(poll!(third.as_mut()).is_pending());
        drop(first);
        assert!(third.now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_revert_overtakes_what_was_queued_before_it() {
        let pool = Permits::new(1);
        let held = pool.acquire(Lane::New).await;
        let mut drift = pin!(pool.acquire(Lane::Drift));
        let mut revert = pin!(pool.acquire(Lane::Revert));
        assert!(poll!(drift.as_mut()).is_pending());
        assert!(poll!(revert.as_mut()).is_pending());
        drop(held);
        assert!(poll!(drift.as_mut()).is_pending());
        assert!(poll!(revert.as_mut()).is_ready());
    }

    #[tokio::test]
    async fn the_claim_waits_for_nobody() {
        let pool = Permits::new(1);
        let _held = pool.acquire(Lane::Revert).await;
        let claim = pool.acquire(Lane::Claim).now_or_never();
        assert!(claim.is_some());
        let mut revert = pin!(pool.acquire(Lane::Revert));
        assert!(poll!(revert.as_mut()).is_pending());
        drop(claim);
        assert!(poll!(revert.as_mut()).is_pending(), "one is still held");
    }

    #[tokio::test]
    async fn a_burst_of_429_halves_once_and_successes_grow_it_back() {
        let pool = Permits::new(8);
        let burst = [pool.acquire(Lane::New).await, pool.acquire(Lane::New).await];
        for permit in &burst {
            permit.throttled();
        }
        assert_eq!(pool.limit(), 4);
        drop(burst);
        for _ in 0..(4 + 5 + 6 + 7) {
            pool.acquire(Lane::New).await.succeeded();
        }
        assert_eq!(pool.limit(), 8);
        pool.acquire(Lane::New).await.succeeded();
        assert_eq!(pool.limit(), 8);
    }

    #[tokio::test]
    async fn who_gave_up_waiting_takes_nothing_along() {
        let pool = Permits::new(1);
        let held = pool.acquire(Lane::New).await;
        {
            let mut gone = pin!(pool.acquire(Lane::Revert));
            assert!(poll!(gone.as_mut()).is_pending());
        }
        drop(held);
        assert_eq!(pool.in_use(), 0);
        assert!(pool.acquire(Lane::New).now_or_never().is_some());
    }
}
