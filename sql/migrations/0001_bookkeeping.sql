-- Our own schema: which version is installed, the filter in force, and what the last runs did.

CREATE SCHEMA pattern_sync;
COMMENT ON SCHEMA pattern_sync IS 'Pattern Sync: installed by "pattern-sync migrate", removed by "pattern-sync uninstall"';

CREATE TABLE pattern_sync.migrations (
    version       INTEGER PRIMARY KEY,
    applied_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    functions_md5 TEXT -- of the functions.sql that was run last; NULL where a person ran it by hand
);
INSERT INTO pattern_sync.migrations (version) VALUES (1);

-- The filter that the triggers and every daemon use: one row, published by a daemon at start and on reload.
-- NULL: no such criterion. The defaults are the high-priority filter.
CREATE TABLE pattern_sync.settings (
    only_row        BOOLEAN PRIMARY KEY DEFAULT true CHECK (only_row),
    min_confidence  DOUBLE PRECISION DEFAULT 70 CHECK (min_confidence BETWEEN 0::double precision AND 100::double precision),
    min_occurrences BIGINT DEFAULT 5 CHECK (min_occurrences BETWEEN 0::bigint AND 2147483647::bigint),
    min_savings     NUMERIC DEFAULT 1000 CHECK (min_savings >= 0::numeric AND min_savings < 'Infinity'::numeric),
    only_types      TEXT[] NOT NULL DEFAULT '{}',
    exclude_types   TEXT[] NOT NULL DEFAULT '{}',
    changed_at      TIMESTAMPTZ NOT NULL DEFAULT now()
);
INSERT INTO pattern_sync.settings DEFAULT VALUES;

CREATE TABLE pattern_sync.runs (
    id               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind             TEXT NOT NULL,
    finished_at      TIMESTAMPTZ NOT NULL DEFAULT now(),
    duration_ms      DOUBLE PRECISION NOT NULL,
    total_candidates BIGINT NOT NULL,
    synced           BIGINT NOT NULL,
    refreshed        BIGINT NOT NULL,
    skipped          BIGINT NOT NULL,
    errors           BIGINT NOT NULL,
    remaining        BIGINT NOT NULL
);
