-- What the reference detector has read: calls of tools as words, never an argument or an output of one.

-- Sessions of coding agents, each as a whole: one that has gone on is replaced, so that nothing is counted twice.
CREATE TABLE pattern_sync.detected_sessions (
    session_id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    events BIGINT NOT NULL, -- that it was read from: where the source has another number now, it has changed
    last_event_at TIMESTAMPTZ,
    shows_failures BOOLEAN NOT NULL, -- false: a call that failed leaves no trace
    cut_off BIGINT NOT NULL, -- calls that began, and nothing says that they ended
    words TEXT[] NOT NULL, -- of its calls, in their order
    outcomes TEXT[] NOT NULL,
    called_at TIMESTAMPTZ[] NOT NULL, -- NULL: not known
    costs_usd DOUBLE PRECISION[] NOT NULL -- NULL: not known
);

-- What agents have reported of their calls over HTTP: that one began, ended or failed; each once however often it is
-- reported.
CREATE TABLE pattern_sync.reported_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id TEXT NOT NULL,
    agent TEXT, -- of a subagent
    call_id TEXT,
    phase TEXT NOT NULL,
    tool TEXT NOT NULL,
    word TEXT, -- NULL: the event does not say what the tool acted on
    reported_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX reported_events_once_idx ON pattern_sync.reported_events (session_id, call_id, phase);
CREATE INDEX reported_events_time_idx ON pattern_sync.reported_events (reported_at);

-- The routines that were found: a shape keeps its signature for ever.
CREATE TABLE pattern_sync.routines (
    signature TEXT PRIMARY KEY,
    shape TEXT[] NOT NULL UNIQUE, -- its steps, in words
    found_at TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.now()
);

UPDATE pattern_sync.migrations AS m SET extended_to = 7 WHERE m.version = 3;
