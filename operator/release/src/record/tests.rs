use serde_json::{Value, json};

use super::*;
use crate::hook::HookPhase;
use crate::status::Status;

/// A record with everything that Helm 4 writes, and fields that no version knows.
fn stored() -> Value {
    json!({
        "name": "web",
        "info": {"first_deployed": "2026-01-31T12:00:00.123456789Z", "last_deployed": "2026-02-01T12:00:00Z",
                 "description": "Upgrade complete", "status": "deployed", "notes": "hello", "since": {"a": 1}},
        "chart": {"metadata": {"name": "web", "version": "1.0.0", "appVersion": "7"}, "lock": null,
                  "templates": [{"name": "templates/a.yaml", "data": "YTogMQ==", "modtime": "2026-01-01T00:00:00Z"}],
                  "values": {"big": 1e21, "n": 1}, "schema": null, "schemamodtime": "0001-01-01T00:00:00Z", "files": []},
        "config": {"replicas": 3},
        "manifest": "---\n# Source: web/templates/a.yaml\nkind: ConfigMap\nmetadata:\n  name: a\n",
        "hooks": [{"name": "migrate", "kind": "Job", "events": ["pre-upgrade"],
                   "last_run": {"started_at": "2026-02-01T11:59:00Z", "phase": "Succeeded"}}],
        "version": 2, "namespace": "shop", "apply_method": "ssa", "future": [1, 2]
    })
}

fn read(value: &Value) -> Record {
    Record::from_json(value.to_string().as_bytes()).unwrap()
}

#[test]
fn a_record_of_helms_is_read_and_written_without_loss() {
    let record = read(&stored());
    assert_eq!(
        (
            record.name.as_str(),
            record.namespace.as_str(),
            record.version,
            record.info.status
        ),
        ("web", "shop", 2, Status::Deployed)
    );
    assert_eq!(record.hooks[0].last_run.phase, HookPhase::Succeeded);
    let written: Value = serde_json::from_slice(&record.to_json().unwrap()).unwrap();
    assert_eq!(written, stored());
}

#[test]
fn a_charts_text_survives_as_it_was() {
    let text = r#"{"name":"web","chart":{"values":{"n":1.0,"big":1e21, "z":1,"a":2}},"version":1}"#;
    let record = Record::from_json(text.as_bytes()).unwrap();
    let written = String::from_utf8(record.to_json().unwrap()).unwrap();
    assert!(
        written.contains(r#""chart":{"values":{"n":1.0,"big":1e21, "z":1,"a":2}}"#),
        "{written}"
    );
}

#[test]
fn giving_a_record_another_status_changes_nothing_else() {
    let mut record = read(&stored());
    record.info.status = Status::Superseded;
    let written: Value = serde_json::from_slice(&record.to_json().unwrap()).unwrap();
    let mut expected = stored();
    expected["info"]["status"] = json!("superseded");
    assert_eq!(written, expected);
}

#[test]
fn times_that_helm_3_left_empty_are_left_out() {
    let record = read(&json!({"name": "web", "info": {
        "first_deployed": "", "last_deployed": null, "deleted": "0001-01-01T00:00:00Z", "status": "deployed"}}));
    let written: Value = serde_json::from_slice(&record.to_json().unwrap()).unwrap();
    assert_eq!(
        written,
        json!({"name": "web", "info": {"status": "deployed"}})
    );
}

#[test]
fn a_record_that_lacks_nearly_everything_is_still_read() {
    let record = read(&json!({"info": null, "chart": null, "hooks": null}));
    assert_eq!(record.version, 0);
    assert_eq!(record.info.status, Status::Unknown);
    assert_eq!(record.chart_summary().label(), "-");
    assert_eq!(record.config_value().unwrap(), json!({}));
    assert!(record.documents().unwrap().is_empty());
}

#[test]
fn a_field_of_the_wrong_shape_is_named() {
    for (field, value) in [
        ("version", json!("2")),
        ("hooks", json!({})),
        ("info", json!([])),
    ] {
        let mut broken = stored();
        broken[field] = value;
        let error = Record::from_json(broken.to_string().as_bytes()).unwrap_err();
        assert!(
            matches!(&error, Error::NotARecord { field: found, .. } if *found == field),
            "{error}"
        );
    }
}

#[test]
fn the_smallest_record_of_ours_has_all_that_helm_needs() {
    let mut record = Record::new("web", "shop", 1);
    record.info.status = Status::PendingInstall;
    record.chart = Some(
        RawValue::from_string(r#"{"metadata":{"name":"web","version":"1.0.0"}}"#.to_owned())
            .unwrap(),
    );
    record.manifest = "---\n".to_owned();
    let written = String::from_utf8(record.to_json().unwrap()).unwrap();
    assert_eq!(
        written,
        r#"{"name":"web","info":{"status":"pending-install"},"chart":{"metadata":{"name":"web","version":"1.0.0"}},"manifest":"---\n","version":1,"namespace":"shop","apply_method":"ssa"}"#
    );
}
