-- Notifications to which nothing may refer any more, and since when. A sweep looks at each once, when its id may be forgotten. It also finds those of earlier versions.
CREATE TABLE orphans (
    notification bigint PRIMARY KEY,
    at bigint NOT NULL
);

CREATE INDEX orphans_by_time ON orphans (at, notification);
