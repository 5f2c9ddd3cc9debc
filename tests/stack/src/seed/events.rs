//! Scans. Event n is a function of the seed and of n, so it does not matter who makes it, and when.

use fastrand::Rng;
use uuid::Uuid;

use super::{
    World,
    batches::LATEST,
    calendar::{Micros, hour_of_day},
    chance::{self, Of},
    copy::Rows,
};

pub(super) const COPY: &str = "
    COPY scan_events (id, tag_id, product_id, batch_id, scanned_at, country, risk_score, created_at,
        valid, fraud_reason, state)
    FROM STDIN (FORMAT binary)
";
const COLUMNS: i16 = 11;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    id: Uuid,
    /// Its number.
    pub(super) tag: u64,
    tag_id: Uuid,
    product_id: Uuid,
    batch_id: Option<Uuid>,
    pub(super) scanned_at: Micros,
    pub(super) created_at: Micros,
    pub(super) country: Option<&'static str>,
    pub(super) state: Option<&'static str>,
    pub(super) risk_score: i32,
    /// `None` in the time when nobody judged.
    pub(super) valid: Option<bool>,
    pub(super) fraud_reason: Option<&'static str>,
}

impl Event {
    pub(super) fn is_fraudulent(&self) -> bool {
        self.valid == Some(false)
    }

    pub(super) fn write(&self, rows: &mut Rows) {
        rows.row(COLUMNS)
            .uuid(self.id)
            .uuid(self.tag_id)
            .uuid(self.product_id)
            .uuid(self.batch_id)
            .timestamp(self.scanned_at)
            .text(self.country)
            .int4(self.risk_score)
            .timestamp(self.created_at)
            .bool(self.valid)
            .text(self.fraud_reason)
            .text(self.state);
    }
}

impl World {
    pub(super) fn event(&self, number: u64) -> Event {
        let mut rng = self.seed.chance(Of::Event, number);
        let created_at = self.calendar.arrival(number, rng.f64());
        let id = chance::id(&mut rng, created_at);

        let is_judged = number >= self.fraud.since;
        let burst = self.fraud.burst(number, &mut rng).filter(|_| is_judged);
        let is_fraudulent = burst.is_some() || (is_judged && self.fraud.happens(&mut rng));

        let place = match burst {
            Some(burst) => burst.place,
            None => self.places.somewhere(hour_of_day(created_at), &mut rng),
        };
        let tag = match burst {
            Some(burst) => rng.u64(burst.tags.clone()),
            None => self.tag(created_at, is_fraudulent, &mut rng),
        };
        let batch = self.batches.of_tag(tag);
        let product = batch.product_of_tag(tag);
        Event {
            id,
            tag,
            tag_id: self.batches.tag_id(batch, product),
            product_id: self.batches.product_id(batch, product),
            // The first version of the Scan Service often left it out.
            batch_id: Some(batch.id).filter(|_| is_judged || !number.is_multiple_of(5)),
            scanned_at: created_at - delay(&mut rng),
            created_at,
            country: place.country,
            state: place.state.filter(|_| is_judged && rng.f64() >= 0.02),
            risk_score: risk_score(is_fraudulent, &mut rng),
            valid: is_judged.then_some(!is_fraudulent),
            fraud_reason: is_fraudulent.then(|| self.fraud.reason(burst, &mut rng)).flatten(),
        }
    }

    /// People scan what was sold lately, and some products a lot; who copies tags copies few.
    fn tag(&self, now: Micros, is_fraudulent: bool, rng: &mut Rng) -> u64 {
        let on_sale = self.batches.tags_on_sale(now);
        let chance = rng.f64();
        let age = (chance * chance * on_sale as f64) as u64;
        let tag = on_sale - 1 - age.min(on_sale - 1);
        match rng.f64() {
            _ if is_fraudulent => tag - tag % 128,
            popularity if popularity < 0.3 => tag - tag % 16,
            _ => tag,
        }
    }
}

/// Between the scan and its arrival: a second, or days for a phone that was without a network.
fn delay(rng: &mut Rng) -> Micros {
    let chance = rng.f64();
    if rng.f64() < 0.01 {
        (chance * chance * LATEST as f64) as Micros
    } else {
        (chance * 1_500_000.0) as Micros
    }
}

/// 0 to 100. The score warns; it does not decide.
fn risk_score(is_fraudulent: bool, rng: &mut Rng) -> i32 {
    let chance = rng.f64();
    let score = if is_fraudulent {
        100.0 - 45.0 * chance * chance
    } else if rng.f64() < 0.003 {
        65.0 + 25.0 * chance
    } else {
        54.0 * chance.powi(4)
    };
    score as i32
}
