-- Detecting: what the reference detector keeps and writes. It is a detector as any other: it writes patterns and their
-- occurrences, and the rest of the schema learns of them as of anybody else's. The text is ASCII, as a database may be
-- LATIN1.

-- The sessions of the application's hook events, each with the number of its events and the time of the last one as
-- text: without a zone it is in UTC, which agents' hooks write. No row in a database without that table.
CREATE OR REPLACE FUNCTION pattern_sync.hook_sessions()
RETURNS TABLE (session_id text, events bigint, last_event_at text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF pg_catalog.to_regclass('hook_events') IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT e.session_id::text, pg_catalog.count(*), pg_catalog.max(e.timestamp)::text
    FROM hook_events AS e
    WHERE e.session_id IS NOT NULL AND e.event_type::text IN ('PreToolUse', 'PostToolUse', 'PostToolUseFailure')
    GROUP BY e.session_id::text;
END $$;

-- The events of calls in some sessions of the application; none without that table.
CREATE OR REPLACE FUNCTION pattern_sync.hook_events(session_ids text[])
RETURNS TABLE (id bigint, event_type text, session_id text, tool_name text, payload text, at text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF pg_catalog.to_regclass('hook_events') IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT
        e.id::bigint, e.event_type::text, e.session_id::text, e.tool_name::text, e.payload::text, e.timestamp::text
    FROM hook_events AS e
    WHERE e.session_id::text = ANY (hook_events.session_ids)
      AND e.event_type::text IN ('PreToolUse', 'PostToolUse', 'PostToolUseFailure');
END $$;

-- Bring the occurrences of a pattern ($1, row id) to these runs: `workflows`, each with the session that it was seen in
-- before its last '#'. Occurrences of sessions that are not kept any more stay. Returns how many there are; NULL in an
-- installation without the table.
CREATE OR REPLACE FUNCTION pattern_sync.write_runs(row_id bigint, workflows text[], called_at timestamptz[])
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF pg_catalog.to_regclass('pattern_occurrences') IS NULL THEN
        RETURN NULL;
    END IF;
    DELETE FROM pattern_occurrences AS o
    USING pattern_sync.detected_sessions AS s
    WHERE o.pattern_id = write_runs.row_id
      AND s.session_id = pg_catalog.regexp_replace(o.workflow_id::text, '#[0-9]+$', '') COLLATE "default"
      AND NOT EXISTS (
          SELECT FROM pg_catalog.unnest(write_runs.workflows) AS run (workflow)
          WHERE run.workflow = o.workflow_id::text COLLATE "default"
      );
    INSERT INTO pattern_occurrences (pattern_id, workflow_id, similarity_score, detected_at)
    SELECT w.pattern_id, w.workflow_id, w.similarity_score, w.detected_at
    FROM ROWS FROM (
        pg_catalog.unnest(write_runs.workflows), pg_catalog.unnest(write_runs.called_at)
    ) AS run (workflow, at)
    CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(
        NULL::pattern_occurrences,
        pg_catalog.jsonb_build_object(
            'pattern_id', write_runs.row_id,
            'workflow_id', run.workflow,
            'similarity_score', 100,
            'detected_at', coalesce(run.at, pg_catalog.now())
        )
    ) AS w
    WHERE NOT EXISTS (
        SELECT FROM pattern_occurrences AS o
        WHERE o.pattern_id = write_runs.row_id AND o.workflow_id::text = run.workflow COLLATE "default"
    );
    RETURN (SELECT pg_catalog.count(*) FROM pattern_occurrences AS o WHERE o.pattern_id = write_runs.row_id);
END $$;

-- Write a routine as a pattern, whatever types the columns have: confidence 0 to 100, savings in USD a month, NULL if
-- nobody knows what its calls cost. What is written already is not written again. Returns what was done: written,
-- updated or unchanged; or taken, where another shape or another detector was faster with the signature.
CREATE OR REPLACE FUNCTION pattern_sync.write_routine(
    signature text, shape text[], kind text, confidence double precision, savings double precision,
    workflows text[], called_at timestamptz[]
)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    figures jsonb := pg_catalog.jsonb_build_object(
        'pattern_signature', write_routine.signature,
        'pattern_type', write_routine.kind,
        'typical_operations', pg_catalog.to_jsonb(write_routine.shape),
        'confidence_score', write_routine.confidence,
        'occurrence_count', pg_catalog.cardinality(write_routine.workflows),
        -- The application's column has ten digits, four of them behind the point.
        'potential_monthly_savings', CASE
            WHEN write_routine.savings IS NOT NULL
                THEN least(pg_catalog.round(write_routine.savings::numeric, 4), 999999.9999)
        END,
        'first_detected', coalesce(
            (SELECT pg_catalog.min(seen.at) FROM pg_catalog.unnest(write_routine.called_at) AS seen (at)),
            pg_catalog.now()
        ),
        'last_seen', coalesce(
            (SELECT pg_catalog.max(seen.at) FROM pg_catalog.unnest(write_routine.called_at) AS seen (at)),
            pg_catalog.now()
        )
    );
    row_id bigint;
    occurrences bigint;
BEGIN
    INSERT INTO pattern_sync.routines (signature, shape)
    SELECT write_routine.signature, write_routine.shape
    WHERE NOT EXISTS (
        SELECT FROM operation_patterns AS p
        WHERE p.pattern_signature::text = write_routine.signature COLLATE "default"
    )
    ON CONFLICT DO NOTHING;
    IF NOT EXISTS (
        SELECT FROM pattern_sync.routines AS r
        WHERE r.signature = write_routine.signature
          AND pg_catalog.to_jsonb(r.shape) = pg_catalog.to_jsonb(write_routine.shape)
    ) THEN
        RETURN 'taken';
    END IF;
    SELECT p.id INTO row_id
    FROM operation_patterns AS p
    WHERE p.pattern_signature::text = write_routine.signature COLLATE "default"
    ORDER BY p.id
    LIMIT 1
    FOR NO KEY UPDATE;
    IF row_id IS NULL THEN
        INSERT INTO operation_patterns (
            pattern_signature, pattern_type, typical_operations, confidence_score, occurrence_count,
            potential_monthly_savings, first_detected, last_seen
        )
        SELECT
            w.pattern_signature, w.pattern_type, w.typical_operations, w.confidence_score, w.occurrence_count,
            w.potential_monthly_savings, w.first_detected, w.last_seen
        FROM pg_catalog.jsonb_populate_record(NULL::operation_patterns, figures) AS w
        RETURNING id INTO row_id;
        PERFORM pattern_sync.write_runs(row_id, write_routine.workflows, write_routine.called_at);
        RETURN 'written';
    END IF;
    occurrences := pattern_sync.write_runs(row_id, write_routine.workflows, write_routine.called_at);
    IF occurrences IS NOT NULL THEN
        figures := pg_catalog.jsonb_set(figures, '{occurrence_count}', pg_catalog.to_jsonb(occurrences));
    END IF;
    UPDATE operation_patterns AS p
    SET
        confidence_score = w.confidence_score,
        occurrence_count = w.occurrence_count,
        potential_monthly_savings = w.potential_monthly_savings,
        first_detected = least(p.first_detected, w.first_detected),
        last_seen = greatest(p.last_seen, w.last_seen)
    FROM pg_catalog.jsonb_populate_record(NULL::operation_patterns, figures) AS w
    WHERE p.id = row_id
      AND (
          p.confidence_score IS DISTINCT FROM w.confidence_score
          OR p.occurrence_count IS DISTINCT FROM w.occurrence_count
          OR p.potential_monthly_savings IS DISTINCT FROM w.potential_monthly_savings
          OR p.first_detected > w.first_detected
          OR p.last_seen < w.last_seen
      );
    RETURN CASE WHEN FOUND THEN 'updated' ELSE 'unchanged' END;
END $$;
