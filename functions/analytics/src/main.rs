//! The function `analytics`.

fn main() -> std::process::ExitCode {
    shared::runtime::run("analytics", analytics::app)
}
