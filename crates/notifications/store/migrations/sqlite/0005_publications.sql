-- As before, with the time since when an inbox has unpublished changes, as far as its mark tells. A new table, because only a new column of a new table can have the current time as its default.
CREATE TABLE new_publications (
    inbox INTEGER PRIMARY KEY REFERENCES inboxes (key),
    published INTEGER NOT NULL,
    since INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
) STRICT;

INSERT INTO new_publications (inbox, published) SELECT inbox, published FROM publications;

DROP TABLE publications;

ALTER TABLE new_publications RENAME TO publications;

CREATE INDEX publications_by_age ON publications (since);
