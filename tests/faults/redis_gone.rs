//! Redis away and back, again and again: nobody notices.

use std::time::Duration;

use crate::cluster::{Cluster, Mode, Proxy, Wishes};

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_flaps_everything_is_ready_and_works() {
    let url =
        std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL: run the tests with `make test`");
    let redis = Proxy::to(url::Url::parse(&url).unwrap().port().unwrap()).await;
    let wishes =
        Wishes { redis_url: Some(format!("redis://{}", redis.host())), ..Wishes::default() };
    let cluster = Cluster::with(wishes).await;
    let batches = cluster.failed_batches(40).await;

    let modes = [Mode::Gone, Mode::Passes, Mode::Silent, Mode::Passes];
    for (mode, batches) in modes.into_iter().cycle().zip(batches.chunks(5)) {
        redis.becomes(mode);
        for &batch in batches {
            assert_eq!(cluster.get("/ready").await.0.unwrap(), 200);
            let (status, took) = cluster.get("/v1/admin/system/commands").await;
            assert_eq!(status.unwrap(), 200);
            assert!(took < Duration::from_secs(1), "{took:?}");
            assert_eq!(cluster.retry(batch).await.unwrap(), 202);
        }
    }

    cluster.all_are(&batches, "succeeded", Duration::from_secs(60)).await;
}
