//! The same answers from this workspace's crates.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use belay_chart::{
    Capabilities, Chart, File, Prepared, Release, RenderOptions, Renderer, SchemaCheck, UserValues,
    Values, ValuesFile, strvals,
};
use belay_template::{Host, Limits, run_with_stack};
use belay_yaml::Value;
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use serde_json::json;

use crate::{Answer, Question, Set, SetKind, Text};

const CHART: &str =
    "apiVersion: v2\nname: t\nversion: 0.1.0\nappVersion: \"1.2\"\ntype: application\n";

/// Answers as the oracle should. A panic is an error that begins with `PANIC`.
pub fn answer(question: &Question) -> Answer {
    let work = || catch_unwind(AssertUnwindSafe(|| attempt(question)));
    match run_with_stack(work) {
        Ok(Ok(Ok(answer))) => answer,
        Ok(Ok(Err(error))) => Answer::Error(error),
        Ok(Err(_)) => Answer::Error("PANIC".to_owned()),
        Err(error) => Answer::Error(format!("PANIC without a stack: {error}")),
    }
}

fn attempt(question: &Question) -> Result<Answer, String> {
    match question {
        Question::Render {
            templates,
            files,
            values,
            sets,
        } => render(templates, files, &merged(values, sets)?).map(Answer::Files),
        Question::Values { values, sets } => Ok(Answer::Value(entries(&merged(values, sets)?))),
        Question::Yaml { text } => {
            let value = belay_yaml::parse(&text.0).map_err(|error| error.to_string())?;
            let printed = || {
                Ok::<_, belay_yaml::Error>(Answer::Yaml {
                    json: belay_yaml::to_json(&value)?,
                    yaml: belay_yaml::to_yaml(&value)?,
                    pretty: belay_yaml::to_yaml_pretty(&value)?,
                })
            };
            printed().map_err(|error| error.to_string())
        }
        Question::Names | Question::Time { .. } => {
            Err("only the oracle is asked for this".to_owned())
        }
    }
}

fn merged(values: &Text, sets: &[Set]) -> Result<Values, String> {
    const NAME: &str = "values.yaml";
    let user = UserValues {
        files: vec![ValuesFile {
            name: NAME.to_owned(),
            data: values.0.clone(),
        }],
        ..UserValues::default()
    };
    let mut read = |name: &str| Ok(format!("<{name}>").into_bytes());
    let mut merged = user.merge(Values::new(), &mut read).map_err(|error| {
        let text = error.to_string();
        let own = format!("failed to parse {NAME}: ");
        text.strip_prefix(&own).unwrap_or(&text).to_owned()
    })?;
    for set in sets {
        let text = &set.text;
        let outcome = match set.kind {
            SetKind::Set => strvals::set(text, &mut merged),
            SetKind::String => strvals::set_string(text, &mut merged),
            SetKind::Json => {
                // The command hides the reason.
                strvals::set_json(text, &mut merged)
                    .map_err(|_| "failed parsing --set-json data".to_owned())?;
                continue;
            }
            SetKind::Literal => strvals::set_literal(text, &mut merged),
            SetKind::File => strvals::set_file(text, &mut merged, &mut read),
        };
        outcome.map_err(|error| error.to_string())?;
    }
    Ok(merged)
}

fn render(
    templates: &BTreeMap<String, Text>,
    files: &BTreeMap<String, Text>,
    values: &Values,
) -> Result<BTreeMap<String, String>, String> {
    static RENDERER: OnceLock<Renderer> = OnceLock::new();
    let given = templates
        .iter()
        .chain(files)
        .map(|(name, text)| File::new(name, &text.0));
    let chart =
        Chart::from_files(std::iter::once(File::new("Chart.yaml", CHART.as_bytes())).chain(given))
            .map_err(|error| error.to_string())?;
    let prepared =
        Prepared::new(&chart, values, SchemaCheck::Skip).map_err(|error| error.to_string())?;
    let options = RenderOptions {
        release: Release {
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            is_upgrade: false,
        },
        capabilities: Capabilities::default().into(),
        subchart_notes: false,
        limits: Limits::default(),
    };
    let outputs = RENDERER
        .get_or_init(Renderer::default)
        .outputs(
            &prepared,
            &options,
            &mut Unchanging(StdRng::seed_from_u64(4)),
        )
        .map_err(|error| error.to_string())?;
    // The oracle answers in JSON, which holds text only.
    let as_text = |output: Vec<u8>| String::from_utf8_lossy(&output).into_owned();
    Ok(outputs
        .into_iter()
        .map(|(name, output)| (name, as_text(output)))
        .collect())
}

/// The clock stands still; chance is there, as keys need it, but nothing that is compared shows it.
struct Unchanging(StdRng);

impl Host for Unchanging {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn random(&mut self, buffer: &mut [u8]) {
        self.0.fill_bytes(buffer);
    }
}

/// A value as JSON in which the types of numbers can be seen.
fn typed(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => json!(null),
        Value::Bool(b) => json!(b),
        Value::Int(number) => json!({"int64": number.to_string()}),
        Value::Uint(number) => json!({"other": format!("uint64 {number}")}),
        Value::Float(number) => json!({"float64": belay_yaml::float_g(*number)}),
        Value::Str(text) => json!({"string": STANDARD.encode(text)}),
        Value::Bytes(bytes) => json!({"string": STANDARD.encode(bytes)}),
        Value::Seq(items) => json!({"list": items.iter().map(typed).collect::<Vec<_>>()}),
        Value::Map(map) => entries(map),
    }
}

fn entries(map: &Values) -> serde_json::Value {
    let entries: serde_json::Map<_, _> = map
        .iter()
        .map(|(key, value)| (key.clone(), typed(value)))
        .collect();
    json!({ "map": entries })
}
