//! What the Factory has made, and which of it people can scan.
//!
//! Batches begin three months before the first scan. Nearly all are completed; some failed, and the
//! newest are still at work, in every state there is. A tag belongs to one product; both have their
//! number, and only those of completed batches are out in the world.

use std::ops::Range;

use fastrand::Rng;
use uuid::Uuid;

use super::{
    calendar::{Calendar, DAY, HOUR, MINUTE, Micros},
    chance::{Of, Seed},
};

/// So long a late scan may have waited for a network, and a product for its first customer.
pub(super) const LATEST: Micros = 3 * DAY;
const ON_SALE_AFTER: Micros = 7 * DAY;
const FACTORIES: u64 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Processing,
    Anchoring,
    Completed,
    Failed,
    AnchorFailed,
}

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) id: Uuid,
    pub(super) factory: Uuid,
    pub(super) status: Status,
    /// What was ordered.
    pub(super) product_count: u32,
    /// Those that exist.
    pub(super) products: Range<u64>,
    /// Those with a tag out in the world; a tag has the number of its product in this order.
    pub(super) tags: Range<u64>,
    pub(super) created_at: Micros,
    pub(super) processed_at: Micros,
    pub(super) anchored_at: Micros,
    /// All of it was taken out of circulation.
    pub(super) is_recalled: bool,
}

#[derive(Debug)]
pub(super) struct Batches {
    pub(super) all: Vec<Batch>,
    seed: Seed,
}

impl Batches {
    /// About as many products as said, in batches of 10 to some hundred.
    pub(super) fn new(products: u64, calendar: &Calendar, seed: Seed) -> Self {
        let count = (products / 250).clamp(48, 4_000);
        let in_work = (count / 40).max(4);
        let settled = count - in_work;
        let (first, last) = (calendar.start - 90 * DAY, calendar.until - 3 * DAY);
        let mut all: Vec<Batch> = Vec::new();
        for number in 0..count {
            let mut rng = seed.chance(Of::Batch, number);
            let (status, created_at) = if number < settled {
                let at = (number as f64 + rng.f64()) / settled as f64;
                (settled_status(number, settled, &mut rng), between(first, last, at))
            } else {
                let newest = count - 1 - number;
                let at = (newest as f64 + rng.f64()) / in_work as f64;
                (status_at_work(newest), between(calendar.until, calendar.until - 2 * DAY, at))
            };
            let product_count = (products as f64 / count as f64 * (0.4 + 1.2 * rng.f64())) as u32;
            let product_count = product_count.max(10);
            let next = |numbers: fn(&Batch) -> u64| all.last().map_or(0, numbers);
            let (product, tag) = (next(|batch| batch.products.end), next(|batch| batch.tags.end));
            let processed_at =
                (created_at + 5 * MINUTE + random_up_to(3 * HOUR, &mut rng)).min(calendar.until);
            all.push(Batch {
                id: seed.id(Of::Batch, number, created_at),
                factory: factory(seed, rng.u64(..FACTORIES)),
                status,
                product_count,
                products: product..product + status.products_of(product_count),
                tags: tag..tag + if status == Status::Completed { product_count.into() } else { 0 },
                created_at,
                processed_at,
                anchored_at: processed_at + MINUTE + random_up_to(HOUR / 2, &mut rng),
                is_recalled: number > 0 && rng.f64() < 0.015,
            });
        }
        Self { all, seed }
    }

    /// No other seed has these, so they show that one was used before, whenever that was.
    pub(super) fn factories(&self) -> Vec<Uuid> {
        (0..FACTORIES).map(|number| factory(self.seed, number)).collect()
    }

    pub(super) fn anchors(&self) -> u64 {
        self.all.iter().filter(|batch| batch.status.is_processed()).count() as u64
    }

    pub(super) fn products(&self) -> u64 {
        self.all.last().map_or(0, |batch| batch.products.end)
    }

    pub(super) fn tags(&self) -> u64 {
        self.all.last().map_or(0, |batch| batch.tags.end)
    }

    /// How many tags can have been scanned by somebody whose scan arrives now, however late.
    pub(super) fn tags_on_sale(&self, now: Micros) -> u64 {
        let made = |batch: &Batch| batch.created_at <= now - ON_SALE_AFTER - LATEST;
        let made = self.all.partition_point(made);
        self.all[..made].last().map_or(1, |batch| batch.tags.end)
    }

    pub(super) fn of_tag(&self, tag: u64) -> &Batch {
        &self.all[self.all.partition_point(|batch| batch.tags.end <= tag)]
    }

    pub(super) fn of_product(&self, product: u64) -> &Batch {
        &self.all[self.all.partition_point(|batch| batch.products.end <= product)]
    }

    pub(super) fn product_id(&self, batch: &Batch, product: u64) -> Uuid {
        self.seed.id(Of::Product, product, batch.created_at)
    }

    pub(super) fn tag_id(&self, batch: &Batch, product: u64) -> Uuid {
        self.seed.id(Of::Tag, product, batch.created_at)
    }
}

impl Batch {
    /// The product that a tag of this batch sticks to.
    pub(super) fn product_of_tag(&self, tag: u64) -> u64 {
        self.products.start + (tag - self.tags.start)
    }
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Anchoring => "anchoring",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::AnchorFailed => "anchor_failed",
        }
    }

    /// Whether all products exist, and with them the root of their Merkle tree.
    pub(super) fn is_processed(self) -> bool {
        matches!(self, Self::Anchoring | Self::Completed | Self::AnchorFailed)
    }

    fn products_of(self, ordered: u32) -> u64 {
        match self {
            Self::Pending => 0,
            Self::Failed => u64::from(ordered) / 3,
            Self::Processing => u64::from(ordered) / 2,
            Self::Anchoring | Self::Completed | Self::AnchorFailed => ordered.into(),
        }
    }
}

/// The first is completed, so that there is something to scan, and of each failure there is one.
fn settled_status(number: u64, settled: u64, rng: &mut Rng) -> Status {
    let chance = rng.f64();
    if number == 0 {
        Status::Completed
    } else if number == settled / 3 || chance < 0.02 {
        Status::Failed
    } else if number == settled / 2 || chance > 0.98 {
        Status::AnchorFailed
    } else {
        Status::Completed
    }
}

/// The newer, the less is done.
fn status_at_work(newest: u64) -> Status {
    match newest % 4 {
        0 => Status::Pending,
        1 => Status::Processing,
        _ => Status::Anchoring,
    }
}

fn factory(seed: Seed, number: u64) -> Uuid {
    seed.id(Of::Factory, number, 0)
}

fn between(start: Micros, end: Micros, share: f64) -> Micros {
    start + ((end - start) as f64 * share) as Micros
}

fn random_up_to(end: Micros, rng: &mut Rng) -> Micros {
    rng.i64(0..end)
}
