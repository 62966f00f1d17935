use super::*;
use crate::hook::HookDeletePolicy;

fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

fn rendered(pairs: &[(&str, &str)]) -> Rendered {
    Rendered::from_files(&files(pairs)).unwrap()
}

fn hook_text(events: &str, more: &str) -> String {
    format!("kind: Job\nmetadata:\n  name: h\n  annotations:\n    helm.sh/hook: {events}\n{more}")
}

#[test]
fn documents_stand_in_the_order_of_kinds_then_paths_then_lines() {
    let rendered = rendered(&[
        (
            "w/templates/b.yaml",
            "kind: Service\n---\nkind: Namespace\n",
        ),
        (
            "w/templates/a.yaml",
            "kind: Widget\n---\nkind: Service\nmetadata: {name: first}\n",
        ),
    ]);
    assert_eq!(
        rendered.manifest.to_text(),
        "---\n# Source: w/templates/b.yaml\nkind: Namespace\n\n\
         ---\n# Source: w/templates/a.yaml\nkind: Service\nmetadata: {name: first}\n\n\
         ---\n# Source: w/templates/b.yaml\nkind: Service\n\
         ---\n# Source: w/templates/a.yaml\nkind: Widget\n"
    );
}

#[test]
fn partials_and_empty_files_are_left_out_and_comments_are_not() {
    let rendered = rendered(&[
        ("w/templates/_helpers.tpl", "kind: Secret"),
        ("w/templates/_dir/a.yaml", "kind: ConfigMap"),
        ("w/templates/empty.yaml", " \n\n"),
        ("w/templates/note.yaml", "# off"),
    ]);
    let paths: Vec<_> = rendered
        .manifest
        .documents
        .iter()
        .map(|d| d.path.as_str())
        .collect();
    assert_eq!(paths, ["w/templates/_dir/a.yaml", "w/templates/note.yaml"]);
}

#[test]
fn a_hook_is_taken_out_of_the_manifest_with_all_that_it_declares() {
    let text = hook_text(
        "\"pre-install, Post-Upgrade\"",
        "    helm.sh/hook-weight: \"-5\"\n    helm.sh/hook-delete-policy: hook-succeeded, Before-Hook-Creation\n",
    );
    let rendered = rendered(&[("w/templates/h.yaml", &text)]);
    assert!(rendered.manifest.is_empty());
    let hook = &rendered.hooks[0];
    assert_eq!(hook.events, [HookEvent::PreInstall, HookEvent::PostUpgrade]);
    assert_eq!(hook.weight, -5);
    assert_eq!(
        hook.delete_policies,
        [
            HookDeletePolicy::Succeeded,
            HookDeletePolicy::BeforeCreation
        ]
    );
    assert_eq!((hook.name.as_str(), hook.kind.as_str()), ("h", "Job"));
    assert_eq!(
        (hook.path.as_str(), hook.manifest.as_str()),
        ("w/templates/h.yaml", text.as_str())
    );
}

#[test]
fn a_weight_that_is_no_number_is_zero() {
    let text = hook_text("test-success", "    helm.sh/hook-weight: heavy\n");
    let rendered = rendered(&[("w/templates/h.yaml", &text)]);
    assert_eq!(rendered.hooks[0].weight, 0);
    assert_eq!(rendered.hooks[0].events, [HookEvent::Test]);
}

#[test]
fn a_document_with_an_unknown_event_is_dropped_and_told() {
    let rendered = rendered(&[(
        "w/templates/h.yaml",
        &hook_text("pre-install,crd-install", ""),
    )]);
    assert_eq!(
        (rendered.hooks.len(), rendered.manifest.is_empty()),
        (0, true)
    );
    assert_eq!(
        rendered.skipped,
        [SkippedHook {
            path: "w/templates/h.yaml".to_owned(),
            name: "h".to_owned(),
            events: "pre-install,crd-install".to_owned()
        }]
    );
}

#[test]
fn template_output_has_the_hooks_at_its_end() {
    let rendered = rendered(&[
        ("w/templates/a.yaml", "kind: ConfigMap\n\n"),
        ("w/templates/h.yaml", &hook_text("test", "")),
    ]);
    assert_eq!(
        rendered.to_template_output(),
        format!(
            "---\n# Source: w/templates/a.yaml\nkind: ConfigMap\n---\n# Source: w/templates/h.yaml\n{}\n",
            hook_text("test", "")
        )
    );
}

#[test]
fn an_error_names_the_template_and_the_line_of_what_was_rendered() {
    let error = Rendered::from_files(&files(&[("w/templates/a.yaml", "kind: A\n---\nkind: [\n")]))
        .unwrap_err();
    assert!(
        matches!(&error, Error::Yaml { path, line: 3 | 4, .. } if path == "w/templates/a.yaml"),
        "{error:?}"
    );
}

#[test]
fn what_is_stored_is_what_is_read_back() {
    let rendered = rendered(&[(
        "w/templates/a.yaml",
        "kind: ConfigMap\ndata:\n  a: |+\n    x\n\n---\nkind: Secret\nmetadata: {name: s}\n\n",
    )]);
    let text = rendered.manifest.to_text();
    let read = Manifest::parse(&text).unwrap();
    assert_eq!(read.to_text(), text);
    assert_eq!(
        read.objects().unwrap(),
        rendered.manifest.objects().unwrap()
    );
}
