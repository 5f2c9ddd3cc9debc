//! Whose signature counts.

use std::fs;

use anyhow::{Context, ensure};
use signed_note::StandardVerifier;

use super::findings::{Bad, Signed};
use crate::note::{self, Checkpoint};

/// The keys that a checkpoint may be signed with.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<String>,
    are_pinned: bool,
}

impl Keys {
    /// Each argument is a key, or a file with a key a line.
    pub(super) fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let mut keys = vec![];
        for argument in arguments {
            if is_key(argument) {
                keys.push(argument.clone());
                continue;
            }
            let text = fs::read_to_string(argument).with_context(|| {
                format!("--public-key: {argument} is neither a public key nor a file to read")
            })?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let lines: Vec<_> = lines.map(str::to_owned).collect();
            let are_keys = !lines.is_empty() && lines.iter().all(|line| is_key(line));
            ensure!(are_keys, "--public-key: {argument} must hold a public key (C2SP vkey) a line");
            keys.extend(lines);
        }
        Ok(Self { are_pinned: !keys.is_empty(), keys })
    }

    /// Without one that was given, takes the one that came with what is verified.
    pub(super) fn or(self, found: Option<&str>) -> Self {
        if self.are_pinned {
            return self;
        }
        Self { keys: found.map(str::to_owned).into_iter().collect(), are_pinned: false }
    }

    /// Whether one was given.
    pub(super) fn are_pinned(&self) -> bool {
        self.are_pinned
    }

    /// The checkpoint in a note that one of them signed.
    pub(super) fn open(&self, note: &str) -> Option<(Checkpoint, Signed)> {
        self.keys.iter().find_map(|key| {
            let checkpoint = note::open(note, key).ok()?;
            let signed = Signed {
                size: checkpoint.size,
                public_key: key.clone(),
                is_pinned: self.are_pinned,
            };
            Some((checkpoint, signed))
        })
    }

    /// The checkpoint that somebody kept.
    pub(super) fn open_earlier(&self, note: &str) -> anyhow::Result<(Checkpoint, Signed)> {
        self.open(note).ok_or_else(|| {
            Bad::elsewhere(
                "the checkpoint that was given is not signed with the key that was given: it is \
                 another log's, or forged",
            )
        })
    }
}

fn is_key(text: &str) -> bool {
    StandardVerifier::new(text).is_ok()
}
