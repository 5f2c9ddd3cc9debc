//! What a person sees when all is up: the address, a login, something to try.

use console::style;

use super::boot::Booted;
use crate::terminal::say;

pub(super) fn print(booted: &Booted) {
    let url = &booted.url;
    say(format_args!("\n{}  {url}", style("VokeTag Admin API").bold()));
    say(format_args!("  docs   {url}/docs"));
    match &booted.database.login {
        None => say("  login  as the admin that was there before"),
        Some(login) => {
            let (name, password) = (login.username, &login.password);
            let [editor, viewer] = ["bruno.almeida", "ada.almeida"];
            say(format_args!("  login  {name}  {password}"));
            say(format_args!(
                "         {editor} (editor), {viewer} (viewer)  {}",
                login.demo_password
            ));
            say(format_args!(
                "\n  TOKEN=$(curl -s {url}/v1/admin/auth/login -H 'Content-Type: application/json' \\\n    \
                 -d '{{\"username\":\"{name}\",\"password\":\"{password}\"}}' \\\n    \
                 | sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')\n  \
                 curl -s '{url}/v1/admin/users?page_size=3' -H \"Authorization: Bearer $TOKEN\""
            ));
        }
    }
    say(format_args!("\n{}\n", style("Ctrl-C stops all of it. Requests from here on:").dim()));
}
