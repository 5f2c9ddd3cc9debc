//! What makes a file of lines one that can be verified by itself, with nothing but a public key.
//!
//! Such a file has everything of its period: first what no checkpoint vouches for yet, newest first,
//! then the sealed entries, highest number first. Its last line has the checkpoint and the hashes of
//! all leaves that are not in the file, so the file's own lines make the checkpoint's root, or they
//! do not.

use std::ops::RangeInclusive;

use anyhow::Context;
use data_encoding::BASE64;
use futures_util::TryStreamExt;
use serde_json::json;
use shared::audit::sealed;
use sqlx::PgConnection;

use super::lines::DELIMITER;
use super::select;
use super::transfer::File;
use crate::filter::Filter;

/// The newest checkpoint, and the key that its job signs with.
#[derive(Default)]
struct Checkpoint {
    size: i64,
    note: Option<String>,
    public_key: Option<String>,
}

/// The numbers of the sealed entries in the file.
#[derive(Default)]
struct Numbers {
    last: Option<i64>,
    /// The lowest by now.
    first: Option<i64>,
    /// Those between the two that are not in the file: their entries are of another time, or were
    /// pruned.
    gaps: Vec<RangeInclusive<i64>>,
}

impl Numbers {
    /// Takes the next lower one.
    fn add(&mut self, number: i64) {
        match self.first.replace(number) {
            None => self.last = Some(number),
            Some(before) if before - number > 1 => self.gaps.push(number + 1..=before - 1),
            Some(_) => {}
        }
    }
}

/// The last line of a file that its filter leaves unverifiable: it only says that it is the last.
pub(super) fn none(entries: u64) -> String {
    format!("{}\n", json!({ "verification": null, "entries": entries }))
}

/// Makes the file: its entries, and its last line.
pub(super) async fn export(
    connection: &mut PgConnection,
    filter: &Filter,
    file: &mut File<'_>,
) -> anyhow::Result<()> {
    let checkpoint = newest_checkpoint(connection).await?.unwrap_or_default();
    let unsealed = match checkpoint.size {
        0 => select::texts(filter),
        size => select::unsealed(filter, size),
    };
    file.copy(connection, &unsealed).await?;
    let unsealed = file.all_rows();
    let numbers = copy_sealed(connection, filter, checkpoint.size, file).await?;

    let head = json!({
        "checkpoint": checkpoint.note,
        "public_key": checkpoint.public_key,
        "entries": file.all_rows(),
        "unsealed": unsealed,
        "first_number": numbers.first,
        "last_number": numbers.last,
    });
    let head = head.to_string();
    let open = head.strip_suffix('}').unwrap_or(&head);
    file.add_text(&format!("{{\"verification\":{open},\"gaps\":[")).await?;
    add_gaps(connection, &numbers.gaps, file).await?;
    // Without a sealed entry in the file, all of the tree lies left of it.
    let left = hashes(connection, 0, numbers.first.unwrap_or(checkpoint.size)).await?;
    let right = match numbers.last {
        Some(last) => hashes(connection, last + 1, checkpoint.size).await?,
        None => vec![],
    };
    file.add_text(&format!("],\"left\":{},\"right\":{}}}}}\n", json!(left), json!(right))).await
}

async fn newest_checkpoint(connection: &mut PgConnection) -> sqlx::Result<Option<Checkpoint>> {
    sqlx::query_as!(
        Checkpoint,
        "SELECT size, note, public_key FROM admin_audit_checkpoints ORDER BY size DESC LIMIT 1",
    )
    .fetch_optional(connection)
    .await
}

async fn copy_sealed(
    connection: &mut PgConnection,
    filter: &Filter,
    size: i64,
    file: &mut File<'_>,
) -> anyhow::Result<Numbers> {
    let mut numbers = Numbers::default();
    let Some((first, last)) = bounds(connection, filter, size).await? else { return Ok(numbers) };
    let query = select::sealed(filter, first, last);
    let mut rows = connection.copy_out_raw(&query).await?;
    while let Some(row) = rows.try_next().await? {
        let delimiter = row.iter().position(|byte| *byte == DELIMITER);
        let (number, text) = row.split_at(delimiter.context("a row without a number")?);
        numbers.add(std::str::from_utf8(number)?.parse()?);
        file.add(&text[1..]).await?;
    }
    Ok(numbers)
}

/// Between which numbers to look. The log is numbered about in the order of its times, but not
/// quite, so a period has to be asked.
async fn bounds(
    connection: &mut PgConnection,
    filter: &Filter,
    size: i64,
) -> sqlx::Result<Option<(i64, i64)>> {
    let (starts, ends) = (filter.period.starts(), filter.period.ends());
    if size == 0 || (starts.is_none() && ends.is_none()) {
        return Ok((size > 0).then(|| (0, size - 1)));
    }
    let numbers = sqlx::query!(
        "
        SELECT min(l.number) AS first, max(l.number) AS last
        FROM admin_audit_logs AS e
        JOIN admin_audit_leaves AS l ON l.entry_id = e.id
        WHERE l.number < $1
          AND ($2::timestamp IS NULL OR e.created_at >= $2)
          AND ($3::timestamp IS NULL OR e.created_at < $3)
        ",
        size,
        starts.map(|at| at.naive_utc()),
        ends.map(|at| at.naive_utc()),
    )
    .fetch_one(connection)
    .await?;
    Ok(numbers.first.zip(numbers.last))
}

/// Number and leaf of each number in the gaps, lowest first.
async fn add_gaps(
    connection: &mut PgConnection,
    gaps: &[RangeInclusive<i64>],
    file: &mut File<'_>,
) -> anyhow::Result<()> {
    let mut any = false;
    for gap in gaps.iter().rev() {
        let mut leaves = sqlx::query!(
            "
            SELECT number, leaf
            FROM admin_audit_leaves
            WHERE number BETWEEN $1 AND $2
            ORDER BY number
            ",
            gap.start(),
            gap.end(),
        )
        .fetch(&mut *connection);
        while let Some(row) = leaves.try_next().await? {
            let comma = if any { "," } else { "" };
            let leaf = BASE64.encode(&row.leaf);
            file.add_text(&format!("{comma}[{},\"{leaf}\"]", row.number)).await?;
            any = true;
        }
    }
    Ok(())
}

/// The hashes of the fewest full subtrees that have the leaves from `first` on and before `end`.
async fn hashes(
    connection: &mut PgConnection,
    first: i64,
    end: i64,
) -> anyhow::Result<Vec<String>> {
    let range = sealed::range(connection, first.try_into()?, end.try_into()?).await?;
    Ok(range.hashes().map(|hash| BASE64.encode(&hash)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_passed_over_are_gaps() {
        let mut numbers = Numbers::default();
        for number in [12, 11, 7, 6, 4] {
            numbers.add(number);
        }
        assert_eq!((numbers.first, numbers.last), (Some(4), Some(12)));
        assert_eq!(numbers.gaps, [8..=10, 5..=5]);
    }
}
