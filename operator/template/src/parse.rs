//! From tokens to trees: the grammar of text/template, with functions and variables resolved on the way.

use crate::ast::{
    Branch, Command, Declared, Expr, ExprKind, Invocation, List, Node, NodeId, Pipe, Tree,
};
use crate::error::ParseError;
use crate::lex::{Lexer, Token, TokenKind};
use crate::limits::MAX_NESTING;
use crate::value::Str;
use crate::{literal, registry};

type Parsed<T> = Result<T, ParseError>;

/// Parses the text and gives the trees that it defines, its own among them under the text's name.
pub(crate) fn parse(name: &Str, text: &Str) -> Parsed<Vec<Tree>> {
    let mut parser = Parser {
        file: name.clone(),
        text: text.clone(),
        lexer: Lexer::new(text),
        tokens: [Token::none(), Token::none(), Token::none()],
        peeked: 0,
        definition: Definition::new(),
        nesting: 0,
        parentheses: 0,
        next_id: 0,
        trees: Vec::new(),
    };
    parser.file()?;
    Ok(parser.trees)
}

/// What belongs to one definition, as variables do.
struct Definition {
    /// All names that were declared or assigned, in or out of reach: only others are an error while parsing.
    names: Vec<Str>,
    /// The variables that are alive; a variable's slot is its place here.
    alive: Vec<Str>,
    slots: usize,
    action_line: usize,
    range_depth: usize,
}

impl Definition {
    fn new() -> Self {
        let dollar = Str::from("$");
        Self {
            names: vec![dollar.clone()],
            alive: vec![dollar],
            slots: 1,
            action_line: 0,
            range_depth: 0,
        }
    }
}

struct Parser<'t> {
    file: Str,
    text: Str,
    lexer: Lexer<'t>,
    /// Go looks ahead by three tokens; the first is the newest and gives errors their line.
    tokens: [Token; 3],
    peeked: usize,
    definition: Definition,
    nesting: usize,
    parentheses: usize,
    next_id: NodeId,
    trees: Vec<Tree>,
}

/// What stands between two actions, or ends a list.
enum Item {
    Node(Node),
    End,
    Else,
}

impl Item {
    fn describe(&self) -> &'static str {
        match self {
            Self::Else => "{{else}}",
            _ => "{{end}}",
        }
    }
}

impl Token {
    fn none() -> Self {
        Self {
            kind: TokenKind::Eof,
            start: 0,
            end: 0,
            line: 0,
            error: None,
        }
    }
}

impl Parser<'_> {
    fn next(&mut self) -> Token {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.lexer.next();
        }
        self.tokens[self.peeked].clone()
    }

    fn back_up(&mut self) {
        self.peeked += 1;
    }

    fn peek(&mut self) -> &Token {
        if self.peeked == 0 {
            self.peeked = 1;
            self.tokens[0] = self.lexer.next();
        }
        &self.tokens[self.peeked - 1]
    }

    fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.back_up();
        token
    }

    fn id(&mut self) -> NodeId {
        self.next_id += 1;
        self.next_id
    }

    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(ParseError {
            name: self.file.to_text().into_owned(),
            line: self.tokens[0].line,
            message: message.into(),
        })
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Parsed<T> {
        let shown = token.describe(&self.text);
        if token.kind != TokenKind::Error {
            return self.fail(format!("unexpected {shown} in {context}"));
        }
        let began = self.definition.action_line;
        if began == 0 || began == token.line {
            return self.fail(shown);
        }
        let action = if shown.ends_with(" action") {
            ""
        } else {
            " in action"
        };
        self.fail(format!(
            "{shown}{action} started at {}:{began}",
            self.file.to_text()
        ))
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Parsed<Token> {
        let token = self.next_non_space();
        if token.kind == kind {
            Ok(token)
        } else {
            self.unexpected(&token, context)
        }
    }

    fn slice(&self, token: &Token) -> Str {
        Str::from(&self.text[token.span()])
    }

    fn unquote(&self, token: &Token) -> Parsed<Str> {
        match literal::unquote(&self.text[token.span()]) {
            Some(value) => Ok(Str::from(value)),
            None => self.fail("invalid syntax"),
        }
    }

    fn file(&mut self) -> Parsed<()> {
        let mut root = Vec::new();
        loop {
            match self.peek().kind {
                TokenKind::Eof => break,
                TokenKind::LeftDelim => {
                    let delim = self.next();
                    if self.next_non_space().kind == TokenKind::Define {
                        self.define()?;
                        continue;
                    }
                    self.tokens[1] = delim;
                    self.peeked = 2;
                }
                _ => {}
            }
            match self.text_or_action()? {
                Item::Node(node) => root.push(node),
                item => return self.fail(format!("unexpected {}", item.describe())),
            }
        }
        self.add(self.file.clone(), root)
    }

    fn define(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let outer = std::mem::replace(&mut self.definition, Definition::new());
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(TokenKind::RightDelim, CONTEXT)?;
        self.definition_body(name, CONTEXT)?;
        self.definition = outer;
        Ok(())
    }

    fn definition_body(&mut self, name: Str, context: &str) -> Parsed<()> {
        let (root, end) = self.item_list()?;
        if !matches!(end, Item::End) {
            return self.fail(format!("unexpected {} in {context}", end.describe()));
        }
        self.add(name, root)
    }

    /// Within one text a name may be defined once; empty definitions do not count.
    fn add(&mut self, name: Str, root: List) -> Parsed<()> {
        let empty = root.iter().all(|node| match node {
            Node::Text(span) => self.text[span.clone()].trim_ascii().is_empty(),
            _ => false,
        });
        let old = self.trees.iter().position(|tree| tree.name == name);
        let tree = Tree {
            name,
            file: self.file.clone(),
            text: self.text.clone(),
            root,
            slots: self.definition.slots,
            empty,
        };
        match old {
            None => self.trees.push(tree),
            Some(index) if self.trees[index].empty => self.trees[index] = tree,
            Some(_) if empty => {}
            Some(_) => {
                let name = crate::fmt::quoted(&tree.name);
                return self.fail(format!("template: multiple definition of template {name}"));
            }
        }
        Ok(())
    }

    fn item_list(&mut self) -> Parsed<(List, Item)> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return self.fail("control structures are nested too deeply");
        }
        let mut list = Vec::new();
        while self.peek_non_space().kind != TokenKind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => list.push(node),
                end => {
                    self.nesting -= 1;
                    return Ok((list, end));
                }
            }
        }
        self.fail("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => Ok(Item::Node(Node::Text(token.span()))),
            TokenKind::LeftDelim => {
                self.definition.action_line = token.line;
                let item = self.action();
                self.definition.action_line = 0;
                item
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let node = match self.next_non_space().kind {
            TokenKind::Block => self.block()?,
            TokenKind::Break => self.loop_control("{{break}}", Node::Break)?,
            TokenKind::Continue => self.loop_control("{{continue}}", Node::Continue)?,
            TokenKind::Else => {
                // "else if" and "else with" leave their keyword to the control around them.
                if !matches!(self.peek_non_space().kind, TokenKind::If | TokenKind::With) {
                    self.expect(TokenKind::RightDelim, "else")?;
                }
                return Ok(Item::Else);
            }
            TokenKind::End => {
                self.expect(TokenKind::RightDelim, "end")?;
                return Ok(Item::End);
            }
            TokenKind::If => Node::If(self.control(TokenKind::If)?),
            TokenKind::Range => Node::Range(self.control(TokenKind::Range)?),
            TokenKind::With => Node::With(self.control(TokenKind::With)?),
            TokenKind::Template => self.template()?,
            _ => {
                self.back_up();
                Node::Action(self.pipeline("command", TokenKind::RightDelim)?)
            }
        };
        Ok(Item::Node(node))
    }

    fn loop_control(&mut self, shown: &str, node: Node) -> Parsed<Node> {
        self.expect(TokenKind::RightDelim, shown)?;
        if self.definition.range_depth == 0 {
            return self.fail(format!("{shown} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    fn control(&mut self, kind: TokenKind) -> Parsed<Branch> {
        let context = match kind {
            TokenKind::If => "if",
            TokenKind::Range => "range",
            _ => "with",
        };
        let names = self.definition.names.len();
        let alive = self.definition.alive.len();
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        self.definition.range_depth += usize::from(kind == TokenKind::Range);
        let (list, end) = self.item_list()?;
        self.definition.range_depth -= usize::from(kind == TokenKind::Range);
        let otherwise = match end {
            Item::Else => Some(self.otherwise(kind)?),
            _ => None,
        };
        self.definition.names.truncate(names);
        self.definition.alive.truncate(alive);
        Ok(Branch {
            pipe,
            list,
            otherwise,
        })
    }

    fn otherwise(&mut self, kind: TokenKind) -> Parsed<List> {
        if kind != TokenKind::Range && self.peek().kind == kind {
            self.next();
            self.nesting += 1;
            if self.nesting > MAX_NESTING {
                return self.fail("control structures are nested too deeply");
            }
            let branch = self.control(kind)?;
            self.nesting -= 1;
            return Ok(vec![if kind == TokenKind::If {
                Node::If(branch)
            } else {
                Node::With(branch)
            }]);
        }
        let (list, end) = self.item_list()?;
        if !matches!(end, Item::End) {
            return self.fail(format!("expected end; found {}", end.describe()));
        }
        Ok(list)
    }

    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, TokenKind::RightDelim)?;
        let outer = std::mem::replace(&mut self.definition, Definition::new());
        self.definition_body(name.clone(), CONTEXT)?;
        self.definition = outer;
        Ok(Node::Template(Invocation {
            id: self.id(),
            pos: token.start,
            name,
            pipe: Some(pipe),
        }))
    }

    fn template(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().kind != TokenKind::RightDelim {
            self.back_up();
            pipe = Some(self.pipeline(CONTEXT, TokenKind::RightDelim)?);
        }
        Ok(Node::Template(Invocation {
            id: self.id(),
            pos: token.start,
            name,
            pipe,
        }))
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Parsed<Str> {
        match token.kind {
            TokenKind::String | TokenKind::RawString => self.unquote(token),
            _ => self.unexpected(token, context),
        }
    }

    fn pipeline(&mut self, context: &'static str, end: TokenKind) -> Parsed<Pipe> {
        let pos = self.peek_non_space().start;
        let id = self.id();
        let (variables, assigns) = self.declarations(context)?;
        let mut commands = Vec::new();
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
                    commands.push(self.command()?);
                }
                _ => return self.unexpected(&token, context),
            }
        }
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
            let after = self.peek().clone();
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
        let mut args = Vec::new();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                args.push(operand);
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
        let mut chain = Vec::new();
        while self.peek().kind == TokenKind::Field {
            let token = self.next();
            chain.push(Str::from(&self.text[token.start + 1..token.end]));
        }
        match &mut term.kind {
            ExprKind::Field(fields) | ExprKind::Variable { fields, .. } => {
                fields.append(&mut chain);
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
                    fields: Vec::new(),
                }
            }
            TokenKind::Field => {
                ExprKind::Field(vec![Str::from(&self.text[token.start + 1..token.end])])
            }
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
