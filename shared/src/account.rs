//! An account: what its username, e-mail and name may be, and the one way to make one.
//!
//! The rules hold for what is newly given. Accounts of the Python service keep what they have, so
//! what is stored may break them.

mod creation;

use email_address::{EmailAddress, Options};

pub use creation::{NewAccount, conflict, create, recorded, refuse_username_of_another};

/// What the columns of e-mail and name hold, in characters.
const LONGEST: usize = 255;

/// A username: 3 to 64 of `a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Takes it in either case, or says why not, in words for whoever chose it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let folded = text.to_ascii_lowercase();
        let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        if (3..=64).contains(&folded.len()) && folded.bytes().all(allowed) {
            Ok(Self(folded))
        } else {
            Err("must be 3 to 64 of the characters a-z 0-9 . _ -")
        }
    }
}

/// An e-mail address, in the case it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Takes a bare address at a domain name, or says why not.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.chars().count() > LONGEST {
            return Err("must be at most 255 characters long");
        }
        let options =
            Options::default().without_display_text().without_domain_literal().with_required_tld();
        let blank = |character: char| character.is_whitespace() || character.is_control();
        if text.contains(blank) || EmailAddress::parse_with_options(text, options).is_err() {
            return Err("must be an e-mail address");
        }
        Ok(Self(text.to_owned()))
    }
}

/// What people call somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Takes it without the space around it, or says why not.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if !(1..=LONGEST).contains(&text.chars().count()) {
            Err("must be 1 to 255 characters long")
        } else if text.contains(char::is_control) {
            Err("must not contain control characters")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl From<Username> for String {
    fn from(username: Username) -> Self {
        username.0
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn username(text: &str) -> Option<String> {
        Username::parse(text).ok().map(String::from)
    }

    #[test]
    fn a_username_is_folded_and_is_never_an_email() {
        assert_eq!(username("Ada.Lovelace-1_5").as_deref(), Some("ada.lovelace-1_5"));
        assert!(username("abc").is_some() && username(&"a".repeat(64)).is_some());
        // The Kelvin sign is a k in lower case, and no k.
        for text in ["", "ab", " ada", "ada ", "ada@example.com", "ädä", "\u{212a}im", "a\nbc"] {
            assert_eq!(username(text), None, "{text:?}");
        }
        assert_eq!(username(&"a".repeat(65)), None);
    }

    #[test]
    fn an_email_is_a_bare_address_at_a_domain() {
        for text in ["ada@example.com", "Ada.L+tag@mail.example.co.uk", "jürgen@müller.example"] {
            assert_eq!(Email::parse(text).map(String::from).as_deref(), Ok(text));
        }
        for text in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@[127.0.0.1]",
            "Ada <ada@example.com>",
            " ada@example.com",
            "ada@example.com ",
            "ada@example.com\n",
            "\"a da\"@example.com",
            "ada@example\u{85}.com",
            "ada@@example.com",
            "a@b@example.com",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_length_of_an_email_is_counted_in_characters() {
        let of_length = |length: usize| {
            let label = "d".repeat(60);
            let domain = format!("{label}.{label}.{label}.example");
            format!("{}@{domain}", "ä".repeat(length - domain.len() - 1))
        };
        assert!(Email::parse(&of_length(220)).is_ok());
        let error = Email::parse(&of_length(256)).unwrap_err();
        assert_eq!(error, "must be at most 255 characters long");
    }

    #[test]
    fn a_name_is_trimmed_and_may_be_in_any_script() {
        let name = |text: &str| Name::parse(text).map(String::from);
        assert_eq!(name("  Ада Лавлейс ").as_deref(), Ok("Ада Лавлейс"));
        assert!(name(&"ä".repeat(255)).is_ok());
        assert!(name("").is_err() && name("  ").is_err() && name(&"a".repeat(256)).is_err());
        assert!(name("Ada\nLovelace").is_err() && name("Ada\u{7f}").is_err());
    }
}
