//! The function `auth`.

fn main() -> std::process::ExitCode {
    shared::runtime::run("auth", auth::app)
}
