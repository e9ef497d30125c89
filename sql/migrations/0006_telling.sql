-- What people are told outside the page: nothing here is read or written on the way of an event.

-- Messages to people. An open one gathers until its first attempt, which freezes its text: every attempt sends and
-- signs the same bytes under the same key.
CREATE TABLE pattern_sync.messages (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key TEXT NOT NULL DEFAULT pg_catalog.gen_random_uuid()::TEXT, -- by which a receiver tells a repetition
    channel TEXT NOT NULL, -- a digest of the destination's URL, which is a secret
    kind TEXT NOT NULL CHECK (kind IN ('high_value'::TEXT, 'digest'::TEXT, 'test'::TEXT)),
    state TEXT NOT NULL DEFAULT 'open'
                  CHECK (state IN ('open'::TEXT, 'sent'::TEXT, 'dead'::TEXT, 'dropped'::TEXT)),
    created_at TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    due_at TIMESTAMPTZ NOT NULL,
    letter JSONB, -- NULL: it still gathers
    slot TIMESTAMPTZ, -- the time that a digest was planned for
    gathered_at TIMESTAMPTZ, -- when what it tells of was settled
    told BIGINT NOT NULL DEFAULT 0, -- patterns that it tells of
    attempts INTEGER NOT NULL DEFAULT 0,
    claimed_until TIMESTAMPTZ, -- a daemon is sending it; if that one dies, another may from then on
    last_status INTEGER,
    last_error TEXT,
    ended_at TIMESTAMPTZ
);
-- The one that still gathers; it decides between daemons.
CREATE UNIQUE INDEX messages_gathering_idx ON pattern_sync.messages (channel, kind)
    WHERE state = 'open'::TEXT AND attempts = 0;
CREATE INDEX messages_open_idx ON pattern_sync.messages (due_at) WHERE state = 'open'::TEXT;
CREATE INDEX messages_channel_idx ON pattern_sync.messages (channel, kind, id);

-- Which patterns a channel was told of, at which savings (USD a month): each once, and again if they grow tenfold.
CREATE TABLE pattern_sync.told (
    channel TEXT NOT NULL,
    pattern_id TEXT NOT NULL,
    message_id BIGINT NOT NULL,
    savings DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (channel, pattern_id)
);
CREATE INDEX told_message_idx ON pattern_sync.told (message_id);
CREATE INDEX told_pattern_idx ON pattern_sync.told (pattern_id);

-- Channels whose receiver refuses: after three refusals in a row, or where it asks for no more, nothing is sent.
CREATE TABLE pattern_sync.channels (
    channel TEXT PRIMARY KEY,
    refusals INTEGER NOT NULL,
    off_since TIMESTAMPTZ,
    reason TEXT
);

-- The patterns worth most, by evidence where there is any.
CREATE INDEX traits_worth_idx ON pattern_sync.traits (status, (coalesce(evidence, savings)) DESC);

UPDATE pattern_sync.migrations AS m SET extended_to = 6 WHERE m.version = 3;
