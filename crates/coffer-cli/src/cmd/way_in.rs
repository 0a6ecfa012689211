//! `coffer account ways|factors|personal-code|second-factor`: what opens one's own account.

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use coffer_core::view::WaysInView;
use coffer_core::{SecondFactorOffer, SecretBytes, Session, WayIn};
use serde_json::json;
use zeroize::Zeroizing;

use super::fresh;
use super::kit::new_private_file;
use crate::args::{FactorArgs, Global, SecondFactorCommand};
use crate::error::CliError;
use crate::prompt;
use crate::render::Output;

/// Random bytes of a key file that is made here.
const KEY_FILE_BYTES: usize = 64;

/// How long the code of a new second factor is waited for.
const CODE_WITHIN: Duration = Duration::from_mins(2);

/// What opens the account, in words.
pub fn text(ways: &WaysInView) -> String {
    let word = |is: bool| if is { "yes" } else { "no" };
    let factor = match (ways.second_factor, ways.second_factor_required) {
        (true, _) => format!("yes, {} spare codes left", ways.spare_codes_left),
        (false, true) => "no, and the vault's rules ask for one".to_owned(),
        (false, false) => "no".to_owned(),
    };
    let token = match (ways.federated, ways.lease_until) {
        (false, _) => "not needed".to_owned(),
        (true, None) => "needed at the next unlocking".to_owned(),
        (true, Some(until)) => format!("needed from {until} on"),
    };
    format!(
        "each guess at the passphrase takes  {} MiB, {} passes\n\
         secret in this device's keyring     {}\n\
         key file                            {}\n\
         personal recovery code              {}\n\
         second factor                       {factor}\n\
         token of the identity provider      {token}",
        ways.kdf_memory_kib / 1024,
        ways.kdf_passes,
        word(ways.device_secret),
        word(ways.key_file),
        word(ways.personal_code),
    )
}

/// Changes what the passphrase needs beside it.
pub fn change(session: &Session, global: &Global, args: &FactorArgs, output: &Output) -> Result<(), CliError> {
    let now = session.ways_in()?;
    let proof = fresh(session, global)?;
    let keeps = now.key_file && !args.no_key_file;
    let file = match (&args.with_key_file, &args.new_key_file, &global.key_file) {
        (Some(path), _, _) => Some(prompt::key_file(path)?),
        (None, Some(path), _) => Some(make_key_file(session, path)?),
        (None, None, Some(path)) if keeps => Some(prompt::key_file(path)?),
        (None, None, _) if keeps => {
            return Err(CliError::Usage("name the key file that stays with --with-key-file".to_owned()));
        }
        _ => None,
    };
    let passphrase = match &args.new_passphrase_file {
        Some(path) => prompt::another_new_passphrase(Some(path))?,
        None => prompt::new_passphrase(global)?,
    };
    let way = WayIn {
        passphrase: &passphrase,
        device_secret: args.device.unwrap_or(now.device_secret),
        key_file: file.as_deref().map(Vec::as_slice),
    };
    if let Err(error) = session.change_way_in(&way, proof) {
        if let Some(path) = &args.new_key_file {
            let _ = std::fs::remove_file(path);
        }
        return Err(error.into());
    }
    output.answer(&session.ways_in()?, text)?;
    let ways = session.ways_in()?;
    if (ways.device_secret || ways.key_file) && !ways.personal_code {
        output.note("who loses a key factor is shut out: make a personal recovery code with `account personal-code`");
    }
    output.note("copies and backups from before still open with what opened them then");
    Ok(())
}

/// Gives the account new keys under a new passphrase; key factors stay as they are.
pub fn renew_keys(session: Session, global: &Global, file: Option<&Path>, output: &Output) -> Result<(), CliError> {
    let now = session.ways_in()?;
    let proof = fresh(&session, global)?;
    let key_file = match (&global.key_file, now.key_file) {
        (Some(path), true) => Some(prompt::key_file(path)?),
        (None, true) => return Err(CliError::Usage("name the key file with --key-file".to_owned())),
        (_, false) => None,
    };
    let passphrase = prompt::another_new_passphrase(file)?;
    let way = WayIn {
        passphrase: &passphrase,
        device_secret: now.device_secret,
        key_file: key_file.as_deref().map(Vec::as_slice),
    };
    let new = session.make_own_keys(&way, proof)?;
    session.renew_own_keys(new)?;
    output.answer(&json!({ "renewed": true }), |_| {
        "the account has new keys; unlock by the new passphrase with `key rotate --pending` now".to_owned()
    })?;
    if now.personal_code {
        output.note("the personal recovery code opens nothing any more: make another with `account personal-code`");
    }
    Ok(())
}

fn make_key_file(session: &Session, path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut content = Zeroizing::new(vec![0; KEY_FILE_BYTES]);
    session.host().random.fill(&mut content);
    write_new(path, &content)?;
    Ok(content)
}

/// Makes a personal recovery code and hands it over, into a new file or in the answer.
pub fn make_personal_code(
    session: &Session,
    global: &Global,
    file: Option<&Path>,
    output: &Output,
) -> Result<(), CliError> {
    let proof = fresh(session, global)?;
    // The file first, so that no code is lost.
    let opened = file.map(|path| new_private_file(path).map(|file| (path, file))).transpose()?;
    let made = session.make_personal_code(proof);
    let code = match (made, opened) {
        (Err(error), Some((path, _))) => {
            let _ = std::fs::remove_file(path);
            return Err(error.into());
        }
        (Err(error), None) => return Err(error.into()),
        (Ok(code), None) => {
            let code = words(&code);
            output.answer(&json!({ "personal_code": *code }), |_| format!("personal recovery code: {}", *code))?;
            code
        }
        (Ok(code), Some((path, mut file))) => {
            let code = words(&code);
            let written = writeln!(file, "{}", *code).and_then(|()| file.sync_all());
            written.map_err(|reason| CliError::File { path: path.to_owned(), reason })?;
            output.answer(&json!({ "personal_code_file": path }), |_| {
                format!("the personal recovery code is in {}", path.display())
            })?;
            code
        }
    };
    drop(code);
    output.note(
        "keep it where neither this computer nor its thief is; it is not shown again, and one of before counts no more",
    );
    Ok(())
}

/// Enrols or changes the second factor.
pub fn second_factor(
    session: &Session,
    global: &Global,
    command: &SecondFactorCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        SecondFactorCommand::Enrol { seed_file, confirm_from } => {
            let offer = session.offer_second_factor()?;
            let code = match (seed_file, confirm_from) {
                (Some(seed), Some(code)) => confirmed_by_file(&offer, seed, code)?,
                _ => confirmed_on_terminal(&offer)?,
            };
            // Asked for last: the code is good for half a minute, the proof for two.
            let spare = session.enrol_second_factor(&offer, &code, fresh(session, global)?)?;
            show_spare(&spare, output)
        }
        SecondFactorCommand::SpareCodes => show_spare(&session.make_spare_codes(fresh(session, global)?)?, output),
        SecondFactorCommand::Remove => {
            session.remove_second_factor(fresh(session, global)?)?;
            Ok(output.answer(&json!({ "removed": true }), |_| "there is no second factor any more".to_owned())?)
        }
    }
}

fn confirmed_on_terminal(offer: &SecondFactorOffer) -> Result<String, CliError> {
    prompt::show(&qr_text(offer))?;
    prompt::show(&format!(
        "\nor type this seed into the authenticator:  {}\n\n",
        in_fours(&words(&offer.seed_text())).as_str()
    ))?;
    prompt::line("The code it shows now: ")
}

/// Hands the seed to a program instead of a person, and waits for the code it gives.
fn confirmed_by_file(offer: &SecondFactorOffer, seed: &Path, code: &Path) -> Result<String, CliError> {
    write_new(seed, offer.uri().expose())?;
    let until = Instant::now() + CODE_WITHIN;
    let found = loop {
        match std::fs::read_to_string(code) {
            Ok(text) if text.contains('\n') => break Ok(text.lines().next().unwrap_or_default().trim().to_owned()),
            _ if Instant::now() > until => break Err(CliError::Usage("no code came within two minutes".to_owned())),
            _ => thread::sleep(Duration::from_millis(100)),
        }
    };
    std::fs::remove_file(seed).map_err(|reason| CliError::File { path: seed.to_owned(), reason })?;
    found
}

fn show_spare(spare: &[SecretBytes], output: &Output) -> Result<(), CliError> {
    let codes: Vec<_> = spare.iter().map(words).collect();
    let answer = json!({ "spare_codes": codes.iter().map(|code| code.as_str()).collect::<Vec<_>>() });
    output.answer(&answer, |_| codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join("\n"))?;
    output.note(
        "each of these counts once in place of a code; keep them apart from this computer, they are not shown again",
    );
    Ok(())
}

/// The picture of a seed in half blocks, dark on light whatever the terminal's colours, with the quiet zone around it.
fn qr_text(offer: &SecondFactorOffer) -> Zeroizing<String> {
    const QUIET: usize = 4;
    let modules = offer.qr_modules();
    let side = modules.len() + 2 * QUIET;
    let dark = |row: usize, column: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < modules.len());
        matches!((inside(row), inside(column)), (Some(row), Some(column)) if modules[row][column])
    };
    let mut text = Zeroizing::new(String::with_capacity(side * side * 2));
    for row in (0..side).step_by(2) {
        text.push_str("\x1b[30;107m");
        for column in 0..side {
            text.push(match (dark(row, column), row + 1 < side && dark(row + 1, column)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

fn in_fours(seed: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(seed.len() * 2));
    for (at, character) in seed.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(' ');
        }
        text.push(character);
    }
    text
}

fn words(secret: &SecretBytes) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(secret.expose()).into_owned())
}

fn write_new(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let mut file = new_private_file(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.map_err(|reason| CliError::File { path: path.to_owned(), reason })
}
