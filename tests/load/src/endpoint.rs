//! What is asked, how often, and how fast it should be answered.

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    Health,
    Dashboard,
    Users,
    Fraud,
    Login,
    Rename,
}

impl Endpoint {
    pub const ALL: [Self; 6] =
        [Self::Health, Self::Dashboard, Self::Users, Self::Fraud, Self::Login, Self::Rename];

    pub fn name(self) -> &'static str {
        match self {
            Self::Health => "GET /health",
            Self::Dashboard => "GET /v1/admin/dashboard",
            Self::Users => "GET /v1/admin/users",
            Self::Fraud => "GET /v1/admin/analytics/fraud",
            Self::Login => "POST /v1/admin/auth/login",
            Self::Rename => "PATCH /v1/admin/users/{id}",
        }
    }

    /// Of 1,000 requests, so many are of this kind.
    pub fn share(self) -> u32 {
        match self {
            Self::Health => 400,
            Self::Dashboard | Self::Users => 250,
            Self::Fraud => 90,
            Self::Login => 2,
            Self::Rename => 8,
        }
    }

    /// The documented milliseconds for the 50th, 95th and 99th of a hundred.
    pub fn documented(self) -> Option<[f64; 3]> {
        match self {
            Self::Health => Some([2.0, 5.0, 10.0]),
            Self::Dashboard => Some([50.0, 150.0, 300.0]),
            Self::Users => Some([30.0, 100.0, 200.0]),
            Self::Fraud => Some([100.0, 300.0, 500.0]),
            Self::Login | Self::Rename => None,
        }
    }

    /// The kind of the next request, by chance.
    pub fn draw(random: &mut fastrand::Rng) -> Self {
        let mut left = random.u32(0..1_000);
        for endpoint in Self::ALL {
            match left.checked_sub(endpoint.share()) {
                Some(rest) => left = rest,
                None => return endpoint,
            }
        }
        Self::Health
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_make_a_whole() {
        assert_eq!(Endpoint::ALL.map(Endpoint::share).iter().sum::<u32>(), 1_000);
    }
}
