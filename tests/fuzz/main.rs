//! `fuzz`: libFuzzer over one target, named in `COFFER_FUZZ_TARGET`. Its own arguments are libFuzzer's.
//!
//! Built with the instrumentation that libFuzzer needs; see `./x prove fuzz`.
#![no_main]

use std::sync::LazyLock;

use coffer_fuzz::Target;
use libfuzzer_sys::fuzz_target;

/// The target of this run.
static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("COFFER_FUZZ_TARGET").expect("COFFER_FUZZ_TARGET names a target");
    Target::of(&name).unwrap_or_else(|| panic!("there is no target `{name}`"))
});

fuzz_target!(|bytes: &[u8]| (TARGET.feed)(bytes));
