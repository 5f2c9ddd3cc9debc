//! The rows of batches, anchors and products.

use std::ops::Range;

use data_encoding::BASE64URL_NOPAD;
use fastrand::Rng;

use super::{
    World,
    batches::{Batch, Status},
    calendar::DAY,
    chance::Of,
    copy::Rows,
};

pub(super) const COPY_BATCHES: &str = "
    COPY batches (id, factory_id, product_count, status, merkle_root, blockchain_tx, error,
        created_at, updated_at, processing_completed_at, anchored_at)
    FROM STDIN (FORMAT binary)
";
pub(super) const COPY_ANCHORS: &str = "
    COPY anchors (id, batch_id, merkle_root, product_count, status, transaction_id, block_number,
        gas_used, gas_price_gwei, network, error, retry_count, created_at, updated_at, anchored_at)
    FROM STDIN (FORMAT binary)
";
pub(super) const COPY_PRODUCTS: &str = "
    COPY products (id, batch_id, token, verification_url, name, category, serial_number, created_at,
        archived_at)
    FROM STDIN (FORMAT binary)
";

/// What a batch is a batch of.
const CATALOGUE: [(&str, &str); 12] = [
    ("Malbec Reserva 2023", "wine"),
    ("Tinto Douro 2021", "wine"),
    ("Cachaça Envelhecida 700 ml", "spirits"),
    ("Single Malt 12 Years", "spirits"),
    ("Runner Pro 42", "shoes"),
    ("Court Classic 39", "shoes"),
    ("Chronograph Steel", "watches"),
    ("Leather Tote", "bags"),
    ("Eau de Parfum 50 ml", "cosmetics"),
    ("Insulin Pen 3 ml", "medicines"),
    ("Brake Pad Set", "spare_parts"),
    ("Coffee Cerrado 1 kg", "food"),
];
const PROCESSING_ERRORS: [&str; 3] = [
    "token generation failed: storage is full",
    "the signing key is not available",
    "the product list has a duplicate serial number",
];
const ANCHOR_ERRORS: [&str; 3] = [
    "the chain refused the transaction: nonce too low",
    "insufficient funds for gas",
    "no block within 10 minutes",
];

impl World {
    pub(super) fn write_batches(&self, numbers: Range<u64>, rows: &mut Rows) {
        for number in numbers {
            let batch = &self.batches.all[number as usize];
            let mut rng = self.seed.chance(Of::Anchor, number);
            let (root, transaction) = (hex32(&mut rng), format!("0x{}", hex32(&mut rng)));
            let is_anchored = batch.status == Status::Completed;
            rows.row(11)
                .uuid(batch.id)
                .uuid(batch.factory)
                .int4(batch.product_count.cast_signed())
                .text(batch.status.name())
                .text(Some(root.as_str()).filter(|_| batch.status.is_processed()))
                .text(Some(transaction.as_str()).filter(|_| is_anchored))
                .text(error(batch, number))
                .timestamp(batch.created_at)
                .timestamp(updated_at(batch))
                .timestamp(Some(batch.processed_at).filter(|_| batch.status.is_processed()))
                .timestamp(Some(batch.anchored_at).filter(|_| is_anchored));
        }
    }

    /// One for each batch that got so far; the root and the transaction are the batch's own.
    pub(super) fn write_anchors(&self, numbers: Range<u64>, rows: &mut Rows) {
        for number in numbers {
            let batch = &self.batches.all[number as usize];
            let status = match batch.status {
                Status::Completed => "completed",
                Status::AnchorFailed => "failed",
                Status::Anchoring if number.is_multiple_of(2) => "pending",
                Status::Anchoring => "processing",
                Status::Pending | Status::Processing | Status::Failed => continue,
            };
            let is_anchored = batch.status == Status::Completed;
            let mut rng = self.seed.chance(Of::Anchor, number);
            let (root, transaction) = (hex32(&mut rng), format!("0x{}", hex32(&mut rng)));
            let retries = if batch.status == Status::AnchorFailed { 3 } else { 0 };
            rows.row(15)
                .uuid(self.seed.id(Of::Anchor, number, batch.processed_at))
                .uuid(batch.id)
                .text(root.as_str())
                .int4(batch.product_count.cast_signed())
                .text(status)
                .text(Some(transaction.as_str()).filter(|_| is_anchored))
                .int8(is_anchored.then(|| batch.anchored_at / 2_000_000 - 800_000_000))
                .int8(is_anchored.then(|| rng.i64(46_000..52_000)))
                .int4(is_anchored.then(|| rng.i32(28..90)))
                .text("polygon")
                .text(error(batch, number))
                .int4(retries)
                .timestamp(batch.processed_at)
                .timestamp(updated_at(batch))
                .timestamp(Some(batch.anchored_at).filter(|_| is_anchored));
        }
    }

    pub(super) fn write_products(&self, numbers: Range<u64>, rows: &mut Rows) {
        for product in numbers {
            let batch = self.batches.of_product(product);
            let mut rng = self.seed.chance(Of::Product, product);
            let token = token(&mut rng);
            let (name, category) = CATALOGUE[batch.id.as_bytes()[15] as usize % CATALOGUE.len()];
            let serial = format!("VT{:09}", product + 1);
            let removed_at = batch.anchored_at + 60 * DAY + rng.i64(0..120 * DAY);
            let is_removed = batch.status == Status::Completed
                && (batch.is_recalled || rng.f64() < 0.01)
                && removed_at < self.calendar.until;
            rows.row(9)
                .uuid(self.batches.product_id(batch, product))
                .uuid(batch.id)
                .text(token.as_str())
                .text(format!("https://verify.demo.example/{token}").as_str())
                .text(name)
                .text(category)
                .text(serial.as_str())
                .timestamp(batch.created_at)
                .timestamp(Some(removed_at).filter(|_| is_removed));
        }
    }
}

fn error(batch: &Batch, number: u64) -> Option<&'static str> {
    match batch.status {
        Status::Failed => Some(PROCESSING_ERRORS[number as usize % PROCESSING_ERRORS.len()]),
        Status::AnchorFailed => Some(ANCHOR_ERRORS[number as usize % ANCHOR_ERRORS.len()]),
        _ => None,
    }
}

fn updated_at(batch: &Batch) -> i64 {
    match batch.status {
        Status::Pending => batch.created_at,
        Status::Completed | Status::AnchorFailed => batch.anchored_at,
        Status::Processing | Status::Anchoring | Status::Failed => batch.processed_at,
    }
}

fn hex32(rng: &mut Rng) -> String {
    format!("{:032x}{:032x}", rng.u128(..), rng.u128(..))
}

/// As long as a signature.
fn token(rng: &mut Rng) -> String {
    let mut bytes = [0; 32];
    rng.fill(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}
