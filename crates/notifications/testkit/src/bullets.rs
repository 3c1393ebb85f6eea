use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::contract::hollow;
use crate::stage::Stage;
use crate::violation::{Broken, Held};
use crate::{Harness, Report, Violation, contract};

/// Hands the tests of the contract to a macro: the number of each bullet, its module and its name. The one list of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_bullet {
    ($with:ident $($more:tt)*) => {
        $crate::$with! {
            $($more)*
            1 lifecycle bullet_01_before_init_the_service_is_idle_and_errs,
            2 lifecycle bullet_02_init_brings_the_first_snapshot_and_announces_nothing_of_it,
            3 lifecycle bullet_03_init_again_does_nothing,
            4 lifecycle bullet_04_a_failed_init_leaves_it_idle,
            5 lifecycle bullet_05_dispose_forgets_the_user,
            6 lifecycle bullet_06_init_after_dispose_loses_and_repeats_nothing,
            7 lifecycle bullet_07_unsubscribe_keeps_the_state,
            8 lifecycle bullet_08_subscribe_catches_up,
            9 state bullet_09_a_push_is_added_once_and_newest_first,
            10 state bullet_10_a_repeated_push_changes_nothing,
            11 state bullet_11_marks_show_in_list_and_count,
            12 state bullet_12_mark_all_opens_what_was_seen,
            13 state bullet_13_remove_takes_out_of_list_and_count,
            14 state bullet_14_devices_agree_and_users_are_apart,
            15 state bullet_15_the_list_is_bounded_and_older_ones_can_be_had,
            16 streams bullet_16_snapshots_yield_the_present_then_the_newest,
            17 streams bullet_17_announcements_come_once_and_in_order,
            18 streams bullet_18_a_slow_reader_is_told_that_it_missed_some,
            19 streams bullet_19_streams_end_with_dispose,
            20 push bullet_20_push_is_stored_and_counts_each_recipient_once,
            21 push bullet_21_what_must_not_be_pushed_changes_nothing,
            22 offline bullet_22_what_came_while_offline_is_caught_up,
            23 offline bullet_23_writes_while_offline_are_shown_then_stored,
            24 offline bullet_24_a_refused_write_is_rolled_back,
            25 offline bullet_25_the_queue_is_bounded,
            26 offline bullet_26_a_push_while_offline_errs_or_waits,
            27 cancelling bullet_27_a_dropped_call_happens_once_or_not_at_all,
        }
    };
}

/// A test for each bullet of the contract, for the service that a harness gives: `contract_tests!(HARNESS);`
///
/// The expression gives a [`Harness`], and may `.await`; each test makes one of its own, in a multi-threaded runtime of its own. Where one file
/// has more than one suite, put each into a `mod`.
#[macro_export]
macro_rules! contract_tests {
    ($harness:expr $(,)?) => {
        $crate::__each_bullet! { __bullet_tests [$harness] }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __bullet_tests {
    ([$harness:expr] $($number:literal $module:ident $name:ident,)*) => {$(
        #[test]
        fn $name() -> ::core::result::Result<(), $crate::Violation> {
            $crate::__test_bullet($number, async { $harness })
        }
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __bullet_table {
    ($($number:literal $module:ident $name:ident,)*) => {
        [$(($number, |stage| contract::$module::$name(stage).boxed())),*]
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __bullet_numbers {
    ($($number:literal $module:ident $name:ident,)*) => { [$($number),*] };
}

type Bullet = for<'a> fn(&'a Stage<'a>) -> BoxFuture<'a, Held>;

/// Each bullet that has a test, by its number.
pub const BULLETS: [u8; 27] = crate::__each_bullet! { __bullet_numbers };

const TABLE: [(u8, Bullet); 27] = crate::__each_bullet! { __bullet_table };

/// How a bullet went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It holds.
    Held,
    /// It does not apply to the service; why, as [`Harness::skip`] says, or that it [holds](Harness::holds) nothing.
    Skipped(&'static str),
    /// The service violates it.
    Violated(Violation),
}

/// Puts the harness's service through one bullet, within the caller's tokio runtime.
///
/// A number that no bullet has is violated; so is one whose test panics.
pub async fn run_bullet(number: u8, harness: &dyn Harness) -> Outcome {
    if let Some(reason) = harness.skip(number) {
        return Outcome::Skipped(reason);
    }
    let Some((_, bullet)) = TABLE.iter().find(|(known, _)| *known == number) else {
        return Outcome::Violated(Violation::new(number, "there is no such bullet"));
    };
    let stage = Stage::new(harness);
    let tried = match harness.holds() {
        true => bullet(&stage),
        false if hollow::BULLETS.contains(&number) => hollow::bullet(number, &stage).boxed(),
        false => return Outcome::Skipped("the service holds nothing, and this is about what it holds"),
    };
    match AssertUnwindSafe(tried).catch_unwind().await {
        Ok(Ok(())) => Outcome::Held,
        Ok(Err(Broken(what))) => Outcome::Violated(Violation::new(number, stage.plain(&what))),
        Err(panic) => Outcome::Violated(Violation::new(number, format!("it panicked: {}", text(&*panic)))),
    }
}

/// Puts the harness's service through all bullets, one after the other.
pub async fn run_all(harness: &dyn Harness) -> Report {
    let mut report = Report::default();
    for number in BULLETS {
        report.note(number, run_bullet(number, harness).await);
    }
    report
}

/// What one test of [`contract_tests!`] does.
///
/// # Errors
/// The bullet is violated.
#[doc(hidden)]
#[allow(clippy::print_stderr, reason = "a test says why it was skipped")]
pub fn __test_bullet<H: Harness>(number: u8, harness: impl Future<Output = H>) -> Result<(), Violation> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Violation::new(number, format!("there is no runtime: {error}")))?;
    match runtime.block_on(async { run_bullet(number, &harness.await).await }) {
        Outcome::Held => Ok(()),
        Outcome::Skipped(reason) => {
            eprintln!("contract {number}: skipped: {reason}");
            Ok(())
        }
        Outcome::Violated(violation) => Err(violation),
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}
