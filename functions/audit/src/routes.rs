//! One route a file.

pub(crate) mod checkpoint;
pub(crate) mod export;
pub(crate) mod list;
