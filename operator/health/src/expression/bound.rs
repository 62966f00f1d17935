//! What an expression may be made of, and where it is counted while it runs.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr};

/// The function that a loop's range is passed through, so that its turns are counted. No text can name it.
pub(super) const RANGE: &str = "@range";
/// The function that `+` becomes, outside of the macros' own bookkeeping.
pub(super) const SUM: &str = "@sum";

/// How deep the tree may be: its evaluation recurses.
const MAX_DEPTH: usize = 48;

/// What can be called, operators and the macros' own helpers included.
const FUNCTIONS: [&str; 33] = [
    "_?_:_",
    "_&&_",
    "_||_",
    "!_",
    "_-_",
    "_+_",
    "_*_",
    "_/_",
    "_%_",
    "_==_",
    "_!=_",
    "_>=_",
    "_<=_",
    "_>_",
    "_<_",
    "-_",
    "_[_]",
    "_[?_]",
    "_?._",
    "@in",
    "@not_strictly_false",
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "orValue",
    "hasValue",
    "type",
];

/// What the result of `type` can be compared with.
const TYPES: [&str; 8] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "list",
    "map",
    "null_type",
];

/// Something that an expression may not be made of.
#[derive(Debug)]
pub(super) struct Refused {
    /// The name by which it is found in the text.
    pub(super) name: String,
    /// What is wrong with it.
    pub(super) message: String,
}

/// Checks a tree that may speak of the variable `subject`, and has its loops and sums counted. Answers with the
/// number of its nodes.
pub(super) fn bound(tree: &mut IdedExpr, subject: &str) -> Result<u64, Refused> {
    let mut walk = Walk {
        variables: vec![subject.to_owned()],
        nodes: 0,
        depth: 0,
    };
    walk.visit(tree)?;
    Ok(walk.nodes)
}

struct Walk {
    variables: Vec<String>,
    nodes: u64,
    depth: usize,
}

impl Walk {
    fn visit(&mut self, tree: &mut IdedExpr) -> Result<(), Refused> {
        if self.depth >= MAX_DEPTH {
            return Err(Refused {
                name: String::new(),
                message: format!("it is more than {MAX_DEPTH} steps deep"),
            });
        }
        self.depth += 1;
        self.nodes += 1;
        self.parts(&mut tree.expr)?;
        self.depth -= 1;
        Ok(())
    }

    fn parts(&mut self, expr: &mut Expr) -> Result<(), Refused> {
        match expr {
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => self.visit(&mut select.operand),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.all(&mut list.elements),
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.visit(&mut entry.key)?;
                        self.visit(&mut entry.value)?;
                    }
                }
                Ok(())
            }
            Expr::Comprehension(repeated) => self.repeat(repeated),
            Expr::Struct(made) => Err(Refused {
                name: made.type_name.clone(),
                message: format!("there is no type {} here", made.type_name),
            }),
            Expr::Unspecified => Err(Refused {
                name: String::new(),
                message: "something is missing".to_owned(),
            }),
        }
    }

    fn all(&mut self, trees: &mut [IdedExpr]) -> Result<(), Refused> {
        trees.iter_mut().try_for_each(|tree| self.visit(tree))
    }

    fn variable(&self, name: &str) -> Result<(), Refused> {
        let known = self.variables.iter().any(|known| known == name) || TYPES.contains(&name);
        if known {
            return Ok(());
        }
        Err(Refused {
            name: name.to_owned(),
            message: format!("there is no {name} here; the object is called self"),
        })
    }

    fn call(&mut self, call: &mut CallExpr) -> Result<(), Refused> {
        if !FUNCTIONS.contains(&call.func_name.as_str()) {
            return Err(Refused {
                name: call.func_name.clone(),
                message: format!("there is no function {} here", call.func_name),
            });
        }
        if let Some(target) = &mut call.target {
            self.visit(target)?;
        }
        self.all(&mut call.args)?;
        if call.func_name == "_+_" {
            SUM.clone_into(&mut call.func_name);
        }
        Ok(())
    }

    /// A loop: its own bookkeeping is the macro's and stays as it is, what the user wrote in it is visited.
    fn repeat(&mut self, repeated: &mut ComprehensionExpr) -> Result<(), Refused> {
        self.visit(&mut repeated.iter_range)?;
        let range = std::mem::take(&mut repeated.iter_range);
        repeated.iter_range = IdedExpr {
            id: range.id,
            expr: Expr::Call(CallExpr {
                func_name: RANGE.to_owned(),
                target: None,
                args: vec![range],
            }),
        };
        let outside = self.variables.len();
        self.variables.push(repeated.iter_var.clone());
        self.variables.extend(repeated.iter_var2.clone());
        let step = Step {
            accumulator: &repeated.accu_var,
            element: &repeated.iter_var,
        };
        self.depth += 1;
        self.visit(step.user(&mut repeated.loop_step)?)?;
        self.depth -= 1;
        self.nodes += 4;
        self.variables.truncate(outside);
        Ok(())
    }
}

/// The step of a macro's loop: what it does with its accumulator, and what in it the user wrote.
struct Step<'s> {
    accumulator: &'s str,
    element: &'s str,
}

impl Step<'_> {
    /// `all`, `exists`: `@result && P`, `@result || P`; `filter`, `exists_one`: `P ? @result + … : @result`.
    fn user<'t>(&self, step: &'t mut IdedExpr) -> Result<&'t mut IdedExpr, Refused> {
        let place = self.place(step)?;
        match &mut step.expr {
            Expr::Call(call) => call.args.get_mut(place).ok_or_else(unknown),
            _ => Err(unknown()),
        }
    }

    /// At which place of the step stands what the user wrote.
    fn place(&self, step: &IdedExpr) -> Result<usize, Refused> {
        let Expr::Call(call) = &step.expr else {
            return Err(unknown());
        };
        match (call.func_name.as_str(), call.args.as_slice()) {
            ("_&&_" | "_||_", [accumulator, _]) if self.is_accumulator(accumulator) => Ok(1),
            ("_?_:_", [_, kept, otherwise]) if self.is_accumulator(otherwise) => {
                if self.only_counts_or_keeps(kept) {
                    Ok(0)
                } else {
                    Err(building())
                }
            }
            ("_+_", _) => Err(building()),
            _ => Err(unknown()),
        }
    }

    fn is_accumulator(&self, tree: &IdedExpr) -> bool {
        matches!(&tree.expr, Expr::Ident(name) if name == self.accumulator)
    }

    /// `@result + [element]` or `@result + 1`.
    fn only_counts_or_keeps(&self, kept: &IdedExpr) -> bool {
        let Expr::Call(call) = &kept.expr else {
            return false;
        };
        match call.args.as_slice() {
            [accumulator, added] if self.is_accumulator(accumulator) => match &added.expr {
                Expr::Literal(_) => true,
                Expr::List(list) => list.elements.iter().all(
                    |element| matches!(&element.expr, Expr::Ident(name) if name == self.element),
                ),
                _ => false,
            },
            _ => false,
        }
    }
}

fn building() -> Refused {
    Refused {
        name: "map".to_owned(),
        message: "map builds something new and is not available here; use all, exists or filter"
            .to_owned(),
    }
}

fn unknown() -> Refused {
    Refused {
        name: String::new(),
        message: "it has a loop that is not known here; use all, exists, exists_one or filter"
            .to_owned(),
    }
}
