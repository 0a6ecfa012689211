//! The clipboard on a real X server, looked at by another program. Needs `Xvfb` and `xclip`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod display;
mod inside;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use coffer_core::host::{Clipboard, ClipboardError, SecretBytes};
use display::Display;
use inside::{must_pass, own_folders, this_program};

fn with_display(claim: &str) {
    let (folders, display) = (own_folders(), Display::start());
    let mut command = this_program(claim, folders.path());
    command.env("DISPLAY", &display.name);
    must_pass(command);
}

/// What another program finds on the clipboard as `target`.
fn seen(target: &str) -> Option<String> {
    let output = Command::new("xclip").args(["-o", "-selection", "clipboard", "-t", target]).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Another program copies `text`.
fn copied_elsewhere(text: &str) {
    let mut xclip =
        Command::new("xclip").args(["-i", "-selection", "clipboard"]).stdin(Stdio::piped()).spawn().unwrap();
    xclip.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    xclip.wait().unwrap();
    let start = Instant::now();
    while seen("UTF8_STRING").as_deref() != Some(text) {
        assert!(start.elapsed() < Duration::from_secs(5), "the other program's text never arrived");
    }
}

fn clipboard() -> std::sync::Arc<dyn Clipboard> {
    coffer_host::system("test").clipboard
}

fn secret() -> SecretBytes {
    SecretBytes::new("pä$$ wörd".as_bytes().to_vec())
}

const LONG: Duration = Duration::from_mins(1);

#[test]
fn a_copied_secret_can_be_pasted_and_is_hidden_from_histories() {
    with_display("claim_copy_is_pasted_and_hidden");
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_copy_is_pasted_and_hidden() {
    let clipboard = clipboard();
    clipboard.copy_secret(secret(), LONG).unwrap();
    assert_eq!(seen("UTF8_STRING").as_deref(), Some("pä$$ wörd"));
    assert_eq!(seen("x-kde-passwordManagerHint").as_deref(), Some("secret"));
    // A second copy takes the place of the first.
    clipboard.copy_secret(SecretBytes::new(b"second".to_vec()), LONG).unwrap();
    assert_eq!(seen("UTF8_STRING").as_deref(), Some("second"));
    assert_eq!(clipboard.clear_if_ours(), Ok(true));
    assert_eq!(seen("UTF8_STRING"), None);
    assert_eq!(clipboard.clear_if_ours(), Ok(false));
}

#[test]
fn a_copied_secret_is_cleared_when_its_time_is_over() {
    with_display("claim_cleared_in_time");
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_cleared_in_time() {
    let clipboard = clipboard();
    clipboard.wait_until_cleared().unwrap();
    let start = Instant::now();
    clipboard.copy_secret(secret(), Duration::from_millis(700)).unwrap();
    assert!(seen("UTF8_STRING").is_some());
    clipboard.wait_until_cleared().unwrap();
    assert!(start.elapsed() >= Duration::from_millis(700) && start.elapsed() < Duration::from_secs(3));
    assert_eq!(seen("UTF8_STRING"), None);
}

#[test]
fn what_the_person_copied_since_is_left_alone() {
    with_display("claim_foreign_text_stays");
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_foreign_text_stays() {
    let clipboard = clipboard();
    clipboard.copy_secret(secret(), LONG).unwrap();
    copied_elsewhere("my shopping list");
    assert_eq!(clipboard.clear_if_ours(), Ok(false));
    assert_eq!(seen("UTF8_STRING").as_deref(), Some("my shopping list"));
    // The same text taken over by a clipboard manager is still the secret.
    clipboard.copy_secret(secret(), LONG).unwrap();
    copied_elsewhere("pä$$ wörd");
    assert_eq!(clipboard.clear_if_ours(), Ok(true));
    assert_eq!(seen("UTF8_STRING"), None);
}

#[test]
fn nothing_stays_when_the_host_is_dropped() {
    with_display("claim_dropped_host_clears");
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_dropped_host_clears() {
    let clipboard = clipboard();
    clipboard.copy_secret(secret(), LONG).unwrap();
    drop(clipboard);
    let start = Instant::now();
    while seen("UTF8_STRING").is_some() {
        assert!(start.elapsed() < Duration::from_secs(5), "the secret outlived its host");
    }
}

#[test]
fn without_a_display_the_clipboard_says_so() {
    must_pass(this_program("claim_no_display", own_folders().path()));
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_no_display() {
    let clipboard = clipboard();
    assert_eq!(clipboard.clear_if_ours(), Ok(false));
    assert_eq!(clipboard.copy_secret(secret(), LONG), Err(ClipboardError::Unavailable));
    assert_eq!(clipboard.copy_secret(SecretBytes::new(vec![0xff]), LONG), Err(ClipboardError::NotText));
    assert_eq!(clipboard.clear_if_ours(), Ok(false));
    clipboard.wait_until_cleared().unwrap();
}
