use super::*;

fn yaml(map: Map) -> String {
    belay_yaml::to_json(&Value::Map(map)).unwrap()
}

fn set_on(base: &str, text: &str) -> Result<String, String> {
    let mut map = belay_yaml::parse_map(base.as_bytes()).unwrap();
    set(text, &mut map).map(|()| yaml(map)).map_err(|e| e.0)
}

#[test]
fn texts_become_typed_values_at_their_paths() {
    for (text, expected) in [
        ("a=1,b=x", r#"{"a":1,"b":"x"}"#),
        (
            "a=true,b=NULL,c=False,d=0,e=007,f=1.5,g=-3",
            r#"{"a":true,"b":null,"c":false,"d":0,"e":"007","f":"1.5","g":-3}"#,
        ),
        ("a.b.c=1", r#"{"a":{"b":{"c":1}}}"#),
        ("a=", r#"{"a":""}"#),
        ("a={x,1,}", r#"{"a":["x",1,""]}"#),
        ("a={}", r#"{"a":[""]}"#),
        ("a={x},b=1", r#"{"a":["x"],"b":1}"#),
        ("a[1].b=2", r#"{"a":[null,{"b":2}]}"#),
        ("a[0][1]=2", r#"{"a":[[null,2]]}"#),
        (r"a\.b=x\,y", r#"{"a.b":"x,y"}"#),
        ("a[0", "{}"),
    ] {
        assert_eq!(set_on("", text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_there_is_kept_around_the_path() {
    assert_eq!(
        set_on("a: {x: z}\nl: [p, q]", "a.b=1,l[1]=r").unwrap(),
        r#"{"a":{"b":1,"x":"z"},"l":["p","r"]}"#
    );
}

#[test]
fn faults_are_told_in_helms_words() {
    for (base, text, message) in [
        ("", "a", "key \"a\" has no value"),
        ("", "a,b=1", "key \"a\" has no value (cannot end with ,)"),
        (
            "",
            "a[x]=1",
            "error parsing index: strconv.Atoi: parsing \"x\": invalid syntax",
        ),
        ("", "a[-1]=1", "negative -1 index not allowed"),
        (
            "",
            "a[65537]=1",
            "index of 65537 is greater than maximum supported index of 65536",
        ),
        (
            "",
            "a[0]b=1",
            "unexpected data at end of array index: ['b']",
        ),
        ("", "a={x", "list must terminate with '}'"),
        ("", "a.=1", "key map \"a\" has no value"),
        (
            "a: 1",
            "a.b=1",
            "unable to parse key: interface conversion: interface {} is float64, not map[string]interface {}",
        ),
        (
            "a: x",
            "a[0]=1",
            "unable to parse key: interface conversion: interface {} is string, not []interface {}",
        ),
    ] {
        assert_eq!(set_on(base, text), Err(message.to_owned()), "{text}");
    }
    let deep = vec!["a"; 32].join(".") + "=1";
    assert!(
        set_on("", &deep)
            .unwrap_err()
            .contains("nested level of 30")
    );
}

#[test]
fn the_other_kinds_read_the_same_paths() {
    let mut map = Map::new();
    set_string("a=1,b=true", &mut map).unwrap();
    set_json(r#"c={"x":[1,2]} ,d=[true,null],e="#, &mut map).unwrap();
    set_literal(r"f.g=a,b=\c{d}", &mut map).unwrap();
    set_file("h=some/file", &mut map, &mut |name| {
        Ok(format!("<{name}>").into_bytes())
    })
    .unwrap();
    assert_eq!(
        yaml(map),
        r#"{"a":"1","b":"true","c":{"x":[1,2]},"d":[true,null],"e":null,"f":{"g":"a,b=\\c{d}"},"h":"\u003csome/file\u003e"}"#
    );
}
