//! Entries as JSON: an array of them, or one a line.

use super::file::imported;

/// Before the columns of an imported entry; no JSON text begins like that.
const IMPORTED: u8 = b'-';
/// What COPY is told to quote with, and to put between two columns.
const QUOTE: u8 = 1;
pub(super) const DELIMITER: u8 = 2;

/// JSON texts, one after the other.
#[derive(Default)]
pub(super) struct Lines {
    /// Whether they are the elements of an array, not lines.
    in_array: bool,
    any: bool,
    chunk: Vec<u8>,
}

impl Lines {
    /// As the elements of an array.
    pub(super) fn of_array() -> Self {
        Self { in_array: true, ..Self::default() }
    }

    pub(super) fn add(&mut self, row: &[u8]) -> anyhow::Result<()> {
        let text = row.strip_suffix(b"\n").unwrap_or(row);
        if self.in_array {
            let before: &[u8] = if self.any { b",\n" } else { b"\n" };
            self.chunk.extend_from_slice(before);
            self.push(text)?;
        } else {
            self.push(text)?;
            self.chunk.push(b'\n');
        }
        self.any = true;
        Ok(())
    }

    /// Closes the array.
    pub(super) fn finish(&mut self) {
        if self.in_array {
            self.chunk.extend_from_slice(b"\n]\n");
        }
    }

    /// Adds a line that is no entry.
    pub(super) fn add_text(&mut self, text: &str) {
        self.chunk.extend_from_slice(text.as_bytes());
    }

    pub(super) fn len(&self) -> usize {
        self.chunk.len()
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        let next = Vec::with_capacity(self.chunk.capacity());
        std::mem::replace(&mut self.chunk, next)
    }

    fn push(&mut self, text: &[u8]) -> anyhow::Result<()> {
        match text {
            [IMPORTED, columns @ ..] => {
                self.chunk.extend_from_slice(imported(columns)?.canonical()?.as_bytes());
            }
            [QUOTE, quoted @ .., QUOTE] => self.push_on_one_line(quoted),
            canonical => self.chunk.extend_from_slice(canonical),
        }
        Ok(())
    }

    /// COPY quotes what has a line break in it. No canonical text has one, so somebody wrote this
    /// behind our back. It stays on its line, where its leaf will give it away.
    fn push_on_one_line(&mut self, quoted: &[u8]) {
        self.chunk.extend(quoted.iter().map(|byte| if *byte < b' ' { b' ' } else { *byte }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mut lines: Lines, rows: &[&[u8]]) -> String {
        for row in rows {
            lines.add(row).unwrap();
        }
        String::from_utf8(lines.take()).unwrap()
    }

    #[test]
    fn texts_go_through_as_they_are() {
        let rows: [&[u8]; 2] = [b"{\"a\":1}\n", "{\"b\":\"\\n, \u{e9}\"}\n".as_bytes()];
        assert_eq!(file(Lines::default(), &rows), "{\"a\":1}\n{\"b\":\"\\n, \u{e9}\"}\n");
        assert_eq!(file(Lines::of_array(), &rows), "\n{\"a\":1},\n{\"b\":\"\\n, \u{e9}\"}");
    }

    #[test]
    fn a_forged_text_takes_one_line_all_the_same() {
        assert_eq!(file(Lines::default(), &[b"\x01{\"a\":\n1}\x01\n"]), "{\"a\": 1}\n");
    }

    #[test]
    fn an_imported_entry_is_what_readers_see_of_it() {
        let columns = br#"-{"id" : "0190163d-8694-739b-aea5-966c26f8ad91",
            "created_at" : "2024-05-01T10:00:00.5", "user_id" : null, "username" : null,
            "action" : "update", "entity_type" : "user", "entity_id" : null,
            "changes" : "{\"name\": \"b\"}", "outcome" : null, "ip_address" : null,
            "user_agent" : null, "request_id" : null}"#;
        assert_eq!(
            file(Lines::default(), &[columns]),
            "{\"action\":\"update\",\"changes\":{\"after\":{\"name\":\"b\"},\"before\":{}},\
             \"entity_id\":null,\"entity_type\":\"user\",\
             \"id\":\"0190163d-8694-739b-aea5-966c26f8ad91\",\"ip_address\":null,\
             \"occurred_at\":\"2024-05-01T10:00:00.500000Z\",\"outcome\":\"success\",\
             \"request_id\":null,\"user_agent\":null,\"user_id\":null,\"username\":null}\n"
        );
    }
}
