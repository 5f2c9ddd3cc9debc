//! The API as its clients see it: each test calls the functions' routers, in the frame they are
//! deployed in, over a database of its own.

mod analytics;
mod audit;
mod audited;
mod auth;
mod dashboard;
mod database_login;
mod everywhere;
mod fold;
mod health;
mod jobs;
mod measure;
mod openapi;
mod prune;
mod relay;
mod retry_worker;
mod roles;
mod routes;
mod seal;
mod start;
mod system;
mod users;
mod verify;
