//! What holds for every route of every function.

mod bodies;
mod client_address;
mod cors;
mod errors;
mod headers;
mod order;
mod overload;
mod rate_limits;
mod request_id;
