use internal_notifications_models::{Position, ResetReason, Tag};

use crate::fixture::Fixture;

#[tokio::test]
async fn a_client_that_missed_more_than_ten_thousand_changes_is_behind() {
    let fixture = Fixture::new().await;
    for name in ["a", "b"] {
        fixture.push(name, &["ada"]).await;
    }
    let seen = fixture.log("ada").await[0].stamp.position();
    // Makes the log look as if it had 9,999 more changes.
    fixture
        .sql(
            "WITH RECURSIVE n (seq) AS (SELECT 3 UNION ALL SELECT seq + 1 FROM n WHERE seq < 10001)
             INSERT INTO changes (inbox, seq, tag, prev, pending, at, detail)
             SELECT 1, seq, seq, CASE WHEN seq > 3 THEN seq - 1 ELSE (SELECT tag FROM inboxes) END, 0, 0, '{\"kind\":\"opened_all\",\"through\":2}' FROM n;
             UPDATE inboxes SET seq = 10001, tag = 10001, pending = 0",
        )
        .await;
    assert_eq!(fixture.reset("ada", Position::default()).await, Some(ResetReason::Behind));
    assert_eq!(fixture.reset("ada", seen).await, None);
    let other = Position { tag: Some(Tag::from_bits(7)), ..seen };
    assert_eq!(fixture.reset("ada", other).await, Some(ResetReason::Diverged));
}
