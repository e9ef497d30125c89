-- What a decision rests on, and what it leaves behind: nothing here is read or written on the way of an event.

-- Two more criteria: the pattern was seen within so many days, and in so many distinct workflows. NULL: no such criterion.
ALTER TABLE pattern_sync.settings ADD COLUMN IF NOT EXISTS max_age_days DOUBLE PRECISION
    CHECK (max_age_days >= 0.01::double precision AND max_age_days <= 36500::double precision);
ALTER TABLE pattern_sync.settings ADD COLUMN IF NOT EXISTS min_workflows BIGINT
    CHECK (min_workflows BETWEEN 0::bigint AND 2147483647::bigint);

-- What entries are found, sorted and grouped by: a copy of the queue's figures, with indexes that the application's
-- table must not get. A daemon keeps it; it may be behind, so no decision is based on it.
CREATE TABLE pattern_sync.traits (
    pattern_id  TEXT PRIMARY KEY,
    row_version TEXT NOT NULL, -- of the entry that was read last: anything else there means that it has changed
    status      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    target      TEXT NOT NULL,
    shape       TEXT NOT NULL,
    words       TEXT NOT NULL, -- what a search looks through, in lower case
    confidence  DOUBLE PRECISION NOT NULL, -- 0 to 1
    occurrences BIGINT NOT NULL,
    savings     DOUBLE PRECISION NOT NULL, -- USD a month, as claimed
    impact      DOUBLE PRECISION NOT NULL,
    evidence    DOUBLE PRECISION, -- USD a month, by what is recorded; NULL: nothing is
    workflows   BIGINT NOT NULL,
    first_seen  TIMESTAMPTZ,
    last_seen   TIMESTAMPTZ,
    flags       TEXT[] NOT NULL DEFAULT '{}',
    reviewed_by TEXT,
    reviewed_at TIMESTAMPTZ,
    created_at  TIMESTAMPTZ,
    changed_at  TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE INDEX traits_impact_idx ON pattern_sync.traits (status, impact DESC, pattern_id);
CREATE INDEX traits_savings_idx ON pattern_sync.traits (status, savings DESC, pattern_id);
CREATE INDEX traits_kind_idx ON pattern_sync.traits (kind);
-- A shape may be longer than a key.
CREATE INDEX traits_shape_idx ON pattern_sync.traits (pg_catalog.md5(shape));

-- Decisions that were made together, a single one included: what undo takes back. Kept for 30 days.
CREATE TABLE pattern_sync.batches (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision   TEXT NOT NULL, -- the status that its entries got
    action     TEXT NOT NULL, -- in their history: approved or rejected
    mark       TEXT NOT NULL, -- on their patterns, where the application allows it
    reviewer   TEXT NOT NULL,
    reason     TEXT,
    replaces   TEXT NOT NULL,
    decided_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    undone_at  TIMESTAMPTZ,
    undone_by  TEXT
);
CREATE INDEX batches_decided_idx ON pattern_sync.batches (decided_at);

-- What each decision of a batch has replaced, and what it wrote: it is undone only while that stands.
CREATE TABLE pattern_sync.batch_items (
    batch_id   BIGINT NOT NULL,
    pattern_id TEXT NOT NULL,
    before     JSONB NOT NULL, -- of the entry, of its pattern (null: there was none), and whether a rejection was remembered
    after      JSONB NOT NULL, -- of the entry, and the mark on the pattern
    undone_at  TIMESTAMPTZ,
    PRIMARY KEY (batch_id, pattern_id)
);
CREATE INDEX batch_items_pattern_idx ON pattern_sync.batch_items (pattern_id);

-- The record: what the reviewer saw, of every decision.
CREATE TABLE pattern_sync.decisions (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id   BIGINT, -- NULL: made by another program, or before this version
    pattern_id TEXT NOT NULL,
    decision   TEXT NOT NULL,
    reviewer   TEXT NOT NULL,
    decided_at TIMESTAMPTZ NOT NULL,
    replaced   TEXT,
    undone_at  TIMESTAMPTZ,
    shown      JSONB NOT NULL
);
CREATE INDEX decisions_decided_idx ON pattern_sync.decisions (decided_at);
CREATE INDEX decisions_pattern_idx ON pattern_sync.decisions (pattern_id);

-- Pending entries that a person wants to see later: at a time, or when the claimed savings have doubled.
CREATE TABLE pattern_sync.snoozes (
    pattern_id TEXT PRIMARY KEY,
    reviewer   TEXT NOT NULL,
    reason     TEXT,
    until      TIMESTAMPTZ,
    until_savings DOUBLE PRECISION, -- USD a month
    since      TIMESTAMPTZ NOT NULL DEFAULT now(),
    CHECK (until IS NOT NULL OR until_savings IS NOT NULL)
);

-- Answers to requests with an Idempotency-Key, for whoever asks again. NULL: the first request is still at work.
CREATE TABLE pattern_sync.answers (
    key         TEXT PRIMARY KEY,
    request     TEXT NOT NULL, -- a digest: the same key for something else is a mistake
    status_code INTEGER,
    answer      TEXT,
    batch       TEXT, -- that the answer's header names
    asked_at    TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX answers_asked_idx ON pattern_sync.answers (asked_at);

UPDATE pattern_sync.migrations AS m SET extended_to = 5 WHERE m.version = 3;
