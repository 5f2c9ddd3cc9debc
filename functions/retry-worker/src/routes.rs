//! A file for each route.

pub(crate) mod anchor_retry;
pub(crate) mod batch_retry;
pub(crate) mod dead_letter;
