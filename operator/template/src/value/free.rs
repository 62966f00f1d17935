//! Giving memory back: nested values without recursion, and at the end of a render also those that hold themselves.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use super::{Str, Value};

pub(super) type Entries = RefCell<BTreeMap<Str, Value>>;

/// Between two looks for maps that are gone already.
const REGISTERED: usize = 1024;

thread_local! {
    /// Values that wait to be dropped, while one is being dropped: a chart may nest them deeper than any stack is.
    static WAITING: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
    /// How many renders run on this thread.
    static RENDERS: Cell<usize> = const { Cell::new(0) };
    /// Maps that templates put lists or maps into: only such a one can hold itself.
    static WRITTEN: RefCell<Vec<Weak<Entries>>> = const { RefCell::new(Vec::new()) };
}

/// Drops what was in a list or map.
pub(super) fn free(values: impl Iterator<Item = Value>) {
    for value in values.filter(holds_more) {
        let first = WAITING.with_borrow_mut(|waiting| {
            if let Some(waiting) = waiting {
                waiting.push(value);
                return None;
            }
            *waiting = Some(Vec::new());
            Some(value)
        });
        let Some(first) = first else { continue };
        drop(first);
        while let Some(next) = WAITING.with_borrow_mut(|waiting| waiting.as_mut()?.pop()) {
            drop(next);
        }
        WAITING.set(None);
    }
}

fn holds_more(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_) | Value::Object(_))
}

/// Notes that something was put into a map.
pub(super) fn written(map: &Rc<Entries>, value: &Value) {
    if !holds_more(value) || RENDERS.get() == 0 {
        return;
    }
    WRITTEN.with_borrow_mut(|all| {
        if all.len() == all.capacity() && all.len() >= REGISTERED {
            all.retain(|map| map.strong_count() > 0);
        }
        all.push(Rc::downgrade(map));
    });
}

/// A render that runs on this thread. When the last one ends, the maps that templates put lists or maps into are
/// emptied: one that holds itself (`set $d "self" $d`) would never be given back otherwise.
pub(crate) struct Running(());

impl Running {
    pub(crate) fn new() -> Self {
        RENDERS.set(RENDERS.get() + 1);
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RENDERS.set(RENDERS.get() - 1);
        if RENDERS.get() > 0 {
            return;
        }
        for map in WRITTEN.take() {
            let Some(map) = map.upgrade() else { continue };
            let entries = map
                .try_borrow_mut()
                .map(|mut map| std::mem::take(&mut *map));
            free(entries.into_iter().flat_map(BTreeMap::into_values));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Map, MapType};

    #[test]
    fn a_map_that_holds_itself_is_given_back_when_its_render_ends() {
        let running = Running::new();
        let map = Map::new(MapType::Any);
        map.insert(
            Str::from("list"),
            Value::list(vec![Value::Map(map.clone())]),
        );
        map.insert(Str::from("text"), Value::str("t"));
        let held = Rc::downgrade(map.shared());
        drop(map);
        assert!(held.upgrade().is_some(), "it holds itself");

        drop(running);

        assert!(held.upgrade().is_none());
    }

    #[test]
    fn values_are_dropped_however_deep_they_nest() {
        let mut nested = Value::Nil;
        for level in 0..1_000_000 {
            nested = if level % 2 == 0 {
                Value::list(vec![nested])
            } else {
                Value::map([("a", nested)])
            };
        }
        drop(nested);
    }
}
