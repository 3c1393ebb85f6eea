use crate::support::*;

#[tokio::test]
async fn a_connection_over_the_apps_quota_is_closed_with_4004() {
    let broker = broker_with(|limits| limits.connection_quota = Some(1));
    let client = connect(&broker).await;
    let mut late = open(&broker, APP).await;
    assert_eq!(close_code(&mut late).await, 4004);
    drop(client);
    // The broker notices the end of a connection with a delay.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while broker.connections() > 0 {
        assert!(tokio::time::Instant::now() < deadline, "the connection was not removed in time");
        tokio::task::yield_now().await;
    }
    connect(&broker).await;
}
