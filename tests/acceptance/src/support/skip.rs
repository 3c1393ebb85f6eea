use std::env;

/// Reports that a test is skipped, or fails it with `ACCEPTANCE_ALL=1`.
pub(crate) fn skip(missing: &str) {
    assert_ne!(env::var("ACCEPTANCE_ALL").as_deref(), Ok("1"), "missing: {missing}");
    println!("skipped, since this is missing: {missing}");
}
