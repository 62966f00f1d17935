//! What a release record says that a HelmRelease needs: the user's values, and the chart's files if they are there.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use belay_release::Record;
use serde_json::{Map, Value};

use crate::error::Error;

/// The user's values as fields of a spec. A `null` goes into `set`: in `values` it would not survive `kubectl apply`.
pub(super) fn values(record: &Record) -> Result<Map<String, Value>, Error> {
    let config = record
        .config_value()
        .map_err(|source| belay_cluster::Error::Record {
            what: format!("revision {} of {}", record.version, record.name),
            source,
        })?;
    let mut fields = Map::new();
    let Value::Object(mut values) = config else {
        return Ok(fields);
    };
    let mut nulls = Vec::new();
    take_nulls(&mut values, "", &mut nulls);
    if !values.is_empty() {
        fields.insert("values".to_owned(), Value::Object(values));
    }
    if !nulls.is_empty() {
        fields.insert("set".to_owned(), Value::from(nulls));
    }
    Ok(fields)
}

fn take_nulls(values: &mut Map<String, Value>, path: &str, nulls: &mut Vec<String>) {
    values.retain(|key, value| {
        let mut escaped = path.to_owned();
        for letter in key.chars() {
            if r"\.,=[]{}".contains(letter) {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
        match value {
            Value::Null => {
                nulls.push(format!("{escaped}=null"));
                false
            }
            Value::Object(inner) => {
                take_nulls(inner, &format!("{escaped}."), nulls);
                true
            }
            _ => true,
        }
    });
}

/// The chart's files as the record holds them, for `spec.chart.inline`.
///
/// Helm keeps no subcharts in its records; what misses is found out by rendering.
pub(super) fn chart_files(record: &Record) -> Result<BTreeMap<String, String>, Error> {
    let missing = |why: &str| Error::NotInRecord {
        name: record.name.clone(),
        why: why.to_owned(),
    };
    let raw = record
        .chart
        .as_deref()
        .map(serde_json::value::RawValue::get);
    let chart: Value = raw
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let metadata = &chart["metadata"];
    if metadata.is_null() {
        return Err(missing("it says nothing about the chart"));
    }
    let mut files = BTreeMap::new();
    for list in ["templates", "files"] {
        for file in chart[list].as_array().into_iter().flatten() {
            let (Some(name), Some(data)) = (file["name"].as_str(), file["data"].as_str()) else {
                continue;
            };
            let text = STANDARD
                .decode(data)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| missing(&format!("{name} is no text")))?;
            files.insert(name.to_owned(), text);
        }
    }
    if !files.keys().any(|name| name.starts_with("templates/")) {
        return Err(missing("it holds no templates"));
    }
    let subcharts = metadata["dependencies"].as_array().map_or(0, Vec::len);
    if subcharts > 0 {
        return Err(missing(
            "the chart has subcharts, which Helm does not keep in its records",
        ));
    }
    let yaml = |value: &Value| {
        belay_yaml::to_yaml(&belay_yaml::from_serde(value))
            .map_err(|error| missing(&error.to_string()))
    };
    files.insert("Chart.yaml".to_owned(), yaml(metadata)?);
    if !chart["values"].is_null() {
        files.insert("values.yaml".to_owned(), yaml(&chart["values"])?);
    }
    if let Some(schema) = chart["schema"].as_str() {
        let text = STANDARD
            .decode(schema)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| missing("its values.schema.json is no text"))?;
        files.insert("values.schema.json".to_owned(), text);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(chart: &Value, config: &Value) -> Record {
        let text = json!({"name": "web", "namespace": "shop", "version": 1, "info": {"status": "deployed"},
            "chart": chart, "config": config});
        Record::from_json(text.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_null_that_takes_a_default_away_is_said_as_an_expression() {
        let config = json!({"a": {"b.c": null, "d": 1}, "e": null, "list": [null]});

        let fields = values(&record(&json!({}), &config)).unwrap();

        assert_eq!(fields["values"], json!({"a": {"d": 1}, "list": [null]}));
        assert_eq!(fields["set"], json!([r"a.b\.c=null", "e=null"]));
        let all = belay_chart::UserValues {
            set: vec![r"a.b\.c=null".to_owned(), "e=null".to_owned()],
            ..belay_chart::UserValues::default()
        };
        let read = all
            .merge(belay_chart::Values::new(), &mut |_| Err(String::new()))
            .unwrap();
        let read = belay_yaml::to_serde(&belay_yaml::Value::Map(read));
        assert_eq!(read, json!({"a": {"b.c": null}, "e": null}));
    }

    #[test]
    fn a_record_without_templates_or_with_subcharts_says_what_misses() {
        let bare = json!({"metadata": {"name": "web", "version": "1.0.0"}, "templates": null});
        let told = chart_files(&record(&bare, &json!({})))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("no templates") && told.contains("--repo"),
            "{told}"
        );

        let data = STANDARD.encode("kind: A\n");
        let umbrella = json!({"metadata": {"name": "web", "version": "1.0.0", "dependencies": [{"name": "db"}]},
            "templates": [{"name": "templates/a.yaml", "data": data}]});
        let told = chart_files(&record(&umbrella, &json!({})))
            .unwrap_err()
            .to_string();
        assert!(told.contains("subcharts"), "{told}");
    }
}
