//! What the log can be narrowed by: the same for a list and for an export.

use shared::audit::Action;
use shared::error::Violations;
use shared::id::UserId;
use shared::period::OpenPeriod;

/// Which entries. Absent means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    /// Who acted.
    pub(crate) user_id: Option<UserId>,
    pub(crate) action: Option<Action>,
    pub(crate) period: OpenPeriod,
}

impl Filter {
    /// Takes the query parameters, and notes in `violations` what is wrong with the period.
    pub(crate) fn new(
        user_id: Option<UserId>,
        action: Option<Action>,
        start_date: Option<&str>,
        end_date: Option<&str>,
        violations: &mut Violations,
    ) -> Self {
        let period = OpenPeriod::new(start_date, end_date, violations).unwrap_or_default();
        Self { user_id, action, period }
    }
}
