-- What is learned from people's decisions: nothing here is read or written on the way of an event.

-- What was foretold of a decision, 0 to 1, before it was made; by which model, and whether the entry was folded away.
-- NULL: nothing was foretold.
ALTER TABLE pattern_sync.decisions ADD COLUMN IF NOT EXISTS likelihood DOUBLE PRECISION;
ALTER TABLE pattern_sync.decisions ADD COLUMN IF NOT EXISTS model_id BIGINT;
ALTER TABLE pattern_sync.decisions ADD COLUMN IF NOT EXISTS folded BOOLEAN;

-- What was learned so far; the newest one counts.
CREATE TABLE pattern_sync.models (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trained_at TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    lessons BIGINT NOT NULL, -- that there were then
    model TEXT NOT NULL, -- JSON
    digest TEXT NOT NULL, -- of that text: a model that somebody has edited is not used
    gate JSONB NOT NULL DEFAULT '{}', -- how it stood when it was looked at last
    shown BOOLEAN NOT NULL DEFAULT false -- entries have likelihoods: the gate is open, and the daemons' settings agree
);

-- How likely each pending entry is approved: what a decision is compared with once it is made.
CREATE TABLE pattern_sync.predictions (
    pattern_id TEXT PRIMARY KEY,
    model_id BIGINT NOT NULL,
    likelihood DOUBLE PRECISION NOT NULL
                     CHECK (likelihood >= 0::DOUBLE PRECISION AND likelihood <= 1::DOUBLE PRECISION),
    folds BOOLEAN NOT NULL, -- a likely reject, unless it was drawn to be shown in place
    traits_version BIGINT NOT NULL -- of the traits that it was told by
);

UPDATE pattern_sync.migrations AS m SET extended_to = 10 WHERE m.version = 3;
