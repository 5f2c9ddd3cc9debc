//! One file a route.

pub(crate) mod batches;
pub(crate) mod overview;
pub(crate) mod products;
pub(crate) mod scans;
