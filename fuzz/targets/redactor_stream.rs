#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| runner_guard_fuzz::redactor_stream::check(data));
