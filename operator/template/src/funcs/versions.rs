//! Semantic versions.

use std::any::Any as StdAny;

use super::args::{at, text};
use crate::call::{
    Caller, Function, Library,
    Param::{Object as Obj, String as Str},
};
use crate::error::FuncError;
use crate::semver::{Constraints, SemverError, Version};
use crate::value::{IntKind, Member, Object, Value};

const POINTER: &str = "*semver.Version";

/// Sprig's functions over versions.
pub(super) const LIBRARY: Library = Library {
    name: "versions",
    functions: &[
        Function::new("semver", &[Str], |_, a| match Version::parse(&text(a, 0)) {
            Ok(version) => Ok(Value::object(version)),
            Err(error) => Err(failed(&error)),
        }),
        Function::new("semverCompare", &[Str, Str], semver_compare),
    ],
};

fn failed(error: &SemverError) -> FuncError {
    FuncError::new(error.to_string())
}

fn semver_compare(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let constraints = Constraints::parse(&text(args, 0)).map_err(|error| failed(&error))?;
    let version = Version::parse(&text(args, 1)).map_err(|error| failed(&error))?;
    Ok(constraints.check(&version).into())
}

impl Object for Version {
    fn type_name(&self) -> &'static str {
        POINTER
    }

    fn member(&self, name: &[u8]) -> Option<Member> {
        let mut methods = BY_POINTER.iter().chain(BY_VALUE);
        methods
            .find(|method| method.name.as_bytes() == name)
            .map(Member::Method)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        fields(self)
    }

    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn plain(&self) -> Value {
        self.to_string().into()
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

/// What `IncMajor` and its kin give: a version that is no pointer in Go, so that it lacks some methods.
struct Derived(Version);

impl Object for Derived {
    fn type_name(&self) -> &'static str {
        "semver.Version"
    }

    fn member(&self, name: &[u8]) -> Option<Member> {
        BY_VALUE
            .iter()
            .find(|method| method.name.as_bytes() == name)
            .map(Member::Method)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        fields(&self.0)
    }

    fn text(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn plain(&self) -> Value {
        self.0.to_string().into()
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

/// Masterminds' struct; none of its fields is exported.
fn fields(version: &Version) -> Vec<(&'static str, Value)> {
    let number = |number: u64| Value::Int(IntKind::Uint64, number as i64);
    vec![
        ("major", number(version.major())),
        ("minor", number(version.minor())),
        ("patch", number(version.patch())),
        ("pre", Value::str(version.prerelease())),
        ("metadata", Value::str(version.metadata())),
        ("original", Value::str(version.original())),
    ]
}

/// Whether the value is a version, behind a pointer or not.
pub(super) fn is_version(value: &Value) -> bool {
    value.downcast::<Version>().is_some() || value.downcast::<Derived>().is_some()
}

/// A version of the same type whose fields are all zero.
pub(super) fn zero(of: &Value) -> Value {
    let zero = Version::default();
    if of.downcast::<Derived>().is_some() {
        Value::object(Derived(zero))
    } else {
        Value::object(zero)
    }
}

/// The receiver or a declared parameter; nothing but a version can stand there.
fn version(args: &[Value], index: usize) -> Result<&Version, FuncError> {
    let value = at(args, index);
    let derived = || value.downcast::<Derived>().map(|derived| &derived.0);
    value
        .downcast::<Version>()
        .or_else(derived)
        .ok_or_else(|| super::args::NIL_DEREFERENCE.into())
}

fn number(number: u64) -> Value {
    Value::Int(IntKind::Uint64, number as i64)
}

fn compare(args: &[Value]) -> Result<std::cmp::Ordering, FuncError> {
    Ok(version(args, 0)?.precedence(version(args, 1)?))
}

fn derived(version: Version) -> Value {
    Value::object(Derived(version))
}

static BY_POINTER: &[Function] = &[
    Function::new("Original", &[], |_, a| Ok(version(a, 0)?.original().into())),
    Function::new("Compare", &[Obj(POINTER)], |_, a| {
        Ok(Value::int(compare(a)? as i64))
    }),
    Function::new("Equal", &[Obj(POINTER)], |_, a| {
        Ok(compare(a)?.is_eq().into())
    }),
    Function::new("LessThan", &[Obj(POINTER)], |_, a| {
        Ok(compare(a)?.is_lt().into())
    }),
    Function::new("LessThanEqual", &[Obj(POINTER)], |_, a| {
        Ok(compare(a)?.is_le().into())
    }),
    Function::new("GreaterThan", &[Obj(POINTER)], |_, a| {
        Ok(compare(a)?.is_gt().into())
    }),
    Function::new("GreaterThanEqual", &[Obj(POINTER)], |_, a| {
        Ok(compare(a)?.is_ge().into())
    }),
];

static BY_VALUE: &[Function] = &[
    Function::new("Major", &[], |_, a| Ok(number(version(a, 0)?.major()))),
    Function::new("Minor", &[], |_, a| Ok(number(version(a, 0)?.minor()))),
    Function::new("Patch", &[], |_, a| Ok(number(version(a, 0)?.patch()))),
    Function::new("Prerelease", &[], |_, a| {
        Ok(version(a, 0)?.prerelease().into())
    }),
    Function::new("Metadata", &[], |_, a| Ok(version(a, 0)?.metadata().into())),
    Function::new("String", &[], |_, a| Ok(version(a, 0)?.to_string().into())),
    Function::new("IncMajor", &[], |_, a| {
        Ok(derived(version(a, 0)?.inc_major()))
    }),
    Function::new("IncMinor", &[], |_, a| {
        Ok(derived(version(a, 0)?.inc_minor()))
    }),
    Function::new("IncPatch", &[], |_, a| {
        Ok(derived(version(a, 0)?.inc_patch()))
    }),
    Function::new("SetPrerelease", &[Str], |_, a| {
        let next = version(a, 0)?.with_prerelease(&text(a, 1));
        next.map(derived).map_err(|error| failed(&error))
    }),
    Function::new("SetMetadata", &[Str], |_, a| {
        let next = version(a, 0)?.with_metadata(&text(a, 1));
        next.map(derived).map_err(|error| failed(&error))
    }),
];

#[cfg(test)]
mod tests;
