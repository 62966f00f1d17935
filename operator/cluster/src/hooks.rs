//! Running a hook's object in three small steps, each safe to repeat: it exists and is marked with the attempt, it is
//! done, it is cleaned up.

use std::time::Duration;

use belay_health::{ObjectKey, Verdict, hook_verdict};
use serde_json::Value;

use crate::client::Connection;
use crate::error::{Error, RefusalKind, Written};
use crate::identity::{MANAGER, set};
use crate::object::{Place, ResourceVersion, identified};
use crate::prune::Propagation;
use crate::watch::named::Sight;
use crate::wire::Call;

/// The annotation that says for which attempt a hook's object was made.
pub const ATTEMPT: &str = "belay.dev/attempt";

/// A hook's object, to be run for an attempt.
#[derive(Debug, Clone, Copy)]
pub struct HookObject<'a> {
    /// The manifest.
    pub object: &'a Value,
    /// The attempt's id.
    pub attempt: &'a str,
    /// The release's namespace, where the manifest names none.
    pub namespace: &'a str,
    /// `before-hook-creation`: delete one that is left from before.
    pub replace: bool,
    /// How long the deletion of one left from before may take.
    pub gone_within: Duration,
}

/// A hook's object that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRun {
    /// The object.
    pub key: ObjectKey,
    /// Its uid.
    pub uid: String,
    /// The state that was seen.
    pub resource_version: ResourceVersion,
    /// Was it there already, made for the same attempt?
    pub resumed: bool,
    /// What the state says.
    pub verdict: Verdict,
}

/// How a hook ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookEnd {
    /// It did its work; kinds other than Job and Pod are done as soon as they exist.
    Succeeded,
    /// It says that it failed.
    Failed {
        /// A word in camel case.
        reason: String,
        /// One short sentence.
        message: String,
    },
    /// It was deleted before it said how it ended.
    Vanished,
}

impl Connection {
    /// Makes the hook's object, or finds the one that was made for this attempt.
    ///
    /// # Errors
    /// As every write; refused with [`RefusalKind::AlreadyExists`] when one of another attempt is in the way and may
    /// not be replaced, with [`Error::Deadline`] when it does not go away.
    pub async fn ensure_hook(&self, hook: HookObject<'_>) -> Written<HookRun> {
        let place = self.place(hook.object, hook.namespace).await?;
        if let Some(live) = self.get_at(&place).await? {
            let (uid, resource_version) = identified(&live, &place.key)?;
            if attempt_of(&live) == Some(hook.attempt) {
                let verdict = hook_verdict(&live);
                return Ok(HookRun {
                    key: place.key,
                    uid,
                    resource_version,
                    resumed: true,
                    verdict,
                });
            }
            if !hook.replace {
                return Err(crate::error::Refusal {
                    call: format!("create hook {}", place.key),
                    status: 409,
                    kind: RefusalKind::AlreadyExists,
                    message: "one that was not made for this attempt exists, and its delete policy keeps it".into(),
                    causes: Vec::new(),
                    retry_after: None,
                }
                .into());
            }
            self.delete_at(&place, &uid, Propagation::Background)
                .await?;
            self.wait_gone(&place.key, &uid, hook.gone_within).await?;
        }
        self.create_hook(&place, hook).await
    }

    async fn create_hook(&self, place: &Place, hook: HookObject<'_>) -> Written<HookRun> {
        let mut body = hook.object.clone();
        set(&mut body, "annotations", ATTEMPT, hook.attempt);
        if let Some(namespace) = &place.key.namespace {
            body["metadata"]["namespace"] = Value::from(namespace.as_str());
        }
        let (_, live): (_, Value) = Call::patch(place.path())
            .query("fieldManager", MANAGER)
            .query("force", "true")
            .query("fieldValidation", "Strict")
            .typed_json("application/apply-patch+yaml", &body)?
            .write(self)
            .await?;
        let (uid, resource_version) = identified(&live, &place.key)?;
        let verdict = hook_verdict(&live);
        Ok(HookRun {
            key: place.key.clone(),
            uid,
            resource_version,
            resumed: false,
            verdict,
        })
    }

    /// Waits until the hook says how it ended. To wait without holding a task, track it with `Tracked::hook`.
    ///
    /// # Errors
    /// [`Error::Deadline`]; read errors.
    pub async fn await_hook(&self, run: &HookRun, within: Duration) -> Result<HookEnd, Error> {
        if let Some(end) = hook_end(&run.verdict) {
            return Ok(end);
        }
        let place = self.place_of(&run.key).await?;
        let what = format!("the end of hook {}", run.key);
        let same = |object: &Value| crate::object::uid(object) == Some(run.uid.as_str());
        self.follow(&place, within, &what, |sight| match sight {
            // The last state still counts: a Job with a time to live is deleted right after it completed.
            Sight::There(object) | Sight::Deleted(object) if same(object) => {
                hook_end(&hook_verdict(object))
            }
            Sight::There(_) | Sight::Gone => Some(HookEnd::Vanished),
            Sight::Deleted(_) => None,
        })
        .await
    }

    /// Deletes the hook's object, if it is still the one of this run. `false`: it was not.
    ///
    /// # Errors
    /// As every write.
    pub async fn clean_up_hook(&self, run: &HookRun) -> Written<bool> {
        match self.delete_exactly(&run.key, &run.uid).await {
            Err(error) if error.is(RefusalKind::Conflict) => Ok(false),
            answer => answer,
        }
    }
}

/// The attempt for which a hook's object was made.
pub fn attempt_of(object: &Value) -> Option<&str> {
    object
        .pointer("/metadata/annotations")?
        .get(ATTEMPT)?
        .as_str()
}

/// How a hook ended, by its verdict; `None` while it runs.
pub fn hook_end(verdict: &Verdict) -> Option<HookEnd> {
    match verdict {
        Verdict::Current => Some(HookEnd::Succeeded),
        Verdict::Failed {
            reason, message, ..
        } => Some(HookEnd::Failed {
            reason: reason.clone(),
            message: message.clone(),
        }),
        Verdict::Missing => Some(HookEnd::Vanished),
        Verdict::Progressing { .. } | Verdict::Terminating => None,
    }
}
