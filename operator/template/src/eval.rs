//! Fields, methods, function calls and their arguments.

use crate::ast::{Expr, ExprKind, NodeId};
use crate::builtin::{self, zero_of};
use crate::call::{Caller, Function, Host, Param};
use crate::error::FuncError;
use crate::method;
use crate::render::{Found, Render, Scope, Stop};
use crate::value::{IntKind, List, ListType, Map, MapType, Member, Str, Value};

/// Shorter texts need not be counted: the steps are.
const LONG: usize = 256;

impl Render<'_> {
    /// Follows the fields from the receiver on; a method at the end gets the arguments.
    pub(crate) fn fields(
        &mut self,
        scope: Scope<'_>,
        receiver: &Found,
        word: &Expr,
        fields: &[Str],
        args: &[Expr],
        last: Option<Value>,
    ) -> Result<Found, Stop> {
        let Some((name, before)) = fields.split_last() else {
            return Ok(receiver.clone());
        };
        let mut current: Option<Found> = None;
        for name in before {
            let receiver = current.as_ref().unwrap_or(receiver);
            current = Some(self.field(scope, receiver, word, name, &[], None)?);
        }
        let receiver = current.as_ref().unwrap_or(receiver);
        self.field(scope, receiver, word, name, args, last)
    }

    fn field(
        &mut self,
        scope: Scope<'_>,
        receiver: &Found,
        word: &Expr,
        name: &Str,
        args: &[Expr],
        last: Option<Value>,
    ) -> Result<Found, Stop> {
        let type_name = if receiver.any {
            "interface {}"
        } else {
            receiver.value.type_name()
        };
        let has_args = !args.is_empty() || last.is_some();
        let shown = || name.to_text();
        match &receiver.value {
            Value::Nil if receiver.any => {
                return self.raise(format!("nil pointer evaluating {type_name}.{}", shown()));
            }
            Value::Nil if self.options.strict => {
                return self.raise(format!(
                    "nil data; no entry for key {}",
                    crate::fmt::quoted(name)
                ));
            }
            Value::Nil => return Ok(Found::plain(Value::Nil)),
            Value::Object(object) => match object.member(name) {
                Some(Member::Method(function)) => {
                    return self.method(scope, receiver, word, function, args, last);
                }
                Some(Member::Field(_)) if has_args => {
                    return self.raise(format!(
                        "{} has arguments but cannot be invoked as function",
                        shown()
                    ));
                }
                Some(Member::Field(value)) => return Ok(Found::plain(value)),
                None => {}
            },
            value => {
                if let Some(function) = method::find(value, name) {
                    return self.method(scope, receiver, word, function, args, last);
                }
                if let Value::Map(map) = value {
                    if has_args {
                        return self
                            .raise(format!("{} is not a method but has arguments", shown()));
                    }
                    let any = map.kind().holds_any();
                    return match map.get(name) {
                        Some(value) => Ok(Found { value, any }),
                        None if self.options.strict => self.raise(format!(
                            "map has no entry for key {}",
                            crate::fmt::quoted(name)
                        )),
                        None => Ok(Found {
                            value: zero_of(map.kind()),
                            any,
                        }),
                    };
                }
            }
        }
        self.raise(format!(
            "can't evaluate field {} in type {type_name}",
            shown()
        ))
    }

    fn method(
        &mut self,
        scope: Scope<'_>,
        receiver: &Found,
        word: &Expr,
        function: &'static Function,
        args: &[Expr],
        last: Option<Value>,
    ) -> Result<Found, Stop> {
        let receiver = receiver.value.clone();
        self.call(scope, function, word.id, Some(receiver), args, last)
            .map(Found::plain)
    }

    /// Calls a function after checking number and types of its arguments. Its own errors name `node`.
    pub(crate) fn call(
        &mut self,
        scope: Scope<'_>,
        function: &'static Function,
        node: NodeId,
        receiver: Option<Value>,
        args: &[Expr],
        last: Option<Value>,
    ) -> Result<Value, Stop> {
        let count = args.len() + usize::from(last.is_some());
        let fixed = function.params.len();
        if function.variadic.is_some() {
            if count < fixed {
                let (name, got) = (function.name, args.len());
                return self.raise(format!(
                    "wrong number of args for {name}: want at least {fixed} got {got}"
                ));
            }
        } else if count != fixed {
            return self.raise(format!(
                "wrong number of args for {}: want {fixed} got {count}",
                function.name
            ));
        }
        if receiver.is_none() && (function.name == builtin::AND || function.name == builtin::OR) {
            return self.logic(scope, function.name == builtin::OR, args, last);
        }
        let mut values = self.arguments.pop().unwrap_or_default();
        values.extend(receiver);
        let param = |i: usize| {
            function
                .params
                .get(i)
                .copied()
                .or(function.variadic)
                .unwrap_or(Param::Any)
        };
        for (i, arg) in args.iter().enumerate() {
            values.push(self.argument(scope, param(i), arg)?);
        }
        if let Some(last) = last {
            values.push(self.validate(Found::plain(last), param(args.len()))?);
        }
        let outcome = (function.run)(self, &values).and_then(|value| {
            // What is made anew counts, so that `$s = print $s $s` ends before the memory does.
            if let Value::Str(text) = &value
                && text.len() > LONG
                && !values
                    .iter()
                    .any(|arg| arg.as_str().is_some_and(|arg| arg.same(text)))
            {
                self.spend(text.len())?;
            }
            Ok(value)
        });
        values.clear();
        self.arguments.push(values);
        match outcome {
            Ok(value) => Ok(value),
            Err(error) => {
                let error = match args.first() {
                    // Go names the argument, which a function does not see.
                    Some(callee) if function.name == builtin::CALL => {
                        builtin::no_function(error, &scope.tree.show(callee))
                    }
                    _ => error,
                };
                self.at = node;
                self.raise_from(format!("error calling {}", function.name), error)
            }
        }
    }

    /// `and` and `or`: the first argument that decides, or the last.
    fn logic(
        &mut self,
        scope: Scope<'_>,
        until: bool,
        args: &[Expr],
        last: Option<Value>,
    ) -> Result<Value, Stop> {
        let mut value = Value::Nil;
        for arg in args {
            value = self.argument(scope, Param::Reflect, arg)?;
            if value.truth() == until {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// An argument for a parameter of this type.
    fn argument(&mut self, scope: Scope<'_>, param: Param, arg: &Expr) -> Result<Value, Stop> {
        self.at = arg.id;
        match &arg.kind {
            ExprKind::Nil => match zero(param) {
                Some(zero) => Ok(zero),
                None => self.raise(format!("cannot assign nil to {}", param.type_name())),
            },
            ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Str(..) => {
                self.literal(scope, param, arg)
            }
            _ => {
                let found = self.operand(scope, arg)?;
                self.validate(found, param)
            }
        }
    }

    /// The value of an expression that is no literal.
    pub(crate) fn operand(&mut self, scope: Scope<'_>, expr: &Expr) -> Result<Found, Stop> {
        self.at = expr.id;
        match &expr.kind {
            ExprKind::Field(fields) => self.fields(scope, scope.dot, expr, fields, &[], None),
            ExprKind::Variable { .. } => self.variable(scope, expr, &[], None),
            ExprKind::Pipe(pipe) => {
                self.enter()?;
                let value = self.pipeline(scope, pipe)?;
                self.leave();
                Ok(Found::plain(value))
            }
            ExprKind::Function(function) => {
                let value = self.call(scope, function, expr.id, None, &[], None)?;
                Ok(Found {
                    value,
                    any: function.any,
                })
            }
            ExprKind::Chain(node, fields) => self.chain(scope, expr, node, fields, &[], None),
            _ => Ok(scope.dot.clone()),
        }
    }

    fn literal(&mut self, scope: Scope<'_>, param: Param, arg: &Expr) -> Result<Value, Stop> {
        let expected = match (param, &arg.kind) {
            (Param::Any | Param::Reflect, ExprKind::Number(number)) => {
                return self.constant(scope, number);
            }
            (Param::Any | Param::Reflect | Param::Bool, ExprKind::Bool(b)) => {
                return Ok(Value::Bool(*b));
            }
            (Param::Any | Param::Reflect | Param::String, ExprKind::Str(_, text)) => {
                return Ok(Value::Str(text.clone()));
            }
            (Param::Int, ExprKind::Number(number)) if number.int.is_some() => {
                return Ok(Value::int(number.int.unwrap_or_default()));
            }
            (Param::Int64, ExprKind::Number(number)) if number.int.is_some() => {
                return Ok(Value::int64(number.int.unwrap_or_default()));
            }
            (Param::Uint32, ExprKind::Number(number)) if number.uint.is_some() => {
                let number = number.uint.unwrap_or_default() as u32;
                return Ok(Value::Int(IntKind::Uint32, i64::from(number)));
            }
            (Param::Float64, ExprKind::Number(number)) if number.float.is_some() => {
                return Ok(Value::Float(number.float.unwrap_or_default()));
            }
            (Param::Bool, _) => "bool",
            (Param::String, _) => "string",
            (Param::Int | Param::Int64, _) => "integer",
            (Param::Uint32, _) => "unsigned integer",
            (Param::Float64, _) => "float",
            _ => {
                let shown = scope.tree.show(arg);
                return self.raise(format!(
                    "can't handle {shown} for arg of type {}",
                    param.type_name()
                ));
            }
        };
        self.raise(format!(
            "expected {expected}; found {}",
            scope.tree.show(arg)
        ))
    }

    fn validate(&mut self, found: Found, param: Param) -> Result<Value, Stop> {
        let fits = match (param, &found.value) {
            (Param::Any | Param::Reflect, _)
            | (Param::String, Value::Str(_))
            | (Param::Bool, Value::Bool(_))
            | (Param::Int, Value::Int(IntKind::Int, _))
            | (Param::Int64, Value::Int(IntKind::Int64, _))
            | (Param::Uint32, Value::Int(IntKind::Uint32, _))
            | (Param::Float64, Value::Float(_)) => true,
            (Param::List, Value::List(list)) => list.kind() == ListType::Any,
            (Param::Strings, Value::List(list)) => {
                matches!(list.kind(), ListType::String | ListType::VersionSet)
            }
            (Param::Map, Value::Map(map)) => map.kind().holds_any(),
            (Param::Object(name), Value::Object(object)) => object.type_name() == name,
            _ => false,
        };
        if fits {
            if param == Param::Reflect && found.value.is_nil() {
                self.nil_in_interface = found.any;
            }
            // Passing a value of a named type to a parameter of the plain one converts it.
            return Ok(match (param, found.value) {
                (Param::Map, Value::Map(map)) => Value::Map(map.retyped(MapType::Any)),
                (Param::Strings, Value::List(list)) => Value::List(list.retyped(ListType::String)),
                (Param::Any, Value::Object(object)) => {
                    object.copied().unwrap_or(Value::Object(object))
                }
                (_, value) => value,
            });
        }
        let expected = param.type_name();
        match &found.value {
            Value::Nil if found.any => self.raise(format!(
                "wrong type for value; expected {expected}; got interface {{}}"
            )),
            Value::Nil => match zero(param) {
                Some(zero) => Ok(zero),
                None => self.raise(format!("invalid value; expected {expected}")),
            },
            value => {
                let got = value.type_name();
                self.raise(format!(
                    "wrong type for value; expected {expected}; got {got}"
                ))
            }
        }
    }
}

/// Nil as a value of the type, if the type has one.
fn zero(param: Param) -> Option<Value> {
    match param {
        Param::Any | Param::Reflect => Some(Value::Nil),
        Param::List => Some(Value::List(List::nil(ListType::Any))),
        Param::Strings => Some(Value::List(List::nil(ListType::String))),
        Param::Map => Some(Value::Map(Map::nil(MapType::Any))),
        Param::Object(name) if name.starts_with('*') => Some(Value::Nil),
        _ => None,
    }
}

impl Caller for Render<'_> {
    fn host(&mut self) -> &mut dyn Host {
        self.host
    }

    fn include(&mut self, name: &[u8], data: &Value) -> Result<Value, FuncError> {
        self.include_template(name, data)
    }

    fn tpl(&mut self, text: &Str, data: &Value) -> Result<Value, FuncError> {
        self.execute_text(text, data)
    }

    fn reserve(&mut self, bytes: usize) -> Result<(), FuncError> {
        self.spend(bytes)
    }

    fn nil_in_interface(&self) -> bool {
        self.nil_in_interface
    }

    fn lenient(&self) -> bool {
        self.options.lenient
    }
}
