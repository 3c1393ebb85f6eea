CREATE TABLE IF NOT EXISTS internal_notifications_intents (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL,
    sender TEXT NOT NULL,
    user_ids TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    failed TEXT
);
CREATE INDEX IF NOT EXISTS internal_notifications_intents_waiting
    ON internal_notifications_intents (key) WHERE failed IS NULL;
