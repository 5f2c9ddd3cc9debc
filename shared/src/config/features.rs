//! What an operator may switch on and off.

use super::Environment;
use crate::caller::Role;

/// The switches that decide who may call what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Features {
    /// `ENABLE_ANALYTICS`, by default on.
    pub analytics: bool,
    /// `ENABLE_AUDIT_LOGS`, by default on: whether the audit log can be read. It is written in any
    /// case.
    pub audit_logs: bool,
    /// `ENABLE_CSV_EXPORT`, by default on.
    pub csv_export: bool,
    /// `ENABLE_GOD_MODE`, by default on: whether the services are looked at and given commands.
    pub god_mode: bool,
    /// `ENABLE_VIEWER_ACCESS`, by default off: whether not only admins may read dashboard and
    /// analytics.
    pub viewer_access: bool,
}

impl Features {
    /// Reads all of them.
    pub fn read(env: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            analytics: env.flag("ENABLE_ANALYTICS", true)?,
            audit_logs: env.flag("ENABLE_AUDIT_LOGS", true)?,
            csv_export: env.flag("ENABLE_CSV_EXPORT", true)?,
            god_mode: env.flag("ENABLE_GOD_MODE", true)?,
            viewer_access: env.flag("ENABLE_VIEWER_ACCESS", false)?,
        })
    }

    /// Whether somebody of that role may read what was counted: dashboard and analytics.
    #[must_use]
    pub fn let_read_figures(&self, role: Role) -> bool {
        match role {
            Role::Admin => true,
            Role::Editor | Role::Viewer => self.viewer_access,
        }
    }
}
