//! The rules for `values.yaml`.

use super::place::Entry;
use super::{LintOptions, Linter, Severity, holds};
use crate::coalesce;
use crate::prepare::SchemaCheck;
use crate::schema;

const FILE: &str = "values.yaml";
const SCHEMA: &str = "values.schema.json";

impl Linter {
    pub(super) fn values(&mut self, options: &LintOptions) {
        let there = self.place.entry(FILE) != Entry::Nothing;
        if self.check(
            Severity::Info,
            FILE,
            holds(there, || "file does not exist".to_owned()),
        ) {
            let verdict = self.fit(options);
            self.check(Severity::Error, FILE, verdict);
        }
    }

    /// Whether the chart's own values, under the user's, are what the chart's own schema wants.
    fn fit(&mut self, options: &LintOptions) -> Result<(), String> {
        let failed = |text: String| format!("unable to parse YAML: {text}");
        let data = self.place.read(FILE).map_err(failed)?;
        let own = belay_yaml::parse_map(&data).map_err(|error| {
            let go_type = "map[string]interface {}";
            failed(error.to_string().replace(go_type, "common.Values"))
        })?;
        let mut values = options.values.clone();
        coalesce::tables(&mut values, own, &mut self.warnings);
        let Ok(wanted) = self.place.read(SCHEMA) else {
            return Ok(());
        };
        if wanted.is_empty() || options.schema == SchemaCheck::Skip {
            return Ok(());
        }
        schema::validate_one(&values, &wanted, &mut self.warnings)
    }
}
