//! The function `audit`.

fn main() -> std::process::ExitCode {
    shared::runtime::run("audit", audit::app)
}
