//! Days of the calendar, as fields of type date and expiry hold them. Spec: ISO 8601, `YYYY-MM-DD`. Pure.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Serialize, Serializer};

use crate::time::Timestamp;

/// A day of the calendar, of the years 0000 to 9999. Its text orders as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

/// The first day whose text has ten characters.
const FIRST: Date = jiff::civil::date(0, 1, 1);

/// The text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a day of the calendar")]
pub struct InvalidDay;

impl Day {
    /// The day it is in UTC. A date says nothing of a place, so neither does this.
    pub fn of(at: Timestamp) -> Self {
        let at = jiff::Timestamp::from_millisecond(at.unix_millis()).expect("checked when made");
        Self(at.to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    /// The day so many days later, or the last there is.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.checked_add(i64::from(days).days()).unwrap_or(Date::MAX))
    }

    /// The day so many days earlier, or the first there is.
    #[must_use]
    pub fn minus_days(self, days: u32) -> Self {
        Self(self.0.checked_sub(i64::from(days).days()).ok().filter(|day| day.year() >= 0).unwrap_or(FIRST))
    }

    /// The moment at which it is over, in UTC; `None` beyond every point in time that can be told.
    pub fn end(self) -> Option<Timestamp> {
        const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;
        let from_1970 = self.days_since(Self::of(Timestamp::UNIX_EPOCH));
        Timestamp::from_unix_millis((from_1970 + 1) * DAY_MILLIS).ok()
    }

    /// Days from `earlier` to this one; negative if it is the earlier one.
    pub fn days_since(self, earlier: Self) -> i64 {
        let span = self.0.since(earlier.0).expect("every two days have a distance");
        i64::from(span.get_days())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        if text.len() == 10 { text.parse().map(Self).map_err(|_| InvalidDay) } else { Err(InvalidDay) }
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_counted_over_months_and_leap_days() {
        assert_eq!(day("2028-03-01").days_since(day("2028-02-28")), 2);
        assert_eq!(day("2026-11-28").days_since(day("2026-12-28")), -30);
        assert_eq!(day("2027-11-28").days_since(day("2026-11-28")), 365);
        assert_eq!(day("2026-12-31").plus_days(1), day("2027-01-01"));
        assert_eq!(day("9999-12-30").plus_days(9), day("9999-12-31"));
        assert_eq!(day("2028-03-01").minus_days(2), day("2028-02-28"));
        assert_eq!(day("0000-01-03").minus_days(9), day("0000-01-01"));
    }

    #[test]
    fn a_moment_is_on_its_day_in_utc() {
        assert_eq!(Day::of("2026-11-27T23:59:59.999Z".parse().unwrap()).to_string(), "2026-11-27");
        assert_eq!(Day::of("2026-11-28T01:30:00+02:00".parse().unwrap()).to_string(), "2026-11-27");
    }

    #[test]
    fn texts_order_as_days_do_and_others_are_refused() {
        assert!(day("0999-12-31") < day("1000-01-01") && "0999-12-31" < "1000-01-01");
        for text in ["", "2026-02-30", "28.11.2026", "2026-11-28T00:00", "-002026-11-28", "2026-1-28"] {
            assert_eq!(text.parse::<Day>(), Err(InvalidDay), "{text}");
        }
    }
}
