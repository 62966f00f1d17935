//! The right to work on a shard: a Lease, renewed in time or lost in time.
//!
//! Whoever holds it stops counting on it after two thirds of its length; whoever wants it waits until it has seen no
//! renewal for the whole length on its own clock. So clocks need not agree, and there is always a gap between two
//! holders.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::client::Connection;
use crate::error::{Error, RefusalKind};
use crate::layers::WriteGate;
use crate::object::{ResourceVersion, resource_version};
use crate::permits::Lane;
use crate::wire::Call;

/// Which claim, and how it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimOptions {
    /// The Lease's namespace.
    pub namespace: String,
    /// The Lease's name.
    pub name: String,
    /// Who we are: unique among all that want it, for example the pod's name and uid.
    pub holder: String,
    /// How long after the last renewal another may take it. Renewed every quarter of it.
    pub duration: Duration,
}

/// Our hold, or the lack of it, on one claim. Clones look at the same claim.
#[derive(Debug, Clone)]
pub struct Claim {
    state: watch::Receiver<Option<Instant>>,
    answered: watch::Receiver<bool>,
    stop: Arc<Notify>,
    task: Arc<tokio::sync::Mutex<Option<JoinHandle<()>>>>,
}

impl Claim {
    /// Begins to want it: takes it as soon as it is free, and renews it from then on in the background until
    /// [`Claim::release`] or until all clones are dropped.
    pub fn start(connection: &Connection, options: ClaimOptions) -> Self {
        let (told, state) = watch::channel(None);
        let (answering, answered) = watch::channel(false);
        let stop = Arc::new(Notify::new());
        let keeper = Keeper {
            connection: connection
                .in_lane(Lane::Claim)
                .limited(options.duration / 6),
            options,
            told,
            answering,
            seen: None,
            held: None,
        };
        let task = tokio::spawn(keeper.run(stop.clone()));
        Self {
            state,
            answered,
            stop,
            task: Arc::new(tokio::sync::Mutex::new(Some(task))),
        }
    }

    /// Do we hold it now?
    pub fn is_held(&self) -> bool {
        self.remaining().is_some()
    }

    /// How long we may still count on it; `None` when we do not hold it.
    pub fn remaining(&self) -> Option<Duration> {
        let until = (*self.state.borrow())?;
        until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// Waits until we hold it.
    pub async fn held(&self) {
        let mut state = self.state.clone();
        // The keeper lives as long as a clone of us does.
        let _ = state.wait_for(Option::is_some).await;
    }

    /// Waits until the API server has told for the first time who holds it.
    pub async fn answered(&self) {
        let mut answered = self.answered.clone();
        // As with `held`.
        let _ = answered.wait_for(|answered| *answered).await;
    }

    /// Waits until we do not hold it (any more).
    pub async fn lost(&self) {
        let mut state = self.state.clone();
        let _ = state.wait_for(Option::is_none).await;
    }

    /// Stops wanting it, and gives it back if we hold it, so that another need not wait. For a graceful stop.
    pub async fn release(&self) {
        self.stop.notify_one();
        if let Some(task) = self.task.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::warn!(%error, "the keeper of a claim ended badly");
        }
    }
}

impl WriteGate for Claim {
    fn remaining(&self) -> Option<Duration> {
        Self::remaining(self)
    }
}

/// What we hold: the state to renew from and the moment from which we no longer count on it.
#[derive(Debug, Clone, Copy)]
struct Held {
    resource_version: ResourceVersion,
    until: Instant,
}

struct Keeper {
    connection: Connection,
    options: ClaimOptions,
    told: watch::Sender<Option<Instant>>,
    answering: watch::Sender<bool>,
    /// The Lease as last seen, and since when on our own clock.
    seen: Option<(ResourceVersion, Instant)>,
    held: Option<Held>,
}

enum Look {
    Absent,
    Ours(Value),
    Free(Value),
    Taken,
}

impl Keeper {
    async fn run(mut self, stop: Arc<Notify>) {
        let pause = self.options.duration / 4;
        let told = self.told.clone();
        loop {
            let turn = async {
                self.turn_in_time().await;
                // A lost claim must be told when it is lost, not at the next turn.
                let next = Instant::now() + pause;
                match self.held {
                    Some(held) if held.until < next => {
                        tokio::time::sleep_until(held.until).await;
                        self.tell(None);
                    }
                    _ => tokio::time::sleep_until(next).await,
                }
            };
            tokio::select! {
                () = turn => {}
                () = stop.notified() => break,
                () = told.closed() => break,
            }
        }
        self.give_back().await;
    }

    /// A turn that hangs must not keep the loss of the claim from being told.
    async fn turn_in_time(&mut self) {
        let ends = self
            .held
            .map_or_else(|| Instant::now() + self.options.duration, |held| held.until);
        match tokio::time::timeout_at(ends, self.turn()).await {
            Ok(Ok(())) => {
                self.answering
                    .send_if_modified(|answered| !std::mem::replace(answered, true));
            }
            Ok(Err(error)) => {
                tracing::warn!(lease = %self.options.name, %error, "the claim could not be looked after");
            }
            Err(_) => self.tell(None),
        }
    }

    fn tell(&mut self, held: Option<Held>) {
        self.held = held;
        self.told.send_if_modified(|state| {
            let now = held.map(|held| held.until);
            let changed = state.is_some() != now.is_some();
            *state = now;
            changed
        });
    }

    async fn turn(&mut self) -> Result<(), Error> {
        if self.held.is_some_and(|held| held.until <= Instant::now()) {
            self.tell(None);
        }
        let began = Instant::now();
        let look = self.look().await?;
        let answer = match look {
            Look::Taken => {
                self.tell(None);
                return Ok(());
            }
            Look::Absent => {
                Call::post(self.collection())
                    .json(&self.lease(None, false))?
                    .write(&self.connection)
                    .await
            }
            Look::Ours(lease) => {
                let acquired = self.held.is_none();
                Call::put(self.path())
                    .json(&self.lease(Some(&lease), acquired))?
                    .write(&self.connection)
                    .await
            }
            Look::Free(lease) => {
                Call::put(self.path())
                    .json(&self.lease(Some(&lease), true))?
                    .write(&self.connection)
                    .await
            }
        };
        match answer {
            Ok((_, lease)) => {
                let lease: Value = lease;
                let resource_version = resource_version(&lease);
                self.seen = Some((resource_version, began));
                // Counted from before the request: the API server cannot have written it earlier.
                self.tell(Some(Held {
                    resource_version,
                    until: began + self.options.duration * 2 / 3,
                }));
                Ok(())
            }
            // Somebody was quicker.
            Err(error)
                if error.is(RefusalKind::Conflict) || error.is(RefusalKind::AlreadyExists) =>
            {
                self.tell(None);
                Ok(())
            }
            Err(error) => Err(match error {
                crate::error::NotDone::Ambiguous { source }
                | crate::error::NotDone::Retry { source, .. }
                | crate::error::NotDone::Refused(source) => *source,
            }),
        }
    }

    async fn look(&mut self) -> Result<Look, Error> {
        let Some(lease) = Call::get(self.path())
            .read_opt::<Value>(&self.connection)
            .await?
        else {
            return Ok(Look::Absent);
        };
        let version = resource_version(&lease);
        let since = match self.seen {
            Some((seen, since)) if seen == version => since,
            _ => Instant::now(),
        };
        self.seen = Some((version, since));
        let text = |path: &str| {
            lease
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let holder = text("/spec/holderIdentity");
        if holder == self.options.holder {
            return Ok(Look::Ours(lease));
        }
        let theirs = lease
            .pointer("/spec/leaseDurationSeconds")
            .and_then(Value::as_u64)
            .map(Duration::from_secs);
        let length = theirs.unwrap_or(self.options.duration);
        if holder.is_empty() || since.elapsed() >= length {
            return Ok(Look::Free(lease));
        }
        Ok(Look::Taken)
    }

    async fn give_back(&mut self) {
        let Some(held) = self.held else { return };
        self.tell(None);
        let mut lease = self.lease(None, false);
        lease["metadata"]["resourceVersion"] = Value::from(held.resource_version.to_string());
        lease["spec"]["holderIdentity"] = Value::from("");
        lease["spec"]["leaseDurationSeconds"] = Value::from(1);
        let call = Call::put(self.path()).json(&lease);
        let answer = match call {
            Ok(call) => call.write::<Value>(&self.connection).await.map(|_| ()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = answer {
            tracing::warn!(lease = %self.options.name, %error, "the claim could not be given back; it runs out by itself");
        }
    }

    fn lease(&self, found: Option<&Value>, transition: bool) -> Value {
        let now = now();
        let spec = |path: &str| found.and_then(|lease| lease.pointer(path)).cloned();
        let transitions = spec("/spec/leaseTransitions")
            .and_then(|count| count.as_u64())
            .unwrap_or(0);
        let acquired = spec("/spec/acquireTime")
            .filter(|_| !transition)
            .unwrap_or_else(|| Value::from(now.as_str()));
        let mut lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": self.options.name, "namespace": self.options.namespace},
            "spec": {
                "holderIdentity": self.options.holder,
                "leaseDurationSeconds": self.options.duration.as_secs().max(1),
                "acquireTime": acquired,
                "renewTime": now,
                "leaseTransitions": transitions + u64::from(transition),
            },
        });
        if let Some(version) = spec("/metadata/resourceVersion") {
            lease["metadata"]["resourceVersion"] = version;
        }
        lease
    }

    fn collection(&self) -> String {
        format!(
            "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
            self.options.namespace
        )
    }

    fn path(&self) -> String {
        format!("{}/{}", self.collection(), self.options.name)
    }
}

/// A moment as the API's `MicroTime` prints it.
fn now() -> String {
    Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_printed_as_the_api_reads_it() {
        let text = now();
        assert_eq!(text.len(), "2026-01-01T00:00:00.000000Z".len(), "{text}");
        assert!(text.parse::<Timestamp>().is_ok());
    }
}
