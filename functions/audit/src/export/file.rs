//! The forms of the file.

use serde::{Deserialize, Serialize};
use shared::audit::Stored;

use super::csv::Table;
use super::lines::Lines;

/// A chunk is sent when it is that long.
const CHUNK: usize = 64 * 1024;

/// What the file shall be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExportFormat)]
pub(crate) enum Format {
    /// RFC 4180, with a header.
    Csv,
    /// An array of entries.
    #[default]
    Json,
    /// An entry a line, and at the end what they are verified with.
    Ndjson,
}

impl Format {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    pub(crate) fn content_disposition(self) -> &'static str {
        match self {
            Self::Csv => "attachment; filename=\"audit-log.csv\"",
            Self::Json => "attachment; filename=\"audit-log.json\"",
            Self::Ndjson => "attachment; filename=\"audit-log.ndjson\"",
        }
    }

    /// What stands before the first entry.
    pub(super) fn head(self) -> &'static [u8] {
        match self {
            Self::Csv => super::csv::HEADER,
            Self::Json => b"[",
            Self::Ndjson => b"",
        }
    }
}

/// The entries of the next chunk.
pub(super) enum Chunk {
    Table(Table),
    Lines(Lines),
}

impl Chunk {
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::Csv => Self::Table(Table::default()),
            Format::Json => Self::Lines(Lines::of_array()),
            Format::Ndjson => Self::Lines(Lines::default()),
        }
    }

    /// Takes a row as COPY wrote it.
    pub(super) fn add(&mut self, row: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Table(table) => table.add(row),
            Self::Lines(lines) => lines.add(row)?,
        }
        Ok(())
    }

    /// Takes a line that is no entry, which only a file of lines has.
    pub(super) fn add_text(&mut self, text: &str) {
        if let Self::Lines(lines) = self {
            lines.add_text(text);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        let length = match self {
            Self::Table(table) => table.len(),
            Self::Lines(lines) => lines.len(),
        };
        length >= CHUNK
    }

    /// What stands after the last entry.
    pub(super) fn finish(&mut self) {
        if let Self::Lines(lines) = self {
            lines.finish();
        }
    }

    /// The part of the file that the rows since the last one make.
    pub(super) fn take(&mut self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Table(table) => table.take(),
            Self::Lines(lines) => Ok(lines.take()),
        }
    }
}

/// The columns of an imported entry, as PostgreSQL writes them as JSON.
pub(super) fn imported(columns: &[u8]) -> anyhow::Result<shared::audit::Content> {
    Ok(serde_json::from_slice::<Stored>(columns)?.content())
}
