//! What a token says (RFC 7519 §4.1, `OpenID` Connect Core §2 and §3.1.3.7), held against what is pinned. Pure.

use crate::json::{Json, Object};
use crate::{Expected, FRESH_SECONDS, SKEW_SECONDS, TokenRefusal};

/// The times of a token that holds.
pub(crate) struct Times {
    pub(crate) issued: i64,
    pub(crate) dead_from: i64,
}

pub(crate) fn check(claims: &Object, expected: &Expected<'_>, now: i64) -> Result<Times, TokenRefusal> {
    if claims.text("iss") != Some(expected.issuer) {
        return Err(TokenRefusal::Issuer);
    }
    check_audience(claims, expected.audience)?;
    // A security event, a logout token among them, is no sign that somebody has authenticated.
    if claims.get("events").is_some() {
        return Err(TokenRefusal::Kind);
    }
    if claims.text(expected.claim) != Some(expected.subject) {
        return Err(TokenRefusal::Subject);
    }
    // Anybody may claim an address at many providers.
    if expected.claim == "email" && claims.get("email_verified").is_some_and(Json::is_false) {
        return Err(TokenRefusal::Subject);
    }
    let seconds = |name| claims.get(name).and_then(Json::as_seconds).ok_or(TokenRefusal::Malformed);
    let (issued, expires) = (seconds("iat")?, seconds("exp")?);
    let begins = if claims.get("nbf").is_some() { seconds("nbf")? } else { issued };
    if issued.max(begins) > now + SKEW_SECONDS {
        return Err(TokenRefusal::NotYet);
    }
    let dead_from = expires.min(issued + FRESH_SECONDS) + SKEW_SECONDS;
    if now >= dead_from || expires <= issued {
        return Err(TokenRefusal::Expired);
    }
    Ok(Times { issued, dead_from })
}

/// One of `aud`; of several the token has to say for whom it was issued (`azp`), and if it says so it has to be us.
fn check_audience(claims: &Object, audience: &str) -> Result<(), TokenRefusal> {
    let (is_for_us, is_for_others) = match claims.get("aud") {
        Some(Json::Text(one)) => (one == audience, false),
        Some(Json::List(all)) => (all.iter().any(|one| one.as_text() == Some(audience)), all.len() > 1),
        _ => (false, false),
    };
    let authorised = match claims.get("azp") {
        None => !is_for_others,
        Some(party) => party.as_text() == Some(audience),
    };
    if is_for_us && authorised { Ok(()) } else { Err(TokenRefusal::Audience) }
}
