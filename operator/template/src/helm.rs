//! Helm's own functions.

mod data;
mod toml;

pub(crate) use data::to_yaml;

use crate::call::{Caller, Function, Library, Param, Passed};
use crate::error::FuncError;
use crate::value::{Str, Value};

use Param::{Any, String};

type Outcome = Result<Value, FuncError>;

/// Helm's functions; they hide sprig's of the same name.
pub(crate) const LIBRARY: Library = Library {
    name: "helm",
    functions: &[
        Function::new("include", &[String, Any], |caller, args| {
            caller.include(text(args, 0), &args[1])
        }),
        Function::new("tpl", &[String, Any], |caller, args| {
            caller.tpl(text(args, 0), &args[1])
        }),
        Function::new("required", &[String, Any], required),
        Function::new("fail", &[String], fail),
        Function::new("lookup", &[String, String, String, String], lookup),
        Function::new("getHostByName", &[String], |caller, args| {
            let name = text(args, 0).to_text().into_owned();
            Ok(Value::str(caller.host().resolve(&name)))
        }),
        Function::new("toYaml", &[Any], |_, args| {
            Ok(data::or_empty(data::to_yaml(&args[0])))
        }),
        Function::new("mustToYaml", &[Any], |_, args| data::to_yaml(&args[0])),
        Function::new("toYamlPretty", &[Any], |_, args| {
            Ok(data::or_empty(data::to_yaml_pretty(&args[0])))
        }),
        Function::new("fromYaml", &[String], |_, args| {
            Ok(data::from_yaml(text(args, 0)))
        }),
        Function::new("fromYamlArray", &[String], |_, args| {
            Ok(data::from_yaml_array(text(args, 0)))
        }),
        Function::new("toJson", &[Any], |_, args| {
            Ok(data::or_empty(data::to_json(&args[0])))
        }),
        Function::new("mustToJson", &[Any], |_, args| data::to_json(&args[0])),
        Function::new("toPrettyJson", &[Any], |_, args| {
            Ok(data::or_empty(data::to_json_pretty(&args[0])))
        }),
        Function::new("mustToPrettyJson", &[Any], |_, args| {
            data::to_json_pretty(&args[0])
        }),
        Function::new("toRawJson", &[Any], |_, args| data::to_json_raw(&args[0])),
        Function::new("mustToRawJson", &[Any], |_, args| {
            data::to_json_raw(&args[0])
        }),
        Function::new("fromJson", &[String], |_, args| {
            Ok(data::from_json(text(args, 0)))
        }),
        Function::new("mustFromJson", &[String], |_, args| {
            data::must_from_json(text(args, 0))
        }),
        Function::new("fromJsonArray", &[String], |_, args| {
            Ok(data::from_json_array(text(args, 0)))
        }),
        Function::new("toToml", &[Any], |_, args| {
            toml::accept(&args[0])?;
            Ok(Value::str(
                toml::encode(&args[0]).unwrap_or_else(std::string::String::into_bytes),
            ))
        }),
        Function::new("mustToToml", &[Any], |_, args| {
            Ok(Value::str(toml::encode(&args[0])?))
        }),
        Function::new("fromToml", &[String], |caller, args| {
            let local = caller.host().zone();
            Ok(toml::decode(text(args, 0), &local))
        }),
    ],
};

/// The argument at a place whose parameter is a string.
pub(crate) fn text(args: &[Value], index: usize) -> &Str {
    static EMPTY: std::sync::LazyLock<Str> = std::sync::LazyLock::new(Str::default);
    args.get(index).and_then(Value::as_str).unwrap_or(&EMPTY)
}

fn required(caller: &mut dyn Caller, args: &[Value]) -> Outcome {
    let lacking = match &args[1] {
        Value::Nil => Passed::Missing,
        Value::Str(given) if given.is_empty() => Passed::Empty,
        given => return Ok(given.clone()),
    };
    refuse(caller, lacking, text(args, 0))
}

fn fail(caller: &mut dyn Caller, args: &[Value]) -> Outcome {
    refuse(caller, Passed::Failure, text(args, 0))
}

fn refuse(caller: &mut dyn Caller, what: Passed, message: &Str) -> Outcome {
    let message = message.to_text();
    if caller.lenient() {
        caller.host().let_pass(what, &message);
        return Ok(Value::str(""));
    }
    Err(FuncError::fail(&message))
}

fn lookup(caller: &mut dyn Caller, args: &[Value]) -> Outcome {
    let [version, kind, namespace, name] = [0, 1, 2, 3].map(|i| text(args, i).to_text());
    Ok(caller.host().lookup(&version, &kind, &namespace, &name)?)
}
