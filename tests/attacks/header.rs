//! Attacks on the header.
