//! The methods of Helm's named maps and lists: `.Values`, `.Files`, `.Capabilities.APIVersions`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::call::{Function, Param};
use crate::error::FuncError;
use crate::glob::Glob;
use crate::helm::{text, to_yaml};
use crate::value::{ListType, Map, MapType, Str, Value};

use Param::String;

type Outcome = Result<Value, FuncError>;

/// The method of this name on the value.
pub(crate) fn find(value: &Value, name: &[u8]) -> Option<&'static Function> {
    let methods = match value {
        Value::Map(map) => match map.kind() {
            MapType::Files => FILES,
            MapType::Values => VALUES,
            MapType::Any | MapType::Strings => return None,
        },
        Value::List(list) if list.kind() == ListType::VersionSet => VERSION_SET,
        _ => return None,
    };
    methods.iter().find(|method| method.name.as_bytes() == name)
}

const VERSION_SET: &[Function] = &[Function::new("Has", &[String], |_, args| {
    let wanted = text(args, 1);
    let has = args[0]
        .as_list()
        .is_some_and(|list| list.iter().any(|item| item.as_str() == Some(wanted)));
    Ok(Value::Bool(has))
})];

const VALUES: &[Function] = &[
    Function::new("AsMap", &[], |_, args| {
        Ok(args[0]
            .as_map()
            .map_or(Value::Nil, |map| Value::Map(map.retyped(MapType::Any))))
    }),
    Function::new("YAML", &[], |_, args| {
        let mut yaml = to_yaml(&args[0])?
            .as_str()
            .map(|text| text.to_vec())
            .unwrap_or_default();
        yaml.push(b'\n');
        Ok(Value::str(yaml))
    }),
    Function::new("Table", &[String], |_, args| table(&args[0], text(args, 1))),
];

/// The map at a path of keys with dots.
fn table(value: &Value, path: &Str) -> Outcome {
    let missing =
        |key: &[u8]| FuncError::Message(format!("{} is not a table", crate::fmt::quoted(key)));
    let mut current = value.as_map().cloned().ok_or_else(|| missing(path))?;
    for key in path.split(|&b| b == b'.') {
        let next = current.get(key).and_then(|value| value.as_map().cloned());
        current = next.ok_or_else(|| missing(key))?;
    }
    Ok(Value::Map(current.retyped(MapType::Values)))
}

const FILES: &[Function] = &[
    Function::new("Get", &[String], |_, args| Ok(Value::Str(file(args)))),
    Function::new("GetBytes", &[String], |_, args| {
        Ok(Value::Bytes(file(args)))
    }),
    Function::new("Lines", &[String], |_, args| Ok(lines(args))),
    Function::new("Glob", &[String], |_, args| Ok(glob(args))),
    Function::new("AsConfig", &[], |_, args| {
        by_base_name(args, |content| Value::Str(content.clone()))
    }),
    Function::new("AsSecrets", &[], |_, args| {
        by_base_name(args, |content| {
            Value::str(STANDARD.encode(content.as_bytes()))
        })
    }),
];

fn content(value: &Value) -> Str {
    match value {
        Value::Bytes(bytes) | Value::Str(bytes) => bytes.clone(),
        _ => Str::default(),
    }
}

fn file(args: &[Value]) -> Str {
    let found = args[0].as_map().and_then(|files| files.get(text(args, 1)));
    found.as_ref().map(content).unwrap_or_default()
}

fn lines(args: &[Value]) -> Value {
    let content = file(args);
    let body = content.strip_suffix(b"\n").unwrap_or(&content);
    if content.is_empty() {
        return Value::strings(Vec::<Str>::new());
    }
    Value::strings(body.split(|&b| b == b'\n'))
}

fn glob(args: &[Value]) -> Value {
    let pattern = Glob::new(text(args, 1));
    let found = Map::new(MapType::Files);
    if let Some(files) = args[0].as_map() {
        for (name, content) in files.entries().iter() {
            if pattern.matches(name) {
                found.insert(name.clone(), content.clone());
            }
        }
    }
    Value::Map(found)
}

/// The files under the last part of their names, as YAML.
fn by_base_name(args: &[Value], show: impl Fn(&Str) -> Value) -> Outcome {
    let out = Map::new(MapType::Any);
    if let Some(files) = args[0].as_map() {
        for (name, value) in files.entries().iter() {
            let base = name.rsplit(|&b| b == b'/').next().unwrap_or_default();
            out.insert(Str::from(base), show(&content(value)));
        }
    }
    to_yaml(&Value::Map(out))
}
