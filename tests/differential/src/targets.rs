//! What fuzzers throw bytes at: nothing may panic, hang or take memory without bound, whatever the bytes are.
//!
//! `tests/fuzz` runs these under cargo-fuzz; `tests/corpus.rs` runs them over a small corpus with every test.

use std::collections::BTreeMap;
use std::time::Duration;

use belay_chart::{Chart, Values, strvals};
use belay_template::{Host, Limits, Options, Render, Set, Template, Value, run_with_stack};
use belay_yaml::{ParseOptions, to_json, to_yaml, to_yaml_pretty};

/// One target.
pub type Target = fn(&[u8]);

/// All targets by name: the name is that of the file in `tests/fuzz/fuzz_targets` and of the folder of its corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("yaml", yaml),
    ("template", template),
    ("values", values),
    ("package", package),
    ("record", record),
];

/// A document, read in every way and printed in every way; what was printed reads back.
pub fn yaml(bytes: &[u8]) {
    deep(|| {
        let strict = ParseOptions {
            strict: true,
            ..ParseOptions::default()
        };
        drop(belay_yaml::parse_with(bytes, &strict));
        drop(belay_yaml::documents(bytes));
        drop(belay_yaml::parse_json(bytes));
        let Ok(value) = belay_yaml::parse(bytes) else {
            return;
        };
        drop(to_json(&value));
        drop(to_yaml_pretty(&value));
        if let Ok(text) = to_yaml(&value) {
            assert!(
                belay_yaml::parse(text.as_bytes()).is_ok(),
                "does not read back: {text:?}"
            );
        }
    });
}

/// A template, parsed and rendered within small limits.
pub fn template(bytes: &[u8]) {
    deep(|| {
        let Ok(template) = Template::parse("t/templates/a.yaml", bytes) else {
            return;
        };
        let mut set = Set::new();
        set.add(&template);
        let options = Options {
            limits: Limits {
                steps: 20_000,
                bytes: 1 << 20,
                depth: 2_000,
                include: 100,
                time: Duration::from_secs(10),
            },
            ..Options::default()
        };
        let values = Value::map([
            ("a", Value::str("text")),
            ("n", Value::Float(1.5)),
            (
                "l",
                Value::list(vec![Value::int(1), Value::Nil, Value::str("x")]),
            ),
            ("m", Value::map([("k", Value::Bool(true))])),
        ]);
        let data = Value::map([("Values", values)]);
        let mut host = Fixed;
        let mut render = Render::new(&set, &mut host, options);
        if let Err(error) = render.execute("t/templates/a.yaml", &data) {
            drop(error.as_helm());
        }
    });
}

/// A text of each flag of the `--set` family, and a values file.
pub fn values(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut into = Values::new();
    drop(strvals::set(&text, &mut into));
    drop(strvals::set_string(&text, &mut into));
    drop(strvals::set_json(&text, &mut into));
    drop(strvals::set_literal(&text, &mut into));
    let mut read = |name: &str| Ok(name.as_bytes().to_vec());
    drop(strvals::set_file(&text, &mut into, &mut read));
}

/// A package, as a repository may send it.
pub fn package(bytes: &[u8]) {
    deep(|| {
        if let Ok(chart) = Chart::from_archive(bytes) {
            drop(chart.crds());
        }
    });
}

/// A release record, as a Secret may hold it, and what its manifest is cut into.
pub fn record(bytes: &[u8]) {
    deep(|| {
        if let Ok(record) = belay_release::decode_within(bytes, 1 << 22) {
            drop(record.to_json());
        }
        drop(belay_release::Record::from_json(bytes));
        let text = String::from_utf8_lossy(bytes).into_owned();
        let files = BTreeMap::from([("t/templates/a.yaml".to_owned(), text)]);
        if let Ok(rendered) = belay_release::Rendered::from_files(&files) {
            drop(rendered.manifest.to_text());
        }
    });
}

/// On the large stack that all of these are made for; a panic goes on in the caller.
fn deep(work: impl FnOnce() + Send) {
    assert!(run_with_stack(work).is_ok(), "the system gave no thread");
}

struct Fixed;

impl Host for Fixed {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(4);
    }
}
