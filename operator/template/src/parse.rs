//! From tokens to trees: the grammar of text/template, with functions and variables resolved on the way.

mod expr;

use std::ops::Range;

use crate::ast::{Branch, Command, Expr, Invocation, List, Node, NodeId, Tree};
use crate::error::ParseError;
use crate::lex::{Lexer, Token, TokenKind};
use crate::limits::MAX_NESTING;
use crate::literal;
use crate::value::Str;

type Parsed<T> = Result<T, ParseError>;

/// How many of the names met last are looked through for one that comes again.
const NAMES: usize = 64;

/// Parses the text and gives the trees that it defines, its own among them under the text's name.
pub(crate) fn parse(name: &Str, text: &Str) -> Parsed<Vec<Tree>> {
    let dollar = Str::from("$");
    let mut parser = Parser {
        file: name.clone(),
        text: text.clone(),
        lexer: Lexer::new(text),
        tokens: [Token::none(), Token::none(), Token::none()],
        peeked: 0,
        definition: Definition::new(dollar.clone()),
        nesting: 0,
        parentheses: 0,
        next_id: 0,
        names: vec![dollar],
        nodes: Vec::new(),
        commands: Vec::new(),
        operands: Vec::new(),
        fields: Vec::new(),
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
    fn new(dollar: Str) -> Self {
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
    /// Names that were met, so that one that comes again takes no memory of its own.
    names: Vec<Str>,
    /// What the lists that are being read hold so far, the innermost last; see [`taken`].
    nodes: Vec<Node>,
    commands: Vec<Command>,
    operands: Vec<Expr>,
    fields: Vec<Str>,
    trees: Vec<Tree>,
}

/// Takes the finished list off the end.
fn taken<T>(unfinished: &mut Vec<T>, from: usize) -> Box<[T]> {
    unfinished.drain(from..).collect()
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
        self.tokens[self.peeked]
    }

    fn back_up(&mut self) {
        self.peeked += 1;
    }

    fn peek(&mut self) -> Token {
        if self.peeked == 0 {
            self.peeked = 1;
            self.tokens[0] = self.lexer.next();
        }
        self.tokens[self.peeked - 1]
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
        let shown = token.describe(&self.text, self.lexer.fault());
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

    fn slice(&mut self, token: &Token) -> Str {
        self.name(token.span())
    }

    /// The name that stands there.
    fn name(&mut self, span: Range<usize>) -> Str {
        let text = self.text.clone();
        self.known(&text[span])
    }

    /// The text, shared with where it was met before.
    fn known(&mut self, text: &[u8]) -> Str {
        let mut last = self.names.iter().rev().take(NAMES);
        if let Some(known) = last.find(|known| known.as_bytes() == text) {
            return known.clone();
        }
        let new = Str::from(text);
        self.names.push(new.clone());
        new
    }

    fn unquote(&mut self, token: &Token) -> Parsed<Str> {
        match literal::unquote(&self.text[token.span()]) {
            Some(value) => Ok(self.known(&value)),
            None => self.fail("invalid syntax"),
        }
    }

    fn file(&mut self) -> Parsed<()> {
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
                Item::Node(node) => self.nodes.push(node),
                item => return self.fail(format!("unexpected {}", item.describe())),
            }
        }
        let root = taken(&mut self.nodes, 0);
        self.add(self.file.clone(), root)
    }

    fn define(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let outer = self.enter_definition();
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(TokenKind::RightDelim, CONTEXT)?;
        self.definition_body(name, CONTEXT)?;
        self.definition = outer;
        Ok(())
    }

    fn enter_definition(&mut self) -> Definition {
        let dollar = self.known(b"$");
        std::mem::replace(&mut self.definition, Definition::new(dollar))
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
        let from = self.nodes.len();
        while self.peek_non_space().kind != TokenKind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => self.nodes.push(node),
                end => {
                    self.nesting -= 1;
                    return Ok((taken(&mut self.nodes, from), end));
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
            return Ok(Box::new([if kind == TokenKind::If {
                Node::If(branch)
            } else {
                Node::With(branch)
            }]));
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
        let outer = self.enter_definition();
        let line = self.tokens[0].line;
        if let Err(mut error) = self.definition_body(name.clone(), CONTEXT) {
            // Go reads the body with a parser of its own, and still stands here when an {{else}} ends it.
            if error.message.ends_with(CONTEXT) {
                error.line = line;
            }
            return Err(error);
        }
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
}
