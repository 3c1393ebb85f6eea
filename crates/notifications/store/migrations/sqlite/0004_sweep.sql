-- Notifications to which nothing may refer any more, and since when. A sweep looks at each once, when its id may be forgotten.
CREATE TABLE orphans (
    notification INTEGER PRIMARY KEY REFERENCES notifications (key),
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX orphans_by_time ON orphans (at);

-- Those of today.
INSERT INTO orphans (notification, at)
SELECT key, created_at FROM notifications n
WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
  AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
  AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key);
