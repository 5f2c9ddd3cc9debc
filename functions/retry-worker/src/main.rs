//! The function `retry-worker`.

fn main() -> std::process::ExitCode {
    shared::runtime::run("retry-worker", retry_worker::app)
}
