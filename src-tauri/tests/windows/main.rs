//! The real windows, driven as a person would: native ones by xdotool, the web view by WebDriver, each test on a desk of
//! its own under Xvfb.

mod desk;
mod first_run;
mod glass;
mod journey;
mod lease;
mod leaving;
mod memory;
mod moves;
mod people;
mod recovery;
mod relocation;
mod rollback;
mod tenants;
mod ways;
