//! The checkpoints of the audit log: C2SP tlog-checkpoint in C2SP signed notes, Ed25519.
//!
//! A checkpoint says that the log of that name (the origin) had so many entries and this root. Any
//! tool for transparency logs can read one and check it with the log's public key, a C2SP vkey.

use anyhow::{Context, anyhow, ensure};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use shared::audit::tree::Hash;
use shared::auth::refuse_development_key;
use shared::config::Environment;
use signed_note::{Note, Signature, StandardVerifier, Verifier, VerifierList, is_key_name_valid};

const KEY: &str = "AUDIT_SIGNING_KEY";
const ORIGIN: &str = "AUDIT_LOG_ORIGIN";
const DEFAULT_ORIGIN: &str = "voketag-admin-api/audit";
/// How C2SP signed-note names Ed25519.
const ED25519: u8 = 1;

/// What the log had at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over their leaves.
    pub root: Hash,
}

/// The name of this deployment's log: `AUDIT_LOG_ORIGIN`.
pub fn origin(env: &Environment) -> anyhow::Result<String> {
    let origin = env.text(ORIGIN).unwrap_or_else(|| DEFAULT_ORIGIN.to_owned());
    let is_plain = is_key_name_valid(&origin) && !origin.contains(char::is_control);
    ensure!(is_plain, "{ORIGIN}: must be a name without spaces and plus signs");
    Ok(origin)
}

/// What checkpoints are signed with.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    origin: String,
    id: u32,
    public_key: String,
}

impl SigningKey {
    /// Reads `AUDIT_SIGNING_KEY`, which only production cannot do without.
    pub fn read(env: &Environment) -> anyhow::Result<Option<Self>> {
        let production = env.is_production()?;
        let origin = origin(env)?;
        let Some(pem) = env.secret(KEY)? else {
            ensure!(!production, "{KEY}: must be set in production (or {KEY}_FILE)");
            return Ok(None);
        };
        let pem = pem.expose_secret().replace("\\n", "\n").into();
        Self::parse(&pem, origin, production).map(Some)
    }

    fn parse(pem: &SecretString, origin: String, production: bool) -> anyhow::Result<Self> {
        let pem = pem.expose_secret();
        refuse_development_key(KEY, pem, production)?;
        // The parsers' own errors might show a part of it.
        let pair = pem::parse(pem)
            .ok()
            .filter(|block| block.tag() == "PRIVATE KEY")
            .and_then(|block| Ed25519KeyPair::from_pkcs8(block.contents()).ok())
            .ok_or_else(|| anyhow!("{KEY}: must be an Ed25519 private key in PEM (PKCS#8)"))?;
        Ok(Self::new(pair, origin))
    }

    fn new(pair: Ed25519KeyPair, origin: String) -> Self {
        let key = [&[ED25519], pair.public_key().as_ref()].concat();
        let id = signed_note::key_id(&origin, &key);
        let public_key = format!("{origin}+{id:08x}+{}", BASE64.encode(&key));
        Self { pair, origin, id, public_key }
    }

    /// What its notes are verified with.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The signed note that the log has so many entries and this root.
    pub fn sign(&self, size: u64, root: Hash) -> anyhow::Result<String> {
        let hash = tlog_tiles::Hash(root);
        let checkpoint = tlog_tiles::Checkpoint::new(&self.origin, size, hash, "")
            .map_err(|_| anyhow!("{ORIGIN}: cannot be written in a checkpoint"))?;
        self.sign_text(&checkpoint.to_bytes())
    }

    fn sign_text(&self, text: &[u8]) -> anyhow::Result<String> {
        let signature = self.pair.try_sign(text).context("the checkpoint cannot be signed")?;
        let signature = Signature::new(self.origin.clone(), self.id, signature.as_ref().to_vec())?;
        Ok(String::from_utf8(Note::new(text, &[signature])?.to_bytes())?)
    }
}

/// The checkpoint in `note`, if the owner of `public_key` signed it, under that key's own name.
pub fn open(note: &str, public_key: &str) -> anyhow::Result<Checkpoint> {
    let verifier =
        StandardVerifier::new(public_key).context("the public key is no Ed25519 key of a log")?;
    let origin = verifier.name().to_owned();
    let note = Note::from_bytes(note.as_bytes())?;
    note.verify(&VerifierList::new(vec![Box::new(verifier)]))?;
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text())
        .map_err(|error| anyhow!("the note holds no checkpoint: {error}"))?;
    ensure!(checkpoint.origin() == origin, "the checkpoint is another log's");
    Ok(Checkpoint { origin, size: checkpoint.size(), root: checkpoint.hash().0 })
}

#[cfg(test)]
mod tests;
