-- Evidence: what the occurrence table shows of a pattern, beside what the detector claims. Nothing here is written, and
-- nothing here is read on the way of an event. The text is ASCII, as a database may be LATIN1.
--
-- What a flag asks for stands only here; its words are in domain/evidence.py.
--
-- Plans: occurrences are fetched for all asked patterns at once, by index where there is one, and joined by hashing: no
-- estimate is trusted, and no nested loop is allowed.

-- An amount of money from a column of any type, as text: NULL if it is no plain number, such as NaN or '$1.50'. Digits
-- with at most one point among them, as nearly all are, are told without the regular expression, in half the time.
CREATE OR REPLACE FUNCTION pattern_sync.amount(value text)
RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN (
            pg_catalog.translate(value, '0123456789', '') IN ('', '.')
            AND pg_catalog.length(value) BETWEEN 1 AND 30
            AND pg_catalog.strpos(value, '.') <> 1
        ) OR pg_catalog.textregexeq(value, '^[-+]?[0-9]{1,30}([.][0-9]*)?([eE][-+]?[0-9]{1,2})?$')
            THEN pg_catalog.round(value::numeric, 6)
    END
$$;

-- The days between two times; 0 if there is none.
CREATE OR REPLACE FUNCTION pattern_sync.days_between(earlier timestamptz, later timestamptz)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(
        pg_catalog.date_part('epoch'::text, later - earlier) / 86400::double precision, 0::double precision
    )
$$;

-- The operations of a pattern as JSONB; NULL where a column of type JSON holds an escape that JSONB cannot. One such
-- row must not turn every list that contains it into an error.
CREATE OR REPLACE FUNCTION pattern_sync.operations_of(operations anyelement)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN pg_catalog.to_jsonb(operations_of.operations);
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;

-- Whether a unique index keeps every workflow of a pattern to one row, so that rows need no sorting to be counted.
CREATE OR REPLACE FUNCTION pattern_sync.workflows_are_unique()
RETURNS boolean LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    relation CONSTANT oid := pg_catalog.to_regclass('pattern_occurrences')::oid;
BEGIN
    RETURN EXISTS (
        SELECT
        FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = relation
          AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
          AND i.indnkeyatts = 2::smallint
          AND (
              SELECT pg_catalog.string_agg(a.attname::text, ',' ORDER BY a.attname::text COLLATE "C")
              FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid = relation AND (a.attnum = i.indkey[0] OR a.attnum = i.indkey[1])
          ) = 'pattern_id,workflow_id'
    );
END $$;

-- The distinct workflows of some patterns by row id, and when the first and the last of their occurrences was detected;
-- no row for a pattern without any. It is empty where the examples cannot be read, for the same reasons. A time that no
-- client can represent, or that is more than a day ahead, comes from a wrong clock and is left out.
--
-- Where a key keeps workflows distinct, rows are only counted, and a time is looked at only as the first or the last of
-- its pattern: that takes half as long. What that finds odd, and all without such a key, is gone through row by row.
CREATE OR REPLACE FUNCTION pattern_sync.sightings(row_ids bigint[])
RETURNS TABLE (row_id bigint, workflows bigint, first_seen timestamptz, last_seen timestamptz) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    earliest CONSTANT timestamptz := '0001-01-02 00:00+00';
    latest CONSTANT timestamptz := pg_catalog.now() + '1 day'::interval;
    left_over bigint[] := sightings.row_ids;
    ids bigint[];
    counts bigint[];
    firsts timestamptz[];
    lasts timestamptz[];
BEGIN
    IF pg_catalog.cardinality(sightings.row_ids) = 0 OR NOT pattern_sync.examples_can_be_read() THEN
        RETURN;
    END IF;
    IF pattern_sync.workflows_are_unique() THEN
        SELECT
            pg_catalog.array_agg(o.pattern_id), pg_catalog.array_agg(o.workflows),
            pg_catalog.array_agg(o.first), pg_catalog.array_agg(o.last)
        INTO ids, counts, firsts, lasts
        FROM (
            SELECT
                f.pattern_id::bigint AS pattern_id,
                pg_catalog.count(f.workflow_id) AS workflows,
                pg_catalog.min(f.detected_at)::timestamptz AS first,
                pg_catalog.max(f.detected_at)::timestamptz AS last
            FROM pattern_occurrences AS f
            WHERE f.pattern_id = ANY (sightings.row_ids)
            GROUP BY f.pattern_id::bigint
        ) AS o;
        RETURN QUERY
        SELECT o.id, o.workflows, o.first, o.last
        FROM ROWS FROM (
            pg_catalog.unnest(ids), pg_catalog.unnest(counts), pg_catalog.unnest(firsts), pg_catalog.unnest(lasts)
        ) AS o (id, workflows, first, last)
        WHERE o.first >= earliest AND o.last <= latest;
        left_over := ARRAY(
            SELECT o.id
            FROM ROWS FROM (
                pg_catalog.unnest(ids), pg_catalog.unnest(firsts), pg_catalog.unnest(lasts)
            ) AS o (id, first, last)
            WHERE (o.first >= earliest AND o.last <= latest) IS NOT TRUE
        );
    END IF;
    IF pg_catalog.cardinality(left_over) > 0 THEN
        RETURN QUERY
        SELECT
            once.pattern_id, pg_catalog.count(once.workflow_id), pg_catalog.min(once.first), pg_catalog.max(once.last)
        FROM (
            SELECT
                o.pattern_id,
                o.workflow_id,
                pg_catalog.min(o.at) FILTER (WHERE o.at BETWEEN earliest AND latest) AS first,
                pg_catalog.max(o.at) FILTER (WHERE o.at BETWEEN earliest AND latest) AS last
            FROM (
                SELECT
                    f.pattern_id::bigint AS pattern_id,
                    f.workflow_id::text COLLATE "C" AS workflow_id,
                    f.detected_at::timestamptz AS at
                FROM pattern_occurrences AS f
                WHERE f.pattern_id = ANY (left_over)
                OFFSET 0 -- a time is converted once, not for each use
            ) AS o
            GROUP BY o.pattern_id, o.workflow_id
        ) AS once
        GROUP BY once.pattern_id;
    END IF;
END $$;

-- The evidence of some patterns by signature, one row for each signature; one that no pattern has shows nothing. It
-- changes while an entry does not: occurrences arrive, and time passes. Whoever keeps it has to ask again.
--
-- Savings by evidence are what the distinct workflows would have saved: once each (observed), and for a month at the
-- pace of the days between the first and the last (extrapolated). From less than half a day nothing is extrapolated, as
-- that would take working hours for day and night, or a single sighting for a pace. Without a cost, as many detectors
-- record none and the columns may be missing, both are NULL.
--
-- The flags: the first three compare the claim with what is recorded, and so need a record; a detector that records
-- nothing is not accused. A sum over all time equals the claim to 2 %, while the record spans anything but a month. A
-- cost that is a multiple of 5 % of the other, to the last of four decimals, was assumed; below 0.02 USD four decimals
-- cannot tell. `readable` is false where the table of occurrences is missing or cannot be read, and NULL while somebody
-- has locked it: nobody waits with a decision for that.
--
-- Whoever has already looked up the rows of these patterns gives their ids; otherwise they are NULL. The names are in
-- an index of their own: of a large table that is half of what is read.
CREATE OR REPLACE FUNCTION pattern_sync.evidence(signatures text[], row_ids bigint[])
RETURNS TABLE (
    signature text, readable boolean, workflows bigint, first_seen timestamptz, last_seen timestamptz,
    days_seen double precision, workflows_a_day double precision,
    claimed_occurrences bigint, claimed_savings double precision,
    cost_before double precision, cost_after double precision,
    savings_observed double precision, savings_by_evidence double precision, flags text[]
) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_nestloop = off SET enable_hashjoin = on SET plan_cache_mode = force_generic_plan
SET lock_timeout = '500ms' AS $$
DECLARE
    can_be_read boolean;
BEGIN
    BEGIN
        can_be_read := pattern_sync.examples_can_be_read();
        IF can_be_read THEN
            PERFORM FROM pattern_occurrences LIMIT 0; -- the lock that all that follows needs
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        can_be_read := NULL;
    END;
    RETURN QUERY
    WITH named AS MATERIALIZED (
        -- Without a unique key several rows may share the signature: the one that `explain` shows.
        SELECT DISTINCT ON (p.signature) p.*
        FROM (
            SELECT
                f.id,
                f.signature,
                f.eligible,
                f.impact,
                f.occurrences,
                coalesce(pattern_sync.amount(f.savings), 0::numeric) AS savings,
                pattern_sync.amount(f.cost_before) AS before,
                pattern_sync.amount(f.cost_after) AS after,
                CASE
                    -- Mostly the first operation is a name, and nothing has to be put together to see that.
                    WHEN pg_catalog.jsonb_typeof(f.operations) = 'array'
                        AND pg_catalog.jsonb_typeof(f.operations -> 0) = 'string'
                        AND f.operations ->> 0 <> ''
                        THEN false
                    ELSE (SELECT has.names IS NULL FROM pattern_sync.steps(f.operations) AS has)
                END AS lacks_steps
            FROM (SELECT NULL::text AS avg_cost_with_llm, NULL::text AS avg_cost_with_tool) AS lacking
            CROSS JOIN LATERAL (
                -- The names of a cost stand alone: where the table lacks the column, they mean the NULL above.
                SELECT
                    t.id::bigint AS id,
                    t.pattern_signature::text COLLATE "default" AS signature,
                    pattern_sync.eligible(t.automation_status::text) AS eligible,
                    pattern_sync.impact(
                        t.confidence_score::double precision / 100::double precision,
                        t.occurrence_count::bigint,
                        t.potential_monthly_savings::numeric
                    ) AS impact,
                    coalesce(t.occurrence_count::bigint, 0::bigint) AS occurrences,
                    t.potential_monthly_savings::text AS savings,
                    avg_cost_with_llm::text AS cost_before,
                    avg_cost_with_tool::text AS cost_after,
                    CASE
                        WHEN pg_catalog.pg_typeof(t.typical_operations)::oid = 'pg_catalog.jsonb'::regtype::oid
                            THEN pg_catalog.to_jsonb(t.typical_operations)
                        ELSE pattern_sync.operations_of(t.typical_operations)
                    END AS operations
                FROM (
                    SELECT s.* FROM operation_patterns AS s
                    WHERE evidence.row_ids IS NULL AND s.pattern_signature::text = ANY (evidence.signatures)
                    UNION ALL
                    SELECT s.* FROM operation_patterns AS s WHERE s.id = ANY (evidence.row_ids)
                ) AS t
                OFFSET 0 -- the operations are converted once, not for each use
            ) AS f
        ) AS p
        ORDER BY p.signature, p.eligible DESC, p.impact DESC, p.id
    ),
    seen AS MATERIALIZED (
        SELECT
            n.*,
            coalesce(s.workflows, 0::bigint) AS workflows,
            s.first_seen,
            s.last_seen,
            pg_catalog.date_part('epoch'::text, s.last_seen - s.first_seen) / 86400::double precision AS days,
            CASE WHEN n.before > 0::numeric AND s.workflows > 0::bigint THEN n.before - n.after END AS saved_by_each
        FROM named AS n
        LEFT JOIN pattern_sync.sightings(ARRAY(SELECT named.id FROM named WHERE can_be_read)) AS s ON s.row_id = n.id
    )
    SELECT
        asked.signature,
        can_be_read,
        coalesce(s.workflows, 0::bigint),
        s.first_seen,
        s.last_seen,
        coalesce(s.days, 0::double precision),
        CASE WHEN s.days >= 0.5::double precision THEN s.workflows::double precision / s.days END,
        s.occurrences,
        s.savings::double precision,
        s.before::double precision,
        s.after::double precision,
        pg_catalog.round(s.saved_by_each * s.workflows::numeric, 2)::double precision,
        CASE
            WHEN s.days >= 0.5::double precision THEN pg_catalog.round(
                s.saved_by_each * s.workflows::numeric / s.days::numeric * 30::numeric, 2
            )::double precision
        END,
        pg_catalog.array_remove(
            ARRAY[
                CASE WHEN s.workflows > 0::bigint AND s.occurrences > 3::bigint * s.workflows THEN 'counted-twice' END,
                CASE WHEN s.days < 7::double precision THEN 'short-span' END,
                CASE
                    WHEN s.saved_by_each > 0::numeric AND s.savings > 0::numeric
                        AND pg_catalog.abs(s.saved_by_each * s.occurrences::numeric - s.savings)
                        <= s.savings * 0.02::numeric
                        AND s.days NOT BETWEEN 25::double precision AND 36::double precision
                        THEN 'all-time'
                END,
                CASE
                    WHEN s.before >= 0.02::numeric AND s.after > 0::numeric AND s.after < s.before
                        AND pg_catalog.abs(
                            pg_catalog.round(s.after / s.before * 20::numeric) / 20::numeric * s.before - s.after
                        ) <= 0.00005::numeric
                        THEN 'assumed-cost'
                END,
                CASE WHEN s.lacks_steps THEN 'no-steps' END,
                CASE WHEN s.last_seen < pg_catalog.now() - '30 days'::interval THEN 'gone-quiet' END,
                CASE WHEN coalesce(s.workflows, 0::bigint) = 0::bigint THEN 'nothing-recorded' END
            ],
            NULL
        )
    FROM (
        SELECT DISTINCT each.signature COLLATE "default" AS signature
        FROM pg_catalog.unnest(evidence.signatures) AS each (signature)
        WHERE each.signature IS NOT NULL
    ) AS asked
    LEFT JOIN seen AS s ON s.signature = asked.signature;
END $$;

-- The pending entry that claims more than nine tenths of what all of them claim, if there is one, with both sums.
--
-- It is asked for with every page of entries, and 200,000 may be pending. So a short queue is read itself, and of a
-- long one the traits, which may be behind, in the order of their savings: mostly, the next few together already claim
-- a ninth of what the first one claims, and nothing else is read. Only where one carries the queue, all are added up.
CREATE OR REPLACE FUNCTION pattern_sync.carrier()
RETURNS TABLE (signature text, claimed double precision, queue double precision) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    largest record;
    others numeric;
BEGIN
    IF pattern_sync.is_short_queue() THEN
        SELECT c.signature, c.savings, c.total - c.savings AS others INTO largest
        FROM (
            SELECT q.signature, q.savings, pg_catalog.sum(q.savings) OVER () AS total
            FROM (
                SELECT
                    a.pattern_id::text COLLATE "default" AS signature,
                    pattern_sync.figure(a.estimated_savings_usd::text::numeric) AS savings
                FROM pattern_approvals AS a
                WHERE a.status::text = 'pending'
            ) AS q
            WHERE q.savings > 0::numeric
        ) AS c
        ORDER BY c.savings DESC, c.signature
        LIMIT 1;
        others := nullif(largest.others, 0::numeric); -- the only one carries nothing
    ELSE
        SELECT t.pattern_id AS signature, t.savings::numeric AS savings INTO largest
        FROM pattern_sync.traits AS t
        WHERE t.status = 'pending'
        ORDER BY t.savings DESC, t.pattern_id
        LIMIT 1;
        SELECT pg_catalog.sum(following.savings::numeric) INTO others
        FROM (
            SELECT t.savings FROM pattern_sync.traits AS t
            WHERE t.status = 'pending' AND t.savings > 0::double precision
            ORDER BY t.savings DESC, t.pattern_id
            OFFSET 1
            LIMIT 100
        ) AS following;
        IF others * 9::numeric < largest.savings THEN
            -- In whole cents of a double, which are exact and twice as fast as numeric.
            SELECT
                pg_catalog.sum(pg_catalog.round(t.savings * 100::double precision))::numeric / 100::numeric
                - largest.savings
            INTO others
            FROM pattern_sync.traits AS t
            WHERE t.status = 'pending' AND t.savings > 0::double precision;
        END IF;
    END IF;
    IF others * 9::numeric < largest.savings THEN
        RETURN QUERY SELECT
            largest.signature, largest.savings::double precision, (largest.savings + others)::double precision;
    END IF;
END $$;

-- The evidence of some patterns as one JSON object by signature, as a join with so many rows would depend on an
-- estimate. `carried` is there for a pending entry that carries the queue.
CREATE OR REPLACE FUNCTION pattern_sync.evidence_by_signature(signatures text[])
RETURNS jsonb LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    carrier jsonb;
    recorded jsonb;
BEGIN
    IF pg_catalog.cardinality(evidence_by_signature.signatures) = 0 THEN
        RETURN '{}';
    END IF;
    carrier := (SELECT pg_catalog.to_jsonb(c) FROM pattern_sync.carrier() AS c);
    recorded := (
        SELECT pg_catalog.jsonb_object_agg(e.signature, pg_catalog.to_jsonb(e))
        FROM pattern_sync.evidence(evidence_by_signature.signatures, NULL) AS e
    );
    RETURN CASE
        WHEN recorded ? (carrier ->> 'signature'::text) THEN pg_catalog.jsonb_set(
            recorded, ARRAY[carrier ->> 'signature'::text, 'carried'], carrier
        )
        ELSE recorded
    END;
END $$;

-- The savings by evidence of all pending entries together: of what the traits know, and in a short queue also of what
-- they do not know yet, or have not heard of since. NULL if no pending entry shows any, or no traits are there yet.
CREATE OR REPLACE FUNCTION pattern_sync.shown_savings()
RETURNS double precision LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    pending text[];
    known text[];
BEGIN
    IF NOT pattern_sync.is_short_queue() THEN
        RETURN (
            SELECT pg_catalog.sum(pg_catalog.round(t.evidence * 100::double precision)) / 100::double precision
            FROM pattern_sync.traits AS t
            WHERE t.status = 'pending'
        );
    END IF;
    pending := ARRAY(SELECT a.pattern_id::text FROM pattern_approvals AS a WHERE a.status::text = 'pending');
    known := ARRAY(SELECT t.pattern_id FROM pattern_sync.traits AS t WHERE t.pattern_id = ANY (pending));
    RETURN (
        SELECT pg_catalog.round(pg_catalog.sum(each.savings), 2)::double precision
        FROM (
            SELECT t.evidence::numeric AS savings
            FROM pattern_sync.traits AS t
            WHERE t.pattern_id = ANY (known)
            UNION ALL
            SELECT e.savings_by_evidence::numeric
            FROM pattern_sync.evidence(ARRAY(
                SELECT p.signature FROM pg_catalog.unnest(pending) AS p (signature)
                EXCEPT
                SELECT k.signature FROM pg_catalog.unnest(known) AS k (signature)
            ), NULL) AS e
        ) AS each
    );
END $$;
