//! The stack's own promises: the gateway's behaviour, and that nothing is left behind.

mod alone;
mod children;
mod databases;
mod gateway;
mod gateway_headers;
mod gateway_streams;
mod left_behind;
mod local_gateway;
mod neighbours;
mod postman;
mod run;
mod running;
mod seed;
mod telemetry;
