//! What the person at the terminal reads.
//!
//! A terminal that went away must not take the stack with it, so a failed write is no error here.

use std::io::{self, Write};

use console::{Style, StyledObject, style};

/// Prints one line.
pub fn say(line: impl std::fmt::Display) {
    writeln!(io::stdout().lock(), "{line}").ok();
}

/// Prints one line about something that somebody should look at.
pub fn warn(line: impl std::fmt::Display) {
    writeln!(io::stderr().lock(), "{} {line}", style("!").for_stderr().yellow().bold()).ok();
}

/// Prints what a component is and where: one line of the list that a start prints.
pub fn component(name: &str, what: impl std::fmt::Display) {
    say(format_args!("  {:<12} {what}", style(name).bold()));
}

/// How an HTTP status looks: green for what went well, yellow for the client's fault, red for ours.
pub fn status(status: u16) -> StyledObject<u16> {
    let look = match status {
        500.. => Style::new().red().bold(),
        400.. => Style::new().yellow(),
        _ => Style::new().green(),
    };
    look.apply_to(status)
}
