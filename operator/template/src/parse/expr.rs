//! Pipelines, commands and their operands.

use super::{Parsed, Parser, taken};
use crate::ast::{Command, Declared, Expr, ExprKind, Pipe};
use crate::lex::TokenKind;
use crate::limits::MAX_NESTING;
use crate::value::Str;
use crate::{literal, registry};

impl Parser<'_> {
    pub(super) fn pipeline(&mut self, context: &'static str, end: TokenKind) -> Parsed<Pipe> {
        let pos = self.peek_non_space().start;
        let id = self.id();
        let (variables, assigns) = self.declarations(context)?;
        let from = self.commands.len();
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                TokenKind::Bool
                | TokenKind::CharConstant
                | TokenKind::Complex
                | TokenKind::Dot
                | TokenKind::Field
                | TokenKind::Identifier
                | TokenKind::Number
                | TokenKind::Nil
                | TokenKind::RawString
                | TokenKind::String
                | TokenKind::Variable
                | TokenKind::LeftParen => {
                    self.back_up();
                    let command = self.command()?;
                    self.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
        let commands = taken(&mut self.commands, from);
        if commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        let literal = |command: &Command| {
            use ExprKind::{Bool, Dot, Nil, Number, Str};
            matches!(
                command.args[0].kind,
                Bool(_) | Dot | Nil | Number(_) | Str(..)
            )
        };
        if let Some(stage) = commands.iter().skip(1).position(literal) {
            return self.fail(format!(
                "non executable command in pipeline stage {}",
                stage + 2
            ));
        }
        let declares = variables
            .into_iter()
            .map(|name| self.declare(name, assigns))
            .collect();
        Ok(Pipe {
            id,
            pos,
            assigns,
            declares,
            commands,
        })
    }

    fn declare(&mut self, name: Str, assigns: bool) -> Declared {
        if assigns {
            let slot = self.slot(&name);
            return Declared { name, slot };
        }
        let alive = &mut self.definition.alive;
        let slot = Some(alive.len());
        alive.push(name.clone());
        self.definition.slots = self.definition.slots.max(alive.len());
        Declared { name, slot }
    }

    fn slot(&self, name: &[u8]) -> Option<usize> {
        self.definition
            .alive
            .iter()
            .rposition(|alive| alive.as_bytes() == name)
    }

    /// `$x :=`, `$x =` or in a range `$i, $x :=`. Variables come alive after the pipeline, not in it.
    fn declarations(&mut self, context: &str) -> Parsed<(Vec<Str>, bool)> {
        let mut variables = Vec::new();
        let mut assigns = false;
        while self.peek_non_space().kind == TokenKind::Variable {
            let variable = self.next_non_space();
            // "$x foo" needs the token after the variable, its space, and the variable back.
            let after = self.peek();
            let next = self.peek_non_space();
            let comma = next.kind == TokenKind::Char && &self.text[next.span()] == b",";
            match next.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    assigns = next.kind == TokenKind::Assign;
                    self.next_non_space();
                    let name = self.slice(&variable);
                    variables.push(name.clone());
                    self.definition.names.push(name);
                    break;
                }
                _ if comma => {
                    self.next_non_space();
                    let name = self.slice(&variable);
                    variables.push(name.clone());
                    self.definition.names.push(name);
                    if context != "range" || variables.len() >= 2 {
                        return self.fail(format!("too many declarations in {context}"));
                    }
                    let kind = self.peek_non_space().kind;
                    if !matches!(
                        kind,
                        TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen
                    ) {
                        return self.fail("range can only initialize variables");
                    }
                }
                _ if after.kind == TokenKind::Space => {
                    self.tokens[1] = after;
                    self.tokens[2] = variable;
                    self.peeked = 3;
                    break;
                }
                _ => {
                    self.tokens[1] = variable;
                    self.peeked = 2;
                    break;
                }
            }
        }
        Ok((variables, assigns))
    }

    fn command(&mut self) -> Parsed<Command> {
        let pos = self.peek_non_space().start;
        let id = self.id();
        let from = self.operands.len();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                self.operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                TokenKind::Space => continue,
                TokenKind::RightDelim | TokenKind::RightParen => self.back_up(),
                TokenKind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        let args = taken(&mut self.operands, from);
        if args.is_empty() {
            return self.fail("empty command");
        }
        Ok(Command { id, pos, args })
    }

    fn operand(&mut self) -> Parsed<Option<Expr>> {
        let Some(mut term) = self.term()? else {
            return Ok(None);
        };
        if self.peek().kind != TokenKind::Field {
            return Ok(Some(term));
        }
        let pos = self.peek().start;
        let from = self.fields.len();
        if let ExprKind::Field(first) = &mut term.kind {
            self.fields.extend(std::mem::take(first));
        }
        while self.peek().kind == TokenKind::Field {
            let token = self.next();
            let name = self.name(token.start + 1..token.end);
            self.fields.push(name);
        }
        let chain = taken(&mut self.fields, from);
        match &mut term.kind {
            ExprKind::Field(fields) | ExprKind::Variable { fields, .. } => {
                *fields = chain;
                term.pos = pos; // Go names the place of the second field
            }
            ExprKind::Bool(_)
            | ExprKind::Str(..)
            | ExprKind::Number(_)
            | ExprKind::Nil
            | ExprKind::Dot => {
                let text = match &term.kind {
                    ExprKind::Str(span, _) => self.text[span.clone()].to_vec(),
                    ExprKind::Number(number) => self.text[number.text.clone()].to_vec(),
                    ExprKind::Bool(b) => b.to_string().into_bytes(),
                    ExprKind::Nil => b"nil".to_vec(),
                    _ => b".".to_vec(),
                };
                return self.fail(format!(
                    "unexpected . after term {}",
                    crate::fmt::quoted(&text)
                ));
            }
            _ => {
                let id = self.id();
                term = Expr {
                    id,
                    pos,
                    kind: ExprKind::Chain(Box::new(term), chain),
                };
            }
        }
        Ok(Some(term))
    }

    fn term(&mut self) -> Parsed<Option<Expr>> {
        let token = self.next_non_space();
        let span = token.span();
        let kind = match token.kind {
            TokenKind::Identifier => {
                let name = &self.text[span];
                match registry::find(name) {
                    Some(function) => ExprKind::Function(function),
                    None => {
                        return self
                            .fail(format!("function {} not defined", crate::fmt::quoted(name)));
                    }
                }
            }
            TokenKind::Dot => ExprKind::Dot,
            TokenKind::Nil => ExprKind::Nil,
            TokenKind::Variable => {
                let name = self.slice(&token);
                if !self.definition.names.contains(&name) {
                    return self.fail(format!("undefined variable {}", crate::fmt::quoted(&name)));
                }
                let slot = self.slot(&name);
                ExprKind::Variable {
                    name,
                    slot,
                    fields: Box::default(),
                }
            }
            TokenKind::Field => ExprKind::Field(Box::new([self.name(token.start + 1..token.end)])),
            TokenKind::Bool => ExprKind::Bool(&self.text[span] == b"true"),
            TokenKind::CharConstant => match literal::character(&self.text[span.clone()], span) {
                Ok(number) => ExprKind::Number(Box::new(number)),
                Err(message) => return self.fail(message),
            },
            TokenKind::Complex | TokenKind::Number => {
                match literal::number(&String::from_utf8_lossy(&self.text[span.clone()]), span) {
                    Ok(number) => ExprKind::Number(Box::new(number)),
                    Err(message) => return self.fail(message),
                }
            }
            TokenKind::LeftParen => {
                if self.parentheses >= MAX_NESTING {
                    return self.fail("max expression depth exceeded");
                }
                self.parentheses += 1;
                let pipe = self.pipeline("parenthesized pipeline", TokenKind::RightParen)?;
                self.parentheses -= 1;
                let (id, pos) = (pipe.id, pipe.pos);
                return Ok(Some(Expr {
                    id,
                    pos,
                    kind: ExprKind::Pipe(Box::new(pipe)),
                }));
            }
            TokenKind::String | TokenKind::RawString => {
                let value = self.unquote(&token)?;
                ExprKind::Str(span, value)
            }
            _ => {
                self.back_up();
                return Ok(None);
            }
        };
        Ok(Some(Expr {
            id: self.id(),
            pos: token.start,
            kind,
        }))
    }
}
