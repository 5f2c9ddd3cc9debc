//! The function `users`.

fn main() -> std::process::ExitCode {
    shared::runtime::run("users", users::app)
}
