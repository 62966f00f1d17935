//! One render: the state that the templates of one chart share while they execute.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::ast::{NodeId, Tree};
use crate::call::Host;
use crate::error::{ExecError, FuncError, Place};
use crate::limits::{Limits, STEPS_A_LOOK};
use crate::set::{Set, Template};
use crate::value::{Running, Str, Value};

/// How many bytes of texts for `tpl` are kept parsed; they are few in most charts, but a loop can make many.
const MAX_TEXT_BYTES: usize = 4 << 20;

/// What Go prints for a value that is not there. Helm deletes it from every output.
const NO_VALUE: &[u8] = b"<no value>";

/// How a render treats what is missing, and how much it may use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Missing keys are errors instead of no value (Go's `missingkey=error`, which Helm's linter sets).
    pub strict: bool,
    /// `required` and `fail` do not fail, as while linting.
    pub lenient: bool,
    /// The limits of the whole render.
    pub limits: Limits,
}

/// A value in evaluation, with what its static type would be in Go.
#[derive(Clone)]
pub(crate) struct Found {
    pub value: Value,
    /// Its static type is `interface {}`: it came out of a map or list of anything. A nil that is not in an
    /// interface is no value at all; Go's errors tell the two apart.
    pub any: bool,
}

impl Found {
    pub fn plain(value: Value) -> Self {
        Self { value, any: false }
    }
}

/// What evaluation sees: the template that is executing and its dot.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'e> {
    pub tree: &'e Tree,
    pub dot: &'e Found,
}

impl<'e> Scope<'e> {
    /// The same template with another dot.
    pub fn at(self, dot: &'e Found) -> Self {
        Self {
            tree: self.tree,
            dot,
        }
    }
}

/// Why evaluation stops.
pub(crate) enum Stop {
    /// An error of the template that is executing: it still has to learn where.
    Raised(Box<Raised>),
    /// The finished error of a template that this one called.
    Failed(Box<ExecError>),
}

pub(crate) struct Raised {
    at: NodeId,
    message: String,
    source: Option<FuncError>,
}

/// Templates that a text of `tpl` defines, seen only while that text executes.
struct Overlay {
    below: Option<Rc<Overlay>>,
    trees: HashMap<Str, Arc<Tree>>,
}

/// Executes templates of one set one after the other. They share the limits, and the values: what one `set`s,
/// later ones see. When it is dropped, maps that templates put lists or maps into are emptied, so that what holds
/// itself is given back; hold copies of what is needed longer.
///
/// Runs deep recursions: call on a large stack, see [`crate::run_with_stack`].
pub struct Render<'s> {
    set: &'s Set,
    pub(crate) host: &'s mut dyn Host,
    pub(crate) options: Options,
    overlay: Option<Rc<Overlay>>,
    /// Everything written so far; `include` and `tpl` take their part off the end again.
    pub(crate) out: Vec<u8>,
    /// The variables of all templates that are executing; each knows its `base`.
    pub(crate) variables: Vec<Option<Found>>,
    pub(crate) base: usize,
    /// The node that errors name.
    pub(crate) at: NodeId,
    depth: usize,
    steps: u64,
    started: Instant,
    bytes: usize,
    included: HashMap<Str, usize>,
    /// Parsed texts of `tpl`, and their size.
    texts: HashMap<Str, Template>,
    text_bytes: usize,
    /// Argument lists to use again.
    pub(crate) arguments: Vec<Vec<Value>>,
    /// Whether the last nil that was given to one of Go's own functions lay in an interface.
    pub(crate) nil_in_interface: bool,
    _running: Running,
}

impl<'s> Render<'s> {
    /// A render of the set's templates.
    pub fn new(set: &'s Set, host: &'s mut dyn Host, options: Options) -> Self {
        Self {
            set,
            host,
            options,
            overlay: None,
            out: Vec::new(),
            variables: Vec::new(),
            base: 0,
            at: 0,
            depth: 0,
            steps: 0,
            started: Instant::now(),
            bytes: 0,
            included: HashMap::new(),
            texts: HashMap::new(),
            nil_in_interface: false,
            arguments: Vec::new(),
            text_bytes: 0,
            _running: Running::new(),
        }
    }

    /// Executes the template with `data` as its dot and gives what it wrote, without any `<no value>`.
    ///
    /// # Errors
    /// Where and why it failed, in Go's words; [`ExecError::as_helm`] has Helm's.
    pub fn execute(&mut self, name: &str, data: &Value) -> Result<Vec<u8>, Box<ExecError>> {
        let Some(tree) = self.find(name.as_bytes()) else {
            let message = format!(
                "no template {} in the set",
                crate::fmt::quoted(name.as_bytes())
            );
            return Err(Box::new(ExecError {
                template: name.to_owned(),
                place: None,
                message,
                source: None,
            }));
        };
        self.out.clear();
        self.variables.clear();
        self.included.clear();
        self.overlay = None;
        self.depth = 0;
        self.base = 0;
        self.run(&tree, &tree.name, &Found::plain(data.clone()))?;
        Ok(without_no_value(std::mem::take(&mut self.out)))
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<Arc<Tree>> {
        let mut overlay = self.overlay.as_ref();
        while let Some(layer) = overlay {
            if let Some(tree) = layer.trees.get(name) {
                return Some(Arc::clone(tree));
            }
            overlay = layer.below.as_ref();
        }
        self.set.find(name).cloned()
    }

    /// Executes the tree under the name with variables of its own.
    pub(crate) fn run(
        &mut self,
        tree: &Tree,
        name: &[u8],
        dot: &Found,
    ) -> Result<(), Box<ExecError>> {
        let (at, base) = (self.at, self.base);
        self.base = self.variables.len();
        self.variables.resize(self.base + tree.slots, None);
        self.variables[self.base] = Some(dot.clone());
        let outcome = self.list(Scope { tree, dot }, &tree.root);
        self.variables.truncate(self.base);
        self.at = at;
        self.base = base;
        match outcome {
            Ok(_) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Raised(raised)) => Err(Box::new(locate(tree, name, *raised))),
        }
    }

    pub(crate) fn raise<T>(&self, message: impl Into<String>) -> Result<T, Stop> {
        Err(Stop::Raised(Box::new(Raised {
            at: self.at,
            message: message.into(),
            source: None,
        })))
    }

    pub(crate) fn raise_from<T>(&self, message: String, source: FuncError) -> Result<T, Stop> {
        Err(Stop::Raised(Box::new(Raised {
            at: self.at,
            message,
            source: Some(source),
        })))
    }

    pub(crate) fn step(&mut self) -> Result<(), Stop> {
        self.steps += 1;
        if self.steps > self.options.limits.steps {
            return self.raise(format!("exceeded {} steps", self.options.limits.steps));
        }
        if self.steps.is_multiple_of(STEPS_A_LOOK)
            && self.started.elapsed() > self.options.limits.time
        {
            let seconds = self.options.limits.time.as_secs_f64();
            return self.raise(format!("exceeded {seconds} seconds of rendering"));
        }
        Ok(())
    }

    /// One level deeper; [`Render::leave`] after. Errors end the whole execution and need not leave.
    pub(crate) fn enter(&mut self) -> Result<(), Stop> {
        self.check_depth()?;
        self.depth += 1;
        Ok(())
    }

    /// Whether one level more is allowed.
    pub(crate) fn check_depth(&self) -> Result<(), Stop> {
        let limit = self.options.limits.depth;
        if self.depth < limit {
            return Ok(());
        }
        self.raise(format!("exceeded maximum template depth ({limit})"))
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(crate) fn spend(&mut self, bytes: usize) -> Result<(), FuncError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.options.limits.bytes {
            return Err(format!("exceeded {} bytes of output", self.options.limits.bytes).into());
        }
        Ok(())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if let Err(error) = self.spend(bytes.len()) {
            return self.raise(error.to_string());
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn print(&mut self, value: &Value) -> Result<(), Stop> {
        let start = self.out.len();
        match value {
            Value::Nil => self.out.extend_from_slice(NO_VALUE),
            Value::Object(object) => match object.printed() {
                Some(text) => self.out.extend_from_slice(text.as_bytes()),
                None => crate::fmt::write(&mut self.out, value),
            },
            value => crate::fmt::write(&mut self.out, value),
        }
        match self.spend(self.out.len() - start) {
            Ok(()) => Ok(()),
            Err(error) => self.raise(error.to_string()),
        }
    }

    pub(crate) fn include_template(
        &mut self,
        name: &[u8],
        data: &Value,
    ) -> Result<Value, FuncError> {
        let limit = self.options.limits.include;
        match self.included.get_mut(name) {
            Some(count) if *count > limit => {
                let name = String::from_utf8_lossy(name);
                return Err(FuncError::Message(format!(
                    "rendering template has a nested reference name: {name}: unable to execute template"
                )));
            }
            Some(count) => *count += 1,
            None => {
                self.included.insert(Str::from(name), 1);
            }
        }
        let outcome = match self.find(name) {
            Some(tree) => self
                .captured(&tree, name, data)
                .map_err(FuncError::Template),
            None => Err(FuncError::Message(format!(
                "template: no template {} associated with template \"gotpl\"",
                crate::fmt::quoted(name)
            ))),
        };
        if let Some(count) = self.included.get_mut(name) {
            *count -= 1;
        }
        outcome.map(Value::Str)
    }

    fn captured(&mut self, tree: &Tree, name: &[u8], data: &Value) -> Result<Str, Box<ExecError>> {
        let start = self.out.len();
        self.run(tree, name, &Found::plain(data.clone()))?;
        let text = Str::from(&self.out[start..]);
        self.out.truncate(start);
        Ok(text)
    }

    pub(crate) fn execute_text(&mut self, text: &Str, data: &Value) -> Result<Value, FuncError> {
        if !contains(text, b"{{") {
            return Ok(Value::Str(if contains(text, NO_VALUE) {
                without_no_value(text.to_vec()).into()
            } else {
                text.clone()
            }));
        }
        let template = match self.texts.get(text) {
            Some(template) => template.clone(),
            None => match Template::parse("gotpl", text.clone()) {
                Ok(template) => {
                    self.text_bytes += text.len();
                    if self.text_bytes > MAX_TEXT_BYTES {
                        self.texts.clear();
                        self.text_bytes = text.len();
                    }
                    self.texts.insert(text.clone(), template.clone());
                    template
                }
                Err(error) => {
                    let text = crate::fmt::quoted(text);
                    return Err(FuncError::Message(format!(
                        "cannot parse template {text}: {error}"
                    )));
                }
            },
        };
        let below = self.overlay.clone();
        let added = template
            .trees()
            .iter()
            .filter(|tree| !(tree.empty && self.find(&tree.name).is_some()));
        let trees: HashMap<_, _> = added
            .map(|tree| (tree.name.clone(), Arc::clone(tree)))
            .collect();
        self.overlay = Some(Rc::new(Overlay {
            below: below.clone(),
            trees,
        }));
        let main = template.trees().iter().find(|tree| tree.name == tree.file);
        let outcome = match main {
            Some(tree) => self.captured(tree, b"gotpl", data),
            None => Ok(Str::default()),
        };
        self.overlay = below;
        match outcome {
            Ok(output) if contains(&output, NO_VALUE) => {
                Ok(Value::str(without_no_value(output.to_vec())))
            }
            Ok(output) => Ok(Value::Str(output)),
            Err(source) => {
                let context = format!(
                    "error during tpl function execution for {}",
                    crate::fmt::quoted(text)
                );
                Err(FuncError::Context { context, source })
            }
        }
    }
}

fn locate(tree: &Tree, name: &[u8], raised: Raised) -> ExecError {
    let place = tree.describe(raised.at).map(|node| {
        let before = &tree.text[..node.pos];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let column = before.iter().rev().take_while(|&&b| b != b'\n').count();
        Place {
            location: format!("{}:{line}:{column}", tree.file.to_text()),
            node: node.shown,
        }
    });
    ExecError {
        template: String::from_utf8_lossy(name).into_owned(),
        place,
        message: raised.message,
        source: raised.source,
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

/// Deletes every `<no value>`, whoever wrote it.
fn without_no_value(text: Vec<u8>) -> Vec<u8> {
    if !contains(&text, NO_VALUE) {
        return text;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_slice();
    while let Some(at) = memchr::memmem::find(rest, NO_VALUE) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + NO_VALUE.len()..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests;
