//! The function `dashboard`.

fn main() -> std::process::ExitCode {
    shared::runtime::run("dashboard", dashboard::app)
}
