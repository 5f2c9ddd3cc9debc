//! The function `system`.

fn main() -> std::process::ExitCode {
    shared::runtime::run("system", system::app)
}
