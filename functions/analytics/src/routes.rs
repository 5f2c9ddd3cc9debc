//! One file a route.

pub(crate) mod fraud;
pub(crate) mod geographic;
pub(crate) mod heatmap;
pub(crate) mod risk;
pub(crate) mod trends;
