//! Each bullet of the contract of a service has a test in the testkit's suite.

use crate::files;
use crate::workspace::root;

const BULLETS: &str = "crates/notifications/service/src/service.rs";
const TESTS: &str = "crates/notifications/testkit/src/contract_tests.rs";

#[test]
fn every_bullet_of_the_contract_has_a_test() {
    let read = |file: &str| files::read(&root().join(file));
    let wrong = unmatched(&read(BULLETS), &read(TESTS));
    assert!(wrong.is_empty(), "{BULLETS} and {TESTS} do not match:\n{}", wrong.join("\n"));
}

/// The bullets without a test and the tests without a bullet, as sentences.
fn unmatched(trait_source: &str, list_source: &str) -> Vec<String> {
    let (bullets, tests) = (bullets(trait_source), tests(list_source));
    let mut wrong = Vec::new();
    for (index, (number, text)) in bullets.iter().enumerate() {
        if *number != index + 1 {
            wrong.push(format!("bullet {number} is where {} should be: {text}", index + 1));
        }
        if !tests.iter().any(|(tested, _)| tested == number) {
            wrong.push(format!("bullet {number} has no test: {text}"));
        }
    }
    for (index, (number, name)) in tests.iter().enumerate() {
        if !bullets.iter().any(|(bullet, _)| bullet == number) {
            wrong.push(format!("{name} tests bullet {number}, which does not exist"));
        }
        if !name.starts_with(&format!("bullet_{number:02}_")) {
            wrong.push(format!("{name} is listed as the test of bullet {number}"));
        }
        if tests.iter().take(index).any(|(before, _)| before == number) {
            wrong.push(format!("{name} is a second test of bullet {number}"));
        }
    }
    if bullets.is_empty() {
        wrong.push("there are no bullets".to_owned());
    }
    wrong
}

/// The numbered bullets in the trait's docs.
fn bullets(source: &str) -> Vec<(usize, &str)> {
    let docs = source.split("pub trait InternalNotificationsService").next().unwrap_or_default();
    let bullet = |line: &str| {
        let (number, _) = line.split_once(". ")?;
        number.parse().ok()
    };
    let lines = docs.lines().filter_map(|line| line.trim().strip_prefix("/// "));
    lines.filter_map(|line| bullet(line).map(|number| (number, line))).collect()
}

/// The entries of the testkit's list, such as `17 streams bullet_17_announcements_…,`.
fn tests(source: &str) -> Vec<(usize, &str)> {
    source.lines().filter_map(test).collect()
}

fn test(line: &str) -> Option<(usize, &str)> {
    let mut words = line.trim().strip_suffix(',')?.split(' ');
    let number = words.next()?.parse().ok()?;
    Some((number, words.nth(1)?))
}

#[test]
fn each_mismatch_is_reported() {
    let bullets = "/// 1. Before `init`.\n/// 2. After\n///    it.\n/// 3. Last.\npub trait InternalNotificationsService {\n/// 9. no\n";
    let right = "1 lifecycle bullet_01_before,\n2 lifecycle bullet_02_after,\n3 push bullet_03_last,\n";
    assert_eq!(unmatched(bullets, right), Vec::<String>::new());

    let without = right.replace("2 lifecycle bullet_02_after,\n", "");
    assert_eq!(unmatched(bullets, &without), ["bullet 2 has no test: 2. After"]);
    let more = format!("{right}4 push bullet_04_more,\n");
    assert_eq!(unmatched(bullets, &more), ["bullet_04_more tests bullet 4, which does not exist"]);
    let crossed = right.replace("3 push bullet_03", "3 push bullet_02");
    assert_eq!(unmatched(bullets, &crossed), ["bullet_02_last is listed as the test of bullet 3"]);
    let twice = format!("{right}3 push bullet_03_again,\n");
    assert_eq!(unmatched(bullets, &twice), ["bullet_03_again is a second test of bullet 3"]);
    let renumbered = bullets.replace("3. Last", "4. Last");
    assert_eq!(
        unmatched(&renumbered, right),
        [
            "bullet 4 is where 3 should be: 4. Last.",
            "bullet 4 has no test: 4. Last.",
            "bullet_03_last tests bullet 3, which does not exist"
        ]
    );
    assert_eq!(unmatched("", ""), ["there are no bullets"]);
}
