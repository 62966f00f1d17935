use super::*;
use serde_json::json;

fn ask(text: &str, object: &Value) -> Result<bool, NoAnswer> {
    Expression::compile(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .holds(object)
}

fn refused(text: &str) -> ExpressionError {
    match Expression::compile(text) {
        Err(error) => error,
        Ok(_) => panic!("{text} was taken"),
    }
}

fn certificate(ready: &str) -> Value {
    json!({"metadata": {"name": "tls"}, "spec": {"replicas": 3, "names": ["a", "b"]},
           "status": {"conditions": [{"type": "Issuing", "status": "False"}, {"type": "Ready", "status": ready}],
                      "ready": 2, "waiting": 1, "share": 0.5}})
}

#[test]
fn what_people_ask_of_conditions_fields_and_numbers_is_answered() {
    let object = certificate("True");
    for text in [
        "self.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
        "self.status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')",
        "self.status.conditions.exists_one(c, c.type == 'Ready')",
        "has(self.status.ready) && !has(self.status.error)",
        "self.status.ready + self.status.waiting == self.spec.replicas",
        "self.status.ready >= 2 && self.status.share < 1.0",
        "'a' in self.spec.names && size(self.spec.names) == 2",
        "self.metadata.name.startsWith('t') ? true : false",
        "self.?status.?phase.orValue('Up') == 'Up'",
        "self.status.conditions[1].type == 'Ready'",
        "self['metadata']['name'].contains('l')",
        "self.spec.names.all(a, self.status.conditions.exists(c, c.type != a))",
        "string(self.status.ready) == '2'",
        "type(self.status.ready) == int",
    ] {
        assert_eq!(ask(text, &object), Ok(true), "{text}");
    }
    let not = "self.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')";
    assert_eq!(ask(not, &certificate("False")), Ok(false));
}

#[test]
fn an_expression_that_does_not_fit_the_object_has_no_answer_and_says_why() {
    let object = certificate("True");
    assert_eq!(
        ask("self.status.phase == 'Up'", &object),
        Err(NoAnswer::NoField("phase".to_owned()))
    );
    assert_eq!(
        ask("self.status.ready", &object),
        Err(NoAnswer::NotABool("int".to_owned()))
    );
    for text in [
        "self.metadata.name > 3",
        "self.status.conditions + self.status.conditions == []",
        "self.status.ready / 0 == 1",
        "self.status.conditions[9].type == 'x'",
    ] {
        assert!(ask(text, &object).is_err(), "{text}");
    }
}

#[test]
fn no_value_of_the_object_is_told_with_an_error() {
    let secret = json!({"data": {"token": "hunter2", "n": 1}});
    for text in [
        "self.data.token > 3",
        "self.data.token + 1 == 2",
        "int(self.data.token) == 1",
        "self.data.token.all(x, x == 1)",
        "self.data.token",
        "self.data[self.data.n] == 'x'",
        "self.data.token.field == 'x'",
        "[1][self.data.token] == 1",
        "double(self.data.token) > 0.0",
        "self.data.n.startsWith(self.data.token)",
        "bool(self.data.token)",
    ] {
        let error = ask(text, &secret).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{text}: {error}");
    }
}

#[test]
fn a_text_that_is_no_expression_is_refused_with_its_place() {
    let error = refused("self.status.ready ==");
    assert_eq!((error.line, error.column), (1, 21), "{error}");
    let error = refused("self.status.ready == 1 &&\n  status.ready == 2");
    assert_eq!((error.line, error.column), (2, 3), "{error}");
    assert!(error.message.contains("there is no status here"), "{error}");
    let error = refused("has(self.status) && matches(self.status.phase, '.*')");
    assert_eq!(error.column, 21, "{error}");
    let error = refused("self.list.map(x, x.name) == []");
    assert_eq!(error.column, 11, "{error}");
    assert!(error.message.contains("filter"), "{error}");
    for text in [
        "",
        "self.",
        "'open",
        "a.b{c: 1}",
        "self.x.all(1, true)",
        "self # 1",
        "{",
    ] {
        refused(text);
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_refused_before_it_can_cost_anything() {
    let many = |part: &str, times: usize| part.repeat(times);
    for text in [
        format!("self.x == '{}'", many("x", MAX_EXPRESSION_BYTES)),
        format!("{}1{}", many("[", 200), many("]", 200)),
        format!("self{} == 1", many(".a", 400)),
        format!("1{} == 1", many("+1", 400)),
        format!("{}true{}", many("self.x.all(y,", 40), many(")", 40)),
        // Inputs of this shape took another parser of the crate gigabytes.
        many("!!(!!!!!!(!!!!(((((!!(!!(!!!!((", 20),
        many("{[(", 300),
        many("? :", 300),
    ] {
        refused(&text);
    }
    // What costs nothing may be taken.
    for text in [
        format!("{}true{}", many("(", 500), many(")", 500)),
        format!("{}1", many("-", 1000)),
        format!("{}true", many("!", 1000)),
        format!("{}1", many("-1-", 300)),
    ] {
        if let Ok(expression) = Expression::compile(&text) {
            let _ = expression.holds(&Value::Null);
        }
    }
}

#[test]
fn loops_end_when_they_have_had_their_turns() {
    let list = |length: usize| json!({"x": vec![1; length], "y": vec!["text"; 100]});
    let nested = "self.x.all(a, self.x.all(b, self.x.all(c, a == b && b == c)))";
    assert_eq!(ask(nested, &list(5)), Ok(true));
    assert_eq!(ask(nested, &list(1000)), Err(NoAnswer::TooMuchWork));
    let whole = "self.x.all(a, self == self)";
    assert_eq!(ask(whole, &list(20)), Ok(true));
    assert_eq!(ask(whole, &list(100_000)), Err(NoAnswer::TooMuchWork));
}

#[test]
fn an_expression_needs_no_stack_of_the_thread_that_asks() {
    // As deep as it may be, each step of another kind.
    let deep = (1..10_000)
        .map(|depth| {
            let open = "(self.x.all(y, 1 < 2 ? [!(".repeat(depth);
            let close = ")][0] == true : false))".repeat(depth);
            format!("{open}true{close}")
        })
        .take_while(|text| Expression::compile(text).is_ok())
        .last();
    let chain = (1..10_000)
        .map(|length| format!("has(self{}.a)", ".a".repeat(length)))
        .take_while(|text| Expression::compile(text).is_ok())
        .last();
    let thread = std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(move || {
            for text in [deep, chain].into_iter().flatten() {
                let _ = ask(&text, &json!({"x": [1]}));
            }
        });
    thread.unwrap().join().unwrap();
}
