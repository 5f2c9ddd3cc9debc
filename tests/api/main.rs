//! The API as its clients see it: each test calls the functions' routers, in the frame they are
//! deployed in, over a database of its own.

mod auth;
mod everywhere;
mod jobs;
