//! The questions of soaks' checks. They go their way in the background and wake their release when they are over: no
//! reconcile waits for somebody else's server.
//!
//! What they came to is kept in memory alone. A process that loses it asks once more: what decides about a revision, its
//! bad answers in a row among it, is in the ledger by then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use belay_api::HelmRelease;
use belay_api::helm_release::Check;
use belay_cluster::Connection;
use belay_rollout::{CheckId, Look, Reply, Sample};
use belay_source::Prometheus;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock;
use crate::gather::{Reading, query};
use crate::metrics::Metrics;
use crate::references::References;

/// The longest that a question may take, Secrets that it needs included.
const LIMIT: Duration = Duration::from_secs(20);

/// The questions of all releases that soak.
pub(crate) struct Checks {
    prometheus: Prometheus,
    known: Arc<Known>,
    /// Ended with the operator.
    tasks: Mutex<JoinSet<()>>,
    metrics: Metrics,
    wake: mpsc::Sender<ObjectRef<HelmRelease>>,
}

/// What questions came to, by the uid of the release: at most as many as a spec has checks.
#[derive(Debug, Default)]
struct Known(Mutex<BTreeMap<String, Soak>>);

#[derive(Debug)]
struct Soak {
    /// The id of the attempt that soaks.
    attempt: String,
    looks: Vec<Look>,
}

/// A question to be sent.
pub(crate) struct Question<'q> {
    pub(crate) release: &'q HelmRelease,
    /// The id of the attempt that soaks.
    pub(crate) attempt: &'q str,
    pub(crate) check: &'q Check,
    /// The way to the Secrets that the check names, and the account that it goes as.
    pub(crate) reader: Connection,
    pub(crate) account: &'q str,
}

impl Checks {
    pub(crate) fn new(
        settings: &belay_source::Settings,
        metrics: Metrics,
        wake: mpsc::Sender<ObjectRef<HelmRelease>>,
    ) -> Self {
        Self {
            prometheus: Prometheus::new(settings),
            known: Arc::default(),
            tasks: Mutex::default(),
            metrics,
            wake,
        }
    }

    /// What the questions of a release came to while this attempt of it soaked; what is known of another is forgotten.
    pub(crate) fn looks(&self, uid: &str, attempt: Option<&str>) -> Vec<Look> {
        let mut known = self.known.lock();
        match known.get(uid) {
            Some(soak) if Some(soak.attempt.as_str()) == attempt => soak.looks.clone(),
            Some(_) => {
                known.remove(uid);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Forgets a release that is gone.
    pub(crate) fn forget(&self, uid: &str) {
        self.known.lock().remove(uid);
    }

    /// Sends a question on its way.
    pub(crate) fn ask(&self, question: Question<'_>) {
        let Question {
            release,
            attempt,
            check,
            reader,
            account,
        } = question;
        let uid = release.uid().unwrap_or_default();
        self.known.begin(&uid, attempt, &CheckId::of(check));
        let place = ObjectRef::from_obj(release);
        let (release, account) = (release.clone(), account.to_owned());
        let (attempt, check) = (attempt.to_owned(), check.clone());
        let (known, prometheus) = (Arc::clone(&self.known), self.prometheus.clone());
        let (metrics, wake) = (self.metrics.clone(), self.wake.clone());
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            // Whatever changes in what it names is read at the next question.
            let references = References::new();
            let mut reading = Reading::through(reader, &references, &release, &account);
            let answer = tokio::time::timeout(LIMIT, answer(&prometheus, &mut reading, &check));
            let reply = answer.await.unwrap_or_else(|_| {
                Reply::none(&format!("no answer within {} s", LIMIT.as_secs()))
            });
            metrics.check(&reply);
            if known.settle(&uid, &attempt, &CheckId::of(&check), reply) {
                // The other end goes only when the operator ends.
                let _ = wake.send(place).await;
            }
        });
    }
}

/// Asks, and says what the answer means for the check.
async fn answer(prometheus: &Prometheus, reading: &mut Reading<'_>, check: &Check) -> Reply {
    let query = match query(reading, check).await {
        Ok(query) => query,
        Err(why) => return Reply::none(&why),
    };
    match prometheus.ask(&query).await {
        Ok(samples) => {
            let samples: Vec<_> = samples
                .into_iter()
                .map(|sample| Sample {
                    series: sample.series,
                    number: sample.number,
                })
                .collect();
            Reply::to(check, &samples)
        }
        Err(error) => Reply::none(&error.to_string()),
    }
}

impl Known {
    fn begin(&self, uid: &str, attempt: &str, check: &CheckId) {
        let mut known = self.lock();
        let soak = known.entry(uid.to_owned()).or_insert_with(|| Soak {
            attempt: attempt.to_owned(),
            looks: Vec::new(),
        });
        if soak.attempt != attempt {
            attempt.clone_into(&mut soak.attempt);
            soak.looks.clear();
        }
        // What had the name before an edit is not asked any more.
        soak.looks
            .retain(|look| look.check.name != check.name || look.check == *check);
        let look = soak.looks.iter_mut().find(|look| look.check == *check);
        let asking = Some(clock::now());
        match look {
            Some(look) => look.asking = asking,
            None => soak.looks.push(Look {
                asking,
                ..Look::new(check.clone())
            }),
        }
    }

    /// Whether anybody still wants to know.
    fn settle(&self, uid: &str, attempt: &str, check: &CheckId, reply: Reply) -> bool {
        let mut known = self.lock();
        let soak = known.get_mut(uid).filter(|soak| soak.attempt == attempt);
        let looks = soak.into_iter().flat_map(|soak| soak.looks.iter_mut());
        for look in looks {
            if look.check == *check {
                look.settle(clock::now(), reply);
                return true;
            }
        }
        false
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Soak>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(print: &str) -> CheckId {
        CheckId {
            name: "errors".into(),
            print: print.into(),
        }
    }

    fn good() -> Reply {
        Reply::Good { value: "0".into() }
    }

    fn looks(known: &Known) -> Vec<Look> {
        let known = known.lock();
        known
            .get("uid")
            .map_or_else(Vec::new, |soak| soak.looks.clone())
    }

    #[test]
    fn an_answer_is_kept_while_the_next_question_is_on_its_way() {
        let known = Known::default();
        known.begin("uid", "first", &id("a"));
        assert!(looks(&known)[0].asking.is_some());
        assert!(known.settle("uid", "first", &id("a"), good()));

        known.begin("uid", "first", &id("a"));

        let look = &looks(&known)[0];
        assert!(look.asking.is_some());
        assert_eq!(look.last.as_ref().unwrap().reply, good());
    }

    #[test]
    fn an_answer_that_nobody_waits_for_any_more_wakes_nobody() {
        let known = Known::default();
        known.begin("uid", "first", &id("a"));
        assert!(!known.settle("gone", "first", &id("a"), good()));

        known.begin("uid", "second", &id("a"));

        assert!(!known.settle("uid", "first", &id("a"), good()));
        assert_eq!(looks(&known)[0].last, None);
    }

    #[test]
    fn an_edited_check_is_asked_anew_and_the_older_one_is_forgotten() {
        let known = Known::default();
        known.begin("uid", "first", &id("a"));

        known.begin("uid", "first", &id("b"));

        assert!(!known.settle("uid", "first", &id("a"), good()));
        let looks = looks(&known);
        assert_eq!(looks.len(), 1, "at most as many as a spec has checks");
        assert_eq!(looks[0].check, id("b"));
    }
}
