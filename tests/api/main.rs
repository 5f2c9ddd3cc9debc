//! The API as its clients see it: each test calls the functions' routers, in the frame they are
//! deployed in, over a database of its own.

mod analytics;
mod audited;
mod auth;
mod dashboard;
mod everywhere;
mod fold;
mod health;
mod jobs;
mod openapi;
mod roles;
mod routes;
mod start;
mod users;
