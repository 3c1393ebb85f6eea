-- At once, since nodes of the first version may be running: they wait instead of running into a deadlock. In the order in which most transactions lock.
LOCK TABLE notifications, scheduled, withdrawals IN ACCESS EXCLUSIVE MODE;

-- In the order in which deliveries are made. Without all three columns, each batch would sort everything that is due.
CREATE INDEX scheduled_by_due_time ON scheduled (due_at, notification, user_id);
DROP INDEX scheduled_by_time;

CREATE INDEX withdrawals_by_due_time ON withdrawals (due_at, notification);
DROP INDEX withdrawals_by_time;

-- When it was last withdrawn. Its id stays taken for some time after that. It means nothing unless `withdrawn` is set.
-- The first version did not record the time, so it starts now. Without a volatile default, PostgreSQL rewrites no row.
ALTER TABLE notifications ADD COLUMN withdrawn_at bigint DEFAULT (extract(epoch FROM now()) * 1000)::bigint;
ALTER TABLE notifications ALTER COLUMN withdrawn_at DROP DEFAULT;

-- From now on, a withdrawn notification with scheduled rows has a withdrawal, which deletes them.
INSERT INTO withdrawals (notification, due_at, reason)
SELECT key, 0, 'retracted' FROM notifications n
WHERE withdrawn AND EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
ON CONFLICT (notification) DO NOTHING;
