//! Whether a live object still is what its manifest makes of it, asked of the API server by a dry run.

use std::collections::BTreeMap;

use belay_health::{ObjectKey, Sight, owns_alike};
use futures::{StreamExt, stream};
use serde_json::Value;

use crate::apply::{ApplyOptions, DRY_RUNS_AT_ONCE, prepared, yield_to_owners};
use crate::client::Connection;
use crate::error::{Error, NotDone, RefusalKind, Written};
use crate::identity::{MANAGER, Owner, Ownership, ownership};
use crate::object::{ResourceVersion, identified, is_terminating, resource_version};

/// How often an object is looked at anew that changes while it is compared.
const TRIES: usize = 3;

/// What a live object was compared with, and what that came to.
#[derive(Debug)]
pub struct Compared {
    /// The object.
    pub key: ObjectKey,
    /// The state that was looked at; none when nothing is there.
    pub seen: Option<(ResourceVersion, Sight)>,
    /// Whether what our manager owns of it is all that its manifest holds: only then does whoever changes it have to
    /// take something from us.
    pub whole: bool,
    /// How it compares.
    pub comparison: Comparison,
}

/// How a live object compares with its manifest.
#[derive(Debug)]
pub enum Comparison {
    /// Applying the manifest would change nothing, or only who owns what.
    Same,
    /// It would make another object of it.
    Differs {
        /// The object as it is.
        live: Value,
        /// As it would be.
        wanted: Value,
    },
    /// It is not there.
    Missing,
    /// It is on its way out, and stays as it is until it is gone.
    Terminating,
    /// It does not carry our marks.
    NotOurs {
        /// The release that it names, if any.
        owner: Option<Owner>,
    },
    /// It differs in what cannot change any more.
    Immutable(Box<Error>),
    /// The API server refuses the question.
    Refused(Box<Error>),
}

impl Connection {
    /// Compares objects with their manifests, some at once, and writes nothing: each is read, and its manifest is
    /// dry-run over it as an apply would send it. Defaults and what others own are no difference so.
    ///
    /// # Errors
    /// When the API server does not answer. What it refuses is an answer.
    pub async fn compare_all(
        &self,
        objects: &BTreeMap<ObjectKey, Value>,
        options: &ApplyOptions,
    ) -> Written<Vec<Compared>> {
        let looks: Vec<_> = objects
            .iter()
            .map(|(key, object)| self.compare(key, object, options))
            .collect();
        let mut answers = stream::iter(looks).buffered(DRY_RUNS_AT_ONCE);
        let mut compared = Vec::with_capacity(objects.len());
        while let Some(answer) = answers.next().await {
            compared.push(answer?);
        }
        Ok(compared)
    }

    async fn compare(
        &self,
        key: &ObjectKey,
        object: &Value,
        options: &ApplyOptions,
    ) -> Written<Compared> {
        let mut last = self.compare_once(key, object, options).await;
        for _ in 1..TRIES {
            match &last {
                Err(error) if error.is(RefusalKind::Conflict) => {
                    last = self.compare_once(key, object, options).await;
                }
                _ => break,
            }
        }
        match last {
            Err(NotDone::Refused(error)) => {
                let comparison = refusal(error);
                Ok(Compared {
                    key: key.clone(),
                    seen: None,
                    whole: false,
                    comparison,
                })
            }
            answer => answer,
        }
    }

    async fn compare_once(
        &self,
        key: &ObjectKey,
        object: &Value,
        options: &ApplyOptions,
    ) -> Written<Compared> {
        let compared = |seen, whole, comparison| Compared {
            key: key.clone(),
            seen,
            whole,
            comparison,
        };
        let place = self.place(object, &options.owner.namespace).await?;
        let Some(live) = self.get_at(&place).await? else {
            return Ok(compared(None, false, Comparison::Missing));
        };
        let seen = Some((resource_version(&live), Sight::of(&live, MANAGER)));
        if is_terminating(&live) {
            return Ok(compared(seen, false, Comparison::Terminating));
        }
        match ownership(&live, &options.owner) {
            Ownership::Ours => {}
            Ownership::Unowned => {
                return Ok(compared(seen, false, Comparison::NotOurs { owner: None }));
            }
            Ownership::Foreign(owner) => {
                let owner = Some(owner);
                return Ok(compared(seen, false, Comparison::NotOurs { owner }));
            }
        }
        let mut body = prepared(object.clone(), &place, &options.owner);
        yield_to_owners(&mut body, &live);
        let (uid, _) = identified(&live, &place.key)?;
        body["metadata"]["uid"] = Value::from(uid);
        match self.send(&place, body, true, true).await {
            Ok(answer) => {
                let wanted = answer.live;
                let whole = owns_alike(&live, &wanted, MANAGER);
                let same = belay_health::changes(&live, &wanted).is_empty();
                let comparison = if same {
                    Comparison::Same
                } else {
                    Comparison::Differs { live, wanted }
                };
                Ok(compared(seen, whole, comparison))
            }
            Err(error) if error.is(RefusalKind::Conflict) => Err(error),
            Err(NotDone::Refused(error)) => Ok(compared(seen, false, refusal(error))),
            Err(error) => Err(error),
        }
    }
}

fn refusal(error: Box<Error>) -> Comparison {
    let gone = matches!(*error, Error::UnknownKind { .. })
        || error.is(RefusalKind::NotServed)
        || error.is(RefusalKind::NotFound);
    if gone {
        Comparison::Missing
    } else if error.is(RefusalKind::Immutable) {
        Comparison::Immutable(error)
    } else {
        Comparison::Refused(error)
    }
}
