-- Times are milliseconds since 1970. Tags are 64 bits, kept as signed numbers. Ids compare by their bytes, as the server sorts them.
-- There are no foreign keys: only this server writes here, and a check for each row would double what a push to many costs.

-- A notification is stored once, whatever the number of its recipients; its id stays taken.
CREATE TABLE notifications (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    sender text COLLATE "C" NOT NULL,
    -- SHA-256 of the body.
    digest bytea NOT NULL,
    -- Canonical JSON, defaults applied, without the id. Text, for jsonb has no U+0000 and changes numbers.
    body text NOT NULL,
    created_at bigint NOT NULL,
    -- Retracted, or out of the inboxes because its time was over: nobody gets it any more.
    withdrawn boolean NOT NULL DEFAULT false
);

-- One user's inbox: its head, and where its log begins. A row at seq 0 was made to be locked; its inbox never had a change.
CREATE TABLE inboxes (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text COLLATE "C" NOT NULL UNIQUE,
    seq bigint NOT NULL DEFAULT 0,
    tag bigint,
    pending bigint NOT NULL DEFAULT 0 CHECK (pending >= 0),
    -- The oldest seq in the log, less one.
    floor bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

-- A notification in an inbox. A removed one stays, so that pushing it again is a duplicate.
CREATE TABLE deliveries (
    inbox bigint NOT NULL,
    -- The seq of the change that added it.
    added bigint NOT NULL,
    notification bigint NOT NULL,
    -- When it came into this inbox.
    created_at bigint NOT NULL,
    opened_at bigint,
    removed_at bigint,
    PRIMARY KEY (inbox, added)
);

CREATE UNIQUE INDEX deliveries_by_notification ON deliveries (notification, inbox);

CREATE INDEX deliveries_pending ON deliveries (inbox, added) WHERE opened_at IS NULL AND removed_at IS NULL;

CREATE INDEX deliveries_kept ON deliveries (inbox, added) WHERE removed_at IS NULL;

CREATE INDEX deliveries_removed ON deliveries (inbox, removed_at) WHERE removed_at IS NOT NULL;

-- The log. A record without detail added the delivery of its seq; any other holds its kind as it is on the wire.
CREATE TABLE changes (
    inbox bigint NOT NULL,
    seq bigint NOT NULL,
    tag bigint NOT NULL,
    prev bigint,
    pending bigint NOT NULL,
    at bigint NOT NULL,
    detail text,
    -- The client's id of the operation that made it.
    op text COLLATE "C",
    PRIMARY KEY (inbox, seq)
);

CREATE UNIQUE INDEX changes_by_op ON changes (inbox, op) WHERE op IS NOT NULL;

-- The inboxes whose newest changes are not published yet, up to which seq they are, and which server is at them until when.
CREATE TABLE publications (
    inbox bigint PRIMARY KEY,
    published bigint NOT NULL,
    -- The newest change. It stands here too, so that whoever moves the mark need not lock the inbox.
    newest bigint NOT NULL,
    owner bigint,
    until timestamptz
) WITH (fillfactor = 70);

-- Who is to get a notification later.
CREATE TABLE scheduled (
    notification bigint NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    due_at bigint NOT NULL,
    PRIMARY KEY (notification, user_id)
);

CREATE INDEX scheduled_by_time ON scheduled (due_at);

-- Notifications that are to leave the inboxes at a time: expired ones, and retracted ones until none is left.
CREATE TABLE withdrawals (
    notification bigint PRIMARY KEY,
    due_at bigint NOT NULL,
    -- As on the wire: expired, retracted.
    reason text NOT NULL,
    -- The inboxes with keys up to this are done.
    reached bigint NOT NULL DEFAULT 0
);

CREATE INDEX withdrawals_by_time ON withdrawals (due_at);

-- What pushes with an idempotency key were answered.
CREATE TABLE idempotency (
    sender text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    -- SHA-256 of the request, in hexadecimal.
    request text NOT NULL,
    -- The receipt, JSON; empty only inside the transaction that makes it.
    answer text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (sender, key)
);

CREATE INDEX idempotency_by_time ON idempotency (at);

CREATE TABLE settings (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);
