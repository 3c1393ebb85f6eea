use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::contract::{self, without_inbox};
use crate::scenario::Scenario;
use crate::violation::{CheckResult, Failure};
use crate::{Harness, Report, Violation};

/// The outcome of one bullet's test.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Outcome {
    /// The service fulfils the bullet.
    Passed,
    /// The bullet does not apply to the service. The reason is that of [`Harness::skip`], or that
    /// the service has [no inbox](Harness::has_inbox).
    Skipped(&'static str),
    /// The service violates the bullet.
    Violated(Violation),
}

/// Runs the test of one bullet inside the caller's tokio runtime.
///
/// A number outside of [`BULLETS`] and a test that panics count as violated.
pub async fn run_bullet(number: u8, harness: &dyn Harness) -> Outcome {
    if let Some(reason) = harness.skip(number) {
        return Outcome::Skipped(reason);
    }
    let Some((_, test)) = TESTS.iter().find(|(bullet, _)| *bullet == number) else {
        return Outcome::Violated(Violation::new(number, "there is no such bullet"));
    };
    let scenario = Scenario::new(harness);
    let test = match harness.has_inbox() {
        true => test(&scenario),
        false if without_inbox::BULLETS.contains(&number) => without_inbox::bullet(number, &scenario).boxed(),
        false => return Outcome::Skipped("the service has no inbox, and this bullet is about one"),
    };
    match AssertUnwindSafe(test).catch_unwind().await {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(Failure(what))) => Outcome::Violated(Violation::new(number, scenario.without_run_id(&what))),
        Err(panic) => Outcome::Violated(Violation::new(number, format!("it panicked: {}", message(&*panic)))),
    }
}

/// Runs the tests of all bullets, one after the other.
pub async fn run_all(harness: &dyn Harness) -> Report {
    let mut report = Report::default();
    for number in BULLETS {
        report.add(number, run_bullet(number, harness).await);
    }
    report
}

/// The numbers of all bullets that have a test.
pub const BULLETS: [u8; 28] = crate::__each_bullet! { __bullet_numbers };

const TESTS: [(u8, Test); 28] = crate::__each_bullet! { __bullet_table };

type Test = for<'a> fn(&'a Scenario<'a>) -> BoxFuture<'a, CheckResult>;

#[doc(hidden)]
#[macro_export]
macro_rules! __bullet_numbers {
    ($($number:literal $module:ident $name:ident,)*) => { [$($number),*] };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __bullet_table {
    ($($number:literal $module:ident $name:ident,)*) => {
        [$(($number, |scenario| contract::$module::$name(scenario).boxed())),*]
    };
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
