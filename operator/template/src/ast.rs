//! The parsed template: functions and variables are already resolved.

use std::ops::Range;

use crate::call::Function;
use crate::value::Str;

/// Names a node within its tree, so that execution can remember where it is in four bytes.
pub(crate) type NodeId = u32;

/// One template: a file's own, or one that it defines.
pub(crate) struct Tree {
    pub name: Str,
    /// The name of the file that the text came from.
    pub file: Str,
    /// The whole text of that file.
    pub text: Str,
    pub root: List,
    /// How many variables are alive at the same time at most, `$` included.
    pub slots: usize,
    /// Nothing but space and comments: does not replace another definition of its name.
    pub empty: bool,
}

/// Lists of a tree are as long as what they hold: a large chart has ten thousands of them.
pub(crate) type List = Box<[Node]>;

pub(crate) enum Node {
    /// A span of the text.
    Text(Range<usize>),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template(Invocation),
    Break,
    Continue,
}

pub(crate) struct Branch {
    pub pipe: Pipe,
    pub list: List,
    pub otherwise: Option<List>,
}

pub(crate) struct Invocation {
    pub id: NodeId,
    pub pos: usize,
    pub name: Str,
    pub pipe: Option<Pipe>,
}

pub(crate) struct Pipe {
    pub id: NodeId,
    pub pos: usize,
    pub assigns: bool,
    pub declares: Box<[Declared]>,
    pub commands: Box<[Command]>,
}

/// A variable that a pipeline declares or assigns.
pub(crate) struct Declared {
    pub name: Str,
    /// Nothing when a variable is assigned that was never declared.
    pub slot: Option<usize>,
}

pub(crate) struct Command {
    pub id: NodeId,
    pub pos: usize,
    /// Never empty.
    pub args: Box<[Expr]>,
}

pub(crate) struct Expr {
    pub id: NodeId,
    pub pos: usize,
    pub kind: ExprKind,
}

pub(crate) enum ExprKind {
    Dot,
    Nil,
    Bool(bool),
    Number(Box<Number>),
    /// The literal as written, and its value.
    Str(Range<usize>, Str),
    /// `.a.b`
    Field(Box<[Str]>),
    /// `$x.a.b`; without slot: not declared where it is used.
    Variable {
        name: Str,
        slot: Option<usize>,
        fields: Box<[Str]>,
    },
    Function(&'static Function),
    /// `(…).a.b` or `function.a.b`
    Chain(Box<Expr>, Box<[Str]>),
    Pipe(Box<Pipe>),
}

/// A number literal, read as every type that it fits.
pub(crate) struct Number {
    pub text: Range<usize>,
    pub int: Option<i64>,
    pub uint: Option<u64>,
    pub float: Option<f64>,
    /// A float even where any type will do.
    pub looks_float: bool,
}

/// How a node prints in an error.
pub(crate) struct Description {
    pub pos: usize,
    pub shown: String,
}

impl Tree {
    /// Finds the node and prints it as Go does.
    pub fn describe(&self, id: NodeId) -> Option<Description> {
        self.in_list(&self.root, id)
    }

    fn in_list(&self, list: &[Node], id: NodeId) -> Option<Description> {
        list.iter().find_map(|node| match node {
            Node::Text(_) | Node::Break | Node::Continue => None,
            Node::Action(pipe) => self.in_pipe(pipe, id),
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => self
                .in_pipe(&branch.pipe, id)
                .or_else(|| self.in_list(&branch.list, id))
                .or_else(|| self.in_list(branch.otherwise.as_deref()?, id)),
            Node::Template(call) => {
                if call.id != id {
                    return self.in_pipe(call.pipe.as_ref()?, id);
                }
                let mut shown = format!("{{{{template {}", crate::fmt::quoted(&call.name));
                if let Some(pipe) = &call.pipe {
                    shown.push(' ');
                    self.print_pipe(pipe, &mut shown);
                }
                shown.push_str("}}");
                Some(Description {
                    pos: call.pos,
                    shown,
                })
            }
        })
    }

    fn in_pipe(&self, pipe: &Pipe, id: NodeId) -> Option<Description> {
        if pipe.id == id {
            let mut shown = String::new();
            self.print_pipe(pipe, &mut shown);
            return Some(Description {
                pos: pipe.pos,
                shown,
            });
        }
        pipe.commands.iter().find_map(|command| {
            if command.id == id {
                let mut shown = String::new();
                self.print_command(command, &mut shown);
                return Some(Description {
                    pos: command.pos,
                    shown,
                });
            }
            command.args.iter().find_map(|arg| self.in_expr(arg, id))
        })
    }

    fn in_expr(&self, expr: &Expr, id: NodeId) -> Option<Description> {
        if expr.id == id {
            return Some(Description {
                pos: expr.pos,
                shown: self.show(expr),
            });
        }
        match &expr.kind {
            ExprKind::Chain(node, _) => self.in_expr(node, id),
            ExprKind::Pipe(pipe) => self.in_pipe(pipe, id),
            _ => None,
        }
    }

    /// The expression as Go prints it.
    pub fn show(&self, expr: &Expr) -> String {
        let mut shown = String::new();
        self.print_expr(expr, &mut shown);
        shown
    }

    fn source(&self, span: &Range<usize>) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.text[span.clone()])
    }

    fn print_pipe(&self, pipe: &Pipe, out: &mut String) {
        for (i, variable) in pipe.declares.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            out.push_str(&variable.name.to_text());
        }
        if !pipe.declares.is_empty() {
            out.push_str(if pipe.assigns { " = " } else { " := " });
        }
        for (i, command) in pipe.commands.iter().enumerate() {
            if i > 0 {
                out.push_str(" | ");
            }
            self.print_command(command, out);
        }
    }

    fn print_command(&self, command: &Command, out: &mut String) {
        for (i, arg) in command.args.iter().enumerate() {
            if i > 0 {
                out.push(' ');
            }
            self.print_operand(arg, out);
        }
    }

    /// An expression within another: a pipeline is in parentheses.
    fn print_operand(&self, expr: &Expr, out: &mut String) {
        if let ExprKind::Pipe(pipe) = &expr.kind {
            out.push('(');
            self.print_pipe(pipe, out);
            out.push(')');
        } else {
            self.print_expr(expr, out);
        }
    }

    fn print_expr(&self, expr: &Expr, out: &mut String) {
        match &expr.kind {
            ExprKind::Dot => out.push('.'),
            ExprKind::Nil => out.push_str("nil"),
            ExprKind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            ExprKind::Number(number) => out.push_str(&self.source(&number.text)),
            ExprKind::Str(quoted, _) => out.push_str(&self.source(quoted)),
            ExprKind::Field(fields) => print_fields(fields, out),
            ExprKind::Variable { name, fields, .. } => {
                out.push_str(&name.to_text());
                print_fields(fields, out);
            }
            ExprKind::Function(function) => out.push_str(function.name),
            ExprKind::Chain(node, fields) => {
                self.print_operand(node, out);
                print_fields(fields, out);
            }
            ExprKind::Pipe(pipe) => self.print_pipe(pipe, out),
        }
    }
}

fn print_fields(fields: &[Str], out: &mut String) {
    for field in fields {
        out.push('.');
        out.push_str(&field.to_text());
    }
}
