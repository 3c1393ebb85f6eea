//! Runs the table of cases in `tests/inbox-cases`, which the web client's replica runs too.
//! Replicas with a fault show that the table finds it.

mod expand;
mod runner;

use std::fs;
use std::path::Path;

use runner::run;
use serde_json::Value;

/// Returns every case of every file, with the name of the file.
fn table() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/inbox-cases");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let cases = files.iter().flat_map(|path| {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut table: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let Value::Array(cases) = table["cases"].take() else { panic!("{file} has no `cases`") };
        assert!(!cases.is_empty(), "{file} has no cases");
        cases.into_iter().map(move |case| (file.clone(), case))
    });
    cases.collect()
}

/// Returns the cases that fail, and why.
fn failures() -> Vec<String> {
    let wrong = table().into_iter().filter_map(|(file, case)| {
        let outcome = run(&case);
        outcome.err().map(|why| format!("{file}: {}: {why}", case["name"]))
    });
    wrong.collect()
}

#[test]
fn every_case_passes() {
    assert!(!table().is_empty(), "there are no cases");
    let failures = failures();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

each_is_found!(assert!(!failures().is_empty(), "no case fails"));
