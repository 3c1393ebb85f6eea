use crate::{Harness, Outcome, Violation, run_bullet};

/// Hands the tests of the contract to a macro: the number, module and name of each.
/// This is the only list of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_bullet {
    ($with:ident $($more:tt)*) => {
        $crate::$with! {
            $($more)*
            1 lifecycle bullet_01_before_init_the_service_is_idle_and_calls_fail,
            2 lifecycle bullet_02_init_loads_the_first_snapshot_and_announces_none_of_it,
            3 lifecycle bullet_03_a_second_init_does_nothing,
            4 lifecycle bullet_04_a_failed_init_leaves_the_service_idle,
            5 lifecycle bullet_05_dispose_forgets_the_user,
            6 lifecycle bullet_06_init_after_dispose_loses_and_repeats_nothing,
            7 lifecycle bullet_07_unsubscribe_keeps_the_state,
            8 lifecycle bullet_08_subscribe_catches_up,
            9 state bullet_09_a_push_is_added_once_and_newest_first,
            10 state bullet_10_a_repeated_push_changes_nothing,
            11 state bullet_11_marks_show_in_list_and_count,
            12 state bullet_12_mark_all_opens_what_was_seen,
            13 state bullet_13_remove_updates_list_and_count,
            14 state bullet_14_devices_agree_and_users_are_separate,
            15 state bullet_15_the_list_is_bounded_and_load_older_extends_it,
            16 streams bullet_16_snapshots_yield_the_current_one_then_the_newest,
            17 streams bullet_17_announcements_come_once_and_in_order,
            18 streams bullet_18_a_slow_reader_receives_skipped,
            19 streams bullet_19_streams_end_with_dispose,
            20 push bullet_20_push_is_stored_and_counts_each_recipient_once,
            21 push bullet_21_a_rejected_push_changes_nothing,
            22 offline bullet_22_notifications_pushed_while_offline_are_caught_up,
            23 offline bullet_23_writes_while_offline_are_shown_then_stored,
            24 offline bullet_24_a_refused_write_is_rolled_back,
            25 offline bullet_25_the_write_queue_is_bounded,
            26 offline bullet_26_a_push_while_offline_fails_or_waits,
            27 cancelling bullet_27_a_dropped_call_happens_once_or_not_at_all,
            28 waking bullet_28_wake_finds_what_was_missed_and_changes_nothing_else,
        }
    };
}

/// Generates one test for each bullet of the contract: `contract_tests!(HARNESS);`
///
/// The expression evaluates to a [`Harness`] and may `.await`. Each test evaluates it anew, inside
/// its own multi-threaded runtime. If a file has more than one suite, put each into a `mod`.
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

/// The body of each test that [`contract_tests!`] generates.
///
/// # Errors
/// Returns the [`Violation`] if the service violates the bullet.
#[doc(hidden)]
#[allow(clippy::print_stderr, reason = "a test prints why it was skipped")]
pub fn __test_bullet<H: Harness>(number: u8, harness: impl Future<Output = H>) -> Result<(), Violation> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime =
        runtime.map_err(|error| Violation::new(number, format!("the runtime did not start: {error}")))?;
    match runtime.block_on(async { run_bullet(number, &harness.await).await }) {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(reason) => {
            eprintln!("contract {number}: skipped: {reason}");
            Ok(())
        }
        Outcome::Violated(violation) => Err(violation),
    }
}
