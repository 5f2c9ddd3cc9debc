//! One file a route.

pub(crate) mod get_command;
pub(crate) mod list_commands;
pub(crate) mod reason;
pub(crate) mod retry_anchor;
pub(crate) mod retry_batch;
pub(crate) mod status;
