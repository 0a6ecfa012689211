//! What people type or paste.

use coffer_model::attachment::AttachmentName;
use coffer_model::query::Query;
use coffer_model::template::KindTemplate;
use coffer_model::totp::TotpSeed;

use crate::Target;

pub const QUERY: Target = Target { name: "query", feed: query, seeds: query_seeds };
pub const TOTP: Target = Target { name: "totp", feed: totp, seeds: totp_seeds };
pub const TEMPLATE: Target = Target { name: "template", feed: template, seeds: template_seeds };
pub const KIT: Target = Target { name: "kit", feed: kit, seeds: kit_seeds };
pub const FILE_NAME: Target = Target { name: "file_name", feed: file_name, seeds: file_name_seeds };

fn texts(of: &[&str]) -> Vec<Vec<u8>> {
    of.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let unfinished = Query::parse_unfinished(text);
    if let Ok(finished) = text.parse::<Query>() {
        // Typing to the end asks for nothing that the finished text does not.
        assert!(unfinished.terms().len() <= finished.terms().len());
    }
}

fn query_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "harbour \"north gate\" -old tag:db -tag:\"two words\" kind:login field:host",
        "field:\"Serial number\"=SN-1 before:2026-01-31 after:2025-12-01 -field:x=y",
        "493 0123 ",
        "\"unfinished",
    ])
}

fn totp(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    drop(TotpSeed::parse(text));
}

fn totp_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "otpauth://totp/ACME:ines?secret=JBSWY3DPEHPK3PXP&issuer=ACME&algorithm=SHA256&digits=8&period=60",
        "jbsw y3dp-ehpk 3pxp",
        "otpauth://totp/%41?secret=JBSWY3DPEHPK3PXP",
    ])
}

fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    drop(KindTemplate::parse(text));
}

fn template_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "kind = \"router\"\nname = \"Router\"\n[[field]]\nname = \"Host\"\ntype = \"url\"\n[[field]]\nname = \"Role\"\ntype = \"choice\"\nchoices = [\"edge\", \"core\"]\n",
    ])
}

fn kit(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    drop(coffer_core::parse_recovery_kit(text));
}

fn kit_seeds() -> Vec<Vec<u8>> {
    texts(&["Founded as 0707\nRecovery code\n  AAAA BBBB CCCC\nTo restore a backup", "AAAA-BBBB CCCC"])
}

fn file_name(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let name = AttachmentName::from_file_name(text);
    // A name that was tamed is tame, and its suggestion for a disk leads nowhere.
    let shown = name.to_string();
    assert_eq!(AttachmentName::from_file_name(&shown).to_string(), shown);
    let suggested = name.suggested_file_name();
    assert!(!suggested.is_empty() && !suggested.contains(['/', '\\', '\0']) && suggested != "." && suggested != "..");
}

fn file_name_seeds() -> Vec<Vec<u8>> {
    texts(&["../../etc/passwd", "CON.txt", "Résumé (2).pdf", "a\u{202e}fdp.exe", ".hidden", "x\ty "])
}
