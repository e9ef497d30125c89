-- Rules that decide for people: nothing here is read or written on the way of an event.

-- A rule is a row: what it decides, its bounds, and its guards. Every change of them is a new version. NULL, or an
-- empty list: no such bound.
CREATE TABLE pattern_sync.rules (
    name TEXT PRIMARY KEY CHECK (pg_catalog.textregexeq(name, '^[a-z][a-z0-9-]{0,40}$')),
    version BIGINT NOT NULL DEFAULT 1,
    verdict TEXT NOT NULL CHECK (verdict IN ('approve'::TEXT, 'reject'::TEXT)),
    state TEXT NOT NULL DEFAULT 'off'
    CHECK (state IN ('off'::TEXT, 'watching'::TEXT, 'on'::TEXT, 'paused'::TEXT)),
    paused_because TEXT,
    min_confidence DOUBLE PRECISION -- percent
    CHECK (min_confidence BETWEEN 0::DOUBLE PRECISION AND 100::DOUBLE PRECISION),
    max_confidence DOUBLE PRECISION CHECK (max_confidence BETWEEN 0::DOUBLE PRECISION AND 100::DOUBLE PRECISION),
    min_occurrences BIGINT,
    min_savings DOUBLE PRECISION -- USD a month, as claimed
    CHECK (min_savings BETWEEN 0::DOUBLE PRECISION AND 1e15::DOUBLE PRECISION),
    max_savings DOUBLE PRECISION CHECK (max_savings BETWEEN 0::DOUBLE PRECISION AND 1e15::DOUBLE PRECISION),
    only_kinds TEXT[] NOT NULL DEFAULT '{}',
    exclude_kinds TEXT[] NOT NULL DEFAULT '{}',
    needs_tools TEXT[] NOT NULL DEFAULT '{}', -- all of them
    without_tools TEXT[] NOT NULL DEFAULT '{}', -- none of them
    min_workflows BIGINT, -- distinct ones that are recorded
    min_days_seen DOUBLE PRECISION CHECK (min_days_seen BETWEEN 0::DOUBLE PRECISION AND 36500::DOUBLE PRECISION),
    allow_flags TEXT[] NOT NULL DEFAULT '{}', -- any other flag keeps an entry from the rule
    wait_hours DOUBLE PRECISION NOT NULL DEFAULT 24 -- in which people may object
    CHECK (wait_hours BETWEEN 1::DOUBLE PRECISION AND 720::DOUBLE PRECISION),
    per_day BIGINT NOT NULL DEFAULT 20 CHECK (per_day BETWEEN 1::BIGINT AND 1000::BIGINT),
    check_share DOUBLE PRECISION NOT NULL DEFAULT 0.1 -- of what it would decide is left to people
    CHECK (check_share BETWEEN 0.01::DOUBLE PRECISION AND 0.5::DOUBLE PRECISION),
    agreement DOUBLE PRECISION NOT NULL DEFAULT 0.95 -- the lower bound of people's agreement that it has to reach
    CHECK (agreement BETWEEN 0.8::DOUBLE PRECISION AND 0.99::DOUBLE PRECISION),
    looked_at TIMESTAMPTZ, -- by a daemon, while it is on
    full_at TIMESTAMPTZ, -- when more was due than it may decide in a day
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CHECK (verdict = 'reject'::TEXT OR max_savings IS NOT NULL)
);

-- What rules did and would do, and what people did with it. A mark (would, checked) is live until it has ended: a
-- person or the rule decided, a person objected, or the entry does not fit any more.
CREATE TABLE pattern_sync.rule_log (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule TEXT NOT NULL,
    version BIGINT NOT NULL,
    act TEXT NOT NULL CHECK (
        act IN (
            'would'::TEXT, 'checked'::TEXT, 'decided'::TEXT, 'vetoed'::TEXT, 'reverted'::TEXT, 'paused'::TEXT,
            'off'::TEXT, 'watching'::TEXT, 'on'::TEXT
        )
    ),
    pattern_id TEXT, -- NULL: it is about the rule itself
    figures JSONB NOT NULL DEFAULT '{}', -- of the entry, when it was marked
    human TEXT, -- what a person decided in the end: approved or rejected
    reviewer TEXT, -- who objected, took back, or switched
    reason TEXT,
    batch_id BIGINT, -- of a decision
    at TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    ended_at TIMESTAMPTZ
);
-- One live mark of a rule on an entry; it decides between daemons.
CREATE UNIQUE INDEX rule_log_marks_idx ON pattern_sync.rule_log (rule, pattern_id)
WHERE ended_at IS NULL AND act IN ('would'::TEXT, 'checked'::TEXT);
CREATE INDEX rule_log_pattern_idx ON pattern_sync.rule_log (pattern_id);
CREATE INDEX rule_log_rule_idx ON pattern_sync.rule_log (rule, act, at);
CREATE INDEX rule_log_batch_idx ON pattern_sync.rule_log (batch_id) WHERE batch_id IS NOT NULL;

-- People are told of pauses by a kind of message of their own. Which ones, by their ids in rule_log, is settled at its
-- first attempt; NULL before.
ALTER TABLE pattern_sync.messages ADD COLUMN IF NOT EXISTS pauses BIGINT[];
ALTER TABLE pattern_sync.messages DROP CONSTRAINT IF EXISTS messages_kind_check,
    ADD CONSTRAINT messages_kind_check
    CHECK (kind IN ('high_value'::TEXT, 'digest'::TEXT, 'test'::TEXT, 'rule_paused'::TEXT));

UPDATE pattern_sync.migrations AS m SET extended_to = 9 WHERE m.version = 3;
