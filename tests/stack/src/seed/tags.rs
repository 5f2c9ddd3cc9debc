//! One row a tag: what its scans come to. Counted while the events are made, 32 bytes a tag.

use std::ops::Range;

use super::{World, calendar::Micros, copy::Rows, events::Event};

pub(super) const COPY: &str = "
    COPY scans (tag_id, product_id, batch_id, first_scan_at, scan_count, valid, updated_at, status,
        risk_score)
    FROM STDIN (FORMAT binary)
";
const COLUMNS: i16 = 9;

/// What is known of each tag, by its number.
#[derive(Debug)]
pub(super) struct Tally(Vec<Tag>);

#[derive(Debug, Clone)]
struct Tag {
    first_scan_at: Micros,
    updated_at: Micros,
    scans: i32,
    frauds: i32,
    risk_score: i32,
}

impl Tally {
    pub(super) fn new(tags: u64) -> Self {
        let unseen = Tag {
            first_scan_at: Micros::MAX,
            updated_at: Micros::MIN,
            scans: 0,
            frauds: 0,
            risk_score: 0,
        };
        Self((0..tags).map(|_| unseen.clone()).collect())
    }

    /// In any order: nothing here depends on it.
    pub(super) fn count(&mut self, event: &Event) {
        let tag = &mut self.0[event.tag as usize];
        tag.first_scan_at = tag.first_scan_at.min(event.scanned_at);
        tag.updated_at = tag.updated_at.max(event.created_at);
        tag.scans += 1;
        tag.frauds += i32::from(event.is_fraudulent());
        tag.risk_score = tag.risk_score.max(event.risk_score);
    }

    pub(super) fn write(&self, world: &World, tags: Range<u64>, rows: &mut Rows) {
        for number in tags {
            let tag = &self.0[number as usize];
            let batch = world.batches.of_tag(number);
            let product = batch.product_of_tag(number);
            let status = tag.status();
            rows.row(COLUMNS)
                .uuid(world.batches.tag_id(batch, product))
                .uuid(world.batches.product_id(batch, product))
                .uuid(batch.id)
                .timestamp(Some(tag.first_scan_at).filter(|_| tag.scans > 0))
                .int4(tag.scans)
                .bool(matches!(status, "ok" | "observation"))
                .timestamp(Some(tag.updated_at).filter(|_| tag.scans > 0))
                .text(status)
                .int4(tag.risk_score);
        }
    }
}

impl Tag {
    fn status(&self) -> &'static str {
        match self.frauds {
            4.. => "blocked",
            2..4 => "fraud",
            1 => "observation",
            _ if self.risk_score >= 70 => "observation",
            _ => "ok",
        }
    }
}
