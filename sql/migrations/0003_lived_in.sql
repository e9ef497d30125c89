-- What a database that has lived needs us to remember: what we wrote last, what was refused, what could not be said.

-- The figures that the source had when we wrote an entry last. A figure of the entry is written again only when the
-- source's has moved since: what another service has set on purpose, or a trigger has rounded, stays until then.
CREATE TABLE pattern_sync.written (
    pattern_id  TEXT PRIMARY KEY,
    confidence  DOUBLE PRECISION,
    occurrences BIGINT,
    savings     NUMERIC
);

-- The quarantine: patterns that the application's own tables, triggers or policies refuse, in the server's own words.
CREATE TABLE pattern_sync.refusals (
    row_id     BIGINT PRIMARY KEY,
    pattern_id TEXT NOT NULL,
    reason     TEXT NOT NULL,
    sqlstate   TEXT NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 1,
    refused_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    retry_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX refusals_due_idx ON pattern_sync.refusals (retry_at);

-- Rejections that the application's CHECK on automation_status cannot hold: they outlive the entry.
CREATE TABLE pattern_sync.rejections (
    pattern_id  TEXT PRIMARY KEY,
    rejected_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- What a writer could not notify (two-phase commit, a notification queue that is half full): taken away in seconds.
CREATE TABLE pattern_sync.marks (
    channel TEXT NOT NULL,
    payload TEXT NOT NULL
);
ALTER TABLE pattern_sync.marks REPLICA IDENTITY FULL; -- or a publication of all tables refuses the DELETE

-- Whoever may work with the tables of the version before may work with these.
DO $$
DECLARE
    entitled record;
BEGIN
    FOR entitled IN
        SELECT DISTINCT r.rolname
        FROM pg_catalog.pg_class AS c
        CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS granted
        JOIN pg_catalog.pg_roles AS r ON r.oid = granted.grantee
        WHERE c.oid OPERATOR(pg_catalog.=) 'pattern_sync.runs'::regclass
          AND granted.privilege_type OPERATOR(pg_catalog.=) 'INSERT'
          AND granted.grantee OPERATOR(pg_catalog.<>) c.relowner
    LOOP
        EXECUTE pg_catalog.format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON'
            ' pattern_sync.written, pattern_sync.refusals, pattern_sync.rejections, pattern_sync.marks TO %I',
            entitled.rolname
        );
    END LOOP;
END $$;

INSERT INTO pattern_sync.migrations (version) VALUES (3);
