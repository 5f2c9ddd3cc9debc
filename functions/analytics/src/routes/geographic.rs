use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::{Problem, Violations};
use shared::http::{Json, Query, TokenResponses};
use shared::period::{Bound, Period};
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::AnalyticsRead;
use crate::model::{Rate, Scans};
use crate::store::geographic::{Place, countries, states};
use shared::rollup::{Cut, Grain};

/// Of which period, and where.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// ISO 3166-1 alpha-2, in any case. With it the answer has the states of that country.
    #[param(example = "BR", pattern = "^[A-Za-z]{2}$")]
    country: Option<String>,
    /// Only that state, as the scans name it; with `country`.
    #[param(example = "SP", min_length = 1)]
    state: Option<String>,
    /// A day, which is in the period, or an instant with its offset; 30 days before the end by
    /// default.
    #[param(example = "2026-01-01")]
    start_date: Option<String>,
    /// A day, which is in the period, or an instant with its offset, which is not; by default
    /// today, or 30 days from the start if that is sooner. At most 731 days.
    #[param(example = "2026-01-31")]
    end_date: Option<String>,
}

/// Where people scanned: the countries, or the states of one.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Geographic)]
pub(crate) struct Response {
    start_date: Bound,
    end_date: Bound,
    /// The numbers are exact as of this instant.
    as_of: Timestamp,
    /// Without `country`: all that have scans, those with the most first, then by code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    countries: Option<Vec<OfCountry>>,
    /// With `country`: its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    country: Option<String>,
    /// With `country`: all of its states that have scans, in the same order, or the one asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    states: Option<Vec<OfState>>,
}

/// The scans of a country.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CountryScans)]
struct OfCountry {
    /// Null for the scans of which the country is not known.
    #[schema(required)]
    country: Option<String>,
    total_scans: i64,
    fraudulent_scans: i64,
    fraud_rate: Rate,
}

/// The scans of a state.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = StateScans)]
struct OfState {
    /// Null for the scans of which the state is not known.
    #[schema(required)]
    state: Option<String>,
    total_scans: i64,
    fraudulent_scans: i64,
    fraud_rate: Rate,
}

/// `GET /v1/admin/analytics/geographic`
///
/// The parts add up to all scans of the period, or of the country in it: those that name no country
/// or no state are a part of their own.
#[utoipa::path(get, path = "/v1/admin/analytics/geographic", tag = "analytics",
    summary = "Scans and frauds by place", security(("access_token" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "The numbers.", body = Response),
        (status = 403, description = "The role does not suffice, analytics are switched off, or \
            the password must be changed first.", body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_geographic(
    _: Allowed<AnalyticsRead>,
    Query(Parameters { country, state, start_date, end_date }): Query<Parameters>,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
) -> Result<Json<Response>> {
    let mut violations = Violations::default();
    let period = Period::new(start_date.as_deref(), end_date.as_deref(), &clock, &mut violations);
    let state = violations.check("state", check_state(state, country.is_some()));
    let country = violations.check("country", country.as_deref().map(code).transpose());
    let (Some(period), Some(country), Some(state)) = (period, country, state) else {
        return Err(violations.into_error());
    };
    let cut = Cut::new(period.starts(), period.ends(), Some(Grain::Day));

    let response = |as_of| Response {
        start_date: period.start,
        end_date: period.end,
        as_of,
        countries: None,
        country: None,
        states: None,
    };
    let Some(country) = country else {
        let exact = countries(&db, cut).await?;
        let countries = exact.counted.into_iter().map(OfCountry::from).collect();
        return Ok(Json(Response { countries: Some(countries), ..response(exact.as_of) }));
    };
    let mut exact = states(&db, cut, &country, state.as_deref()).await?;
    if state.is_some() && exact.counted.is_empty() {
        exact.counted.push(Place { name: state, scans: Scans::default() });
    }
    let states = exact.counted.into_iter().map(OfState::from).collect();
    Ok(Json(Response { country: Some(country), states: Some(states), ..response(exact.as_of) }))
}

/// The code as the scans have it.
fn code(given: &str) -> std::result::Result<String, &'static str> {
    let code = given.to_ascii_uppercase();
    match rust_iso3166::from_alpha2(&code) {
        Some(_) => Ok(code),
        None => Err("must be a country's code of ISO 3166-1 alpha-2, such as BR"),
    }
}

fn check_state(
    state: Option<String>,
    with_country: bool,
) -> std::result::Result<Option<String>, &'static str> {
    match state.as_deref() {
        Some(_) if !with_country => Err("must come with country"),
        Some("") => Err("must not be empty"),
        _ => Ok(state),
    }
}

impl From<Place> for OfCountry {
    fn from(Place { name, scans }: Place) -> Self {
        Self {
            country: name,
            total_scans: scans.total,
            fraudulent_scans: scans.fraudulent,
            fraud_rate: scans.fraud_rate(),
        }
    }
}

impl From<Place> for OfState {
    fn from(Place { name, scans }: Place) -> Self {
        Self {
            state: name,
            total_scans: scans.total,
            fraudulent_scans: scans.fraudulent,
            fraud_rate: scans.fraud_rate(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_have_codes_of_iso_3166_1_in_any_case() {
        for given in ["BR", "br", "Br", "bR"] {
            assert_eq!(code(given), Ok("BR".to_owned()));
        }
        for none in ["", "B", "BRA", "076", "XX", "ZZ", "XK", "UK", "EU", "é", "B R", "ßR", "br "]
        {
            assert!(code(none).is_err(), "{none}");
        }
    }

    #[test]
    fn a_state_is_one_of_a_country() {
        assert_eq!(check_state(None, false), Ok(None));
        assert_eq!(check_state(Some("SP".to_owned()), true), Ok(Some("SP".to_owned())));
        assert!(check_state(Some("SP".to_owned()), false).is_err());
        assert!(check_state(Some(String::new()), true).is_err());
    }
}
