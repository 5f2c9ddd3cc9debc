//! The way into the database: PostgreSQL's binary COPY, on two connections at once.
//!
//! A connection takes the next 20,000 rows when it is done with its last ones, so the rows of a table
//! lie nearly in the order of their numbers. Only a message of some hundred rows is ever in memory.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Context;
use futures_util::future::try_join_all;
use indicatif::ProgressBar;
use sqlx::PgConnection;
use uuid::Uuid;

use super::calendar::Micros;

const ROWS_A_TRANSACTION: u64 = 20_000;
const ROWS_A_MESSAGE: u64 = 500;
/// Where PostgreSQL's time begins: the year 2000.
const EPOCH: Micros = 946_684_800_000_000;

/// Copies rows `0..total`, which `write` makes from their numbers. Each transaction is whole or not
/// there; the order in which they arrive is open.
pub(super) async fn load(
    connections: &mut [PgConnection],
    statement: &str,
    total: u64,
    progress: &ProgressBar,
    write: impl Fn(Range<u64>, &mut Rows),
) -> anyhow::Result<()> {
    let next = AtomicU64::new(0);
    let loading = connections.iter_mut().map(async |connection| {
        loop {
            let start = next.fetch_add(ROWS_A_TRANSACTION, Ordering::Relaxed);
            if start >= total {
                return anyhow::Ok(());
            }
            let end = total.min(start + ROWS_A_TRANSACTION);
            copy(connection, statement, start..end, progress, &write).await?;
        }
    });
    try_join_all(loading).await.with_context(|| format!("refused: {}", statement.trim()))?;
    Ok(())
}

async fn copy(
    connection: &mut PgConnection,
    statement: &str,
    numbers: Range<u64>,
    progress: &ProgressBar,
    write: &impl Fn(Range<u64>, &mut Rows),
) -> sqlx::Result<()> {
    let mut copy = connection.copy_in_raw(statement).await?;
    let mut rows = Rows::start();
    let mut start = numbers.start;
    while start < numbers.end {
        let end = numbers.end.min(start + ROWS_A_MESSAGE);
        write(start..end, &mut rows);
        copy.send(rows.0.as_slice()).await?;
        rows.0.clear();
        progress.inc(end - start);
        start = end;
    }
    copy.send(Rows::END.as_slice()).await?;
    copy.finish().await?;
    Ok(())
}

/// Rows in the format of a binary COPY. A value that may be absent is given as an `Option`.
#[derive(Debug)]
pub(super) struct Rows(Vec<u8>);

impl Rows {
    const END: [u8; 2] = (-1_i16).to_be_bytes();

    fn start() -> Self {
        // A signature, then no flags and no extension.
        Self(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec())
    }

    /// Begins a row of so many columns, which must follow.
    pub(super) fn row(&mut self, columns: i16) -> &mut Self {
        self.0.extend(columns.to_be_bytes());
        self
    }

    pub(super) fn uuid(&mut self, value: impl Into<Option<Uuid>>) -> &mut Self {
        self.value(value.into().as_ref().map(Uuid::as_bytes))
    }

    pub(super) fn text<'a>(&mut self, value: impl Into<Option<&'a str>>) -> &mut Self {
        self.value(value.into())
    }

    pub(super) fn bool(&mut self, value: impl Into<Option<bool>>) -> &mut Self {
        self.value(value.into().map(|value| [u8::from(value)]))
    }

    pub(super) fn int4(&mut self, value: impl Into<Option<i32>>) -> &mut Self {
        self.value(value.into().map(i32::to_be_bytes))
    }

    pub(super) fn int8(&mut self, value: impl Into<Option<i64>>) -> &mut Self {
        self.value(value.into().map(i64::to_be_bytes))
    }

    /// With a time zone or without: the format is the same.
    pub(super) fn timestamp(&mut self, value: impl Into<Option<Micros>>) -> &mut Self {
        self.int8(value.into().map(|value| value - EPOCH))
    }

    /// Its length, -1 for none, and its bytes.
    fn value(&mut self, bytes: Option<impl AsRef<[u8]>>) -> &mut Self {
        match &bytes {
            None => self.0.extend((-1_i32).to_be_bytes()),
            Some(bytes) => {
                let bytes = bytes.as_ref();
                self.0.extend((bytes.len() as i32).to_be_bytes());
                self.0.extend(bytes);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_what_the_manual_says() {
        let mut rows = Rows::start();
        rows.row(3).text("BR").int4(None).timestamp(EPOCH + 1);

        let expected = [
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".as_slice(),
            &[0, 3],
            &[0, 0, 0, 2, b'B', b'R'],
            &[255, 255, 255, 255],
            &[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1],
        ];
        assert_eq!(rows.0, expected.concat());
    }
}
