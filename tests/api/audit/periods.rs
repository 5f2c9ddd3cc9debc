//! Periods of the log: the contract's, but with open ends and of any length.

use super::Stage;

#[tokio::test]
async fn days_are_whole_and_an_instant_at_the_end_does_not_belong() {
    let stage = Stage::new().await;
    let first = stage.imported("2024-03-01T00:00:00Z", "logout", None).await;
    let last = stage.imported("2024-03-01T23:59:59.999999Z", "logout", None).await;
    let next = stage.imported("2024-03-02T00:00:00Z", "logout", None).await;

    for (query, expected) in [
        ("start_date=2024-03-01&end_date=2024-03-01", vec![&last, &first]),
        ("start_date=2024-03-01&end_date=2024-03-02", vec![&next, &last, &first]),
        ("start_date=2024-03-01T00:00:00Z&end_date=2024-03-02T00:00:00Z", vec![&last, &first]),
        ("start_date=2024-03-01T01:00:00%2B01:00&end_date=2024-03-01T23:59:59Z", vec![&first]),
        ("start_date=2024-03-01T00:00:00.000001Z&end_date=2024-03-02", vec![&next, &last]),
    ] {
        assert_eq!(stage.listed(query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn an_end_that_is_not_given_is_open_and_no_period_is_too_long() {
    let stage = Stage::new().await;
    let old = stage.imported("1999-12-31T00:00:00Z", "logout", None).await;
    let newer = stage.imported("2024-03-01T00:00:00Z", "logout", None).await;

    for (query, expected) in [
        ("action=logout", vec![&newer, &old]),
        ("action=logout&start_date=1999-12-31", vec![&newer, &old]),
        ("action=logout&start_date=2000-01-01", vec![&newer]),
        ("action=logout&end_date=2000-01-01", vec![&old]),
        ("action=logout&start_date=0001-01-01&end_date=9999-12-31", vec![&newer, &old]),
    ] {
        assert_eq!(stage.listed(query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}
