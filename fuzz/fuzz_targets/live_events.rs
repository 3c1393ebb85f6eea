#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::live_events::run(input));
