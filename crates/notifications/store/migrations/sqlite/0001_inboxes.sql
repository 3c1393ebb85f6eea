-- Times are milliseconds since 1970. Tags are 64 bits, kept as signed numbers.

-- A notification is stored once, whatever the number of its recipients; its id stays taken.
CREATE TABLE notifications (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    sender TEXT NOT NULL,
    -- SHA-256 of the body.
    digest BLOB NOT NULL,
    -- Canonical JSON, defaults applied, without the id.
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- One user's inbox: its head, and where its log begins.
CREATE TABLE inboxes (
    key INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE,
    seq INTEGER NOT NULL CHECK (seq > 0),
    tag INTEGER NOT NULL,
    pending INTEGER NOT NULL CHECK (pending >= 0),
    -- The oldest seq in the log, less one.
    floor INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A notification in an inbox. A removed one stays, so that pushing it again is a duplicate.
CREATE TABLE deliveries (
    inbox INTEGER NOT NULL REFERENCES inboxes (key),
    -- The seq of the change that added it.
    added INTEGER NOT NULL,
    notification INTEGER NOT NULL REFERENCES notifications (key),
    -- When it came into this inbox.
    created_at INTEGER NOT NULL,
    opened_at INTEGER,
    removed_at INTEGER,
    PRIMARY KEY (inbox, added)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX deliveries_by_notification ON deliveries (notification, inbox);

CREATE INDEX deliveries_pending ON deliveries (inbox, added) WHERE opened_at IS NULL AND removed_at IS NULL;

-- The log. A record without detail added the delivery of its seq; any other holds its kind as it is on the wire.
CREATE TABLE changes (
    inbox INTEGER NOT NULL REFERENCES inboxes (key),
    seq INTEGER NOT NULL,
    tag INTEGER NOT NULL,
    prev INTEGER,
    pending INTEGER NOT NULL,
    at INTEGER NOT NULL,
    detail TEXT,
    -- The client's id of the operation that made it.
    op TEXT,
    PRIMARY KEY (inbox, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX changes_by_op ON changes (inbox, op) WHERE op IS NOT NULL;

-- The inboxes whose newest changes are not published yet, and up to which seq they are.
CREATE TABLE publications (
    inbox INTEGER PRIMARY KEY REFERENCES inboxes (key),
    published INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
