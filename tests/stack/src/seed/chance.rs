//! Chance that can be repeated: whatever is random here is a function of the seed and of the number
//! of the thing that it is for, so neither the order nor the moment of asking changes an answer.

use fastrand::Rng;
use uuid::{Builder, Uuid};

use super::calendar::Micros;

/// What a random number is for; no two of them share one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Factory = 1,
    Batch,
    Anchor,
    Product,
    Tag,
    Day,
    Hour,
    Burst,
    Event,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn new(seed: u64) -> Self {
        // Neighbouring seeds are nothing alike.
        Self(Rng::with_seed(seed).u64(..))
    }

    pub(super) fn chance(self, of: Of, number: u64) -> Rng {
        Rng::with_seed((self.0 ^ ((of as u64) << 56)).wrapping_add(number))
    }

    /// The id of a thing that was made at that moment.
    pub(super) fn id(self, of: Of, number: u64, at: Micros) -> Uuid {
        id(&mut self.chance(of, number), at)
    }
}

/// A UUIDv7: ids grow with time, as the services' do, so indexes of them grow at one end.
pub(super) fn id(rng: &mut Rng, at: Micros) -> Uuid {
    let mut random = [0; 10];
    random.copy_from_slice(&rng.u128(..).to_le_bytes()[..10]);
    Builder::from_unix_timestamp_millis((at / 1_000).cast_unsigned(), &random).into_uuid()
}

/// A wheel of fortune: each choice holds as many pegs as its weight deserves, and a spin costs the
/// same whatever their number.
#[derive(Debug)]
pub(super) struct Wheel(Box<[u8; Wheel::PEGS]>);

impl Wheel {
    const PEGS: usize = 4096;

    pub(super) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let weights: Vec<f64> = weights.into_iter().collect();
        let total: f64 = weights.iter().sum();
        let mut pegs = Box::new([0; Self::PEGS]);
        let (mut sum, mut first) = (0.0, 0);
        for (choice, weight) in (0..=u8::MAX).zip(weights) {
            sum += weight;
            let end = (sum / total * Self::PEGS as f64).round() as usize;
            pegs[first..end].fill(choice);
            first = end;
        }
        Self(pegs)
    }

    pub(super) fn spin(&self, rng: &mut Rng) -> usize {
        usize::from(self.0[rng.usize(..Self::PEGS)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_gives_each_choice_its_share() {
        let wheel = Wheel::new([1.0, 0.0, 3.0]);
        let mut rng = Seed::new(1).chance(Of::Event, 0);
        let mut hits = [0; 3];

        for _ in 0..100_000 {
            hits[wheel.spin(&mut rng)] += 1;
        }

        assert!((24_000..26_000).contains(&hits[0]), "{hits:?}");
        assert_eq!(hits[1], 0);
    }

    #[test]
    fn ids_differ_by_use_number_and_seed_and_grow_with_time() {
        let ids = [
            Seed::new(1).id(Of::Event, 1, 0),
            Seed::new(1).id(Of::Event, 2, 0),
            Seed::new(1).id(Of::Tag, 1, 0),
            Seed::new(2).id(Of::Event, 1, 0),
        ];

        assert!((1..ids.len()).all(|end| !ids[..end].contains(&ids[end])), "{ids:?}");
        assert!(ids.iter().all(|&id| id < Seed::new(1).id(Of::Event, 3, 1_000)));
    }
}
