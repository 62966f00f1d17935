//! The second template language: files that end in `.hbs`.
//!
//! They see the same root object as Go templates (`{{Values.image.tag}}`, `{{Release.Name}}`), nothing is escaped, a
//! missing value is empty, and an unknown helper is an error. `Files` holds the files as text. Files whose name begins
//! with `_` are partials, called by their name without `_` and `.hbs`. Besides the language's own helpers there are some
//! of Helm's, with Helm's order of arguments: `toYaml`, `toJson`, `indent`, `nindent`, `quote`, `default`, `b64enc`,
//! `has`, and `include`, which calls a definition of a Go template.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, Sender, channel};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use belay_template::convert::{from_data, to_data};
use belay_template::{FuncError, Map, Render, Value, run_with_stack};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, JsonRender, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::Value as Json;

use crate::compiled::HANDLEBARS;
use crate::error::ChartError;
use crate::file::File;

/// The Handlebars templates of a chart.
pub(crate) struct Dialect {
    registry: Handlebars<'static>,
}

impl Dialect {
    /// Parses the templates, given by full name.
    pub(crate) fn parse<'t>(
        templates: impl Iterator<Item = (&'t str, &'t File)>,
    ) -> Result<Self, ChartError> {
        let mut registry = Handlebars::new();
        registry.register_escape_fn(handlebars::no_escape);
        for (name, run) in HELPERS {
            registry.register_helper(name, Box::new(Plain { name, run }));
        }
        registry.register_helper("include", Box::new(Include));
        for (name, file) in templates {
            registry
                .register_template_string(name, file.text())
                .map_err(|error| {
                    let (line, column) = error.pos().unwrap_or((1, 1));
                    broken("parse", name, line, column, error.reason().to_string())
                })?;
            let partial = file
                .base_name()
                .strip_prefix('_')
                .and_then(|base| base.strip_suffix(HANDLEBARS));
            if let (Some(partial), Some(template)) = (partial, registry.get_template(name).cloned())
            {
                registry.register_template(partial, template);
            }
        }
        Ok(Self { registry })
    }

    /// Renders one template. What it includes of Go's templates is executed by `render`.
    pub(crate) fn render(
        &self,
        name: &str,
        data: &Value,
        render: &mut Render<'_>,
    ) -> Result<String, ChartError> {
        let context =
            json(data).map_err(|error| broken("execution", name, 1, 1, error.to_string()))?;
        let context = Context::from(context);
        // Values of Go templates stay on their thread; Handlebars runs on another and asks for what it includes.
        let (asks, asked) = channel::<Ask>();
        let (answers, answered) = channel();
        std::thread::scope(|scope| {
            let work = scope.spawn(move || {
                let link = Link { asks, answered };
                run_with_stack(move || {
                    LINK.with_borrow_mut(|slot| *slot = Some(link));
                    self.registry.render_with_context(name, &context)
                })
            });
            for ask in asked {
                let own = ask
                    .data
                    .as_ref()
                    .map(|json| from_data(&belay_yaml::from_serde(json)));
                let output = render.execute(&ask.name, own.as_ref().unwrap_or(data));
                let answer = match output {
                    Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
                    Err(error) => Err(error.to_string()),
                };
                if answers.send(answer).is_err() {
                    break;
                }
            }
            match work.join() {
                Ok(Ok(result)) => result.map_err(|error| failed(name, &error)),
                Ok(Err(error)) => Err(ChartError::Broken(error.to_string())),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

fn failed(name: &str, error: &RenderError) -> ChartError {
    let (line, column) = (error.line_no.unwrap_or(1), error.column_no.unwrap_or(1));
    let file = error.template_name.as_deref().unwrap_or(name);
    broken("execution", file, line, column, error.reason().to_string())
}

fn broken(
    kind: &'static str,
    file: &str,
    line: usize,
    column: usize,
    message: String,
) -> ChartError {
    ChartError::Handlebars {
        kind,
        file: file.to_owned(),
        line,
        column,
        message,
    }
}

/// A Go template that a Handlebars template includes.
struct Ask {
    name: String,
    /// What it is executed with; nothing for the root object.
    data: Option<Json>,
}

/// The way from the Handlebars thread to the thread that executes Go templates.
struct Link {
    asks: Sender<Ask>,
    answered: Receiver<Result<String, String>>,
}

thread_local! {
    static LINK: RefCell<Option<Link>> = const { RefCell::new(None) };
}

struct Include;

impl HelperDef for Include {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let name = argument(helper, "include", 0)?.render();
        let data = helper
            .param(1)
            .map(|param| param.value().clone())
            .filter(|value| !is_root(value));
        let answer = LINK.with_borrow(|link| {
            let link = link.as_ref()?;
            link.asks.send(Ask { name, data }).ok()?;
            link.answered.recv().ok()
        });
        match answer {
            Some(Ok(text)) => Ok(ScopedJson::Derived(Json::from(text))),
            Some(Err(text)) => Err(RenderErrorReason::Other(text).into()),
            None => Err(RenderErrorReason::Other("nothing can be included here".to_owned()).into()),
        }
    }
}

/// The root object is handed over as it is, with what JSON cannot carry.
fn is_root(value: &Json) -> bool {
    ["Values", "Release", "Chart", "Capabilities"]
        .iter()
        .all(|key| value.get(key).is_some())
}

/// A helper that only computes.
struct Plain {
    name: &'static str,
    run: fn(&[&Json]) -> Result<Json, String>,
}

impl HelperDef for Plain {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let arguments: Vec<&Json> = helper
            .params()
            .iter()
            .map(handlebars::PathAndJson::value)
            .collect();
        (self.run)(&arguments)
            .map(ScopedJson::Derived)
            .map_err(|text| RenderErrorReason::Other(format!("{}: {text}", self.name)).into())
    }
}

fn argument<'h>(
    helper: &'h Helper<'_>,
    name: &'static str,
    at: usize,
) -> Result<&'h Json, RenderError> {
    let argument = helper.param(at).map(handlebars::PathAndJson::value);
    argument.ok_or_else(|| RenderErrorReason::ParamNotFoundForIndex(name, at).into())
}

type Run = fn(&[&Json]) -> Result<Json, String>;

const HELPERS: [(&str, Run); 8] = [
    ("toYaml", |args| {
        let [value] = exactly(args)?;
        let text =
            belay_yaml::to_yaml(&belay_yaml::from_serde(value)).map_err(|e| e.to_string())?;
        Ok(Json::from(text.strip_suffix('\n').unwrap_or(&text)))
    }),
    ("toJson", |args| {
        let [value] = exactly(args)?;
        let text =
            belay_yaml::to_json(&belay_yaml::from_serde(value)).map_err(|e| e.to_string())?;
        Ok(Json::from(text))
    }),
    ("indent", |args| {
        let [width, text] = exactly(args)?;
        Ok(Json::from(indent(width, text)?))
    }),
    ("nindent", |args| {
        let [width, text] = exactly(args)?;
        Ok(Json::from(format!("\n{}", indent(width, text)?)))
    }),
    ("quote", |args| {
        let quoted: Vec<String> = args
            .iter()
            .filter(|value| !value.is_null())
            .map(|value| Json::from(value.render()).to_string())
            .collect();
        Ok(Json::from(quoted.join(" ")))
    }),
    ("default", |args| {
        let [fallback, value] = exactly(args)?;
        Ok(if is_empty(value) {
            fallback.clone()
        } else {
            value.clone()
        })
    }),
    ("b64enc", |args| {
        let [value] = exactly(args)?;
        Ok(Json::from(STANDARD.encode(value.render())))
    }),
    ("has", |args| {
        let [item, list] = exactly(args)?;
        Ok(Json::Bool(
            list.as_array().is_some_and(|list| list.contains(item)),
        ))
    }),
];

fn exactly<'a, const N: usize>(args: &[&'a Json]) -> Result<[&'a Json; N], String> {
    args.try_into()
        .map_err(|_| format!("wrong number of args: want {N} got {}", args.len()))
}

fn indent(width: &Json, text: &Json) -> Result<String, String> {
    let width = width
        .as_u64()
        .filter(|width| *width <= 1_000)
        .ok_or("the width must be a number from 0 to 1000")?;
    let pad = " ".repeat(width as usize);
    Ok(format!(
        "{pad}{}",
        text.render().replace('\n', &format!("\n{pad}"))
    ))
}

/// What sprig calls empty.
fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(b) => !b,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(entries) => entries.is_empty(),
    }
}

/// The root object as JSON; files are text, what of them is no UTF-8 becomes U+FFFD.
fn json(root: &Value) -> Result<Json, FuncError> {
    let mut entries = serde_json::Map::new();
    for (key, value) in root.as_map().map(Map::snapshot).unwrap_or_default() {
        let value = match &*key {
            b"Files" => files(&value),
            // A subchart's root, with files of its own.
            b"Subcharts" => subcharts(&value)?,
            _ => belay_yaml::to_serde(&to_data(&value)?),
        };
        entries.insert(key.to_text().into_owned(), value);
    }
    Ok(Json::Object(entries))
}

fn files(files: &Value) -> Json {
    let files = files.as_map().map(Map::snapshot).unwrap_or_default();
    let text = |file: &Value| match file {
        Value::Bytes(data) | Value::Str(data) => Json::from(data.to_text().into_owned()),
        _ => Json::Null,
    };
    let files = files
        .iter()
        .map(|(name, file)| (name.to_text().into_owned(), text(file)));
    Json::Object(files.collect())
}

fn subcharts(subcharts: &Value) -> Result<Json, FuncError> {
    let subcharts = subcharts.as_map().map(Map::snapshot).unwrap_or_default();
    let roots = subcharts
        .iter()
        .map(|(name, root)| Ok((name.to_text().into_owned(), json(root)?)));
    Ok(Json::Object(roots.collect::<Result<_, FuncError>>()?))
}

#[cfg(test)]
#[path = "tests/handlebars.rs"]
mod tests;
