-- The reconcile, in which every path ends: an event, a catch-up, a sweep and a manual sync. The text is ASCII, as a
-- database may be LATIN1.
--
-- People win: an entry is inserted only where there is none, and its figures are changed only while it is pending.
-- Nothing here changes an entry in any other way.
--
-- The functions run with the rights and on the search_path of the caller: the application's own triggers on these
-- tables run as they do for every other statement. Both sides of every comparison have the same built-in type.
-- Otherwise PostgreSQL would prefer an operator that somebody created for exactly the two types over one that needs a
-- conversion.
--
-- Plans: no estimate can be trusted (PostgreSQL expects one row from the predicate, and none from a table that was just
-- filled), and a nested loop over a scan is quadratic. A function that reads all patterns is planned anew for each call
-- and joins by hashing. A function that reads a few rows fetches each in its own subquery with a LIMIT, which
-- PostgreSQL can only plan as an index lookup; that plan is made once. These planner settings also apply to the
-- application's own triggers that our INSERT or UPDATE fires.

-- Which figures of a pattern have moved since we last wrote its entry. If we never wrote the entry, all figures count
-- as moved. It is one SELECT, so that PostgreSQL inlines it.
CREATE OR REPLACE FUNCTION pattern_sync.moves(
    written_signature text, written_confidence double precision, written_occurrences bigint, written_savings numeric,
    confidence double precision, occurrences bigint, savings numeric
)
RETURNS TABLE (confidence_moved boolean, occurrences_moved boolean, savings_moved boolean, any_moved boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT one.confidence, one.occurrences, one.savings, one.confidence OR one.occurrences OR one.savings
    FROM (
        SELECT
            moves.written_signature IS NULL OR moves.written_confidence IS DISTINCT FROM moves.confidence AS confidence,
            moves.written_signature IS NULL OR moves.written_occurrences IS DISTINCT FROM moves.occurrences
                AS occurrences,
            moves.written_signature IS NULL OR moves.written_savings IS DISTINCT FROM moves.savings AS savings
    ) AS one
$$;

-- The state of some patterns, in the given order: missing (to be queued), stale (to be refreshed), unchanged, decided
-- or short. An entry is stale if the source has moved since we last wrote it.
CREATE OR REPLACE FUNCTION pattern_sync.look(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    row_ids bigint[]
)
RETURNS TABLE (place bigint, row_id bigint, signature text, state text) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT
        asked.place,
        p.id::bigint,
        p.pattern_signature::text,
        CASE
            WHEN a.pattern_id IS NULL AND r.pattern_id IS NULL AND p.is_candidate THEN 'missing'
            WHEN a.pattern_id IS NULL THEN 'short'
            WHEN a.status::text <> 'pending' THEN 'decided'
            WHEN m.any_moved THEN 'stale'
            ELSE 'unchanged'
        END
    FROM pg_catalog.unnest(look.row_ids) WITH ORDINALITY AS asked (id, place)
    CROSS JOIN LATERAL (
        SELECT
            f.id, f.pattern_signature, f.confidence_score, f.occurrence_count, f.potential_monthly_savings,
            pattern_sync.is_candidate(
                f.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
            ) AS is_candidate
        FROM operation_patterns AS f WHERE f.id = asked.id LIMIT 1
    ) AS p
    LEFT JOIN LATERAL (
        SELECT f.pattern_id, f.status FROM pattern_approvals AS f
        WHERE f.pattern_id::text = p.pattern_signature::text LIMIT 1
    ) AS a ON true
    LEFT JOIN LATERAL (
        SELECT f.* FROM pattern_sync.written AS f
        WHERE f.pattern_id = p.pattern_signature::text COLLATE "default" LIMIT 1
    ) AS w ON true
    CROSS JOIN LATERAL pattern_sync.moves(
        w.pattern_id, w.confidence, w.occurrences, w.savings,
        p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
    ) AS m
    LEFT JOIN LATERAL (
        SELECT f.pattern_id FROM pattern_sync.rejections AS f
        WHERE f.pattern_id = p.pattern_signature::text COLLATE "default" LIMIT 1
    ) AS r ON true
    ORDER BY asked.place;
END $$;

-- Whether a column is the first column of an index or, if `uniquely`, the only column of a unique index.
CREATE OR REPLACE FUNCTION pattern_sync.is_indexed(table_name text, column_name text, uniquely boolean)
RETURNS boolean LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    relation CONSTANT oid := pg_catalog.to_regclass(is_indexed.table_name)::oid;
BEGIN
    RETURN EXISTS (
        SELECT
        FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = relation
          AND i.indisvalid AND i.indpred IS NULL
          AND (NOT is_indexed.uniquely OR i.indisunique AND i.indnkeyatts = 1::smallint)
          AND i.indkey[0] = (
              SELECT a.attnum FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid = relation AND a.attname = is_indexed.column_name::name
          )
    );
END $$;

-- Whether each pattern has only one row. Without a unique key on the signature it may have several.
CREATE OR REPLACE FUNCTION pattern_sync.signature_is_unique()
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT pattern_sync.is_indexed('operation_patterns', 'pattern_signature', true)
$$;

-- The row that represents each signature when several rows share it: one that qualifies, then the best impact, then the
-- lowest row id. Any of the rows stands for its signature.
CREATE OR REPLACE FUNCTION pattern_sync.spokesmen(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    row_ids bigint[]
)
RETURNS bigint[] LANGUAGE plpgsql STABLE SET enable_nestloop = off AS $$
DECLARE
    best bigint[];
BEGIN
    SELECT pg_catalog.array_agg(spoken.id) INTO best
    FROM (
        SELECT DISTINCT ON (p.pattern_signature::text COLLATE "default") p.id::bigint AS id
        FROM operation_patterns AS p
        WHERE p.pattern_signature::text COLLATE "default" IN (
            SELECT named.pattern_signature::text COLLATE "default"
            FROM operation_patterns AS named
            WHERE named.id = ANY (spokesmen.row_ids)
        )
        ORDER BY
            p.pattern_signature::text COLLATE "default",
            pattern_sync.is_candidate(
                p.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
            ) DESC,
            pattern_sync.impact(
                p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
            ) DESC,
            p.id::bigint
    ) AS spoken;
    RETURN coalesce(best, '{}');
END $$;

-- The example workflows of some patterns by row id, each as the JSON array that an entry holds: at most ten, newest
-- first. The result is one JSON object, as a join with so many rows would depend on an estimate. It is NULL in an older
-- installation without the table, and also on a large table without an index, where each call would read all of it
-- (`status` names the index).
CREATE OR REPLACE FUNCTION pattern_sync.examples(row_ids bigint[])
RETURNS jsonb LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF NOT pattern_sync.examples_can_be_read() THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT pg_catalog.jsonb_object_agg(shown.pattern_id::text, shown.sessions)
        FROM (
            SELECT ranked.pattern_id, pg_catalog.jsonb_agg(ranked.workflow_id ORDER BY ranked.place)::text AS sessions
            FROM (
                SELECT
                    o.pattern_id::bigint AS pattern_id,
                    o.workflow_id,
                    pg_catalog.row_number() OVER (
                        PARTITION BY o.pattern_id ORDER BY o.detected_at DESC NULLS LAST, o.id DESC
                    ) AS place
                FROM pattern_occurrences AS o
                WHERE o.pattern_id = ANY (examples.row_ids)
            ) AS ranked
            WHERE ranked.place <= 10::bigint
            GROUP BY ranked.pattern_id
        ) AS shown
    );
END $$;

-- Whether reading the examples is cheap enough for an event.
CREATE OR REPLACE FUNCTION pattern_sync.examples_can_be_read()
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    relation CONSTANT regclass := pg_catalog.to_regclass('pattern_occurrences');
BEGIN
    IF relation IS NULL OR NOT pg_catalog.has_table_privilege(relation::oid, 'SELECT') THEN
        RETURN false;
    END IF;
    RETURN pattern_sync.is_indexed('pattern_occurrences', 'pattern_id', false)
        OR pg_catalog.pg_relation_size(relation) < 10000000::bigint;
END $$;

-- The arrow between two operations; ASCII where the encoding lacks the real one.
CREATE OR REPLACE FUNCTION pattern_sync.arrow()
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN pg_catalog.getdatabaseencoding() = 'UTF8'::name THEN pg_catalog.convert_from('\xe28692'::bytea, 'UTF8')
        ELSE '->'
    END
$$;

-- The names of a pattern's operations, joined by arrows; NULL if it has none. JSON of any shape is accepted: an item
-- that is not a name (a string, or an object with a string "name") is skipped. It is one SELECT, so that PostgreSQL
-- inlines it.
CREATE OR REPLACE FUNCTION pattern_sync.steps(operations jsonb)
RETURNS TABLE (names text) LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.string_agg(named.name, pattern_sync.arrow() ORDER BY named.place)
    FROM (
        SELECT item.place, CASE
            WHEN pg_catalog.jsonb_typeof(item.value) = 'string' THEN item.value #>> '{}'::text[]
            WHEN pg_catalog.jsonb_typeof(item.value -> 'name'::text) = 'string' THEN item.value ->> 'name'::text
        END AS name
        FROM pg_catalog.jsonb_array_elements(
            CASE WHEN pg_catalog.jsonb_typeof(operations) = 'array' THEN operations ELSE '[]'::jsonb END
        ) WITH ORDINALITY AS item (value, place)
    ) AS named
    WHERE named.name <> ''
$$;

-- The entries to be inserted for some patterns, if they qualify now. The tool sequence is the names of the operations.
-- `shown` is the result of `examples`.
--
-- It is one SELECT, so that PostgreSQL inlines it: a call would add a tenth to the time that an event takes.
CREATE OR REPLACE FUNCTION pattern_sync.new_entries(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    row_ids bigint[], shown jsonb
)
RETURNS TABLE (
    place bigint, signature text, confidence_score numeric, occurrence_count integer, estimated_savings_usd numeric,
    tool_sequence text, pattern_context text, example_sessions text,
    confidence double precision, occurrences bigint, savings numeric
) LANGUAGE sql STABLE AS $$
    SELECT
        p.place,
        -- A name that no client can read raises an error for its own row, instead of in every answer that contains it.
        CASE
            WHEN pg_catalog.getdatabaseencoding() = 'UTF8'::name THEN p.pattern_signature::text
            ELSE pg_catalog.convert_from(pg_catalog.convert_to(p.pattern_signature::text, 'UTF8'), 'UTF8')
        END,
        pattern_sync.figure(p.confidence_score::numeric / 100::numeric),
        pattern_sync.entry_occurrences(p.occurrence_count::bigint),
        pattern_sync.figure(p.potential_monthly_savings::numeric),
        coalesce(
            (SELECT has.names FROM pattern_sync.steps(pg_catalog.to_jsonb(p.typical_operations)) AS has),
            nullif(p.pattern_type::text, ''),
            'Unknown'
        ),
        pg_catalog."left"(p.typical_input_pattern::text, 500),
        coalesce(new_entries.shown ->> p.id::text, '[]'),
        p.confidence_score::double precision,
        p.occurrence_count::bigint,
        p.potential_monthly_savings::numeric
    FROM ( -- fetched first, whatever the planner expects to qualify
        SELECT asked.place, fetched.*
        FROM pg_catalog.unnest(new_entries.row_ids) WITH ORDINALITY AS asked (id, place)
        CROSS JOIN LATERAL (
            SELECT
                f.id, f.pattern_signature, f.pattern_type, f.typical_operations, f.typical_input_pattern,
                f.confidence_score, f.occurrence_count, f.potential_monthly_savings,
                pattern_sync.is_candidate(
                    f.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
                ) AS is_candidate
            FROM operation_patterns AS f WHERE f.id = asked.id LIMIT 1
        ) AS fetched
        OFFSET 0
    ) AS p
    LEFT JOIN LATERAL (
        SELECT f.pattern_id FROM pattern_sync.rejections AS f
        WHERE f.pattern_id = p.pattern_signature::text COLLATE "default" LIMIT 1
    ) AS r ON true
    WHERE r.pattern_id IS NULL AND p.is_candidate
$$;

-- Queue some patterns that have no entry, and remember the figures that were written. Returns the signatures that it
-- has queued, in the given order. Rows are written in key order, so that two daemons cannot deadlock.
--
-- Raises PS001 if a trigger, rule or policy of the application keeps an entry out without an error, or stores it under
-- another name. The exception undoes what was written, and the caller then looks for the row.
CREATE OR REPLACE FUNCTION pattern_sync.insert_entries(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    row_ids bigint[], known_missing boolean
)
RETURNS text[] LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    shown CONSTANT jsonb := pattern_sync.examples(insert_entries.row_ids);
    wanted text[];
    queued text[];
BEGIN
    WITH fresh AS MATERIALIZED (
        SELECT f.* FROM pattern_sync.new_entries(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            insert_entries.row_ids, shown
        ) AS f
        -- Otherwise the application's own triggers would run for an entry that exists.
        WHERE insert_entries.known_missing
           OR NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id::text = f.signature)
        ORDER BY f.signature
    ),
    inserted AS (
        INSERT INTO pattern_approvals (
            pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,
            tool_sequence, pattern_context, example_sessions
        )
        SELECT
            fresh.signature, 'pending', fresh.confidence_score, fresh.occurrence_count, fresh.estimated_savings_usd,
            fresh.tool_sequence, fresh.pattern_context, fresh.example_sessions
        FROM fresh
        ON CONFLICT (pattern_id) DO NOTHING
        RETURNING pattern_id::text AS signature
    ),
    remembered AS (
        INSERT INTO pattern_sync.written AS w (pattern_id, confidence, occurrences, savings)
        SELECT fresh.signature, fresh.confidence, fresh.occurrences, fresh.savings
        FROM fresh
        WHERE (fresh.signature IN (SELECT inserted.signature FROM inserted)) IS TRUE -- hashed, never a join
        ON CONFLICT (pattern_id) DO UPDATE
        SET confidence = EXCLUDED.confidence, occurrences = EXCLUDED.occurrences, savings = EXCLUDED.savings
    )
    SELECT
        pg_catalog.array_agg(fresh.signature ORDER BY fresh.place),
        pg_catalog.array_agg(fresh.signature ORDER BY fresh.place)
            FILTER (WHERE fresh.signature IN (SELECT inserted.signature FROM inserted))
    INTO wanted, queued
    FROM fresh;
    -- Read again: an entry that somebody else has queued meanwhile is in the queue as well.
    IF coalesce(pg_catalog.cardinality(queued), 0) < pg_catalog.cardinality(wanted) AND EXISTS (
        SELECT
        FROM pg_catalog.unnest(wanted) AS kept_out (signature)
        LEFT JOIN LATERAL (
            SELECT f.pattern_id FROM pattern_approvals AS f WHERE f.pattern_id::text = kept_out.signature LIMIT 1
        ) AS a ON true
        WHERE a.pattern_id IS NULL
    ) THEN
        RAISE EXCEPTION 'the application''s own trigger or rule kept it out' USING ERRCODE = 'PS001';
    END IF;
    RETURN coalesce(queued, '{}');
END $$;

-- The confidence that a pending entry is to show, 0 to 1: the source's or, while it holds, what was set from results.
CREATE OR REPLACE FUNCTION pattern_sync.wanted_confidence(signature text, confidence double precision)
RETURNS numeric LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN coalesce(
        (
            SELECT CASE
                WHEN j.confirmed_at > pg_catalog.clock_timestamp() - '1 day'::interval THEN j.new_confidence::numeric
            END
            FROM pattern_sync.adjustments AS j
            WHERE j.pattern_id = wanted_confidence.signature COLLATE "default"
            ORDER BY j.id DESC
            LIMIT 1
        ),
        pattern_sync.figure(wanted_confidence.confidence::numeric / 100::numeric)
    );
END $$;

-- Which of some patterns have moved since we last wrote their pending entry, figure by figure, and whether the entry
-- then differs from what it should show.
CREATE OR REPLACE FUNCTION pattern_sync.outdated(row_ids bigint[])
RETURNS TABLE (
    signature text, confidence double precision, occurrences bigint, savings numeric,
    confidence_moved boolean, occurrences_moved boolean, savings_moved boolean, differs boolean
) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT
        moved.signature, moved.confidence, moved.occurrences, moved.savings,
        moved.confidence_moved, moved.occurrences_moved, moved.savings_moved,
        -- A REAL never equals its source, and that alone is no reason to write an entry.
        moved.confidence_moved AND moved.shown_confidence IS DISTINCT FROM CASE
            WHEN moved.confidence_type = 'real'::regtype::oid
                THEN pattern_sync.wanted_confidence(moved.signature, moved.confidence)::real::double precision
            ELSE pattern_sync.wanted_confidence(moved.signature, moved.confidence)::double precision
        END
        OR moved.occurrences_moved
            AND moved.shown_occurrences IS DISTINCT FROM pattern_sync.entry_occurrences(moved.occurrences)::bigint
        OR moved.savings_moved AND moved.shown_savings IS DISTINCT FROM CASE
            WHEN moved.savings_type = 'real'::regtype::oid
                THEN pattern_sync.figure(moved.savings)::real::double precision
            ELSE pattern_sync.figure(moved.savings)::double precision
        END
    FROM (
        SELECT
            p.pattern_signature::text AS signature,
            p.confidence_score::double precision AS confidence,
            p.occurrence_count::bigint AS occurrences,
            p.potential_monthly_savings::numeric AS savings,
            m.confidence_moved,
            m.occurrences_moved,
            m.savings_moved,
            a.confidence_score::double precision AS shown_confidence,
            a.occurrence_count::bigint AS shown_occurrences,
            a.estimated_savings_usd::double precision AS shown_savings,
            pg_catalog.pg_typeof(a.confidence_score)::oid AS confidence_type,
            pg_catalog.pg_typeof(a.estimated_savings_usd)::oid AS savings_type
        FROM pg_catalog.unnest(outdated.row_ids) AS asked (id)
        CROSS JOIN LATERAL (SELECT f.* FROM operation_patterns AS f WHERE f.id = asked.id LIMIT 1) AS p
        CROSS JOIN LATERAL (
            SELECT f.* FROM pattern_approvals AS f WHERE f.pattern_id::text = p.pattern_signature::text LIMIT 1
        ) AS a
        LEFT JOIN LATERAL (
            SELECT f.* FROM pattern_sync.written AS f
            WHERE f.pattern_id = p.pattern_signature::text COLLATE "default" LIMIT 1
        ) AS w ON true
        CROSS JOIN LATERAL pattern_sync.moves(
            w.pattern_id, w.confidence, w.occurrences, w.savings,
            p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
        ) AS m
        WHERE a.status::text = 'pending' AND m.any_moved
    ) AS moved;
END $$;

-- Refresh some pending entries, each figure only if the source's has moved since we last wrote it. Returns the
-- signatures of the entries that were written. Whether or not the entry accepts a value, the value is not written again
-- until the source moves. A locked entry is skipped, as a person may be deciding it; it is found again within seconds.
CREATE OR REPLACE FUNCTION pattern_sync.refresh_entries(row_ids bigint[])
RETURNS text[] LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    moved record;
    refreshed text[] := '{}';
BEGIN
    FOR moved IN SELECT o.* FROM pattern_sync.outdated(refresh_entries.row_ids) AS o ORDER BY o.signature LOOP
        PERFORM FROM pattern_approvals AS a
        WHERE a.pattern_id::text = moved.signature AND a.status::text = 'pending'
        FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        IF moved.differs THEN
            UPDATE pattern_approvals AS a
            SET
                confidence_score = CASE
                    WHEN moved.confidence_moved
                        THEN pattern_sync.wanted_confidence(moved.signature, moved.confidence)
                    ELSE a.confidence_score
                END,
                occurrence_count = CASE
                    WHEN moved.occurrences_moved THEN pattern_sync.entry_occurrences(moved.occurrences)
                    ELSE a.occurrence_count
                END,
                estimated_savings_usd = CASE
                    WHEN moved.savings_moved THEN pattern_sync.figure(moved.savings)
                    ELSE a.estimated_savings_usd
                END
            WHERE a.pattern_id::text = moved.signature AND a.status::text = 'pending';
            IF FOUND THEN
                refreshed := pg_catalog.array_append(refreshed, moved.signature);
            END IF;
        END IF;
        INSERT INTO pattern_sync.written AS w (pattern_id, confidence, occurrences, savings)
        VALUES (moved.signature, moved.confidence, moved.occurrences, moved.savings)
        ON CONFLICT (pattern_id) DO UPDATE
        SET confidence = EXCLUDED.confidence, occurrences = EXCLUDED.occurrences, savings = EXCLUDED.savings;
    END LOOP;
    RETURN refreshed;
END $$;

-- Bring the entries of some patterns up to date, all or none: the first error undoes them all. For patterns that are
-- known to be missing, only those that it has queued are returned: in bulk, `look` would be a third of the work. A
-- single pattern, the usual event, is first inserted without a look, which would be a third of its time. Deferred
-- constraints of the application are checked here, where the failing row is still known.
CREATE OR REPLACE FUNCTION pattern_sync.write_entries(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    row_ids bigint[], known_missing boolean
)
RETURNS TABLE (row_id bigint, signature text, outcome text) LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
    signatures text[];
    states text[];
    missing bigint[];
    stale bigint[];
    single CONSTANT boolean := pg_catalog.cardinality(write_entries.row_ids) = 1;
    queued text[] := '{}';
    refreshed text[] := '{}';
BEGIN
    IF known_missing OR single THEN
        queued := pattern_sync.insert_entries(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            write_entries.row_ids, known_missing
        );
        IF known_missing OR pg_catalog.cardinality(queued) > 0 THEN
            SET CONSTRAINTS ALL IMMEDIATE;
            outcome := 'queued';
            row_id := CASE WHEN single THEN write_entries.row_ids[1] END;
            FOREACH signature IN ARRAY queued LOOP
                RETURN NEXT;
            END LOOP;
            RETURN;
        END IF;
    END IF;
    SELECT
        pg_catalog.array_agg(l.row_id ORDER BY l.place),
        pg_catalog.array_agg(l.signature ORDER BY l.place), pg_catalog.array_agg(l.state ORDER BY l.place),
        pg_catalog.array_agg(l.row_id) FILTER (WHERE l.state = 'missing'),
        pg_catalog.array_agg(l.row_id) FILTER (WHERE l.state = 'stale')
    INTO ids, signatures, states, missing, stale
    FROM pattern_sync.look(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types,
        write_entries.row_ids
    ) AS l;
    IF missing IS NOT NULL THEN
        queued := pattern_sync.insert_entries(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            missing, true
        );
    END IF;
    IF stale IS NOT NULL THEN
        refreshed := pattern_sync.refresh_entries(stale);
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;
    RETURN QUERY
    SELECT looked.row_id, looked.signature, CASE
        WHEN looked.state = 'missing' AND looked.signature = ANY (queued) THEN 'queued'
        WHEN looked.state = 'stale' AND looked.signature = ANY (refreshed) THEN 'refreshed'
        WHEN looked.state IN ('missing', 'stale') THEN 'unchanged'
        ELSE looked.state
    END
    FROM ROWS FROM (
        pg_catalog.unnest(ids), pg_catalog.unnest(signatures), pg_catalog.unnest(states)
    ) AS looked (row_id, signature, state);
END $$;

-- Bring the entries of some patterns up to date, one by one: an error undoes only its own row. A duplicate key means
-- that somebody else was faster, if the entry exists. Patterns whose turn comes after `until` are untried, but at least
-- one is always tried.
CREATE OR REPLACE FUNCTION pattern_sync.write_each(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    row_ids bigint[], known_missing boolean, until timestamptz
)
RETURNS TABLE (row_id bigint, signature text, outcome text, reason text) LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    missing bigint[] := write_each.row_ids;
    shown jsonb;
    untried bigint[] := '{}';
    held bigint[] := '{}';
    tries integer := 0;
    looked record;
    fresh record;
    code text;
    raised_at text;
    asked bigint;
    refused bigint[] := '{}';
    refused_signatures text[] := '{}';
    reasons text[] := '{}';
    codes text[] := '{}';
BEGIN
    IF NOT known_missing THEN
        missing := '{}';
        FOREACH asked IN ARRAY write_each.row_ids LOOP
            IF tries > 0 AND pg_catalog.clock_timestamp() >= write_each.until THEN
                untried := pg_catalog.array_append(untried, asked);
                CONTINUE;
            END IF;
            tries := tries + 1;
            BEGIN
                FOR looked IN SELECT l.* FROM pattern_sync.look(
                    min_confidence, min_occurrences, min_savings, only_types, exclude_types,
                    ARRAY[asked]
                ) AS l LOOP
                    row_id := asked;
                    signature := looked.signature;
                    outcome := looked.state;
                    reason := NULL;
                    IF outcome = 'missing' THEN
                        missing := pg_catalog.array_append(missing, asked);
                        CONTINUE;
                    END IF;
                    IF outcome = 'stale' THEN
                        outcome := CASE pg_catalog.cardinality(pattern_sync.refresh_entries(ARRAY[asked]))
                            WHEN 0 THEN 'unchanged' ELSE 'refreshed'
                        END;
                        SET CONSTRAINTS ALL IMMEDIATE;
                    END IF;
                    RETURN NEXT;
                END LOOP;
            EXCEPTION WHEN OTHERS OR assert_failure OR query_canceled THEN
                GET STACKED DIAGNOSTICS
                    reason = MESSAGE_TEXT, code = RETURNED_SQLSTATE, raised_at = PG_EXCEPTION_CONTEXT;
                outcome := pattern_sync.verdict(code, raised_at);
                row_id := asked;
                signature := pattern_sync.name_of(asked);
                IF outcome = 'failed' THEN
                    refused := pg_catalog.array_append(refused, asked);
                    refused_signatures := pg_catalog.array_append(refused_signatures, signature);
                    reasons := pg_catalog.array_append(reasons, reason);
                    codes := pg_catalog.array_append(codes, code);
                ELSE
                    held := pg_catalog.array_append(held, asked);
                    PERFORM pg_catalog.set_config('lock_timeout', '1ms', true);
                END IF;
                RETURN NEXT;
            END;
        END LOOP;
    END IF;
    tries := 0;
    BEGIN
        shown := pattern_sync.examples(missing);
        FOR fresh IN SELECT f.* FROM pattern_sync.new_entries(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            missing, shown
        ) AS f ORDER BY f.signature LOOP
            row_id := missing[fresh.place];
            IF tries > 0 AND pg_catalog.clock_timestamp() >= write_each.until THEN
                untried := pg_catalog.array_append(untried, row_id);
                CONTINUE;
            END IF;
            tries := tries + 1;
            signature := fresh.signature;
            reason := NULL;
            BEGIN
                INSERT INTO pattern_approvals (
                    pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,
                    tool_sequence, pattern_context, example_sessions
                )
                VALUES (
                    fresh.signature, 'pending', fresh.confidence_score, fresh.occurrence_count,
                    fresh.estimated_savings_usd, fresh.tool_sequence, fresh.pattern_context, fresh.example_sessions
                );
                IF NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id::text = fresh.signature) THEN
                    RAISE EXCEPTION 'the application''s own trigger or rule kept it out' USING ERRCODE = 'PS001';
                END IF;
                SET CONSTRAINTS ALL IMMEDIATE;
                INSERT INTO pattern_sync.written AS w (pattern_id, confidence, occurrences, savings)
                VALUES (fresh.signature, fresh.confidence, fresh.occurrences, fresh.savings)
                ON CONFLICT (pattern_id) DO UPDATE
                SET confidence = EXCLUDED.confidence, occurrences = EXCLUDED.occurrences, savings = EXCLUDED.savings;
                outcome := 'queued';
            EXCEPTION WHEN OTHERS OR assert_failure OR query_canceled THEN
                GET STACKED DIAGNOSTICS
                    reason = MESSAGE_TEXT, code = RETURNED_SQLSTATE, raised_at = PG_EXCEPTION_CONTEXT;
                outcome := pattern_sync.verdict(code, raised_at);
                IF code = '23505'
                    AND EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id::text = fresh.signature)
                THEN
                    outcome := 'unchanged';
                ELSIF outcome = 'failed' THEN
                    refused := pg_catalog.array_append(refused, row_id);
                    refused_signatures := pg_catalog.array_append(refused_signatures, signature);
                    reasons := pg_catalog.array_append(reasons, reason);
                    codes := pg_catalog.array_append(codes, code);
                ELSE
                    held := pg_catalog.array_append(held, row_id);
                    PERFORM pg_catalog.set_config('lock_timeout', '1ms', true);
                END IF;
            END;
            RETURN NEXT;
        END LOOP;
    EXCEPTION WHEN OTHERS THEN -- the values of one entry cannot be computed
        GET STACKED DIAGNOSTICS
            reason = MESSAGE_TEXT, code = RETURNED_SQLSTATE, raised_at = PG_EXCEPTION_CONTEXT;
        outcome := pattern_sync.verdict(code, raised_at);
        IF pg_catalog.cardinality(missing) > 1 THEN
            FOREACH asked IN ARRAY missing LOOP
                IF tries > 0 AND pg_catalog.clock_timestamp() >= write_each.until THEN
                    untried := pg_catalog.array_append(untried, asked);
                    CONTINUE;
                END IF;
                tries := tries + 1;
                FOR row_id, signature, outcome, reason IN
                    SELECT e.row_id, e.signature, e.outcome, e.reason
                    FROM pattern_sync.write_each(
                        min_confidence, min_occurrences, min_savings, only_types, exclude_types,
                        ARRAY[asked], true, write_each.until
                    ) AS e
                LOOP
                    held := pg_catalog.array_append(held, row_id); -- the inner call has updated the quarantine
                    RETURN NEXT;
                END LOOP;
            END LOOP;
        ELSIF pg_catalog.cardinality(missing) = 1 THEN -- of none, each has its outcome already
            row_id := missing[1];
            signature := pattern_sync.name_of(row_id);
            IF outcome = 'failed' THEN
                refused := pg_catalog.array_append(refused, row_id);
                refused_signatures := pg_catalog.array_append(refused_signatures, signature);
                reasons := pg_catalog.array_append(reasons, reason);
                codes := pg_catalog.array_append(codes, code);
            ELSE
                held := pg_catalog.array_append(held, row_id);
            END IF;
            RETURN NEXT;
        END IF;
    END;
    RETURN QUERY
    SELECT later.id, ''::text, 'untried'::text, NULL::text FROM pg_catalog.unnest(untried) AS later (id);
    IF pg_catalog.cardinality(refused) > 0 THEN
        PERFORM pattern_sync.quarantine(refused, refused_signatures, reasons, codes);
    END IF;
    -- The others are in the queue, need no entry any more, or are gone.
    PERFORM pattern_sync.forgive(ARRAY(
        SELECT tried.id FROM pg_catalog.unnest(write_each.row_ids) AS tried (id)
        EXCEPT
        SELECT kept.id FROM pg_catalog.unnest(refused || held || untried) AS kept (id)
    ));
END $$;

-- The outcome of a row that raised an error: held if somebody has locked it, failed otherwise, whatever the SQLSTATE.
-- An SQLSTATE does not identify the culprit: a trigger of the application may raise any, or pass one on from another
-- server. A server that cannot write at all cannot write the quarantine either, so that error blames no row. A
-- cancellation is raised again, unless a RAISE used its code to refuse the row.
CREATE OR REPLACE FUNCTION pattern_sync.verdict(code text, raised_at text)
RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    place CONSTANT text := pg_catalog.split_part(verdict.raised_at, E'\n', 1);
    raised CONSTANT boolean := pg_catalog.right(place, 6) = ' RAISE' AND pg_catalog.strpos(place, 'verdict(') = 0;
BEGIN
    IF verdict.code = '57014' AND NOT raised THEN
        RAISE EXCEPTION 'the statement was canceled' USING ERRCODE = verdict.code;
    END IF;
    RETURN CASE WHEN verdict.code IN ('55P03', '40P01', '40001') AND NOT raised THEN 'held' ELSE 'failed' END;
END $$;

-- Bring the entries of some patterns up to date. Returns one row a pattern with its outcome: queued, refreshed,
-- unchanged, decided, short; failed, with the server's message, if the application refuses the row; held if somebody
-- has locked it; untried if the time was up. One row never stops the others: after an error they are tried in chunks,
-- and the patterns of a failing chunk one by one.
--
-- Between us and the application, we always give way. If we wait for one of their locks while they wait for one of
-- ours, PostgreSQL kills their transaction after a deadlock_timeout (1 s). So no wait of ours is longer than a fifth of
-- it. An error releases the locks that its subtransaction took. After half a deadlock_timeout from the first error,
-- nothing new is begun: the caller commits and requests the untried patterns again.
CREATE OR REPLACE FUNCTION pattern_sync.reconcile(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    row_ids bigint[], known_missing boolean DEFAULT false
)
RETURNS TABLE (row_id bigint, signature text, outcome text, reason text) LANGUAGE plpgsql
SET lock_timeout = '200ms' AS $$
DECLARE
    ids bigint[] := reconcile.row_ids;
    -- Only what is written in here is notified later, whatever else the transaction does. (SET is for superusers.)
    announced CONSTANT text := coalesce(pg_catalog.current_setting('pattern_sync.announced_later', true), '');
    chunk bigint[];
    few CONSTANT integer := 500;
    size integer := greatest(pg_catalog.cardinality(reconcile.row_ids), 1);
    position integer := 1;
    code text;
    raised_at text;
    patience CONSTANT interval := least(
        '1 s'::interval, pg_catalog.current_setting('deadlock_timeout')::interval
    ) / 2::double precision;
    until timestamptz;
BEGIN
    PERFORM pg_catalog.set_config('pattern_sync.announced_later', 'on', true);
    IF patience < '500 ms'::interval THEN
        PERFORM pg_catalog.set_config('lock_timeout', greatest(
            pg_catalog.floor(pg_catalog.date_part('epoch', patience) * 400::double precision), 1::double precision
        )::text, true);
    END IF;
    IF NOT pattern_sync.signature_is_unique() THEN
        ids := pattern_sync.spokesmen(min_confidence, min_occurrences, min_savings, only_types, exclude_types, ids);
    END IF;
    WHILE position <= pg_catalog.cardinality(ids) LOOP
        IF position > 1 AND pg_catalog.clock_timestamp() >= until THEN
            RETURN QUERY
            SELECT later.id, ''::text, 'untried'::text, NULL::text
            FROM pg_catalog.unnest(ids[position:]) AS later (id);
            EXIT;
        END IF;
        chunk := ids[position:position + size - 1];
        code := NULL;
        BEGIN
            RETURN QUERY
            SELECT w.row_id, pattern_sync.legible(w.signature), w.outcome, NULL::text
            FROM pattern_sync.write_entries(
                min_confidence, min_occurrences, min_savings, only_types, exclude_types,
                chunk, known_missing
            ) AS w;
        EXCEPTION WHEN OTHERS OR assert_failure OR query_canceled THEN
            -- If the queue has rules, every chunk ends here: PostgreSQL then refuses ON CONFLICT.
            GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, raised_at = PG_EXCEPTION_CONTEXT;
            until := coalesce(until, pg_catalog.clock_timestamp() + patience);
            IF pattern_sync.verdict(code, raised_at) = 'held' THEN
                PERFORM pg_catalog.set_config('lock_timeout', '20ms', true);
            END IF;
        END;
        IF code IS NOT NULL AND size > few THEN
            size := few;
            CONTINUE;
        END IF;
        IF code IS NOT NULL THEN
            RETURN QUERY
            SELECT e.row_id, pattern_sync.legible(e.signature), e.outcome, pattern_sync.legible(e.reason)
            FROM pattern_sync.write_each(
                min_confidence, min_occurrences, min_savings, only_types, exclude_types,
                chunk, known_missing, until
            ) AS e;
        ELSE
            PERFORM pattern_sync.forgive(chunk);
        END IF;
        position := position + pg_catalog.cardinality(chunk);
    END LOOP;
    PERFORM pg_catalog.set_config('pattern_sync.announced_later', announced, true);
END $$;

-- Whether what is known of a pattern meets the last two criteria: it was seen within `max_age_days`, and in at least
-- `min_workflows` distinct workflows. NULL sets no limit. What is not known does not meet a limit that somebody set: an
-- operator who asks for three workflows wants to see three.
CREATE OR REPLACE FUNCTION pattern_sync.is_seen_enough(
    last_seen timestamptz, workflows bigint, max_age_days double precision, min_workflows bigint
)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT
        (
            max_age_days IS NULL
            OR coalesce(last_seen >= pg_catalog.now() - max_age_days * '1 day'::interval, false)
        )
        AND (min_workflows IS NULL OR coalesce(workflows, 0::bigint) >= min_workflows)
$$;

-- When some patterns were last seen, and in how many distinct workflows. The pattern's own time counts; where it has
-- none, or the application has no such column, that of its last recorded occurrence does. Workflows that are not
-- `counted` are only looked for where a pattern has no time of its own.
CREATE OR REPLACE FUNCTION pattern_sync.seen(row_ids bigint[], counted boolean)
RETURNS TABLE (row_id bigint, last_seen timestamptz, workflows bigint) LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH own AS MATERIALIZED (
        SELECT each.id, pattern_sync.moment(each.at) AS at
        FROM (SELECT NULL::timestamptz AS last_seen) AS lacking
        CROSS JOIN LATERAL (
            -- The name of the time stands alone: where the table lacks the column, it means the NULL above. The row as
            -- JSON would do as well, and takes fifty times as long.
            SELECT p.id::bigint AS id, last_seen::timestamptz AS at
            FROM operation_patterns AS p
            WHERE p.id = ANY (seen.row_ids)
        ) AS each
    )
    SELECT own.id, coalesce(own.at, pattern_sync.moment(s.last_seen)), coalesce(s.workflows, 0::bigint)
    FROM own
    LEFT JOIN pattern_sync.sightings(ARRAY(SELECT f.id FROM own AS f WHERE seen.counted OR f.at IS NULL)) AS s
        ON s.row_id = own.id;
END $$;

-- Those of some patterns that meet the last two criteria.
CREATE OR REPLACE FUNCTION pattern_sync.seen_enough(
    max_age_days double precision, min_workflows bigint, row_ids bigint[]
)
RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(pg_catalog.array_agg(s.row_id), '{}')
    FROM pattern_sync.seen(seen_enough.row_ids, seen_enough.min_workflows IS NOT NULL) AS s
    WHERE pattern_sync.is_seen_enough(
        s.last_seen, s.workflows, seen_enough.max_age_days, seen_enough.min_workflows
    )
$$;

-- What `seen` knows of all patterns, if the filter in force asks for any of it; no row otherwise.
CREATE OR REPLACE FUNCTION pattern_sync.all_seen()
RETURNS TABLE (row_id bigint, last_seen timestamptz, workflows bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
    counted CONSTANT boolean := (
        SELECT s.min_workflows IS NOT NULL
        FROM pattern_sync.settings AS s
        WHERE s.max_age_days IS NOT NULL OR s.min_workflows IS NOT NULL
    );
BEGIN
    IF counted IS NOT NULL THEN
        RETURN QUERY
        SELECT k.row_id, k.last_seen, k.workflows
        FROM pattern_sync.seen(ARRAY(SELECT p.id::bigint FROM operation_patterns AS p), counted) AS k;
    END IF;
END $$;

-- Those of all patterns that meet the last two criteria of the filter in force; none where neither is set. It returns
-- rows and not an array, which the planner would compute once more to know its length.
CREATE OR REPLACE FUNCTION pattern_sync.all_seen_enough()
RETURNS TABLE (row_id bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT k.row_id
    FROM pattern_sync.all_seen() AS k
    CROSS JOIN pattern_sync.settings AS s
    WHERE pattern_sync.is_seen_enough(k.last_seen, k.workflows, s.max_age_days, s.min_workflows);
END $$;

-- Bring the entries of some patterns up to date by the whole filter. Where a pattern misses one of the last two
-- criteria, its entry is refreshed, but none is queued: no figure meets savings of infinity. Time and occurrences are
-- looked at once, before anything is written; if somebody has locked the occurrences, all patterns are held.
CREATE OR REPLACE FUNCTION pattern_sync.reconcile(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    max_age_days double precision, min_workflows bigint,
    row_ids bigint[]
)
RETURNS TABLE (row_id bigint, signature text, outcome text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    enough bigint[] := reconcile.row_ids;
    others bigint[];
    patience CONSTANT text := pg_catalog.current_setting('lock_timeout');
BEGIN
    IF max_age_days IS NOT NULL OR min_workflows IS NOT NULL THEN
        BEGIN
            PERFORM pg_catalog.set_config('lock_timeout', '200ms', true);
            enough := pattern_sync.seen_enough(max_age_days, min_workflows, reconcile.row_ids);
            PERFORM pg_catalog.set_config('lock_timeout', patience, true);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN QUERY
            SELECT asked.id, pattern_sync.legible(pattern_sync.name_of(asked.id)), 'held'::text, NULL::text
            FROM pg_catalog.unnest(reconcile.row_ids) AS asked (id);
            RETURN;
        END;
        others := ARRAY(
            SELECT asked.id FROM pg_catalog.unnest(reconcile.row_ids) AS asked (id)
            EXCEPT
            SELECT kept.id FROM pg_catalog.unnest(enough) AS kept (id)
        );
        RETURN QUERY
        SELECT r.row_id, r.signature, r.outcome, r.reason
        FROM pattern_sync.reconcile(
            NULL::double precision, NULL::bigint, 'Infinity'::numeric, '{}'::text[], '{}'::text[], others
        ) AS r;
        -- In the given order, which is that of the impact.
        enough := ARRAY(
            SELECT asked.id
            FROM pg_catalog.unnest(reconcile.row_ids) WITH ORDINALITY AS asked (id, place)
            WHERE (asked.id IN (SELECT kept.id FROM pg_catalog.unnest(enough) AS kept (id))) IS TRUE
            ORDER BY asked.place
        );
    END IF;
    RETURN QUERY
    SELECT r.row_id, r.signature, r.outcome, r.reason
    FROM pattern_sync.reconcile(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, enough
    ) AS r;
END $$;

-- The signature of one pattern for a message, or its row id if the table cannot be read.
CREATE OR REPLACE FUNCTION pattern_sync.name_of(row_id bigint)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(
        (SELECT p.pattern_signature::text FROM operation_patterns AS p WHERE p.id = name_of.row_id),
        pg_catalog.concat('row ', name_of.row_id)
    );
EXCEPTION WHEN OTHERS THEN
    RETURN pg_catalog.concat('row ', name_of.row_id);
END $$;

-- Put patterns into the quarantine: for 5 seconds at first, then each time for twice as long, at most an hour. If
-- another daemon is quarantining the same patterns, nothing is done.
CREATE OR REPLACE FUNCTION pattern_sync.quarantine(row_ids bigint[], signatures text[], reasons text[], codes text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pattern_sync.refusals AS r (row_id, pattern_id, reason, sqlstate, refused_at, retry_at)
    SELECT DISTINCT ON (refused.row_id)
        refused.row_id, pattern_sync.legible(refused.signature),
        pg_catalog."left"(pattern_sync.legible(refused.reason), 1000), refused.code,
        pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp() + '5 s'::interval
    FROM ROWS FROM (
        pg_catalog.unnest(row_ids), pg_catalog.unnest(signatures), pg_catalog.unnest(reasons), pg_catalog.unnest(codes)
    ) AS refused (row_id, signature, reason, code)
    ORDER BY refused.row_id
    ON CONFLICT (row_id) DO UPDATE
    SET
        pattern_id = EXCLUDED.pattern_id,
        reason = EXCLUDED.reason,
        sqlstate = EXCLUDED.sqlstate,
        attempts = r.attempts + 1,
        refused_at = EXCLUDED.refused_at,
        retry_at = EXCLUDED.refused_at
            + least(
                5::double precision * pg_catalog.power(2::double precision, least(r.attempts, 20)::double precision),
                3600::double precision
            ) * '1 s'::interval;
EXCEPTION WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
    RETURN;
END $$;

-- Remove patterns from the quarantine.
CREATE OR REPLACE FUNCTION pattern_sync.forgive(row_ids bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF EXISTS (SELECT FROM pattern_sync.refusals AS r) THEN
        -- A locked pattern is being tried by another daemon, which removes or keeps it.
        DELETE FROM pattern_sync.refusals AS r
        WHERE r.ctid = ANY (ARRAY(
            SELECT free.ctid
            FROM pg_catalog.unnest(forgive.row_ids) AS asked (id)
            CROSS JOIN LATERAL (
                SELECT f.ctid FROM pattern_sync.refusals AS f WHERE f.row_id = asked.id LIMIT 1 FOR UPDATE SKIP LOCKED
            ) AS free
        ));
    END IF;
END $$;

-- What a scan finds: how many patterns qualify; how many of them have no entry; how many of those wait in the
-- quarantine; and the row ids of the others, best impact first, at most `most` (NULL: all). A `retry` includes those in
-- the quarantine, unless they were refused after the scan began. Patterns in `passed_over`, which somebody has locked,
-- are left out. With several `lanes`, each connection takes its own share of the patterns.
CREATE OR REPLACE FUNCTION pattern_sync.pick_missing(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    max_age_days double precision, min_workflows bigint,
    most bigint, retry boolean, begun timestamptz, passed_over bigint[], lane integer, lanes integer,
    OUT candidates bigint, OUT missing bigint, OUT refused bigint, OUT row_ids bigint[]
) LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan SET lock_timeout = '500ms' AS $$
DECLARE
    is_narrowed CONSTANT boolean := max_age_days IS NOT NULL OR min_workflows IS NOT NULL;
    seen bigint[];
BEGIN
    IF is_narrowed THEN
        seen := pattern_sync.seen_enough(max_age_days, min_workflows, ARRAY(
            SELECT p.id::bigint
            FROM operation_patterns AS p
            WHERE pattern_sync.is_candidate(
                p.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
            )
        ));
    END IF;
    SELECT
        pg_catalog.count(*),
        pg_catalog.count(*) FILTER (WHERE found.missing),
        pg_catalog.count(*) FILTER (WHERE found.missing AND found.refused),
        pg_catalog.array_agg(found.id ORDER BY found.impact DESC, found.id)
            FILTER (WHERE found.missing AND NOT found.refused AND NOT found.passed_over)
    INTO candidates, missing, refused, row_ids
    FROM (
        SELECT
            p.id::bigint AS id,
            pattern_sync.impact(
                p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
            ) AS impact,
            a.pattern_id IS NULL AS missing,
            f.row_id IS NOT NULL AND (NOT pick_missing.retry OR coalesce(f.refused_at >= pick_missing.begun, false))
                AS refused,
            passed.id IS NOT NULL AS passed_over
        FROM operation_patterns AS p
        LEFT JOIN pattern_approvals AS a ON a.pattern_id::text = p.pattern_signature::text
        LEFT JOIN pattern_sync.rejections AS r ON r.pattern_id = p.pattern_signature::text COLLATE "default"
        LEFT JOIN pattern_sync.refusals AS f ON f.row_id = p.id::bigint
        LEFT JOIN pg_catalog.unnest(pick_missing.passed_over) AS passed (id) ON passed.id = p.id::bigint
        WHERE pattern_sync.is_candidate(
                p.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
            )
          AND (NOT is_narrowed OR p.id::bigint IN (SELECT k.id FROM pg_catalog.unnest(seen) AS k (id)))
          AND (a.pattern_id IS NOT NULL OR r.pattern_id IS NULL)
          AND (lanes = 1 OR pg_catalog.abs(p.id::bigint % lanes::bigint) = lane::bigint)
    ) AS found;
    row_ids := CASE
        WHEN row_ids IS NULL THEN '{}'
        WHEN most < pg_catalog.cardinality(row_ids)::bigint THEN row_ids[1:most::integer]
        ELSE row_ids
    END;
END $$;

-- Queue what qualifies and has no entry, best impact first. Pages are committed one by one until all is done or the
-- budget is used up (0: one page). The caller then continues with `begun` and with the patterns in `held`, which
-- somebody has locked. Failed and locked patterns do not count towards `most`. Behind a pooler that shares sessions it
-- must not commit, so that each call writes one page.
--
-- A commit does not wait for the disk. A server that crashes may lose the last pages, but never an entry whose decision
-- it kept, as the log has the entry first. After a crash, every daemon scans all patterns.
CREATE OR REPLACE PROCEDURE pattern_sync.queue_missing(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    max_age_days double precision, min_workflows bigint,
    most bigint, retry boolean, lane integer, lanes integer,
    budget_seconds double precision, commits boolean,
    INOUT begun timestamptz, INOUT held text[],
    INOUT candidates bigint, INOUT missing bigint, INOUT refused bigint, INOUT handled bigint,
    INOUT queued bigint, INOUT failed bigint, INOUT queued_signatures text[],
    INOUT failed_signatures text[], INOUT failed_reasons text[], INOUT finished boolean
) LANGUAGE plpgsql AS $$
DECLARE
    picked record;
    page record;
    ids bigint[];
    asked integer;
    position integer := 0;
    taken bigint := 0;
    few CONSTANT integer := 500;
    many CONSTANT integer := 5000;
    size integer := many;
    started CONSTANT timestamptz := pg_catalog.clock_timestamp();
    deadline timestamptz;
BEGIN
    begun := coalesce(begun, started);
    SELECT p.candidates, p.missing, p.refused, p.row_ids INTO picked
    FROM pattern_sync.pick_missing(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, max_age_days, min_workflows,
        NULL, retry, begun, coalesce(held, '{}')::bigint[], lane, lanes
    ) AS p;
    -- Picking from a million patterns takes seconds; it may take a tenth of the time.
    deadline := pg_catalog.clock_timestamp() + greatest(
        budget_seconds * '1 s'::interval,
        CASE WHEN budget_seconds > 0::double precision THEN
            (pg_catalog.clock_timestamp() - started) * 9::double precision
        END
    );
    ids := picked.row_ids;
    candidates := picked.candidates;
    missing := picked.missing;
    refused := picked.refused;
    handled := 0;
    queued := 0;
    failed := 0;
    held := '{}';
    queued_signatures := '{}';
    failed_signatures := '{}';
    failed_reasons := '{}';
    WHILE position < pg_catalog.cardinality(ids) AND (most IS NULL OR taken < most) LOOP
        PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
        asked := least(
            size::bigint, (pg_catalog.cardinality(ids) - position)::bigint, coalesce(most - taken, many::bigint)
        )::integer;
        SELECT
            pg_catalog.count(*) FILTER (WHERE r.outcome = 'queued') AS queued,
            pg_catalog.count(*) FILTER (WHERE r.outcome = 'failed') AS failed,
            pg_catalog.count(*) FILTER (WHERE r.outcome = 'held') AS held_count,
            pg_catalog.count(*) FILTER (WHERE r.outcome = 'untried') AS untried_count,
            pg_catalog.array_agg(r.row_id) FILTER (WHERE r.outcome = 'untried') AS untried,
            pg_catalog.array_agg(r.row_id::text) FILTER (WHERE r.outcome = 'held') AS held,
            pg_catalog.array_agg(r.signature) FILTER (WHERE r.outcome = 'queued') AS queued_signatures,
            pg_catalog.array_agg(r.signature) FILTER (WHERE r.outcome = 'failed') AS failed_signatures,
            pg_catalog.array_agg(r.reason) FILTER (WHERE r.outcome = 'failed') AS failed_reasons
        INTO page
        FROM pattern_sync.reconcile(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            ids[position + 1:position + asked], true
        ) AS r;
        position := position + asked;
        handled := handled + asked::bigint - page.untried_count;
        taken := taken + asked::bigint - page.untried_count - page.failed - page.held_count;
        queued := queued + page.queued;
        failed := failed + page.failed;
        held := pg_catalog.array_cat(held, page.held);
        IF page.untried IS NOT NULL THEN
            ids := pg_catalog.array_cat(ids, page.untried);
        END IF;
        -- Refused or locked rows make a page slow, and other sessions wait for all of it.
        size := CASE
            WHEN page.failed + page.held_count + page.untried_count > 0::bigint THEN few
            ELSE least(size * 4, many)
        END;
        -- Names are kept only up to what a notification lists, or a person reads.
        IF pg_catalog.cardinality(queued_signatures) <= pattern_sync.most_named() THEN
            queued_signatures := pg_catalog.array_cat(
                queued_signatures, page.queued_signatures[1:pattern_sync.most_named() + 1]
            );
        END IF;
        IF pg_catalog.cardinality(failed_signatures) < 20 THEN
            failed_signatures := pg_catalog.array_cat(failed_signatures, page.failed_signatures[1:20]);
            failed_reasons := pg_catalog.array_cat(failed_reasons, page.failed_reasons[1:20]);
        END IF;
        EXIT WHEN NOT commits;
        COMMIT;
        EXIT WHEN pg_catalog.clock_timestamp() >= deadline;
    END LOOP;
    finished := position >= pg_catalog.cardinality(ids) OR coalesce(taken >= most, false);
END $$;

-- Refresh the next stale entries, in the order of their patterns' row ids. Returns how many were found and how many
-- written, the signatures of the latter, and the row id after which the next call continues.
CREATE OR REPLACE FUNCTION pattern_sync.refresh_stale(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    max_age_days double precision, min_workflows bigint,
    after_id bigint, most bigint,
    OUT listed bigint, OUT refreshed bigint, OUT refreshed_signatures text[], OUT last_id bigint
) LANGUAGE plpgsql AS $$
DECLARE
    stale bigint[];
BEGIN
    stale := pattern_sync.pick_stale(after_id, most);
    listed := pg_catalog.cardinality(stale);
    refreshed := 0;
    refreshed_signatures := '{}';
    last_id := stale[listed::integer];
    IF listed > 0::bigint THEN
        SELECT
            pg_catalog.count(*),
            coalesce((pg_catalog.array_agg(r.signature))[1:pattern_sync.most_named() + 1], '{}')
        INTO refreshed, refreshed_signatures
        FROM pattern_sync.reconcile(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types, max_age_days, min_workflows,
            stale
        ) AS r
        WHERE r.outcome = 'refreshed';
    END IF;
END $$;

-- Whether the patterns of the pending entries are better read one by one than with all others. A lookup was measured to
-- cost as much as three pages of a scan; no statistics are asked, as they may be wrong.
CREATE OR REPLACE FUNCTION pattern_sync.has_few_pending()
RETURNS boolean LANGUAGE plpgsql STABLE SET lock_timeout = '500ms' AS $$
DECLARE
    pages bigint := (
        -- The partitions, or the table itself, which has none; a view has no pages.
        SELECT coalesce(
            pg_catalog.sum(pg_catalog.pg_relation_size(part.relid)),
            pg_catalog.pg_relation_size(pg_catalog.to_regclass('operation_patterns'))::numeric,
            0
        )::bigint / 8192::bigint
        FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass('operation_patterns')) AS part
    );
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM pattern_approvals AS a WHERE a.status::text = 'pending' OFFSET 1000::bigint + 3::bigint * pages
    );
END $$;

-- The row ids of the next patterns with a stale entry: the source has moved since the entry was last written. Few
-- pending entries are looked up one by one, as this runs every few seconds and there may be a million patterns. Many,
-- or entries without an index on the signature, are joined.
CREATE OR REPLACE FUNCTION pattern_sync.pick_stale(after_id bigint, most bigint)
RETURNS bigint[] LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET enable_seqscan = on SET plan_cache_mode = force_custom_plan
SET work_mem = '64MB' -- otherwise the hash table of 200,000 entries goes to disk
SET max_parallel_workers_per_gather = 0 -- PL/pgSQL never starts the workers that such a plan counts on
SET lock_timeout = '500ms' AS $$
DECLARE
    stale bigint[];
BEGIN
    IF pattern_sync.signature_is_unique() AND pattern_sync.has_few_pending() THEN
        PERFORM
            pg_catalog.set_config('enable_nestloop', 'on', true),
            pg_catalog.set_config('enable_seqscan', 'off', true);
        SELECT coalesce(pg_catalog.array_agg(behind.id ORDER BY behind.id), '{}') INTO stale
        FROM (
            SELECT p.id::bigint AS id
            FROM pattern_approvals AS a
            CROSS JOIN LATERAL (
                SELECT f.* FROM operation_patterns AS f WHERE f.pattern_signature::text = a.pattern_id::text LIMIT 1
            ) AS p
            LEFT JOIN LATERAL (
                SELECT f.* FROM pattern_sync.written AS f
                WHERE f.pattern_id = a.pattern_id::text COLLATE "default" LIMIT 1
            ) AS w ON true
            CROSS JOIN LATERAL pattern_sync.moves(
                w.pattern_id, w.confidence, w.occurrences, w.savings,
                p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
            ) AS m
            LEFT JOIN LATERAL (
                SELECT f.row_id FROM pattern_sync.refusals AS f WHERE f.row_id = p.id::bigint LIMIT 1
            ) AS r ON true
            WHERE a.status::text = 'pending' AND p.id > pick_stale.after_id AND r.row_id IS NULL AND m.any_moved
            ORDER BY p.id
            LIMIT most
        ) AS behind;
        RETURN stale;
    END IF;
    SELECT coalesce(pg_catalog.array_agg(behind.id ORDER BY behind.id), '{}') INTO stale
    FROM (
        SELECT p.id::bigint AS id
        FROM pattern_approvals AS a
        JOIN operation_patterns AS p ON p.pattern_signature::text = a.pattern_id::text
        LEFT JOIN pattern_sync.written AS w ON w.pattern_id = a.pattern_id::text COLLATE "default"
        CROSS JOIN LATERAL pattern_sync.moves(
            w.pattern_id, w.confidence, w.occurrences, w.savings,
            p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
        ) AS m
        LEFT JOIN pattern_sync.refusals AS r ON r.row_id = p.id::bigint
        WHERE a.status::text = 'pending' AND p.id > pick_stale.after_id AND r.row_id IS NULL AND m.any_moved
        ORDER BY p.id
        LIMIT most
    ) AS behind;
    RETURN stale;
END $$;

-- Try quarantined patterns that are due again, at most `most`, starting with one of each kind of refusal. If one of a
-- kind is queued, all others of its kind are due at once. Returns how many are left in the quarantine, and the latest
-- reasons.
CREATE OR REPLACE FUNCTION pattern_sync.retry_refused(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    max_age_days double precision, min_workflows bigint,
    most bigint,
    OUT tried bigint, OUT failed bigint, OUT refused bigint, OUT reasons text[],
    OUT queued_signatures text[], OUT refreshed_signatures text[]
) LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    due bigint[];
    codes text[];
BEGIN
    SELECT pg_catalog.array_agg(ranked.row_id ORDER BY ranked.place, ranked.retry_at) INTO due
    FROM (
        SELECT r.row_id, r.retry_at, r.sqlstate,
            pg_catalog.row_number() OVER (PARTITION BY r.sqlstate ORDER BY r.retry_at, r.row_id) AS place
        FROM pattern_sync.refusals AS r
        -- No wait is longer than an hour; one that seems to be began before the server's clock was set back.
        WHERE r.retry_at <= pg_catalog.clock_timestamp()
            OR r.retry_at > pg_catalog.clock_timestamp() + '1 hour'::interval
        ORDER BY place, r.retry_at
        LIMIT most
    ) AS ranked;
    -- Patterns that another daemon is trying now are skipped. (A window function locks no rows.)
    SELECT
        pg_catalog.array_agg(locked.row_id ORDER BY locked.place),
        pg_catalog.array_agg(DISTINCT locked.sqlstate)
    INTO due, codes
    FROM (
        SELECT r.row_id, r.sqlstate, listed.place
        FROM pg_catalog.unnest(due) WITH ORDINALITY AS listed (row_id, place)
        CROSS JOIN LATERAL (
            SELECT f.* FROM pattern_sync.refusals AS f WHERE f.row_id = listed.row_id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) AS r
    ) AS locked;
    SELECT
        coalesce(pg_catalog.cardinality(due), 0)::bigint - pg_catalog.count(*) FILTER (WHERE r.outcome = 'untried'),
        pg_catalog.count(*) FILTER (WHERE r.outcome IN ('failed', 'held')),
        coalesce(pg_catalog.array_agg(r.signature) FILTER (WHERE r.outcome = 'queued'), '{}'),
        coalesce(pg_catalog.array_agg(r.signature) FILTER (WHERE r.outcome = 'refreshed'), '{}')
    INTO tried, failed, queued_signatures, refreshed_signatures
    FROM pattern_sync.reconcile(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, max_age_days, min_workflows,
        coalesce(due, '{}')
    ) AS r;
    IF pg_catalog.cardinality(queued_signatures) > 0 OR pg_catalog.cardinality(refreshed_signatures) > 0 THEN
        UPDATE pattern_sync.refusals AS r
        SET retry_at = pg_catalog.clock_timestamp()
        WHERE r.row_id IN (
            SELECT f.row_id FROM pattern_sync.refusals AS f
            WHERE f.sqlstate = ANY (codes) AND f.retry_at > pg_catalog.clock_timestamp()
            FOR UPDATE SKIP LOCKED
        );
    END IF;
    refused := (SELECT pg_catalog.count(*) FROM pattern_sync.refusals AS r);
    reasons := ARRAY(
        SELECT pg_catalog.concat(r.pattern_id, ': ', r.reason)
        FROM pattern_sync.refusals AS r
        ORDER BY r.refused_at DESC, r.row_id
        LIMIT 5
    );
END $$;

-- How many pending entries of ours have lost their pattern. Entries of other programs never had one.
CREATE OR REPLACE FUNCTION pattern_sync.count_gone()
RETURNS bigint LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan SET lock_timeout = '500ms' AS $$
BEGIN
    RETURN (
        SELECT pg_catalog.count(*)
        FROM pattern_approvals AS a
        JOIN pattern_sync.written AS w ON w.pattern_id = a.pattern_id::text COLLATE "default"
        LEFT JOIN operation_patterns AS p ON p.pattern_signature::text = a.pattern_id::text
        WHERE a.status::text = 'pending' AND p.id IS NULL
    );
END $$;

-- Whether an entry comes from a pattern: we wrote it, or the pattern exists. Other programs write entries, too.
CREATE OR REPLACE FUNCTION pattern_sync.is_from_pattern(signature text)
RETURNS boolean LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (
            SELECT FROM pattern_sync.written AS w
            WHERE w.pattern_id = is_from_pattern.signature COLLATE "default"
        )
        OR EXISTS (SELECT FROM operation_patterns AS p WHERE p.pattern_signature::text = is_from_pattern.signature);
END $$;

-- Queue one pattern although it may not qualify, as a person wants it, and note who that was. Returns the outcome; NULL
-- if there is no such pattern. People win: an entry that exists, and a pattern that was rejected, stay as they are.
CREATE OR REPLACE FUNCTION pattern_sync.queue_by_hand(signature text, reviewer text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    SELECT r.outcome INTO result
    FROM pattern_sync.reconcile(
        NULL::double precision, NULL::bigint, NULL::numeric, '{}'::text[], '{}'::text[],
        ARRAY(SELECT p.id::bigint FROM operation_patterns AS p WHERE p.pattern_signature::text = queue_by_hand.signature)
    ) AS r
    ORDER BY r.outcome = 'queued' DESC
    LIMIT 1;
    IF result = 'queued' THEN
        PERFORM pattern_sync.tell_changes('queued', ARRAY[queue_by_hand.signature]);
        PERFORM pattern_sync.remark(queue_by_hand.signature, queue_by_hand.reviewer, 'Queued by hand.');
    END IF;
    RETURN result;
END $$;

-- The functions below are called by the daemons of release 0.3, which know no criterion but the first five. They are
-- what they were, by their parameters.

-- pick_missing of release 0.3.
CREATE OR REPLACE FUNCTION pattern_sync.pick_missing(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    most bigint, retry boolean, begun timestamptz, passed_over bigint[], lane integer, lanes integer,
    OUT candidates bigint, OUT missing bigint, OUT refused bigint, OUT row_ids bigint[]
) LANGUAGE sql STABLE AS $$
    SELECT p.candidates, p.missing, p.refused, p.row_ids
    FROM pattern_sync.pick_missing(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, NULL, NULL,
        most, retry, begun, passed_over, lane, lanes
    ) AS p
$$;

-- queue_missing of release 0.3.
CREATE OR REPLACE PROCEDURE pattern_sync.queue_missing(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    most bigint, retry boolean, lane integer, lanes integer,
    budget_seconds double precision, commits boolean,
    INOUT begun timestamptz, INOUT held text[],
    INOUT candidates bigint, INOUT missing bigint, INOUT refused bigint, INOUT handled bigint,
    INOUT queued bigint, INOUT failed bigint, INOUT queued_signatures text[],
    INOUT failed_signatures text[], INOUT failed_reasons text[], INOUT finished boolean
) LANGUAGE plpgsql AS $$
BEGIN
    CALL pattern_sync.queue_missing(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, NULL, NULL,
        most, retry, lane, lanes, budget_seconds, commits,
        begun, held, candidates, missing, refused, handled, queued, failed, queued_signatures,
        failed_signatures, failed_reasons, finished
    );
END $$;

-- refresh_stale of release 0.3.
CREATE OR REPLACE FUNCTION pattern_sync.refresh_stale(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    after_id bigint, most bigint,
    OUT listed bigint, OUT refreshed bigint, OUT refreshed_signatures text[], OUT last_id bigint
) LANGUAGE sql AS $$
    SELECT r.listed, r.refreshed, r.refreshed_signatures, r.last_id
    FROM pattern_sync.refresh_stale(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, NULL, NULL, after_id, most
    ) AS r
$$;

-- retry_refused of release 0.3.
CREATE OR REPLACE FUNCTION pattern_sync.retry_refused(
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[],
    most bigint,
    OUT tried bigint, OUT failed bigint, OUT refused bigint, OUT reasons text[],
    OUT queued_signatures text[], OUT refreshed_signatures text[]
) LANGUAGE sql AS $$
    SELECT r.tried, r.failed, r.refused, r.reasons, r.queued_signatures, r.refreshed_signatures
    FROM pattern_sync.retry_refused(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, NULL, NULL, most
    ) AS r
$$;
