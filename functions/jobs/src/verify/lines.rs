//! The lines of a file from the last to the first, byte for byte, in the memory of the longest one.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// So much is read at a time.
const BLOCK: usize = 64 * 1024;

/// Lines that end in a line feed, each without it.
pub(super) struct LinesFromEnd<F> {
    file: F,
    /// Where in the file `unread` begins.
    start: u64,
    /// What was read and not given yet, but the line feed at its end.
    unread: Vec<u8>,
    is_over: bool,
}

impl LinesFromEnd<File> {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::new(File::open(path)?)
    }
}

impl<F: Read + Seek> LinesFromEnd<F> {
    /// The last line may lack its line feed; [`io::ErrorKind::UnexpectedEof`] says that it does.
    fn new(mut file: F) -> io::Result<Self> {
        let start = file.seek(SeekFrom::End(0))?;
        let mut lines = Self { file, start, unread: vec![], is_over: start == 0 };
        if start > 0 {
            lines.read_block()?;
            if lines.unread.pop() != Some(b'\n') {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(lines)
    }

    /// The line before the last one that was given.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_over {
            return Ok(None);
        }
        let mut searched = 0;
        loop {
            let new = self.unread.len() - searched;
            if let Some(feed) = self.unread[..new].iter().rposition(|byte| *byte == b'\n') {
                let line = self.unread.split_off(feed + 1);
                self.unread.truncate(feed);
                return Ok(Some(line));
            }
            if self.start == 0 {
                self.is_over = true;
                return Ok(Some(std::mem::take(&mut self.unread)));
            }
            searched = self.unread.len();
            self.read_block()?;
        }
    }

    /// Reads what is before. A long line is read in ever longer blocks, so no byte is moved often.
    fn read_block(&mut self) -> io::Result<()> {
        let wanted = u64::try_from(BLOCK.max(self.unread.len())).unwrap_or(u64::MAX);
        let length = wanted.min(self.start);
        self.start -= length;
        self.file.seek(SeekFrom::Start(self.start))?;
        let mut block = Vec::with_capacity(BLOCK);
        self.file.by_ref().take(length).read_to_end(&mut block)?;
        block.append(&mut self.unread);
        self.unread = block;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn lines(file: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let mut lines = LinesFromEnd::new(Cursor::new(file))?;
        std::iter::from_fn(|| lines.next().transpose()).collect()
    }

    #[test]
    fn lines_come_from_the_last_to_the_first_with_every_byte() {
        assert_eq!(lines(b"a\r\n\n b\n").unwrap(), [&b" b"[..], b"", b"a\r"]);
        assert_eq!(lines(b"\n").unwrap(), [b""]);
        assert!(lines(b"").unwrap().is_empty());
        assert_eq!(lines(b"a\nb").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_line_may_be_of_any_length() {
        for length in [BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK] {
            let long = vec![b'x'; length];
            let file = [&long[..], b"\n\n", &long, b"\nend\n"].concat();
            assert_eq!(lines(&file).unwrap(), [b"end", &long[..], b"", &long]);
        }
    }
}
