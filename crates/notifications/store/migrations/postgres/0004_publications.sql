-- Since when an inbox has unpublished changes, as far as its mark tells.
ALTER TABLE publications ADD COLUMN since timestamptz NOT NULL DEFAULT clock_timestamp();

CREATE INDEX publications_by_age ON publications (since);
