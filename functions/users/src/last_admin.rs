//! Somebody must be able to govern: the last active admin cannot be deleted, deactivated or
//! demoted.
//!
//! Two admins who do that to each other at the same moment would each find the other one still
//! there. So whoever may lower the number of active admins waits for the one before to finish, and
//! does so before locking any user, lest two of them wait for each other.

use shared::user::User;
use shared::{Error, Result};
use sqlx::PgConnection;

use crate::model::is_active_admin;
use crate::store;

/// Waits until nobody else is lowering the number of active admins; then others wait for the end
/// of this transaction.
pub(crate) async fn take_turn(tx: &mut PgConnection) -> Result<()> {
    Ok(store::lock_number_of_admins(tx).await?)
}

/// Refuses if `user` is the last active admin. Holds until the end of the transaction for whoever
/// [took a turn](take_turn).
pub(crate) async fn refuse_for(tx: &mut PgConnection, user: &User) -> Result<()> {
    if is_active_admin(user) && !store::has_another_active_admin(tx, user.id).await? {
        return Err(Error::Conflict("This is the last active admin."));
    }
    Ok(())
}
