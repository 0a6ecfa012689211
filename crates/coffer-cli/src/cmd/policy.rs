//! `coffer policy`: the rules of a vault.

use coffer_core::Session;
use coffer_core::view::PolicyView;
use coffer_model::account::Roles;
use coffer_model::policy::{Guarded, GuardedSet, VaultPolicy};

use super::{fresh, fresh_by_two};
use crate::args::{Global, PolicyArgs, PolicyCommand};
use crate::error::CliError;
use crate::render::Output;

pub fn run(session: &Session, global: &Global, command: &PolicyCommand, output: &Output) -> Result<(), CliError> {
    if let PolicyCommand::Set(args) = command {
        let before = session.policy()?;
        let after = changed(before, args);
        let loosens_two = !before.two_people.is_within(after.two_people);
        let proof = if loosens_two { fresh_by_two(session, global)? } else { fresh(session, global)? };
        session.set_policy(after, proof)?;
    }
    Ok(output.answer(&PolicyView::from(session.policy()?), text)?)
}

fn changed(before: VaultPolicy, args: &PolicyArgs) -> VaultPolicy {
    let set = |named: &[Option<Guarded>], before: GuardedSet| {
        if named.is_empty() { before } else { named.iter().flatten().copied().collect() }
    };
    VaultPolicy {
        second_factor: if args.second_factor.is_empty() {
            before.second_factor
        } else {
            Roles::of(args.second_factor.iter().flatten().copied())
        },
        step_up: set(&args.step_up, before.step_up),
        two_people: set(&args.two_people, before.two_people),
        kdf_memory_kib: args.kdf_memory.map_or(before.kdf_memory_kib, |mib| mib * 1024),
    }
}

fn text(policy: &PolicyView) -> String {
    let list = |words: Vec<String>| if words.is_empty() { "nobody, nothing".to_owned() } else { words.join(", ") };
    let roles = policy.second_factor.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
    let names = |guarded: &[Guarded]| guarded.iter().map(ToString::to_string).collect();
    let memory = match policy.kdf_memory_kib {
        0 => "not fixed".to_owned(),
        kib => format!("{} MiB", kib / 1024),
    };
    format!(
        "second factor asked of    {}\n\
         passphrase asked anew for {}\n\
         two administrators for    {}\n\
         memory of each guess      {memory}",
        list(roles),
        list(names(&policy.step_up)),
        list(names(&policy.two_people)),
    )
}
