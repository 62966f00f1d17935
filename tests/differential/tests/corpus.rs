//! The targets of the fuzzers over their small corpus, and over a few generated inputs: they end, and do not panic.

use std::fs;
use std::path::Path;

use belay_differential::Question;
use belay_differential::generate::{Subject, questions};
use belay_differential::targets::{TARGETS, template, values, yaml};

#[test]
fn every_target_ends_on_its_corpus() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in TARGETS {
        let mut seen = 0;
        for file in fs::read_dir(corpus.join(name))? {
            target(&fs::read(file?.path())?);
            seen += 1;
        }
        assert!(seen > 0, "no corpus for {name}");
    }
    Ok(())
}

#[test]
fn every_target_has_its_fuzzer() {
    let fuzzers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    for (name, _) in TARGETS {
        assert!(fuzzers.join(format!("{name}.rs")).is_file(), "{name}");
    }
}

#[test]
fn generated_inputs_end() {
    for subject in Subject::ALL {
        for question in questions(subject, 7).take(200) {
            match question {
                Question::Render { templates, .. } => {
                    for text in templates.values() {
                        template(&text.0);
                    }
                }
                Question::Yaml { text } => yaml(&text.0),
                Question::Values { sets, .. } => {
                    for set in &sets {
                        values(set.text.as_bytes());
                    }
                }
                Question::Names | Question::Time { .. } => {}
            }
        }
    }
}
