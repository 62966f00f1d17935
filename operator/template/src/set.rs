//! Parsed templates and the set that a chart links them into.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ast::Tree;
use crate::error::ParseError;
use crate::parse;
use crate::value::Str;

/// A parsed text: its own template and those that it defines. Depends on its name and text only, so it may be kept
/// under their hash and shared by all charts and threads.
///
/// Parsing and dropping recurse as deep as the text nests (see [`crate::limits::MAX_NESTING`]): parse on a large
/// stack, see [`crate::run_with_stack`].
#[derive(Clone)]
pub struct Template {
    trees: Arc<[Arc<Tree>]>,
    bytes: usize,
}

impl Template {
    /// Parses the text.
    ///
    /// # Errors
    /// Where and why the text is no template, in Go's words.
    pub fn parse(name: impl Into<Str>, text: impl Into<Str>) -> Result<Self, ParseError> {
        let text = text.into();
        let trees = parse::parse(&name.into(), &text)?;
        Ok(Self {
            trees: trees.into_iter().map(Arc::new).collect(),
            bytes: text.len(),
        })
    }

    /// The names that the text defines, its own among them.
    pub fn names(&self) -> impl Iterator<Item = &Str> {
        self.trees.iter().map(|tree| &tree.name)
    }

    /// The size of the text in bytes; a parsed template takes a small multiple of it.
    pub fn text_bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn trees(&self) -> &[Arc<Tree>] {
        &self.trees
    }
}

/// The templates of one chart and its dependencies, which call each other by name.
#[derive(Clone, Default)]
pub struct Set {
    trees: HashMap<Str, Arc<Tree>>,
}

impl Set {
    /// A set without templates.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all that the text defines. Of two definitions of a name the later one counts, but an empty one (space
    /// and comments) never replaces another.
    pub fn add(&mut self, template: &Template) {
        for tree in template.trees() {
            if !(tree.empty && self.trees.contains_key(&tree.name)) {
                self.trees.insert(tree.name.clone(), Arc::clone(tree));
            }
        }
    }

    /// Whether there is a template of this name.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.trees.contains_key(name)
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<&Arc<Tree>> {
        self.trees.get(name)
    }
}
