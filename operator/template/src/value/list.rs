//! Immutable lists.

use std::ops::Deref;
use std::rc::Rc;

use super::free::free;
use super::{ListType, Value};

/// An immutable list. Go's nil slice (`null` in JSON) and the empty slice (`[]`) are different lists.
#[derive(Clone)]
pub struct List {
    items: Option<Rc<[Value]>>,
    kind: ListType,
}

impl List {
    /// A list with these items, not nil even when empty.
    pub fn new(kind: ListType, items: Vec<Value>) -> Self {
        Self {
            items: Some(Rc::from(items)),
            kind,
        }
    }

    /// Go's nil slice.
    pub fn nil(kind: ListType) -> Self {
        Self { items: None, kind }
    }

    /// Whether this is the nil slice.
    pub fn is_nil(&self) -> bool {
        self.items.is_none()
    }

    /// The same list under another static type, as a conversion in Go.
    #[must_use]
    pub fn retyped(&self, kind: ListType) -> Self {
        Self {
            items: self.items.clone(),
            kind,
        }
    }

    /// The static type.
    pub fn kind(&self) -> ListType {
        self.kind
    }
}

impl Deref for List {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        self.items.as_deref().unwrap_or_default()
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if let Some(items) = self.items.as_mut().and_then(Rc::get_mut) {
            free(items.iter_mut().map(std::mem::take));
        }
    }
}
