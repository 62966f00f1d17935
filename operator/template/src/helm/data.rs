//! `toYaml`, `fromJson` and their kin.

use belay_yaml as yaml;

use crate::convert;
use crate::error::FuncError;
use crate::value::{List, ListType, Map, MapType, Str, Value};

type Outcome = Result<Value, FuncError>;

/// What Helm makes of a failed conversion where it swallows errors.
pub(super) fn or_empty(outcome: Outcome) -> Value {
    outcome.unwrap_or_else(|_| Value::str(""))
}

fn fail(error: &yaml::Error) -> FuncError {
    FuncError::Message(error.to_string())
}

pub(crate) fn to_yaml(value: &Value) -> Outcome {
    let mut text = yaml::to_yaml(&convert::to_data(value)?).map_err(|error| fail(&error))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(Value::str(text))
}

pub(super) fn to_yaml_pretty(value: &Value) -> Outcome {
    let mut text =
        yaml::to_yaml_pretty(&convert::to_plain_data(value)?).map_err(|error| fail(&error))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(Value::str(text))
}

pub(super) fn to_json(value: &Value) -> Outcome {
    Ok(Value::str(
        yaml::to_json(&convert::to_data(value)?).map_err(|error| fail(&error))?,
    ))
}

pub(super) fn to_json_raw(value: &Value) -> Outcome {
    Ok(Value::str(
        yaml::to_json_raw(&convert::to_data(value)?).map_err(|error| fail(&error))?,
    ))
}

pub(super) fn to_json_pretty(value: &Value) -> Outcome {
    Ok(Value::str(
        yaml::to_json_pretty(&convert::to_data(value)?, "  ").map_err(|error| fail(&error))?,
    ))
}

fn map_or_error(read: Result<Option<yaml::Map>, yaml::Error>) -> Value {
    match read {
        Ok(Some(entries)) => convert::from_data(&yaml::Value::Map(entries)),
        Ok(None) => Value::Map(Map::nil(MapType::Any)),
        Err(error) => Value::map([("Error", Value::str(error.to_string()))]),
    }
}

fn list_or_error(read: Result<Option<Vec<yaml::Value>>, yaml::Error>) -> Value {
    match read {
        Ok(Some(items)) => convert::from_data(&yaml::Value::Seq(items)),
        Ok(None) => Value::List(List::nil(ListType::Any)),
        Err(error) => Value::list(vec![Value::str(error.to_string())]),
    }
}

pub(super) fn from_yaml(text: &Str) -> Value {
    map_or_error(yaml::parse_map(text).map(Some))
}

pub(super) fn from_yaml_array(text: &Str) -> Value {
    list_or_error(yaml::parse_seq(text).map(Some))
}

pub(super) fn from_json(text: &Str) -> Value {
    map_or_error(yaml::parse_json_map(text))
}

pub(super) fn from_json_array(text: &Str) -> Value {
    list_or_error(yaml::parse_json_seq(text))
}

pub(super) fn must_from_json(text: &Str) -> Outcome {
    yaml::parse_json(text)
        .map(|data| convert::from_data(&data))
        .map_err(|error| fail(&error))
}
