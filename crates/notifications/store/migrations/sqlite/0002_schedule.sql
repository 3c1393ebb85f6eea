-- Retracted, or out of the inboxes because its time was over: nobody gets it any more.
ALTER TABLE notifications ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;

-- Who is to get a notification later.
CREATE TABLE scheduled (
    notification INTEGER NOT NULL REFERENCES notifications (key),
    user_id TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (notification, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX scheduled_by_time ON scheduled (due_at);

-- Notifications that are to leave the inboxes at a time: expired ones, and retracted ones until none is left.
CREATE TABLE withdrawals (
    notification INTEGER PRIMARY KEY REFERENCES notifications (key),
    due_at INTEGER NOT NULL,
    -- As on the wire: expired, retracted.
    reason TEXT NOT NULL,
    -- It has left the inboxes up to this key.
    reached INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX withdrawals_by_time ON withdrawals (due_at);

-- What pushes with an idempotency key were answered.
CREATE TABLE idempotency (
    sender TEXT NOT NULL,
    key TEXT NOT NULL,
    -- SHA-256 of the request, in hexadecimal.
    request TEXT NOT NULL,
    -- The receipt, JSON.
    answer TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (sender, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_time ON idempotency (at);

-- What may be forgotten one day.
CREATE INDEX deliveries_removed ON deliveries (inbox, removed_at) WHERE removed_at IS NOT NULL;

-- With all that its condition names: else counting reads each delivery too.
DROP INDEX deliveries_pending;
CREATE INDEX deliveries_pending ON deliveries (inbox, added, opened_at, removed_at) WHERE opened_at IS NULL AND removed_at IS NULL;

-- A sender of the first version could give `expires_at` any meaning. One that is no time goes: its inbox could not be read any more.
UPDATE notifications SET body = json_remove(body, '$.expires_at')
WHERE json_type(body, '$.expires_at') IS NOT NULL
  AND coalesce(date(substr(body ->> '$.expires_at', 1, 10)) <> substr(body ->> '$.expires_at', 1, 10)
               OR datetime(body ->> '$.expires_at') IS NULL OR instr(body ->> '$.expires_at', ' ') > 0, true);
