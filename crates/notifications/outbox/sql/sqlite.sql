CREATE TABLE IF NOT EXISTS internal_notifications_intents (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    sender TEXT NOT NULL,
    user_ids TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    failed TEXT
);
CREATE INDEX IF NOT EXISTS internal_notifications_intents_waiting
    ON internal_notifications_intents (key) WHERE failed IS NULL;
