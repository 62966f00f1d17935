//! Executing a tree: text, control structures and the values of pipelines.

use crate::ast::{Branch, Command, Declared, Expr, ExprKind, Invocation, Node, Number, Pipe, Tree};
use crate::render::{Found, Render, Stop};
use crate::value::{IntKind, Value};

/// How a list of nodes ended.
#[derive(PartialEq, Eq)]
pub(crate) enum Flow {
    Done,
    Break,
    Continue,
}

impl Render<'_> {
    pub(crate) fn list(&mut self, tree: &Tree, dot: &Found, nodes: &[Node]) -> Result<Flow, Stop> {
        self.enter()?;
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(span) => {
                    self.write(&tree.text[span.clone()])?;
                    continue;
                }
                Node::Action(pipe) => {
                    let value = self.pipeline(tree, dot, pipe)?;
                    if pipe.declares.is_empty() {
                        self.print(&value)?;
                    }
                    continue;
                }
                Node::If(branch) => {
                    let value = self.pipeline(tree, dot, &branch.pipe)?;
                    self.branch(tree, dot, dot, branch, value.truth())?
                }
                Node::With(branch) => {
                    let value = self.pipeline(tree, dot, &branch.pipe)?;
                    let truth = value.truth();
                    self.branch(tree, dot, &Found::plain(value), branch, truth)?
                }
                Node::Range(branch) => self.range(tree, dot, branch)?,
                Node::Template(call) => {
                    self.invoke(tree, dot, call)?;
                    continue;
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Done {
                self.leave();
                return Ok(flow);
            }
        }
        self.leave();
        Ok(Flow::Done)
    }

    fn branch(
        &mut self,
        tree: &Tree,
        dot: &Found,
        inner: &Found,
        branch: &Branch,
        truth: bool,
    ) -> Result<Flow, Stop> {
        match &branch.otherwise {
            _ if truth => self.list(tree, inner, &branch.list),
            Some(list) => self.list(tree, dot, list),
            None => Ok(Flow::Done),
        }
    }

    fn invoke(&mut self, tree: &Tree, dot: &Found, call: &Invocation) -> Result<(), Stop> {
        self.at = call.id;
        let Some(called) = self.find(&call.name) else {
            return self.raise(format!(
                "template {} not defined",
                crate::fmt::quoted(&call.name)
            ));
        };
        let data = match &call.pipe {
            Some(pipe) => self.pipeline(tree, dot, pipe)?,
            None => Value::Nil,
        };
        self.run(&called, &call.name, Found::plain(data))
            .map_err(Stop::Failed)
    }

    fn range(&mut self, tree: &Tree, dot: &Found, branch: &Branch) -> Result<Flow, Stop> {
        let over = self.pipeline(tree, dot, &branch.pipe)?;
        let int = |i: usize| Found::plain(Value::int(i as i64));
        let mut ran = false;
        match &over {
            Value::Nil => {}
            Value::Int(kind, count)
                if !matches!(kind, IntKind::Duration | IntKind::Month | IntKind::Weekday)
                    || *count >= 0 =>
            {
                if branch.pipe.declares.len() > 1 {
                    let shown = String::from_utf8_lossy(&crate::fmt::display(&over)).into_owned();
                    return self.raise(format!(
                        "can't use {shown} to iterate over more than one variable"
                    ));
                }
                for number in 0..*count {
                    ran = true;
                    let item = Found::plain(Value::Int(*kind, number));
                    if self.iterate(tree, branch, Found::plain(Value::Nil), item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Int(..) => {}
            Value::List(list) => {
                let any = list.kind().holds_any();
                for (i, item) in list.iter().enumerate() {
                    ran = true;
                    let item = Found {
                        value: item.clone(),
                        any,
                    };
                    if self.iterate(tree, branch, int(i), item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Bytes(bytes) => {
                for (i, &byte) in bytes.iter().enumerate() {
                    ran = true;
                    let item = Found::plain(Value::Int(IntKind::Uint8, i64::from(byte)));
                    if self.iterate(tree, branch, int(i), item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let any = map.kind().holds_any();
                // The body may change the map: it sees what was there when it began.
                for (key, value) in map.snapshot() {
                    ran = true;
                    let item = Found { value, any };
                    if self.iterate(tree, branch, Found::plain(Value::Str(key)), item)?
                        == Flow::Break
                    {
                        break;
                    }
                }
            }
            other => {
                let shown = String::from_utf8_lossy(&crate::fmt::display(other)).into_owned();
                return self.raise(format!("range can't iterate over {shown}"));
            }
        }
        match &branch.otherwise {
            Some(list) if !ran => self.list(tree, dot, list),
            _ => Ok(Flow::Done),
        }
    }

    fn iterate(
        &mut self,
        tree: &Tree,
        branch: &Branch,
        index: Found,
        item: Found,
    ) -> Result<Flow, Stop> {
        self.step()?;
        match branch.pipe.declares.as_slice() {
            [] => {}
            [only] => self.assign(only, item.clone())?,
            [first, second, ..] => {
                self.assign(first, index)?;
                self.assign(second, item.clone())?;
            }
        }
        self.list(tree, &item, &branch.list)
    }

    fn assign(&mut self, variable: &Declared, value: Found) -> Result<(), Stop> {
        match variable
            .slot
            .and_then(|slot| self.variables.get_mut(self.base + slot))
        {
            Some(place) => {
                *place = Some(value);
                Ok(())
            }
            None => self.raise(format!("undefined variable: {}", variable.name.to_text())),
        }
    }

    pub(crate) fn pipeline(
        &mut self,
        tree: &Tree,
        dot: &Found,
        pipe: &Pipe,
    ) -> Result<Value, Stop> {
        self.at = pipe.id;
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(tree, dot, command, last)?.value);
        }
        let value = last.unwrap_or_default();
        for variable in &pipe.declares {
            self.assign(variable, Found::plain(value.clone()))?;
        }
        Ok(value)
    }

    fn command(
        &mut self,
        tree: &Tree,
        dot: &Found,
        command: &Command,
        last: Option<Value>,
    ) -> Result<Found, Stop> {
        let word = &command.args[0];
        let args = &command.args[1..];
        match &word.kind {
            ExprKind::Field(fields) => {
                self.at = word.id;
                return self.fields(tree, dot, dot, word, fields, args, last);
            }
            ExprKind::Chain(node, fields) => {
                return self.chain(tree, dot, word, node, fields, args, last);
            }
            ExprKind::Function(function) => {
                self.at = word.id;
                return self
                    .call(tree, dot, function, command.id, None, args, last)
                    .map(Found::plain);
            }
            ExprKind::Pipe(pipe) => {
                self.no_function(tree, word, args, last.as_ref())?;
                self.enter()?;
                let value = self.pipeline(tree, dot, pipe)?;
                self.leave();
                return Ok(Found::plain(value));
            }
            ExprKind::Variable { .. } => return self.variable(tree, dot, word, args, last),
            _ => {}
        }
        self.at = word.id;
        self.no_function(tree, word, args, last.as_ref())?;
        match &word.kind {
            ExprKind::Dot => Ok(dot.clone()),
            ExprKind::Nil => self.raise("nil is not a command"),
            ExprKind::Bool(b) => Ok(Found::plain(Value::Bool(*b))),
            ExprKind::Number(number) => self.constant(tree, number).map(Found::plain),
            ExprKind::Str(_, text) => Ok(Found::plain(Value::Str(text.clone()))),
            _ => self.raise(format!(
                "can't evaluate command {}",
                crate::fmt::quoted(tree.show(word).as_bytes())
            )),
        }
    }

    fn no_function(
        &self,
        tree: &Tree,
        word: &Expr,
        args: &[Expr],
        last: Option<&Value>,
    ) -> Result<(), Stop> {
        if args.is_empty() && last.is_none() {
            return Ok(());
        }
        self.raise(format!(
            "can't give argument to non-function {}",
            tree.show(word)
        ))
    }

    /// A number where any type will do.
    pub(crate) fn constant(&mut self, tree: &Tree, number: &Number) -> Result<Value, Stop> {
        match number {
            Number {
                looks_float: true,
                float: Some(float),
                ..
            } => Ok(Value::Float(*float)),
            Number { int: Some(int), .. } => Ok(Value::int(*int)),
            Number { text, .. } => {
                let text = String::from_utf8_lossy(&tree.text[text.clone()]);
                self.raise(format!("{text} overflows int"))
            }
        }
    }

    pub(crate) fn chain(
        &mut self,
        tree: &Tree,
        dot: &Found,
        word: &Expr,
        node: &Expr,
        fields: &[crate::Str],
        args: &[Expr],
        last: Option<Value>,
    ) -> Result<Found, Stop> {
        self.at = word.id;
        if matches!(node.kind, ExprKind::Nil) {
            return self.raise(format!(
                "indirection through explicit nil in {}",
                tree.show(word)
            ));
        }
        let receiver = self.operand(tree, dot, node)?;
        self.fields(tree, dot, &receiver, word, fields, args, last)
    }

    pub(crate) fn variable(
        &mut self,
        tree: &Tree,
        dot: &Found,
        word: &Expr,
        args: &[Expr],
        last: Option<Value>,
    ) -> Result<Found, Stop> {
        self.at = word.id;
        let ExprKind::Variable { name, slot, fields } = &word.kind else {
            return self.raise("not a variable");
        };
        let place = slot.and_then(|slot| self.variables.get(self.base + slot));
        let Some(value) = place.cloned().flatten() else {
            return self.raise(format!("undefined variable: {}", name.to_text()));
        };
        if fields.is_empty() {
            self.no_function(tree, word, args, last.as_ref())?;
            return Ok(value);
        }
        self.fields(tree, dot, &value, word, fields, args, last)
    }
}
