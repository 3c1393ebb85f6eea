//! Examples stay short.

use std::fs;
use std::path::Path;

#[test]
fn each_example_is_under_60_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [root, &root.join("auth-endpoint"), &root.join("tests/bell")]
        .map(|folder| fs::read_dir(folder).unwrap());
    let mut examples = 0;
    for file in files.into_iter().flatten().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "rs") {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines < 60, "{}: {lines} lines", file.display());
            examples += 1;
        }
    }
    assert!(examples >= 8, "{examples} examples were found");
}
