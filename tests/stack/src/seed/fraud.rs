//! One scan in a hundred is fraudulent: some always and everywhere, the others in bursts, where cloned
//! tags of one batch turn up in one place within hours or days.

use std::ops::Range;

use fastrand::Rng;

use super::{
    batches::Batches,
    calendar::Calendar,
    chance::{Of, Seed, Wheel},
    places::{Place, Places},
};

/// Reasons, how common they are, and how common within a burst.
const REASONS: [(&str, f64, f64); 8] = [
    ("duplicate_scan", 34.0, 30.0),
    ("impossible_travel", 18.0, 6.0),
    ("invalid_signature", 14.0, 8.0),
    ("scan_velocity", 11.0, 14.0),
    ("cloned_tag", 9.0, 36.0),
    ("geo_mismatch", 8.0, 6.0),
    ("revoked_tag", 5.0, 0.0),
    ("tampered_seal", 1.0, 0.0),
];
/// Of all scans.
const SHARE: f64 = 0.01;
const SHARE_IN_BURSTS: f64 = 0.004;
const BURSTS: u64 = 30;

#[derive(Debug)]
pub(super) struct Fraud {
    /// Before this event nobody judged.
    pub(super) since: u64,
    /// How likely an event is fraudulent, bursts apart.
    everyday: f64,
    everyday_reasons: Wheel,
    bursts: Vec<Burst>,
}

/// One wave of counterfeits.
#[derive(Debug)]
pub(super) struct Burst {
    /// In the order of arrival, so this is a time as well.
    events: Range<u64>,
    /// How many of them belong to it.
    share: f64,
    reason: &'static str,
    pub(super) place: Place,
    pub(super) tags: Range<u64>,
}

impl Fraud {
    pub(super) fn new(
        events: u64,
        since: u64,
        calendar: &Calendar,
        batches: &Batches,
        places: &Places,
        seed: Seed,
    ) -> Self {
        let judged = (events - since) as f64;
        let reasons = Wheel::new(REASONS.map(|reason| reason.2));
        let burst = |number| {
            let mut rng = seed.chance(Of::Burst, number);
            let share = 0.05 + 0.35 * rng.f64() * rng.f64();
            let size = events as f64 * SHARE_IN_BURSTS / BURSTS as f64 * (0.4 + 1.2 * rng.f64());
            // One a slot, so no two overlap.
            let slot = judged / BURSTS as f64;
            let start = since + ((number as f64 + 0.8 * rng.f64()) * slot) as u64;
            let cloned = rng.u64(..batches.tags_on_sale(calendar.arrival(start, 0.0)));
            let reason = REASONS[reasons.spin(&mut rng)].0;
            Burst {
                events: start..start + (size / share).round() as u64,
                share,
                reason,
                place: places.hotspot(&mut rng),
                tags: cloned.saturating_sub(rng.u64(..20))..cloned + 1,
            }
        };
        Self {
            since,
            everyday: (SHARE - SHARE_IN_BURSTS) * events as f64 / judged,
            everyday_reasons: Wheel::new(REASONS.map(|reason| reason.1)),
            bursts: (0..BURSTS).map(burst).collect(),
        }
    }

    /// The burst that this event belongs to.
    pub(super) fn burst(&self, event: u64, rng: &mut Rng) -> Option<&Burst> {
        let burst = self.bursts.get(self.bursts.partition_point(|one| one.events.end <= event))?;
        (event >= burst.events.start && rng.f64() < burst.share).then_some(burst)
    }

    pub(super) fn happens(&self, rng: &mut Rng) -> bool {
        rng.f64() < self.everyday
    }

    /// Now and then nobody knows why.
    pub(super) fn reason(&self, burst: Option<&Burst>, rng: &mut Rng) -> Option<&'static str> {
        match burst {
            Some(burst) if rng.f64() < 0.8 => Some(burst.reason),
            _ if rng.f64() < 0.01 => None,
            _ => Some(REASONS[self.everyday_reasons.spin(rng)].0),
        }
    }
}
