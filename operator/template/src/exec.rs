//! Executing a tree: text, control structures and the values of pipelines.

use crate::ast::{Branch, Command, Declared, Expr, ExprKind, Invocation, Node, Number, Pipe};
use crate::render::{Found, Render, Scope, Stop};
use crate::value::{IntKind, Value};

/// How a list of nodes ended.
#[derive(PartialEq, Eq)]
pub(crate) enum Flow {
    Done,
    Break,
    Continue,
}

impl Render<'_> {
    pub(crate) fn list(&mut self, scope: Scope<'_>, nodes: &[Node]) -> Result<Flow, Stop> {
        self.enter()?;
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(span) => {
                    self.write(&scope.tree.text[span.clone()])?;
                    continue;
                }
                Node::Action(pipe) => {
                    let value = self.pipeline(scope, pipe)?;
                    if pipe.declares.is_empty() {
                        self.print(&value)?;
                    }
                    continue;
                }
                Node::If(branch) => {
                    let value = self.pipeline(scope, &branch.pipe)?;
                    self.branch(scope, scope.dot, branch, value.truth())?
                }
                Node::With(branch) => {
                    let value = self.pipeline(scope, &branch.pipe)?;
                    let truth = value.truth();
                    self.branch(scope, &Found::plain(value), branch, truth)?
                }
                Node::Range(branch) => self.range(scope, branch)?,
                Node::Template(call) => {
                    self.invoke(scope, call)?;
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
        scope: Scope<'_>,
        inner: &Found,
        branch: &Branch,
        truth: bool,
    ) -> Result<Flow, Stop> {
        match &branch.otherwise {
            _ if truth => self.list(scope.at(inner), &branch.list),
            Some(list) => self.list(scope, list),
            None => Ok(Flow::Done),
        }
    }

    fn invoke(&mut self, scope: Scope<'_>, call: &Invocation) -> Result<(), Stop> {
        self.at = call.id;
        let Some(called) = self.find(&call.name) else {
            return self.raise(format!(
                "template {} not defined",
                crate::fmt::quoted(&call.name)
            ));
        };
        // The call is what goes too deep, not its argument.
        self.check_depth()?;
        let data = match &call.pipe {
            Some(pipe) => self.pipeline(scope, pipe)?,
            None => Value::Nil,
        };
        self.run(&called, &call.name, &Found::plain(data))
            .map_err(Stop::Failed)
    }

    fn range(&mut self, scope: Scope<'_>, branch: &Branch) -> Result<Flow, Stop> {
        let over = self.pipeline(scope, &branch.pipe)?;
        let int = |i: usize| Found::plain(Value::int(i as i64));
        let mut ran = false;
        match &over {
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
                    if self.iterate(scope, branch, Found::plain(Value::Nil), &item)? == Flow::Break
                    {
                        break;
                    }
                }
            }
            Value::Nil | Value::Int(..) => {}
            Value::List(list) => {
                let any = list.kind().holds_any();
                for (i, item) in list.iter().enumerate() {
                    ran = true;
                    let item = Found {
                        value: item.clone(),
                        any,
                    };
                    if self.iterate(scope, branch, int(i), &item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Bytes(bytes) => {
                for (i, &byte) in bytes.iter().enumerate() {
                    ran = true;
                    let item = Found::plain(Value::Int(IntKind::Uint8, i64::from(byte)));
                    if self.iterate(scope, branch, int(i), &item)? == Flow::Break {
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
                    if self.iterate(scope, branch, Found::plain(Value::Str(key)), &item)?
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
            Some(list) if !ran => self.list(scope, list),
            _ => Ok(Flow::Done),
        }
    }

    fn iterate(
        &mut self,
        scope: Scope<'_>,
        branch: &Branch,
        index: Found,
        item: &Found,
    ) -> Result<Flow, Stop> {
        self.step()?;
        match &branch.pipe.declares[..] {
            [] => {}
            [only] => self.assign(only, item.clone())?,
            [first, second, ..] => {
                self.assign(first, index)?;
                self.assign(second, item.clone())?;
            }
        }
        self.list(scope.at(item), &branch.list)
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

    pub(crate) fn pipeline(&mut self, scope: Scope<'_>, pipe: &Pipe) -> Result<Value, Stop> {
        self.at = pipe.id;
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(scope, command, last)?.value);
        }
        let value = last.unwrap_or_default();
        for variable in &pipe.declares {
            self.assign(variable, Found::plain(value.clone()))?;
        }
        Ok(value)
    }

    fn command(
        &mut self,
        scope: Scope<'_>,
        command: &Command,
        last: Option<Value>,
    ) -> Result<Found, Stop> {
        let word = &command.args[0];
        let args = &command.args[1..];
        match &word.kind {
            ExprKind::Field(fields) => {
                self.at = word.id;
                return self.fields(scope, scope.dot, word, fields, args, last);
            }
            ExprKind::Chain(node, fields) => {
                return self.chain(scope, word, node, fields, args, last);
            }
            ExprKind::Function(function) => {
                self.at = word.id;
                return self
                    .call(scope, function, command.id, None, args, last)
                    .map(Found::plain);
            }
            ExprKind::Pipe(pipe) => {
                self.no_function(scope, word, args, last.as_ref())?;
                self.enter()?;
                let value = self.pipeline(scope, pipe)?;
                self.leave();
                return Ok(Found::plain(value));
            }
            ExprKind::Variable { .. } => return self.variable(scope, word, args, last),
            _ => {}
        }
        self.at = word.id;
        self.no_function(scope, word, args, last.as_ref())?;
        match &word.kind {
            ExprKind::Dot => Ok(scope.dot.clone()),
            ExprKind::Nil => self.raise("nil is not a command"),
            ExprKind::Bool(b) => Ok(Found::plain(Value::Bool(*b))),
            ExprKind::Number(number) => self.constant(scope, number).map(Found::plain),
            ExprKind::Str(_, text) => Ok(Found::plain(Value::Str(text.clone()))),
            _ => self.raise(format!(
                "can't evaluate command {}",
                crate::fmt::quoted(scope.tree.show(word).as_bytes())
            )),
        }
    }

    fn no_function(
        &self,
        scope: Scope<'_>,
        word: &Expr,
        args: &[Expr],
        last: Option<&Value>,
    ) -> Result<(), Stop> {
        if args.is_empty() && last.is_none() {
            return Ok(());
        }
        self.raise(format!(
            "can't give argument to non-function {}",
            scope.tree.show(word)
        ))
    }

    /// A number where any type will do.
    pub(crate) fn constant(&mut self, scope: Scope<'_>, number: &Number) -> Result<Value, Stop> {
        match number {
            Number {
                looks_float: true,
                float: Some(float),
                ..
            } => Ok(Value::Float(*float)),
            Number { int: Some(int), .. } => Ok(Value::int(*int)),
            Number { text, .. } => {
                let text = String::from_utf8_lossy(&scope.tree.text[text.clone()]);
                self.raise(format!("{text} overflows int"))
            }
        }
    }

    pub(crate) fn chain(
        &mut self,
        scope: Scope<'_>,
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
                scope.tree.show(word)
            ));
        }
        let receiver = self.operand(scope, node)?;
        self.fields(scope, &receiver, word, fields, args, last)
    }

    pub(crate) fn variable(
        &mut self,
        scope: Scope<'_>,
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
            self.no_function(scope, word, args, last.as_ref())?;
            return Ok(value);
        }
        self.fields(scope, &value, word, fields, args, last)
    }
}
