-- Notifications to which nothing may refer any more, and since when. A sweep looks at each once, when its id may be forgotten.
CREATE TABLE orphans (
    notification bigint PRIMARY KEY,
    at bigint NOT NULL
);

CREATE INDEX orphans_by_time ON orphans (at, notification);

-- Those of today. Reading each index once, in order, is fast also for many millions.
SET LOCAL enable_mergejoin = on;
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_seqscan = on;
INSERT INTO orphans (notification, at)
SELECT key, created_at FROM notifications n
WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
  AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
  AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key);
