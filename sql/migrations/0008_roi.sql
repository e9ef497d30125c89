-- What automating patterns has brought: nothing here is read or written on the way of an event.

-- Savings and executions that were recorded where the application has no table for them.
CREATE TABLE pattern_sync.recorded_savings (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pattern_id TEXT NOT NULL,
    workflow_id TEXT,
    tool_call_id TEXT,
    saved_usd NUMERIC NOT NULL, -- negative: it cost more than before
    saved_at TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    success BOOLEAN, -- of an execution; NULL: only savings were recorded
    estimated_cost NUMERIC,
    actual_cost NUMERIC,
    estimated_seconds DOUBLE PRECISION,
    actual_seconds DOUBLE PRECISION,
    notes TEXT -- of an execution: its error
);
CREATE INDEX recorded_savings_pattern_idx ON pattern_sync.recorded_savings (pattern_id);

-- What all recorded runs add up to, day by day: kept by the sweep where they are too many to be added up for each
-- question.
CREATE TABLE pattern_sync.savings_by_day (
    pattern_id TEXT NOT NULL, -- empty: of no pattern
    day DATE NOT NULL, -- in UTC
    part TEXT NOT NULL, -- saved, baseline, undecided, no-pattern, deleted or unusable
    source TEXT NOT NULL, -- the table that it was read from
    runs BIGINT NOT NULL,
    tried BIGINT NOT NULL, -- executions, of which it is known whether they succeeded
    failed BIGINT NOT NULL,
    saved NUMERIC NOT NULL, -- USD
    last_at TIMESTAMPTZ,
    repeated BIGINT NOT NULL, -- rows that say the same run once more
    superseded BIGINT NOT NULL, -- executions whose savings are in the log
    PRIMARY KEY (pattern_id, day, part, source)
);

-- When savings_by_day was brought up to date; without a row, it is not used.
CREATE TABLE pattern_sync.savings_kept (
    is_one BOOLEAN PRIMARY KEY DEFAULT true CHECK (is_one),
    kept_at TIMESTAMPTZ NOT NULL
);

-- Confidence that was set from results, by the latest row of each pattern: a refresh leaves it alone while it holds.
CREATE TABLE pattern_sync.adjustments (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pattern_id TEXT NOT NULL,
    old_confidence DOUBLE PRECISION NOT NULL, -- 0 to 1
    new_confidence DOUBLE PRECISION NOT NULL,
    adjustment_reason TEXT NOT NULL,
    roi_data JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    confirmed_at TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.clock_timestamp() -- after a day without, it no longer holds
);
CREATE INDEX adjustments_pattern_idx ON pattern_sync.adjustments (pattern_id, id);

UPDATE pattern_sync.migrations AS m SET extended_to = 8 WHERE m.version = 3;
