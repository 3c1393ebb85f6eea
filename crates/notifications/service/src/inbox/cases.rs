//! The rules as a table, `tests/inbox-cases`, which the web client's replica is put through too. That the table finds what is wrong is
//! tested as well: by replicas that are broken on purpose.

mod expand;
mod runner;

use std::fs;
use std::path::Path;

use runner::run;
use serde_json::Value;

use super::fault::Fault;

/// Every case of every file, with its file's name.
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

/// The cases that do not hold, with why.
fn failures() -> Vec<String> {
    let wrong = table().into_iter().filter_map(|(file, case)| {
        let outcome = run(&case);
        outcome.err().map(|why| format!("{file}: {}: {why}", case["name"]))
    });
    wrong.collect()
}

#[test]
fn every_case_holds() {
    assert!(!table().is_empty(), "there are no cases");
    let failures = failures();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

macro_rules! is_found {
    ($($claim:ident: $fault:ident,)*) => {$(
        #[test]
        fn $claim() {
            Fault::$fault.plant();
            assert!(!failures().is_empty(), "no case fails");
        }
    )*};
}

is_found! {
    a_gap_that_is_accepted_is_found: GapAccepted,
    a_tag_that_is_not_compared_is_found: TagNotCompared,
    a_position_that_is_passed_by_its_seq_is_found: PassedBySeq,
    an_old_event_that_is_always_ignored_is_found: OldIgnored,
    a_count_that_the_client_adds_up_is_found: CountAdded,
    a_page_that_is_merged_as_it_was_read_is_found: PageNotReplayed,
    a_page_that_is_merged_though_low_has_moved_is_found: LowNotCompared,
    older_pages_that_outlive_a_reset_are_found: OlderKept,
    an_announcement_made_twice_is_found: AnnouncedTwice,
    an_overlay_that_is_left_by_its_seq_is_found: OverlayBySeq,
    marking_all_opened_without_a_tag_is_found: OpenedAllUntagged,
}
