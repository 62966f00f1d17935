//! Events to a tree of nodes, anchors resolved but not yet followed.

use std::borrow::Cow;
use std::collections::HashMap;

use super::events::{Event, EventKind, Events};
use super::reader::Readable;
use crate::{Error, Limits, Position};

/// An index into [`Tree::nodes`].
pub(crate) type NodeId = usize;

/// One document.
pub(crate) struct Tree<'s> {
    /// Every node; children come after their parents.
    pub nodes: Vec<Node<'s>>,
    /// The topmost node, `None` for an empty stream.
    pub root: Option<NodeId>,
    /// Whether any node may be visited more than once, so that its text has to stay.
    pub aliased: bool,
}

pub(crate) struct Node<'s> {
    pub kind: Kind<'s>,
    pub position: Position,
    /// The next child of the same parent.
    pub next: Option<NodeId>,
}

pub(crate) enum Kind<'s> {
    Scalar {
        text: Cow<'s, str>,
        tag: Option<String>,
        /// Whether the text was plain, so that it may mean something else than itself.
        implicit: bool,
    },
    Seq {
        /// The first item.
        first: Option<NodeId>,
    },
    Map {
        /// The first key. Keys and values follow in turn.
        first: Option<NodeId>,
    },
    Alias {
        name: String,
        target: NodeId,
    },
}

/// Reads up to the end of the first document; what follows is not looked at.
pub(crate) fn first_document<'s>(
    source: &'s Readable<'_>,
    limits: &Limits,
) -> Result<Tree<'s>, Error> {
    let mut events = Events::new(source);
    let mut composer = Composer {
        tree: Tree {
            nodes: Vec::new(),
            root: None,
            aliased: false,
        },
        anchors: HashMap::new(),
        open: Vec::new(),
        depth: limits.depth,
    };
    loop {
        let event = events.next()?;
        match event.kind {
            EventKind::StreamStart | EventKind::DocumentStart => {}
            EventKind::StreamEnd | EventKind::DocumentEnd => return Ok(composer.tree),
            _ => composer.take(event)?,
        }
    }
}

struct Composer<'s> {
    tree: Tree<'s>,
    anchors: HashMap<String, NodeId>,
    open: Vec<Open>,
    depth: usize,
}

/// A collection that has not ended yet.
struct Open {
    id: NodeId,
    /// Its last child so far.
    last: Option<NodeId>,
}

impl<'s> Composer<'s> {
    fn take(&mut self, event: Event<'s>) -> Result<(), Error> {
        let position = event.position;
        match event.kind {
            EventKind::Scalar {
                text,
                tag,
                anchor,
                implicit,
            } => {
                self.add(
                    Kind::Scalar {
                        text,
                        tag,
                        implicit,
                    },
                    anchor,
                    position,
                );
            }
            EventKind::Alias { name } => {
                let Some(&target) = self.anchors.get(&name) else {
                    return Err(Error::Content {
                        problem: format!("unknown anchor '{name}' referenced"),
                        position: Some(position),
                    });
                };
                self.tree.aliased = true;
                self.add(Kind::Alias { name, target }, None, position);
            }
            EventKind::SeqStart { anchor } => {
                self.open(Kind::Seq { first: None }, anchor, position)?;
            }
            EventKind::MapStart { anchor } => {
                self.open(Kind::Map { first: None }, anchor, position)?;
            }
            EventKind::End => {
                self.open.pop();
            }
            _ => {}
        }
        Ok(())
    }

    fn open(
        &mut self,
        kind: Kind<'s>,
        anchor: Option<String>,
        position: Position,
    ) -> Result<(), Error> {
        if self.open.len() >= self.depth {
            return Err(Error::Limit {
                what: "levels of nesting",
                limit: self.depth,
            });
        }
        let id = self.add(kind, anchor, position);
        self.open.push(Open { id, last: None });
        Ok(())
    }

    fn add(&mut self, kind: Kind<'s>, anchor: Option<String>, position: Position) -> NodeId {
        let id = self.tree.nodes.len();
        self.tree.nodes.push(Node {
            kind,
            position,
            next: None,
        });
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        let Some(parent) = self.open.last_mut() else {
            self.tree.root = self.tree.root.or(Some(id));
            return id;
        };
        match parent.last.replace(id) {
            Some(before) => self.tree.nodes[before].next = Some(id),
            None => {
                if let Kind::Seq { first } | Kind::Map { first } =
                    &mut self.tree.nodes[parent.id].kind
                {
                    *first = Some(id);
                }
            }
        }
        id
    }
}
