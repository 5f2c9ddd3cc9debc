//! Every endpoint of analytics over one year, beside its own statement.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use shared::Clock;
use shared::rollup::{Cut, Grain};

use super::world::World;
use crate::report::Report;
use crate::server::Server;
use crate::summary::Summary;
use crate::{pgbench, statements, wrk};

const ROUNDS: usize = 5;
const SECONDS: u32 = 1;

/// A request and the statement behind it, of the same year.
pub struct Endpoint {
    pub name: &'static str,
    pub path: String,
    pub sql: String,
}

/// Each in turn, one request at a time.
pub async fn measure(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let server = Server::function(&world.local, "analytics").await?;
    let endpoints = Year::up_to_today().endpoints()?;
    let mut runs = vec![(vec![], vec![]); endpoints.len()];
    for round in 1..=ROUNDS {
        eprintln!("analytics: round {round} of {ROUNDS}");
        for (endpoint, (requests, statements)) in endpoints.iter().zip(&mut runs) {
            let url = server.url(&endpoint.path);
            requests.push(wrk::run(&url, Some(&world.token), 1, SECONDS).await?);
            let database = world.local.database.url();
            statements.push(pgbench::run(database, &endpoint.sql, 1, SECONDS).await?);
        }
    }
    for (Endpoint { name, .. }, (requests, statements)) in endpoints.iter().zip(&runs) {
        let (request, statement) = (Summary::median(requests), Summary::median(statements));
        report.load(&format!("analytics, {name} over a year"), request);
        report.load(&format!("pgbench, the SQL of {name}"), statement);
        let beyond = request.p50 - 2.0 * statement.p50;
        report.number(&format!("{name}: p50 beyond 2 × pgbench"), beyond, "ms", 1.0);
    }
    Ok(())
}

/// 365 days, of which today is the last.
#[derive(Clone, Copy)]
pub struct Year {
    first: NaiveDate,
    last: NaiveDate,
}

impl Year {
    pub fn up_to_today() -> Self {
        let last = Clock::real().now().date_naive();
        Self { first: last - Days::new(364), last }
    }

    pub fn starts(self) -> DateTime<Utc> {
        self.first.and_time(NaiveTime::MIN).and_utc()
    }

    pub fn ends(self) -> DateTime<Utc> {
        (self.last + Days::new(1)).and_time(NaiveTime::MIN).and_utc()
    }

    pub fn fraud(self) -> anyhow::Result<Endpoint> {
        // Without a comparison, the period before is nothing.
        let [starts, ..] = self.cut(Grain::Day);
        let parameters = [vec![starts; 3], self.cut(Grain::Day).to_vec()];
        self.endpoint("fraud", &["previous_rank"], &parameters.concat())
    }

    fn endpoints(self) -> anyhow::Result<Vec<Endpoint>> {
        let days = self.first.iter_days().take_while(|day| *day <= self.last);
        let days: Vec<String> = days.map(|day| day.to_string()).collect();
        let by_day = format!("'{{{}}}'::timestamp[]", days.join(","));
        let by_hour = |rest: &[&str]| {
            let grain = std::iter::once("true").chain(rest.iter().copied()).map(str::to_owned);
            self.cut(Grain::Hour).into_iter().chain(grain).collect::<Vec<_>>()
        };
        let series = ["risk_sum?", "FROM scans_by_hour"];
        let since = format!("ARRAY[{}]", self.cut(Grain::Hour)[0]);
        Ok(vec![
            self.fraud()?,
            self.endpoint("geographic", &["nullif(country, '') AS name"], &self.cut(Grain::Day))?,
            self.endpoint("trends", &series, &by_hour(&[&by_day]))?,
            self.endpoint("heatmap", &["% 168"], &by_hour(&[&since, "ARRAY[0]"]))?,
            self.endpoint("risk", &series, &by_hour(&[&by_day]))?,
        ])
    }

    fn endpoint(
        self,
        name: &'static str,
        words: &[&str],
        parameters: &[String],
    ) -> anyhow::Result<Endpoint> {
        let Self { first, last } = self;
        let path = format!("/v1/admin/analytics/{name}?start_date={first}&end_date={last}");
        Ok(Endpoint { name, path, sql: statements::filled(words, parameters)? })
    }

    /// As the function cuts it.
    fn cut(self, grain: Grain) -> [String; 4] {
        let cut = Cut::new(self.starts(), self.ends(), Some(grain));
        [cut.starts, cut.inner_starts, cut.inner_ends, cut.ends]
            .map(|at| format!("timestamp '{at}'"))
    }
}
