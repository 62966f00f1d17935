//! Nodes to values: aliases followed, mappings merged, keys made text.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::compose::{Kind, NodeId, Tree};
use super::resolve::{Dialect, Resolved, core_tag, resolve};
use super::{Numbers, ParseOptions};
use crate::{Error, Map, Position, Value, gosyntax, number};

/// Decodes the tree's root.
pub(crate) fn decode(tree: Tree, options: &ParseOptions) -> Result<Value, Error> {
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

struct Decoder<'o> {
    tree: Tree,
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
}

/// Keys of one mapping that are set already, by type and text: `1` and `"1"` differ until they become JSON.
type Seen = HashSet<(u8, String)>;

impl Decoder<'_> {
    fn node(&mut self, id: NodeId) -> Result<Value, Error> {
        self.count()?;
        match &mut self.tree.nodes[id].kind {
            Kind::Scalar { .. } => self.scalar(id),
            Kind::Alias { target, .. } => {
                let target = *target;
                self.follow(id)?;
                let value = self.node(target)?;
                self.following.pop();
                Ok(value)
            }
            Kind::Seq(children) => {
                let children = take_children(children, self.tree.aliased);
                self.enter()?;
                let items = children
                    .iter()
                    .map(|child| self.node(*child))
                    .collect::<Result<Vec<_>, _>>()?;
                self.depth -= 1;
                Ok(Value::Seq(items))
            }
            Kind::Map(_) => {
                let mut entries = Map::new();
                self.mapping(id, &mut entries, &mut Seen::new())?;
                Ok(Value::Map(entries))
            }
        }
    }

    /// Decodes a key: as it becomes text, its number is never rounded and may be infinite.
    fn key(&mut self, id: NodeId) -> Result<Value, Error> {
        let (exact, bad_float) = (self.exact, self.bad_float);
        self.exact = true;
        let key = self.node(id);
        self.exact = exact;
        self.bad_float = bad_float;
        key
    }

    /// Decodes a mapping into `entries`, which holds what was set or merged before.
    fn mapping(&mut self, id: NodeId, entries: &mut Map, seen: &mut Seen) -> Result<(), Error> {
        let Kind::Map(children) = &mut self.tree.nodes[id].kind else {
            return Ok(());
        };
        let children = take_children(children, self.tree.aliased);
        self.enter()?;
        for pair in children.chunks_exact(2) {
            let (key, item) = (pair[0], pair[1]);
            if self.is_merge(key) {
                self.merge(item, entries, seen)?;
                continue;
            }
            let key = self.key(key)?;
            if matches!(key, Value::Seq(_) | Value::Map(_)) {
                return Err(self.content(
                    format!("invalid map key: {}", gosyntax::value(&key)),
                    pair[0],
                ));
            }
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
            entries.insert(key_text(&key), value);
        }
        self.depth -= 1;
        Ok(())
    }

    fn merge(&mut self, id: NodeId, entries: &mut Map, seen: &mut Seen) -> Result<(), Error> {
        if let Kind::Seq(children) = &mut self.tree.nodes[id].kind {
            let children = take_children(children, self.tree.aliased);
            // Earlier ones win, so they go last.
            for child in children.iter().rev() {
                self.merge_one(*child, entries, seen)?;
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
        if !matches!(self.tree.nodes[target.unwrap_or(id)].kind, Kind::Map(_)) {
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
                    Value::Str(text.clone())
                } else {
                    Value::Str(std::mem::take(text))
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

/// The children of a node, left in place if it may be visited again, even from within.
fn take_children(children: &mut Vec<NodeId>, aliased: bool) -> Vec<NodeId> {
    if aliased {
        children.clone()
    } else {
        std::mem::take(children)
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
