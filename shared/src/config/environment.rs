//! Where settings come from.

use std::collections::HashMap;
use std::str::FromStr;

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};

/// The environment variables of the process, or a test's.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, SecretString>);

impl Environment {
    /// The variables of this process; those that are not Unicode are not ours.
    #[must_use]
    pub fn of_process() -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?.into()))
        };
        Self(std::env::vars_os().filter_map(unicode).collect())
    }

    /// A setting as text. One that is set to nothing counts as not set.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.0
            .get(name)
            .map(|value| value.expose_secret().trim().to_owned())
            .filter(|v| !v.is_empty())
    }

    /// A setting that parses, or is not set; `what` says what it must be.
    pub fn parse<T: FromStr>(&self, name: &str, what: &str) -> anyhow::Result<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        // The parser's own error would show the value.
        text.parse().map(Some).map_err(|_| anyhow::anyhow!("{name}: must be {what}"))
    }

    /// As [`Self::parse`], with a default.
    pub fn parse_or<T: FromStr>(&self, name: &str, what: &str, default: T) -> anyhow::Result<T> {
        Ok(self.parse(name, what)?.unwrap_or(default))
    }

    /// `ENV`: production refuses what only a developer may do.
    pub fn is_production(&self) -> anyhow::Result<bool> {
        match self.text("ENV").as_deref() {
            None | Some("development" | "test") => Ok(false),
            Some("production") => Ok(true),
            Some(_) => bail!("ENV: must be development, test or production"),
        }
    }

    /// A switch: `true` or `false`.
    pub fn flag(&self, name: &str, default: bool) -> anyhow::Result<bool> {
        self.parse_or(name, "true or false", default)
    }

    /// A secret, from `NAME` or from the file that `NAME_FILE` names.
    pub fn secret(&self, name: &str) -> anyhow::Result<Option<SecretString>> {
        let in_file = format!("{name}_FILE");
        match (self.text(name), self.text(&in_file)) {
            (Some(_), Some(_)) => bail!("{name}: is set, and so is {in_file}; only one may be"),
            (Some(value), None) => Ok(Some(value.into())),
            (None, Some(path)) => {
                let value = std::fs::read_to_string(path)
                    .with_context(|| format!("{in_file}: the file cannot be read"))?;
                let value = value.trim_end_matches(['\r', '\n']);
                if value.is_empty() {
                    bail!("{in_file}: the file is empty");
                }
                Ok(Some(value.into()))
            }
            (None, None) => Ok(None),
        }
    }

    /// A secret without which nothing works.
    pub fn required_secret(&self, name: &str) -> anyhow::Result<SecretString> {
        self.secret(name)?.with_context(|| format!("{name}: must be set (or {name}_FILE)"))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let secret = |(name, value): (N, V)| (name.into(), SecretString::from(value.into()));
        Self(variables.into_iter().map(secret).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named_and_its_value_is_not_shown() {
        let env = Environment::from_iter([("PORT", "s3cret")]);
        let error = env.parse::<u16>("PORT", "a port number").unwrap_err();
        assert_eq!(format!("{error:#}"), "PORT: must be a port number");
    }

    #[test]
    fn a_secret_comes_from_the_variable_or_from_a_file_but_not_from_both() {
        let path = std::env::temp_dir().join(format!("secret-{}", std::process::id()));
        std::fs::write(&path, "from a file\n").unwrap();
        let file = path.to_str().unwrap();

        let env = Environment::from_iter([("KEY_FILE", file)]);
        assert_eq!(env.required_secret("KEY").unwrap().expose_secret(), "from a file");
        let env = Environment::from_iter([("KEY_FILE", file), ("KEY", "from a variable")]);
        assert!(env.secret("KEY").is_err());
        std::fs::remove_file(&path).unwrap();
        let env = Environment::from_iter([("KEY_FILE", file)]);
        assert!(env.secret("KEY").unwrap_err().to_string().starts_with("KEY_FILE:"));
    }
}
