//! What an operator may switch on and off.

use super::Environment;
use crate::caller::Role;

/// The switches that decide who may call what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// `ENABLE_ANALYTICS`, by default on.
    pub analytics: bool,
    /// `ENABLE_VIEWER_ACCESS`, by default off: whether not only admins may read dashboard and
    /// analytics.
    pub viewer_access: bool,
}

impl Features {
    /// Reads all of them.
    pub fn read(env: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            analytics: env.flag("ENABLE_ANALYTICS", true)?,
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
