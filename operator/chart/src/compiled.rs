//! Parsed templates, kept for as long as they are used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use belay_template::{Set, Str, Template};
use sha2::{Digest as _, Sha256};

use crate::chart::Chart;
use crate::error::ChartError;
use crate::handlebars::Dialect;
use crate::scope::{self, Placed};

/// The end of the names of templates that are Handlebars instead of Go's.
pub(crate) const HANDLEBARS: &str = ".hbs";

/// The end of the names of notes, which are shown to the user and no manifest.
pub(crate) const NOTES: &str = "NOTES.txt";

/// The linked templates of a chart, with all that are executed in Helm's order.
pub(crate) struct Compiled {
    pub(crate) set: Set,
    /// There where at least one template is Handlebars.
    pub(crate) dialect: Option<Dialect>,
    pub(crate) order: Vec<Page>,
    bytes: usize,
}

/// A template that gives a page of output: all but partials.
pub(crate) struct Page {
    pub(crate) name: String,
    /// The same as templates see it.
    pub(crate) shown: Str,
    pub(crate) base_path: Str,
    /// The number of its chart, as in [`scope::roots`].
    pub(crate) chart: usize,
    pub(crate) gives: Gives,
}

/// What a page is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    Manifest,
    Notes,
}

impl Page {
    /// Nothing for partials.
    fn of(name: &str, placed: &Placed) -> Option<Self> {
        if placed.file.base_name().starts_with('_') {
            return None;
        }
        let is_notes = name
            .strip_suffix(HANDLEBARS)
            .unwrap_or(name)
            .ends_with(NOTES);
        Some(Self {
            name: name.to_owned(),
            shown: Str::from(name),
            base_path: placed.base_path.clone(),
            chart: placed.chart,
            gives: if is_notes {
                Gives::Notes
            } else {
                Gives::Manifest
            },
        })
    }
}

impl Compiled {
    /// Parses and links all templates. Needs a large stack.
    fn parse(templates: &[(String, Placed)]) -> Result<Self, ChartError> {
        let mut set = Set::new();
        let mut bytes = 0;
        for (name, placed) in templates
            .iter()
            .filter(|(name, _)| !name.ends_with(HANDLEBARS))
        {
            let template = Template::parse(name.as_str(), Arc::clone(&placed.file.data))
                .map_err(|error| ChartError::Template(error.as_helm()))?;
            bytes += template.text_bytes();
            set.add(&template);
        }
        let mut other = templates
            .iter()
            .filter(|(name, _)| name.ends_with(HANDLEBARS))
            .map(|(name, placed)| (name.as_str(), &placed.file))
            .peekable();
        let dialect = match other.peek() {
            Some(_) => Some(Dialect::parse(other)?),
            None => None,
        };
        Ok(Self {
            set,
            dialect,
            order: templates
                .iter()
                .filter_map(|(name, placed)| Page::of(name, placed))
                .collect(),
            bytes,
        })
    }
}

/// Deeper files first, and Z before A: so a parent's definition comes after a child's and replaces it.
fn in_order(chart: &Chart) -> Vec<(String, Placed)> {
    let mut templates: Vec<_> = scope::templates(chart).into_iter().collect();
    templates.sort_by(|(a, _), (b, _)| {
        let depth = |name: &String| name.matches('/').count();
        (depth(b), b).cmp(&(depth(a), a))
    });
    templates
}

/// A chart's content, and that of the subcharts that take part.
type Key = [u8; 32];

/// Compiled charts, the longest unused dropped first when they take more than the bound.
pub(crate) struct Cache {
    inner: Mutex<Entries>,
    bound: usize,
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<Key, (u64, Arc<Compiled>)>,
    clock: u64,
    bytes: usize,
}

impl Cache {
    /// A cache for templates of `bound` bytes of text in all; at least the newest chart is always kept.
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            inner: Mutex::default(),
            bound,
        }
    }

    /// The chart's templates, parsed now unless they were before. Needs a large stack.
    pub(crate) fn get(&self, chart: &Chart) -> Result<Arc<Compiled>, ChartError> {
        let key = key(chart);
        if let Some(found) = self.lock().find(&key) {
            return Ok(found);
        }
        let compiled = Arc::new(Compiled::parse(&in_order(chart))?);
        self.lock().keep(key, &compiled, self.bound);
        Ok(compiled)
    }

    /// How many charts' templates it keeps.
    pub(crate) fn len(&self) -> usize {
        self.lock().by_key.len()
    }

    /// A panic while the lock was held leaves at worst a wrong count of bytes.
    fn lock(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn find(&mut self, key: &Key) -> Option<Arc<Compiled>> {
        self.clock += 1;
        let (used, found) = self.by_key.get_mut(key)?;
        *used = self.clock;
        Some(Arc::clone(found))
    }

    fn keep(&mut self, key: Key, compiled: &Arc<Compiled>, bound: usize) {
        self.clock += 1;
        if let Some((_, old)) = self.by_key.insert(key, (self.clock, Arc::clone(compiled))) {
            self.bytes -= old.bytes;
        }
        self.bytes += compiled.bytes;
        while self.bytes > bound && self.by_key.len() > 1 {
            let oldest = self
                .by_key
                .iter()
                .min_by_key(|(_, (used, _))| *used)
                .map(|(key, _)| *key);
            if let Some((_, old)) = oldest.and_then(|key| self.by_key.remove(&key)) {
                self.bytes -= old.bytes;
            }
        }
    }
}

/// Subcharts count by their content as well as by their names: under one alias may be this one or that one.
fn key(chart: &Chart) -> Key {
    let mut hash = Sha256::new();
    add(chart, &mut hash);
    hash.finalize().into()
}

fn add(chart: &Chart, hash: &mut Sha256) {
    let children = chart.dependencies();
    hash.update(chart.content_digest().0);
    hash.update((chart.name().len() as u64).to_be_bytes());
    hash.update(chart.name().as_bytes());
    hash.update((children.len() as u64).to_be_bytes());
    for child in children {
        add(child, hash);
    }
}

#[cfg(test)]
#[path = "tests/compiled.rs"]
mod tests;
