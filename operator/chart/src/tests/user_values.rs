use super::*;

#[test]
fn kinds_win_in_helms_order_and_not_in_that_of_the_command_line() {
    let values = UserValues {
        files: vec![
            ValuesFile {
                name: "1".into(),
                data: b"a: file\nm: {x: 1, z: 1}".to_vec(),
            },
            ValuesFile {
                name: "2".into(),
                data: b"m: {z: 2}\n---\nm: {w: 3}".to_vec(),
            },
        ],
        json: vec!["a=\"json\"".into(), "{\"b\": \"json\"}".into()],
        set: vec!["b=set,c=set".into()],
        strings: vec!["c=1".into(), "d=string".into()],
        set_files: vec!["d=path,e=path".into()],
        literals: vec!["e=lit".into()],
    };
    let merged = values
        .merge(Values::new(), &mut |_| Ok(b"file".to_vec()))
        .unwrap();
    assert_eq!(
        belay_yaml::to_json(&Value::Map(merged)).unwrap(),
        r#"{"a":"json","b":"set","c":"1","d":"file","e":"lit","m":{"w":3,"x":1,"z":2}}"#
    );
}

#[test]
fn numbers_of_files_are_floats_and_those_of_set_are_integers() {
    let values = UserValues {
        files: vec![ValuesFile {
            name: "f".into(),
            data: b"a: 1".to_vec(),
        }],
        set: vec!["b=1".into()],
        ..UserValues::default()
    };
    let merged = values
        .merge(Values::new(), &mut |_| unreachable!())
        .unwrap();
    assert_eq!(
        (&merged["a"], &merged["b"]),
        (&Value::Float(1.0), &Value::Int(1))
    );
}

#[test]
fn the_faulty_file_is_named() {
    let values = UserValues {
        files: vec![ValuesFile {
            name: "v.yaml".into(),
            data: b"- a".to_vec(),
        }],
        ..UserValues::default()
    };
    let error = values
        .merge(Values::new(), &mut |_| unreachable!())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("failed to parse v.yaml: cannot unmarshal yaml document: "),
        "{error}"
    );
}
