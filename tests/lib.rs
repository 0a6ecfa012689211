//! Whole-vault tests.
