//! Nodes to values: aliases followed, mappings merged, keys made text.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::compose::{Kind, NodeId, Tree};
use super::harmless::is_harmless;
use super::paths::Paths;
use super::resolve::{Dialect, Resolved, core_tag, resolve};
use super::{Numbers, ParseOptions};
use crate::{Error, Map, Position, Value, gosyntax, number};

/// Decodes the tree's root.
///
/// Of the mappings on the way only what [`Paths`] name is decoded to values; the rest is checked.
pub(crate) fn decode(
    tree: Tree<'_>,
    options: &ParseOptions,
    wanted: Option<Paths<'_>>,
) -> Result<Value, Error> {
    let Some(root) = tree.root else {
        return Ok(Value::Null);
    };
    let mut decoder = Decoder {
        tree,
        options,
        nodes: 0,
        alias_nodes: 0,
        alias_bytes: 0,
        following: Vec::new(),
        duplicates: Vec::new(),
        bad_key: None,
        bad_float: None,
        exact: options.numbers == Numbers::Exact,
        depth: 0,
        wanted,
    };
    let value = decoder.node(root)?;
    // Go finds these in passes of their own, after the document was decoded.
    if !decoder.duplicates.is_empty() {
        return Err(Error::DuplicateKeys(decoder.duplicates));
    }
    if let Some(problem) = decoder.bad_key {
        return Err(Error::NotJson(problem));
    }
    if let Some(float) = decoder.bad_float {
        return Err(Error::NotJson(format!("json: unsupported value: {float}")));
    }
    Ok(value)
}

struct Decoder<'o, 's> {
    tree: Tree<'s>,
    options: &'o ParseOptions,
    nodes: usize,
    alias_nodes: usize,
    alias_bytes: usize,
    /// The alias nodes that are being followed, innermost last.
    following: Vec<NodeId>,
    duplicates: Vec<String>,
    bad_key: Option<String>,
    bad_float: Option<&'static str>,
    exact: bool,
    depth: usize,
    /// What to decode of the mapping that comes next; all of it for none.
    wanted: Option<Paths<'o>>,
}

/// Keys of one mapping that are set already, by type and text: `1` and `"1"` differ until they become JSON.
type Seen = HashSet<(u8, String)>;

impl Decoder<'_, '_> {
    fn node(&mut self, id: NodeId) -> Result<Value, Error> {
        self.count()?;
        match &self.tree.nodes[id].kind {
            Kind::Scalar { .. } => self.scalar(id),
            Kind::Alias { target, .. } => {
                let target = *target;
                self.follow(id)?;
                let value = self.node(target)?;
                self.following.pop();
                Ok(value)
            }
            Kind::Seq { first } => {
                let mut next = *first;
                self.wanted = None;
                self.enter()?;
                let mut items = Vec::new();
                while let Some(child) = next {
                    items.push(self.node(child)?);
                    next = self.tree.nodes[child].next;
                }
                self.depth -= 1;
                Ok(Value::Seq(items))
            }
            Kind::Map { .. } => {
                let mut entries = Map::new();
                self.mapping(id, &mut entries, &mut Seen::new())?;
                Ok(Value::Map(entries))
            }
        }
    }

    /// Decodes a key: as it becomes text, its number is never rounded and may be infinite.
    fn key(&mut self, id: NodeId) -> Result<Value, Error> {
        let (exact, bad_float) = (self.exact, self.bad_float);
        let wanted = self.wanted.take();
        self.exact = true;
        let key = self.node(id);
        self.exact = exact;
        self.wanted = wanted;
        self.bad_float = bad_float;
        key
    }

    /// Decodes a mapping into `entries`, which holds what was set or merged before.
    fn mapping(&mut self, id: NodeId, entries: &mut Map, seen: &mut Seen) -> Result<(), Error> {
        let Kind::Map { first } = self.tree.nodes[id].kind else {
            return Ok(());
        };
        let wanted = self.wanted.clone();
        let mut pair = self.pair(first);
        self.enter()?;
        while let Some((key_id, item)) = pair {
            pair = self.pair(self.tree.nodes[item].next);
            self.wanted.clone_from(&wanted);
            if self.is_merge(key_id) {
                self.merge(item, entries, seen)?;
                continue;
            }
            let key = self.key(key_id)?;
            if matches!(key, Value::Seq(_) | Value::Map(_)) {
                return Err(self.content(
                    format!("invalid map key: {}", gosyntax::value(&key)),
                    key_id,
                ));
            }
            let below = wanted.as_ref().and_then(|wanted| wanted.below(&key));
            let dropped = below.as_ref().is_some_and(Paths::is_empty);
            let odd_key = key.is_null() || matches!(key, Value::Uint(_));
            if dropped && !odd_key && !self.options.strict && is_harmless(&self.tree, item) {
                continue;
            }
            self.wanted = below.filter(|_| !dropped);
            let value = self.node(item)?;
            if self.options.strict && !seen.insert((discriminant(&key), key_text(&key))) {
                let line = self.tree.nodes[item].position.line;
                let key = gosyntax::value(&key);
                self.duplicates
                    .push(format!("line {line}: key {key} already set in map"));
                continue;
            }
            if key.is_null() || matches!(key, Value::Uint(_)) && self.bad_key.is_none() {
                self.bad_key = Some(unsupported_key(&key, &value));
            }
            if dropped {
                continue;
            }
            let key = match key {
                Value::Str(text) => text,
                other => key_text(&other),
            };
            entries.insert(key, value);
        }
        self.depth -= 1;
        Ok(())
    }

    /// A key of a mapping and its value.
    fn pair(&self, key: Option<NodeId>) -> Option<(NodeId, NodeId)> {
        Some((key?, self.tree.nodes[key?].next?))
    }

    fn merge(&mut self, id: NodeId, entries: &mut Map, seen: &mut Seen) -> Result<(), Error> {
        if let Kind::Seq { first } = self.tree.nodes[id].kind {
            let wanted = self.wanted.clone();
            let children = std::iter::successors(first, |child| self.tree.nodes[*child].next);
            let children: Vec<NodeId> = children.collect();
            // Earlier ones win, so they go last.
            for child in children.into_iter().rev() {
                self.wanted.clone_from(&wanted);
                self.merge_one(child, entries, seen)?;
            }
            return Ok(());
        }
        self.merge_one(id, entries, seen)
    }

    fn merge_one(&mut self, id: NodeId, entries: &mut Map, seen: &mut Seen) -> Result<(), Error> {
        let target = match &self.tree.nodes[id].kind {
            Kind::Alias { target, .. } => Some(*target),
            _ => None,
        };
        if !matches!(self.tree.nodes[target.unwrap_or(id)].kind, Kind::Map { .. }) {
            return Err(self.content(
                "map merge requires map or sequence of maps as the value".to_owned(),
                id,
            ));
        }
        self.count()?;
        let Some(target) = target else {
            return self.mapping(id, entries, seen);
        };
        self.follow(id)?;
        self.count()?;
        self.mapping(target, entries, seen)?;
        self.following.pop();
        Ok(())
    }

    fn is_merge(&self, id: NodeId) -> bool {
        match &self.tree.nodes[id].kind {
            Kind::Scalar {
                text,
                tag,
                implicit,
            } => text == "<<" && (*implicit || tag.as_deref().and_then(core_tag) == Some("merge")),
            _ => false,
        }
    }

    fn scalar(&mut self, id: NodeId) -> Result<Value, Error> {
        let reached_by_alias = !self.following.is_empty();
        let node = &mut self.tree.nodes[id];
        let Kind::Scalar {
            text,
            tag,
            implicit,
        } = &mut node.kind
        else {
            return Ok(Value::Null);
        };
        let resolved = if tag.is_none() && !*implicit {
            Resolved::Str
        } else {
            resolve(tag.as_deref(), text, Dialect::V2).map_err(|problem| Error::Content {
                problem,
                position: Some(node.position),
            })?
        };
        let exact = self.exact;
        Ok(match resolved {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            Resolved::Int(value) if exact => Value::Int(value),
            Resolved::Int(value) => Value::Float(value as f64),
            Resolved::Uint(value) if exact => Value::Uint(value),
            Resolved::Uint(value) => Value::Float(value as f64),
            Resolved::Float(value) => {
                self.bad_float = self.bad_float.or(number::special(value));
                Value::Float(value)
            }
            Resolved::Str | Resolved::Timestamp | Resolved::Merge => {
                if tag.as_deref().and_then(core_tag) == Some("binary") {
                    return binary(text, node.position);
                }
                if self.tree.aliased {
                    self.alias_bytes += if reached_by_alias { text.len() } else { 0 };
                    if self.alias_bytes > self.options.limits.alias_bytes {
                        return Err(Error::Limit {
                            what: "bytes reached by aliases",
                            limit: self.options.limits.alias_bytes,
                        });
                    }
                    Value::Str(text.clone().into_owned())
                } else {
                    Value::Str(std::mem::take(text).into_owned())
                }
            }
        })
    }

    /// go-yaml's own guard against documents that are mostly aliases.
    fn count(&mut self) -> Result<(), Error> {
        self.nodes += 1;
        if self.following.is_empty() {
            return Ok(());
        }
        self.alias_nodes += 1;
        let share = self.alias_nodes as f64 / self.nodes as f64;
        if self.alias_nodes > 100 && self.nodes > 1_000 && share > allowed_share(self.nodes) {
            return Err(Error::Content {
                problem: "document contains excessive aliasing".to_owned(),
                position: None,
            });
        }
        Ok(())
    }

    fn follow(&mut self, alias: NodeId) -> Result<(), Error> {
        if self.following.contains(&alias) {
            let Kind::Alias { name, .. } = &self.tree.nodes[alias].kind else {
                return Ok(());
            };
            return Err(self.content(format!("anchor '{name}' value contains itself"), alias));
        }
        self.following.push(alias);
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        let limit = self.options.limits.depth;
        if self.depth > limit {
            return Err(Error::Limit {
                what: "levels of nesting",
                limit,
            });
        }
        Ok(())
    }

    fn content(&self, problem: String, id: NodeId) -> Error {
        Error::Content {
            problem,
            position: Some(self.tree.nodes[id].position),
        }
    }
}

/// 99 % of small documents may come from aliases, 10 % of those with more than 4,000,000 nodes.
fn allowed_share(nodes: usize) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let nodes = (nodes as f64).clamp(LOW, HIGH);
    0.99 - 0.89 * ((nodes - LOW) / (HIGH - LOW))
}

fn binary(text: &str, position: Position) -> Result<Value, Error> {
    // Go's decoder skips line breaks.
    let compact: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    match STANDARD.decode(compact) {
        // JSON has no bytes: what is not UTF-8 is replaced on the way.
        Ok(bytes) => Ok(Value::Str(crate::json::utf8_lossy(&bytes).into_owned())),
        Err(_) => Err(Error::Content {
            problem: "!!binary value contains invalid base64 data".to_owned(),
            position: Some(position),
        }),
    }
}

fn discriminant(key: &Value) -> u8 {
    match key {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) => 2,
        Value::Uint(_) => 3,
        Value::Float(_) => 4,
        _ => 5,
    }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Float(value) => number::float_yaml32(*value),
        Value::Str(text) => text.clone(),
        _ => "null".to_owned(),
    }
}

fn unsupported_key(key: &Value, value: &Value) -> String {
    let kind = if key.is_null() {
        "%!s(<nil>)"
    } else {
        "uint64"
    };
    format!(
        "unsupported map key of type: {kind}, key: {}, value: {}",
        gosyntax::value(key),
        gosyntax::value(value)
    )
}
