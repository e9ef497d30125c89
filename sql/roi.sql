-- Return on investment: what approved patterns have saved, beside what they promised. The text is ASCII, as a database
-- may be LATIN1.
--
-- Runs are read from cost_savings_log and pattern_executions of the application, either of which may be missing, and
-- from pattern_sync.recorded_savings, which takes what is recorded where they are. All that is decided here is which
-- rows count, and how often; intervals and ratios are domain/roi.py's.
--
-- Plans: rows are grouped and joined by hashing, as no estimate is trusted. A run is one workflow (and tool call, where
-- one is named) in one second of a pattern: rows that say it again are counted, and no more than the least of them is.

-- Which of some columns a table lacks; NULL if none.
CREATE OR REPLACE FUNCTION pattern_sync.lacking(table_name text, needed text[])
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.string_agg(n.name, ', ' ORDER BY n.place)
    FROM pg_catalog.unnest(lacking.needed) WITH ORDINALITY AS n (name, place)
    LEFT JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = pg_catalog.to_regclass(lacking.table_name)::oid AND a.attname::text = n.name COLLATE "C" AND NOT a.attisdropped
    WHERE a.attname IS NULL
$$;

-- Raise PS001 unless a row was inserted: a trigger or rule of the application may keep it out without an error.
CREATE OR REPLACE FUNCTION pattern_sync.check_inserted(inserted bigint)
RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF check_inserted.inserted = 0::bigint THEN
        RAISE EXCEPTION 'the application''s own trigger or rule kept it out' USING ERRCODE = 'PS001';
    END IF;
END $$;

-- Why a table of runs cannot be read, in words for a person; NULL if it can. A row needs these columns, and its time
-- has to be one.
CREATE OR REPLACE FUNCTION pattern_sync.source_fault(table_name text, needed text[], time_column text)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    relation CONSTANT oid := pg_catalog.to_regclass(source_fault.table_name)::oid;
    lacking text;
BEGIN
    IF relation IS NULL THEN
        RETURN 'it is missing';
    END IF;
    lacking := pattern_sync.lacking(source_fault.table_name, source_fault.needed);
    IF lacking IS NOT NULL THEN
        RETURN 'it lacks ' || lacking;
    END IF;
    IF NOT pg_catalog.has_table_privilege(relation, 'SELECT') THEN
        RETURN pg_catalog.format(
            'this role may not read it; as its owner: GRANT SELECT ON %s TO %I;', relation::regclass, current_user
        );
    END IF;
    IF pg_catalog.row_security_active(relation) THEN
        RETURN 'its row-level security hides rows from this role';
    END IF;
    RETURN (
        SELECT pg_catalog.format('its %s is no time', source_fault.time_column)
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = relation AND a.attname::text = source_fault.time_column COLLATE "C"
          AND t.typcategory <> 'D'::"char"
    );
END $$;

-- Why the application's log of savings cannot be read; NULL if it can.
CREATE OR REPLACE FUNCTION pattern_sync.log_fault()
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT pattern_sync.source_fault(
        'cost_savings_log', '{pattern_id,workflow_id,cost_saved_usd,saved_at}'::text[], 'saved_at'
    )
$$;

-- Why the application's executions cannot be read; NULL if they can.
CREATE OR REPLACE FUNCTION pattern_sync.executions_fault()
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT pattern_sync.source_fault(
        'pattern_executions', '{pattern_id,workflow_id,actual_cost,estimated_cost,success,executed_at}'::text[],
        'executed_at'
    )
$$;

-- A time that a run can have: NULL where no client can represent it, or where it is more than a day ahead, which comes
-- from a wrong clock.
CREATE OR REPLACE FUNCTION pattern_sync.run_time(value timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN value >= '0001-01-02 00:00+00'::timestamptz AND value < pg_catalog.now() + '1 day'::interval THEN value
    END
$$;

-- The second of a time, as a number; NULL if there is none.
CREATE OR REPLACE FUNCTION pattern_sync.second_of(value timestamptz)
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.floor(pg_catalog.date_part('epoch'::text, value))::bigint
$$;

-- The runs of the application's log, by the row ids of their patterns, with the number of rows that say each. Amounts
-- go through text: a REAL is what it shows, 0.1 and not 0.100000001. What is no plain number is NULL.
CREATE OR REPLACE FUNCTION pattern_sync.logged_runs()
RETURNS TABLE (reference text, workflow text, at timestamptz, saved numeric, times bigint) LANGUAGE plpgsql STABLE
SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    IF pattern_sync.log_fault() IS NOT NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT r.reference, r.workflow, pg_catalog.min(r.at), pg_catalog.min(r.saved), pg_catalog.count(*)
    FROM (SELECT NULL::text AS tool_call_id, NULL::text AS id) AS lacking
    CROSS JOIN LATERAL (
        -- The names of a tool call and of an id stand alone: where the table lacks the column, they mean the NULL above.
        SELECT
            l.pattern_id::text AS reference,
            l.workflow_id::text AS workflow,
            coalesce(tool_call_id::text, CASE WHEN l.workflow_id IS NULL THEN id::text END) AS call,
            pattern_sync.run_time(l.saved_at::timestamptz) AS at,
            pattern_sync.amount(l.cost_saved_usd::text) AS saved
        FROM cost_savings_log AS l
        OFFSET 0 -- each is converted once
    ) AS r
    GROUP BY r.reference, r.workflow, r.call, pattern_sync.second_of(r.at);
END $$;

-- The application's executions by signature, as logged_runs. One that failed has saved nothing, and its cost is lost.
CREATE OR REPLACE FUNCTION pattern_sync.executed_runs()
RETURNS TABLE (
    signature text, workflow text, at timestamptz, saved numeric, estimated numeric, success boolean, times bigint
) LANGUAGE plpgsql STABLE
SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    IF pattern_sync.executions_fault() IS NOT NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT
        r.signature, r.workflow, pg_catalog.min(r.at),
        pg_catalog.min(CASE WHEN r.success THEN r.estimated - r.actual ELSE - r.actual END),
        pg_catalog.min(r.estimated), pg_catalog.bool_and(r.success), pg_catalog.count(*)
    FROM (SELECT NULL::text AS id) AS lacking
    CROSS JOIN LATERAL (
        SELECT
            e.pattern_id::text COLLATE "default" AS signature,
            e.workflow_id::text COLLATE "default" AS workflow,
            CASE WHEN e.workflow_id IS NULL THEN id::text END AS call,
            pattern_sync.run_time(e.executed_at::timestamptz) AS at,
            pattern_sync.amount(e.actual_cost::text) AS actual,
            pattern_sync.amount(e.estimated_cost::text) AS estimated,
            pg_catalog.lower(e.success::text) IN ('true', 't', '1') AS success
        FROM pattern_executions AS e
        OFFSET 0
    ) AS r
    GROUP BY r.signature, r.workflow, r.call, pattern_sync.second_of(r.at);
END $$;

-- What was recorded with us, as executed_runs; success is NULL of savings alone.
CREATE OR REPLACE FUNCTION pattern_sync.recorded_runs()
RETURNS TABLE (
    signature text, workflow text, at timestamptz, saved numeric, estimated numeric, success boolean, times bigint
) LANGUAGE sql STABLE AS $$
    SELECT
        r.pattern_id, r.workflow_id, pg_catalog.min(r.at), pg_catalog.min(r.saved), pg_catalog.min(r.estimated),
        pg_catalog.bool_and(r.success), pg_catalog.count(*)
    FROM (
        SELECT
            s.pattern_id,
            s.workflow_id,
            coalesce(s.tool_call_id, CASE WHEN s.workflow_id IS NULL THEN s.id::text END) AS call,
            pattern_sync.run_time(s.saved_at) AS at,
            pattern_sync.amount(s.saved_usd::text) AS saved,
            pattern_sync.amount(s.estimated_cost::text) AS estimated,
            s.success
        FROM pattern_sync.recorded_savings AS s
        OFFSET 0
    ) AS r
    GROUP BY r.pattern_id, r.workflow_id, r.call, r.success IS NULL, pattern_sync.second_of(r.at)
$$;

-- All runs, added up by pattern, day, part and source. The parts: `saved` after the pattern was approved; `baseline`
-- before, which is what it cost without; `undecided` while nobody has approved it; `no-pattern`, whose row names none;
-- `deleted`, whose pattern is gone; `unusable`, without a plain amount or time, of which only the rows are counted.
--
-- An execution may be in the log as well, which then says what it saved: by the same workflow or, where the log names
-- workflows in another way than the executions do, by the same day. It still counts as tried.
--
-- Nobody waits for long where the application has locked one of its tables, as to rewrite it: that is an error.
CREATE OR REPLACE FUNCTION pattern_sync.reckon_savings()
RETURNS TABLE (
    pattern_id text, day date, part text, source text, runs bigint, tried bigint, failed bigint, saved numeric,
    last_at timestamptz, repeated bigint, superseded bigint
) LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET enable_hashjoin = on SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
SET max_parallel_workers_per_gather = 0 SET lock_timeout = '2s' AS $$
BEGIN
    RETURN QUERY
    WITH logged AS MATERIALIZED (SELECT l.* FROM pattern_sync.logged_runs() AS l),
    referred AS MATERIALIZED (
        SELECT l.reference, (
            SELECT pattern_sync.signature_at(CASE
                WHEN pg_catalog.textregexeq(l.reference, '^[0-9]{1,18}$') THEN l.reference::bigint
            END)
        ) AS signature
        FROM (SELECT DISTINCT f.reference FROM logged AS f) AS l
    ),
    recorded AS MATERIALIZED (SELECT r.* FROM pattern_sync.recorded_runs() AS r),
    savings AS MATERIALIZED (
        SELECT
            'cost_savings_log' AS source,
            CASE WHEN l.reference IS NULL THEN 'no-pattern' WHEN n.signature IS NULL THEN 'deleted' END AS lost,
            coalesce(n.signature, '') AS signature,
            l.workflow COLLATE "default" AS workflow, l.at, l.saved, l.times
        FROM logged AS l
        LEFT JOIN referred AS n ON n.reference = l.reference
        UNION ALL
        SELECT 'recorded_savings', NULL, r.signature, r.workflow, r.at, r.saved, r.times
        FROM recorded AS r
        WHERE r.success IS NULL
    ),
    executions AS (
        SELECT
            'pattern_executions' AS source, e.signature, e.workflow, e.at, e.saved, e.success, e.times
        FROM pattern_sync.executed_runs() AS e
        UNION ALL
        SELECT 'recorded_savings', r.signature, r.workflow, r.at, r.saved, r.success, r.times
        FROM recorded AS r
        WHERE r.success IS NOT NULL
    ),
    all_runs AS (
        SELECT s.*, NULL::boolean AS success, false AS superseded FROM savings AS s
        UNION ALL
        SELECT
            e.source, NULL, e.signature, e.workflow, e.at, e.saved, e.times, e.success,
            run.workflow IS NOT NULL OR on_day.day IS NOT NULL
        FROM executions AS e
        LEFT JOIN (
            SELECT DISTINCT s.signature, s.workflow FROM savings AS s WHERE s.at IS NOT NULL AND s.saved IS NOT NULL
        ) AS run ON run.signature = e.signature AND run.workflow = e.workflow
        LEFT JOIN (
            SELECT DISTINCT s.signature, (s.at AT TIME ZONE 'UTC')::date AS day
            FROM savings AS s
            WHERE s.at IS NOT NULL AND s.saved IS NOT NULL AND NOT pg_catalog.textregexeq(s.workflow, '^[0-9]+$')
        ) AS on_day ON on_day.signature = e.signature AND on_day.day = (e.at AT TIME ZONE 'UTC')::date
    ),
    approved AS MATERIALIZED (
        SELECT a.pattern_id::text COLLATE "default" AS signature, pattern_sync.approved_at(
            a.status::text, a.reviewed_at::timestamptz, a.created_at::timestamptz
        ) AS at
        FROM pattern_approvals AS a
        WHERE a.status::text IN ('approved', 'auto-approved')
    ),
    parted AS (
        SELECT r.*, CASE
            WHEN r.at IS NULL OR (r.saved IS NULL AND NOT r.superseded) THEN 'unusable'
            WHEN r.lost IS NOT NULL THEN r.lost
            WHEN a.signature IS NULL THEN 'undecided'
            WHEN r.at < a.at THEN 'baseline'
            ELSE 'saved'
        END AS part
        FROM all_runs AS r
        LEFT JOIN approved AS a ON a.signature = r.signature
    )
    SELECT
        p.signature,
        coalesce((p.at AT TIME ZONE 'UTC')::date, '1970-01-01'::date),
        p.part,
        p.source,
        CASE p.part
            WHEN 'unusable' THEN pg_catalog.sum(p.times)::bigint
            ELSE pg_catalog.count(*) FILTER (WHERE NOT p.superseded)
        END,
        pg_catalog.count(*) FILTER (WHERE p.success IS NOT NULL),
        pg_catalog.count(*) FILTER (WHERE NOT p.success),
        CASE p.part
            WHEN 'unusable' THEN 0::numeric
            ELSE coalesce(pg_catalog.sum(p.saved) FILTER (WHERE NOT p.superseded), 0::numeric)
        END,
        pg_catalog.max(p.at),
        pg_catalog.sum(p.times - 1::bigint)::bigint,
        pg_catalog.count(*) FILTER (WHERE p.superseded)
    FROM parted AS p
    GROUP BY p.signature, (p.at AT TIME ZONE 'UTC')::date, p.part, p.source;
END $$;

-- The signature of the pattern in a row; NULL if there is no such row.
CREATE OR REPLACE FUNCTION pattern_sync.signature_at(row_id bigint)
RETURNS text LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (SELECT p.pattern_signature::text FROM operation_patterns AS p WHERE p.id = signature_at.row_id LIMIT 1);
END $$;

-- Since when an entry is approved; NULL if it is not. An entry that a program has approved may have no time of review:
-- it was inserted so.
CREATE OR REPLACE FUNCTION pattern_sync.approved_at(status text, reviewed_at timestamptz, created_at timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN approved_at.status IN ('approved', 'auto-approved') THEN coalesce(
            pattern_sync.moment(approved_at.reviewed_at), pattern_sync.moment(approved_at.created_at),
            '1970-01-01 00:00+00'::timestamptz
        )
    END
$$;

-- Whether the days that a sweep has added up are there, and not older than a day.
CREATE OR REPLACE FUNCTION pattern_sync.savings_are_kept()
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM pattern_sync.savings_kept AS k WHERE k.kept_at > pg_catalog.now() - '1 day'::interval
    )
$$;

-- The days of all patterns: those that a sweep has added up or, where there are few runs, those of this moment.
CREATE OR REPLACE FUNCTION pattern_sync.savings_days()
RETURNS TABLE (
    pattern_id text, day date, part text, source text, runs bigint, tried bigint, failed bigint, saved numeric,
    last_at timestamptz, repeated bigint, superseded bigint
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF pattern_sync.savings_are_kept() THEN
        RETURN QUERY SELECT d.* FROM pattern_sync.savings_by_day AS d;
    ELSE
        RETURN QUERY SELECT d.* FROM pattern_sync.reckon_savings() AS d;
    END IF;
END $$;

-- What every pattern's runs add up to, part by part. `days` holds the savings of each day with a run, as days since
-- 1970 and an amount: 20000:0.41 20001:1.20; of the part `saved` only.
CREATE OR REPLACE FUNCTION pattern_sync.savings()
RETURNS TABLE (
    pattern_id text, part text, logged bigint, executed bigint, recorded bigint, tried bigint, failed bigint,
    saved numeric, last_at timestamptz, repeated bigint, superseded bigint, days text
) LANGUAGE plpgsql STABLE
SET work_mem = '64MB' SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    RETURN QUERY
    SELECT
        d.pattern_id,
        d.part,
        coalesce(pg_catalog.sum(d.runs) FILTER (WHERE d.source = 'cost_savings_log'), 0)::bigint,
        coalesce(pg_catalog.sum(d.runs) FILTER (WHERE d.source = 'pattern_executions'), 0)::bigint,
        coalesce(pg_catalog.sum(d.runs) FILTER (WHERE d.source = 'recorded_savings'), 0)::bigint,
        pg_catalog.sum(d.tried)::bigint,
        pg_catalog.sum(d.failed)::bigint,
        pg_catalog.sum(d.saved),
        pg_catalog.max(d.last_at),
        pg_catalog.sum(d.repeated)::bigint,
        pg_catalog.sum(d.superseded)::bigint,
        pg_catalog.string_agg(pg_catalog.concat(d.day - '1970-01-01'::date, ':', d.saved), ' ')
            FILTER (WHERE d.part = 'saved')
    FROM pattern_sync.savings_days() AS d
    GROUP BY d.pattern_id, d.part;
END $$;

-- Whether more rows than this record runs. No statistics are asked, as they may be wrong.
CREATE OR REPLACE FUNCTION pattern_sync.has_more_runs(than bigint)
RETURNS boolean LANGUAGE plpgsql STABLE SET max_parallel_workers_per_gather = 0 SET lock_timeout = '2s' AS $$
DECLARE
    counted bigint;
BEGIN
    SELECT pg_catalog.count(*) INTO counted
    FROM (SELECT FROM pattern_sync.recorded_savings LIMIT has_more_runs.than + 1) AS few;
    IF counted <= has_more_runs.than AND pattern_sync.log_fault() IS NULL THEN
        SELECT counted + pg_catalog.count(*) INTO counted
        FROM (SELECT FROM cost_savings_log LIMIT has_more_runs.than + 1) AS few;
    END IF;
    IF counted <= has_more_runs.than AND pattern_sync.executions_fault() IS NULL THEN
        SELECT counted + pg_catalog.count(*) INTO counted
        FROM (SELECT FROM pattern_executions LIMIT has_more_runs.than + 1) AS few;
    END IF;
    RETURN counted > has_more_runs.than;
END $$;

-- Bring savings_by_day up to date if more than so many rows record runs; otherwise forget it, as it is not needed.
-- Returns how many days were written or removed; NULL if another daemon is at it.
--
-- All is added up anew and only differences are written: rows of the application's may be changed and deleted, and
-- nobody tells us.
CREATE OR REPLACE FUNCTION pattern_sync.keep_savings(most bigint)
RETURNS bigint LANGUAGE plpgsql
SET enable_nestloop = off SET enable_hashjoin = on SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    changed bigint;
BEGIN
    IF NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('savings')::integer
    ) THEN
        RETURN NULL;
    END IF;
    IF NOT pattern_sync.has_more_runs(keep_savings.most) THEN
        DELETE FROM pattern_sync.savings_kept AS k;
        DELETE FROM pattern_sync.savings_by_day AS d;
        GET DIAGNOSTICS changed = ROW_COUNT;
        RETURN changed;
    END IF;
    WITH fresh AS MATERIALIZED (SELECT r.* FROM pattern_sync.reckon_savings() AS r),
    removed AS (
        DELETE FROM pattern_sync.savings_by_day AS d
        WHERE NOT EXISTS (
            SELECT FROM fresh AS f
            WHERE f.pattern_id = d.pattern_id AND f.day = d.day AND f.part = d.part AND f.source = d.source
        )
        RETURNING 1
    ),
    written AS (
        INSERT INTO pattern_sync.savings_by_day AS d (
            pattern_id, day, part, source, runs, tried, failed, saved, last_at, repeated, superseded
        )
        SELECT f.pattern_id, f.day, f.part, f.source, f.runs, f.tried, f.failed, f.saved, f.last_at, f.repeated,
            f.superseded
        FROM fresh AS f
        LEFT JOIN pattern_sync.savings_by_day AS k
            ON k.pattern_id = f.pattern_id AND k.day = f.day AND k.part = f.part AND k.source = f.source
        WHERE k.pattern_id IS NULL
           OR k.runs <> f.runs OR k.tried <> f.tried OR k.failed <> f.failed OR k.saved <> f.saved
           OR k.repeated <> f.repeated OR k.superseded <> f.superseded OR k.last_at IS DISTINCT FROM f.last_at
        ON CONFLICT (pattern_id, day, part, source) DO UPDATE
        SET
            runs = EXCLUDED.runs, tried = EXCLUDED.tried, failed = EXCLUDED.failed, saved = EXCLUDED.saved,
            last_at = EXCLUDED.last_at, repeated = EXCLUDED.repeated, superseded = EXCLUDED.superseded
        RETURNING 1
    )
    SELECT (SELECT pg_catalog.count(*) FROM removed) + (SELECT pg_catalog.count(*) FROM written) INTO changed;
    INSERT INTO pattern_sync.savings_kept AS k (kept_at) VALUES (pg_catalog.now())
    ON CONFLICT (is_one) DO UPDATE SET kept_at = EXCLUDED.kept_at;
    RETURN changed;
END $$;

-- Raise PS002 if a table lacks one of these columns, or if this role may not insert into it, with what its owner has to
-- run.
CREATE OR REPLACE FUNCTION pattern_sync.check_writable(table_name text, needed text[])
RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    relation CONSTANT oid := pg_catalog.to_regclass(check_writable.table_name)::oid;
    grants text;
    lacking text;
BEGIN
    grants := (
        SELECT pg_catalog.string_agg(g.remedy, ' ')
        FROM (
            SELECT pg_catalog.format('GRANT INSERT ON %s TO %I;', relation::regclass, current_user) AS remedy
            WHERE NOT pg_catalog.has_any_column_privilege(relation, 'INSERT')
            UNION ALL
            SELECT pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %I;', s.oid::regclass, current_user)
            FROM pg_catalog.pg_depend AS d
            JOIN pg_catalog.pg_class AS s ON s.oid = d.objid
            WHERE d.refobjid = relation
              AND d.classid = 'pg_catalog.pg_class'::regclass::oid
              AND d.refclassid = 'pg_catalog.pg_class'::regclass::oid
              AND d.deptype = 'a'::"char"
              AND NOT CASE s.relkind
                  WHEN 'S'::"char" THEN pg_catalog.has_sequence_privilege(s.oid, 'USAGE') ELSE true
              END
        ) AS g
    );
    lacking := pattern_sync.lacking(check_writable.table_name, check_writable.needed);
    IF lacking IS NOT NULL THEN
        RAISE EXCEPTION '% lacks %', check_writable.table_name, lacking USING ERRCODE = 'PS002';
    END IF;
    IF grants IS NOT NULL THEN
        RAISE EXCEPTION 'this role may not write to %; as its owner: %', check_writable.table_name, grants
            USING ERRCODE = 'PS002';
    END IF;
END $$;

-- Record what one run of an automated pattern has saved. Returns the table that has it; NULL if there is no such
-- pattern. The table is the application's log or, where there is none, ours.
CREATE OR REPLACE FUNCTION pattern_sync.record_savings(
    signature text, usd numeric, workflow text, tool_call text, at timestamptz,
    baseline_tokens bigint, actual_tokens bigint, notes text
)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    row_id CONSTANT bigint := (
        SELECT p.id::bigint FROM operation_patterns AS p
        WHERE p.pattern_signature::text = record_savings.signature
        ORDER BY p.id
        LIMIT 1
    );
    moment CONSTANT timestamptz := coalesce(record_savings.at, pg_catalog.clock_timestamp());
    inserted bigint;
BEGIN
    IF row_id IS NULL THEN
        RETURN NULL;
    END IF;
    IF pg_catalog.to_regclass('cost_savings_log') IS NOT NULL THEN
        PERFORM pattern_sync.check_writable('cost_savings_log', (
            '{optimization_type,workflow_id,tool_call_id,pattern_id,baseline_tokens,actual_tokens,tokens_saved,'
            'cost_saved_usd,saved_at,notes}'
        )::text[]);
        INSERT INTO cost_savings_log (
            optimization_type, workflow_id, tool_call_id, pattern_id, baseline_tokens, actual_tokens, tokens_saved,
            cost_saved_usd, saved_at, notes
        )
        VALUES (
            'pattern_offload', record_savings.workflow, record_savings.tool_call, row_id,
            coalesce(record_savings.baseline_tokens, 0), coalesce(record_savings.actual_tokens, 0),
            coalesce(record_savings.baseline_tokens - record_savings.actual_tokens, 0),
            record_savings.usd, moment, record_savings.notes
        );
        GET DIAGNOSTICS inserted = ROW_COUNT;
        PERFORM pattern_sync.check_inserted(inserted);
        RETURN 'cost_savings_log';
    END IF;
    INSERT INTO pattern_sync.recorded_savings (pattern_id, workflow_id, tool_call_id, saved_usd, saved_at, notes)
    VALUES (
        record_savings.signature, record_savings.workflow, record_savings.tool_call, record_savings.usd, moment,
        record_savings.notes
    );
    RETURN 'recorded_savings';
END $$;

-- Record what one run of an automated pattern has saved, in USD; less than 0 if it cost more than before. Returns the
-- table that has it. The same workflow (and tool call) in the same second counts once.
CREATE OR REPLACE FUNCTION pattern_sync.saved(
    signature text, usd numeric, workflow text, tool_call text DEFAULT NULL, at timestamptz DEFAULT NULL,
    baseline_tokens bigint DEFAULT NULL, actual_tokens bigint DEFAULT NULL, notes text DEFAULT NULL
)
RETURNS text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    stored text;
BEGIN
    IF (pattern_sync.amount(saved.usd::text) BETWEEN '-1000000000'::numeric AND '1000000000'::numeric) IS NOT TRUE THEN
        RAISE EXCEPTION 'usd is %; it must be a number of USD up to 1000000000 either way', saved.usd
            USING ERRCODE = '22023';
    END IF;
    IF (pg_catalog.length(saved.workflow) BETWEEN 1 AND 255) IS NOT TRUE THEN
        RAISE EXCEPTION 'workflow must name the run, in 1 to 255 characters: the same one counts once in a second'
            USING ERRCODE = '22023';
    END IF;
    IF saved.at IS NOT NULL AND pattern_sync.run_time(saved.at) IS NULL THEN
        RAISE EXCEPTION 'at is %; it must be a time that has come', saved.at USING ERRCODE = '22023';
    END IF;
    stored := pattern_sync.record_savings(
        saved.signature, saved.usd, saved.workflow, saved.tool_call, saved.at,
        saved.baseline_tokens, saved.actual_tokens, saved.notes
    );
    IF stored IS NULL THEN
        RAISE EXCEPTION 'no pattern has the signature %', pg_catalog.quote_nullable(saved.signature)
            USING ERRCODE = '22023', HINT = 'Signatures are in operation_patterns.pattern_signature.';
    END IF;
    RETURN stored;
END $$;

-- Record one execution of an automated pattern, as the application does: into its table or, where there is none, ours.
-- Returns its id; NULL if the queue has no such pattern.
CREATE OR REPLACE FUNCTION pattern_sync.record_execution(signature text, execution jsonb)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    recorded bigint;
    estimated CONSTANT numeric := (record_execution.execution ->> 'estimated_cost'::text)::numeric;
    actual CONSTANT numeric := (record_execution.execution ->> 'actual_cost'::text)::numeric;
    succeeded CONSTANT boolean := (record_execution.execution ->> 'success'::text)::boolean;
    ended_at CONSTANT timestamptz := coalesce(
        (record_execution.execution ->> 'executed_at'::text)::timestamptz, pg_catalog.clock_timestamp()
    );
BEGIN
    PERFORM FROM pattern_approvals AS a WHERE a.pattern_id::text = record_execution.signature;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF pg_catalog.to_regclass('pattern_executions') IS NOT NULL THEN
        PERFORM pattern_sync.check_writable('pattern_executions', (
            '{id,pattern_id,workflow_id,execution_time_seconds,estimated_time_seconds,actual_cost,estimated_cost,'
            'success,error_message,executed_at}'
        )::text[]);
        INSERT INTO pattern_executions (
            pattern_id, workflow_id, execution_time_seconds, estimated_time_seconds, actual_cost, estimated_cost,
            success, error_message, executed_at
        )
        VALUES (
            record_execution.signature,
            (record_execution.execution ->> 'workflow_id'::text)::integer,
            (record_execution.execution ->> 'execution_time_seconds'::text)::double precision,
            (record_execution.execution ->> 'estimated_time_seconds'::text)::double precision,
            actual, estimated, succeeded,
            record_execution.execution ->> 'error_message'::text,
            ended_at
        )
        RETURNING id INTO recorded;
        PERFORM pattern_sync.check_inserted(CASE WHEN recorded IS NULL THEN 0 ELSE 1 END);
        RETURN recorded;
    END IF;
    INSERT INTO pattern_sync.recorded_savings (
        pattern_id, workflow_id, saved_usd, saved_at, success, estimated_cost, actual_cost, estimated_seconds,
        actual_seconds, notes
    )
    VALUES (
        record_execution.signature,
        record_execution.execution ->> 'workflow_id'::text,
        CASE WHEN succeeded THEN estimated - actual ELSE - actual END,
        ended_at, succeeded, estimated, actual,
        (record_execution.execution ->> 'estimated_time_seconds'::text)::double precision,
        (record_execution.execution ->> 'execution_time_seconds'::text)::double precision,
        record_execution.execution ->> 'error_message'::text
    )
    RETURNING id INTO recorded;
    RETURN recorded;
END $$;

-- The confidence that results speak for, 0 to 1: the share of executions that succeeded, up to .1 more for what they
-- saved of the estimated cost (in percent), up to .05 more for their number, and less where they cost more than before.
--
-- It is the application's formula, in which a loss counted twice: it also made the bonus for savings a malus.
CREATE OR REPLACE FUNCTION pattern_sync.confidence_by_results(
    success_rate double precision, roi_percentage double precision, executions bigint
)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT greatest(0::double precision, least(1::double precision,
        success_rate
        + greatest(0::double precision, least(0.1::double precision, roi_percentage / 1000::double precision))
        + least(0.05::double precision, executions::double precision / 1000::double precision)
        - greatest(0::double precision, - roi_percentage) / 100::double precision
    ))
$$;

-- The results of the executions of pending entries that have enough of them: how many there were, which share of them
-- succeeded, and what those that did have saved of the estimated cost, in USD and in percent.
CREATE OR REPLACE FUNCTION pattern_sync.results_of_pending(at_least bigint)
RETURNS TABLE (
    signature text, executions bigint, success_rate double precision, roi_percentage double precision, saved numeric
) LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET enable_hashjoin = on SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT
        r.signature,
        r.executions,
        (r.succeeded::numeric / r.executions::numeric)::double precision,
        CASE
            WHEN r.estimated > 0::numeric
                THEN greatest('-1000000'::numeric, r.saved / r.estimated * 100::numeric)::double precision
            ELSE 0::double precision
        END,
        r.saved
    FROM (
        SELECT
            e.signature,
            pg_catalog.count(*) AS executions,
            pg_catalog.count(*) FILTER (WHERE e.success) AS succeeded,
            coalesce(pg_catalog.sum(e.saved) FILTER (WHERE e.success), 0::numeric) AS saved,
            coalesce(pg_catalog.sum(e.estimated) FILTER (WHERE e.success), 0::numeric) AS estimated
        FROM (
            SELECT x.* FROM pattern_sync.executed_runs() AS x
            UNION ALL
            SELECT x.* FROM pattern_sync.recorded_runs() AS x WHERE x.success IS NOT NULL
        ) AS e
        WHERE e.saved IS NOT NULL AND e.at IS NOT NULL
        GROUP BY e.signature
    ) AS r
    JOIN pattern_approvals AS a ON a.pattern_id::text COLLATE "default" = r.signature
    WHERE a.status::text = 'pending' AND r.executions >= results_of_pending.at_least;
END $$;

-- Set the confidence of pending entries by the results of their executions, from so many on. Returns the signatures of
-- the entries that were written, and of those that are refused, with the first reason.
--
-- Decided entries are left alone, unlike the application does: people win, and what they saw stays to be seen. An
-- adjustment is written when the results move it, and again over the source's own figure where that came back with a
-- new entry; what somebody else has set stays. A locked entry is skipped, until the next time.
CREATE OR REPLACE FUNCTION pattern_sync.adjust_confidence(
    at_least bigint, OUT adjusted text[], OUT refused text[], OUT reason text
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    result record;
    standing record;
    entry record;
    wanted double precision;
    is_new boolean;
    is_to_be_written boolean;
BEGIN
    adjusted := '{}';
    refused := '{}';
    IF NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('adjustments')::integer
    ) THEN
        RETURN;
    END IF;
    FOR result IN
        SELECT r.* FROM pattern_sync.results_of_pending(adjust_confidence.at_least) AS r ORDER BY r.signature
    LOOP
        wanted := pg_catalog.round(
            pattern_sync.confidence_by_results(result.success_rate, result.roi_percentage, result.executions)::numeric,
            6
        )::double precision;
        SELECT j.* INTO standing FROM pattern_sync.adjustments AS j
        WHERE j.pattern_id = result.signature ORDER BY j.id DESC LIMIT 1;
        SELECT
            pattern_sync.figure(a.confidence_score::text::numeric)::double precision AS confidence,
            pattern_sync.confidence_of_source(result.signature) AS of_source
        INTO entry
        FROM pattern_approvals AS a
        WHERE a.pattern_id::text = result.signature AND a.status::text = 'pending'
        FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE pattern_sync.adjustments AS j SET confirmed_at = pg_catalog.clock_timestamp()
        WHERE j.id = standing.id AND j.new_confidence = wanted;
        is_new := standing.new_confidence IS DISTINCT FROM wanted;
        is_to_be_written := entry.confidence <> wanted AND (is_new OR entry.confidence = entry.of_source);
        CONTINUE WHEN NOT (is_new OR is_to_be_written);
        BEGIN
            IF is_to_be_written THEN
                UPDATE pattern_approvals AS a SET confidence_score = wanted
                WHERE a.pattern_id::text = result.signature AND a.status::text = 'pending';
                SET CONSTRAINTS ALL IMMEDIATE;
            END IF;
            PERFORM pattern_sync.note_adjustment(
                result.signature, entry.confidence, wanted, pg_catalog.jsonb_build_object(
                    'total_executions', result.executions,
                    'success_rate', result.success_rate,
                    'roi_percentage', result.roi_percentage,
                    'total_cost_saved_usd', result.saved
                )
            );
            adjusted := pg_catalog.array_append(adjusted, result.signature);
        EXCEPTION WHEN OTHERS OR assert_failure THEN
            IF pattern_sync.is_passing(SQLSTATE) THEN
                RAISE;
            END IF;
            refused := pg_catalog.array_append(refused, result.signature);
            reason := coalesce(reason, SQLERRM);
        END;
    END LOOP;
END $$;

-- Note an adjustment, in the application's history as well where it has one.
CREATE OR REPLACE FUNCTION pattern_sync.note_adjustment(
    signature text, old_confidence double precision, new_confidence double precision, results jsonb
)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    reason CONSTANT text := pg_catalog.format(
        '%s executions, %s %% of them successful, saved %s %% of the estimated cost',
        note_adjustment.results ->> 'total_executions'::text,
        pg_catalog.round((note_adjustment.results ->> 'success_rate'::text)::numeric * 100::numeric, 1),
        pg_catalog.round((note_adjustment.results ->> 'roi_percentage'::text)::numeric, 1)
    );
BEGIN
    INSERT INTO pattern_sync.adjustments (pattern_id, old_confidence, new_confidence, adjustment_reason, roi_data)
    VALUES (
        note_adjustment.signature, note_adjustment.old_confidence, note_adjustment.new_confidence, reason,
        note_adjustment.results
    );
    IF pg_catalog.to_regclass('pattern_confidence_history') IS NOT NULL THEN
        PERFORM pattern_sync.check_writable('pattern_confidence_history', (
            '{pattern_id,old_confidence,new_confidence,adjustment_reason,roi_data,updated_by}'
        )::text[]);
        INSERT INTO pattern_confidence_history (
            pattern_id, old_confidence, new_confidence, adjustment_reason, roi_data, updated_by
        )
        VALUES (
            note_adjustment.signature, note_adjustment.old_confidence, note_adjustment.new_confidence, reason,
            note_adjustment.results, 'system'
        );
    END IF;
END $$;

-- The confidence that a refresh would write of a pattern, 0 to 1; NULL if there is no such pattern.
CREATE OR REPLACE FUNCTION pattern_sync.confidence_of_source(signature text)
RETURNS double precision LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (
        SELECT pattern_sync.figure(w.confidence::numeric / 100::numeric)::double precision
        FROM pattern_sync.written AS w
        WHERE w.pattern_id = confidence_of_source.signature COLLATE "default"
    );
END $$;
