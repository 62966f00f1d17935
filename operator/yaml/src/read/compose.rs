//! Events to a tree of nodes, anchors resolved but not yet followed.

use std::collections::HashMap;

use super::events::{Event, EventKind, Events};
use super::reader;
use crate::{Error, Limits, Position};

/// An index into [`Tree::nodes`].
pub(crate) type NodeId = usize;

/// One document.
pub(crate) struct Tree {
    /// Every node; children come after their parents.
    pub nodes: Vec<Node>,
    /// The topmost node, `None` for an empty stream.
    pub root: Option<NodeId>,
    /// Whether any node may be visited more than once, so that its text has to stay.
    pub aliased: bool,
}

pub(crate) struct Node {
    pub kind: Kind,
    pub position: Position,
}

pub(crate) enum Kind {
    Scalar {
        text: String,
        tag: Option<String>,
        /// Whether the text was plain, so that it may mean something else than itself.
        implicit: bool,
    },
    Seq(Vec<NodeId>),
    /// Keys and values in turn.
    Map(Vec<NodeId>),
    Alias {
        name: String,
        target: NodeId,
    },
}

/// Reads up to the end of the first document; what follows is not looked at.
pub(crate) fn first_document(source: &[u8], limits: &Limits) -> Result<Tree, Error> {
    if source.len() > limits.source_bytes {
        return Err(Error::Limit {
            what: "bytes",
            limit: limits.source_bytes,
        });
    }
    let source = reader::read(source);
    let mut events = Events::new(&source);
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

struct Composer {
    tree: Tree,
    anchors: HashMap<String, NodeId>,
    open: Vec<NodeId>,
    depth: usize,
}

impl Composer {
    fn take(&mut self, event: Event) -> Result<(), Error> {
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
            EventKind::SeqStart { anchor } => self.open(Kind::Seq(Vec::new()), anchor, position)?,
            EventKind::MapStart { anchor } => self.open(Kind::Map(Vec::new()), anchor, position)?,
            EventKind::End => {
                self.open.pop();
            }
            _ => {}
        }
        Ok(())
    }

    fn open(
        &mut self,
        kind: Kind,
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
        self.open.push(id);
        Ok(())
    }

    fn add(&mut self, kind: Kind, anchor: Option<String>, position: Position) -> NodeId {
        let id = self.tree.nodes.len();
        self.tree.nodes.push(Node { kind, position });
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        match self
            .open
            .last()
            .map(|parent| &mut self.tree.nodes[*parent].kind)
        {
            Some(Kind::Seq(children) | Kind::Map(children)) => children.push(id),
            _ => self.tree.root = self.tree.root.or(Some(id)),
        }
        id
    }
}
