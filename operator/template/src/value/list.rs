//! Immutable lists.

use std::ops::Deref;
use std::rc::Rc;

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
    pub fn retyped(self, kind: ListType) -> Self {
        Self { kind, ..self }
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
