//! Entries as CSV (RFC 4180). PostgreSQL writes CSV, too; what it leaves to do is the ends of the
//! lines, the form of the times, what imported entries say, and cells that look like formulas.

use ::csv::{ByteRecord, ReaderBuilder, Terminator, Writer, WriterBuilder};
use anyhow::Context;
use shared::audit::Content;

use super::file::imported;

pub(super) const HEADER: &[u8] = b"id,occurred_at,user_id,username,action,entity_type,entity_id,\
outcome,ip_address,user_agent,request_id,changes\r\n";

/// Where `created_at` stands in a row, and `changes`.
const TIME: usize = 2;
const CHANGES: usize = 12;

/// Rows as COPY wrote them.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<u8>,
}

impl Table {
    pub(super) fn add(&mut self, row: &[u8]) {
        self.rows.extend_from_slice(row);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The same rows as the file has them.
    pub(super) fn take(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut lines = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(Vec::with_capacity(self.rows.len() + self.rows.len() / 8));
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(&self.rows[..]);
        let mut row = ByteRecord::new();
        let mut cell = vec![];
        while reader.read_byte_record(&mut row)? {
            match row.get(0) {
                Some(b"") => write_recorded(&mut lines, &row, &mut cell)?,
                columns => {
                    write_imported(&mut lines, &imported(columns.unwrap_or_default())?, &mut cell)?;
                }
            }
            lines.write_record(None::<&[u8]>)?;
        }
        self.rows.clear();
        lines.into_inner().map_err(|error| anyhow::anyhow!("{error}"))
    }
}

fn write_recorded(
    lines: &mut Writer<Vec<u8>>,
    row: &ByteRecord,
    cell: &mut Vec<u8>,
) -> anyhow::Result<()> {
    for (column, value) in row.iter().enumerate().skip(1) {
        match column {
            TIME => {
                rfc3339(value, cell).context("a time that cannot be read")?;
                lines.write_field(&cell)?;
            }
            // The database driver puts a blank before the JSON that it sends.
            CHANGES => lines.write_field(value.trim_ascii_start())?,
            _ => write(lines, value, cell)?,
        }
    }
    Ok(())
}

fn write_imported(
    lines: &mut Writer<Vec<u8>>,
    entry: &Content,
    cell: &mut Vec<u8>,
) -> anyhow::Result<()> {
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        entry.id.to_string(),
        entry.occurred_at.clone(),
        id(entry.user_id),
        text(&entry.username),
        entry.action.clone(),
        entry.entity_type.clone(),
        id(entry.entity_id),
        entry.outcome.clone(),
        text(&entry.ip_address),
        text(&entry.user_agent),
        text(&entry.request_id),
        serde_json::to_string(&entry.changes)?,
    ];
    cells.iter().try_for_each(|value| write(lines, value.as_bytes(), cell))
}

fn write(lines: &mut Writer<Vec<u8>>, value: &[u8], cell: &mut Vec<u8>) -> anyhow::Result<()> {
    if runs_as_formula(value) {
        cell.clear();
        cell.push(b'\'');
        cell.extend_from_slice(value);
        lines.write_field(&cell)?;
    } else {
        lines.write_field(value)?;
    }
    Ok(())
}

/// Whether a spreadsheet would take a cell for a formula and run it.
fn runs_as_formula(cell: &[u8]) -> bool {
    let first = match cell {
        // What begins like this is a sign in full width: ＝ ＋ － ＠
        [0xEF, 0xBC, last, ..] => return matches!(last, 0x9D | 0x8B | 0x8D | 0xA0),
        cell => cell.first(),
    };
    matches!(first, Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'))
}

/// From `2026-03-01 12:00:00.5`, as PostgreSQL writes a time, to `2026-03-01T12:00:00.500000Z`.
fn rfc3339(written: &[u8], time: &mut Vec<u8>) -> Option<()> {
    let space = written.iter().position(|byte| *byte == b' ')?;
    let (date, clock) = (&written[..space], &written[space + 1..]);
    let (seconds, fraction) = match clock.get(8) {
        None => (clock, &b""[..]),
        Some(b'.') => (&clock[..8], &clock[9..]),
        Some(_) => return None,
    };
    time.clear();
    time.extend_from_slice(date);
    time.push(b'T');
    time.extend_from_slice(seconds);
    time.push(b'.');
    time.extend_from_slice(fraction);
    time.extend(std::iter::repeat_n(b'0', 6_usize.checked_sub(fraction.len())?));
    time.push(b'Z');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: &[&str]) -> String {
        let mut table = Table::default();
        for row in rows {
            table.add(row.as_bytes());
        }
        String::from_utf8(table.take().unwrap()).unwrap()
    }

    #[test]
    fn a_row_keeps_its_cells_and_gets_its_line_end() {
        let row = ",1,2026-03-01 12:00:00,,ada,login,user,2,success,::1,\
                   \"a \"\"b\"\",\nc\",r,\"{\"\"after\"\":{}}\"\n";
        assert_eq!(
            file(&[row]),
            "1,2026-03-01T12:00:00.000000Z,,ada,login,user,2,success,::1,\
             \"a \"\"b\"\",\nc\",r,\"{\"\"after\"\":{}}\"\r\n"
        );
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_defused() {
        for formula in ["=1", "+1", "-1", "@A", "\tx", "\rx", "＝1", "＋1", "－1", "＠A"] {
            assert!(runs_as_formula(formula.as_bytes()), "{formula}");
        }
        for text in ["", "1", "'=1", "a=1", "，", "\u{fffd}", "é"] {
            assert!(!runs_as_formula(text.as_bytes()), "{text}");
        }
        let row = ",1,2026-03-01 12:00:00,,=a,x,x,,x,,\"-\"\"b\"\"\",\"@c,d\",{}\n";
        assert_eq!(
            file(&[row]),
            "1,2026-03-01T12:00:00.000000Z,,'=a,x,x,,x,,\"'-\"\"b\"\"\",\"'@c,d\",{}\r\n"
        );
    }

    #[test]
    fn a_time_has_six_decimals() {
        let mut time = vec![];
        for (written, expected) in [
            ("2026-03-01 12:00:00", "2026-03-01T12:00:00.000000Z"),
            ("2026-03-01 12:00:00.25", "2026-03-01T12:00:00.250000Z"),
            ("2026-03-01 12:00:00.123456", "2026-03-01T12:00:00.123456Z"),
        ] {
            rfc3339(written.as_bytes(), &mut time).unwrap();
            assert_eq!(std::str::from_utf8(&time), Ok(expected));
        }
        assert!(rfc3339(b"infinity", &mut time).is_none());
    }
}
