-- Finding: what entries are searched, sorted and grouped by, and the entries as people see them. The text is ASCII, as
-- a database may be LATIN1.
--
-- The traits are a copy of the queue in a table of ours: the application's table may get no index of ours, and a sort
-- of all its entries for each page would take a second where there are many. What is shown is always read from the
-- queue itself; the traits only say where to look, and they may be behind.

-- The kind of a pattern: the first two parts of its name. A name without parts is its own kind; the application's
-- detector of whole sessions names patterns by a digest, which has none.
CREATE OR REPLACE FUNCTION pattern_sync.kind_of(signature text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN pg_catalog.textregexeq(signature, '^[0-9a-f]{16}$') THEN '-'
        WHEN pg_catalog.strpos(signature, ':') = 0 THEN signature
        ELSE pg_catalog.split_part(signature, ':', 1) || ':' || pg_catalog.split_part(signature, ':', 2)
    END
$$;

-- What a pattern acts on: the third and all later parts of its name; empty where it has no more than two.
CREATE OR REPLACE FUNCTION pattern_sync.target_of(signature text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.substr(
        signature,
        pg_catalog.length(pg_catalog.split_part(signature, ':', 1))
        + pg_catalog.length(pg_catalog.split_part(signature, ':', 2)) + 3
    )
$$;

-- The shape of a sequence of tools: a tool that follows itself counts once. It is a loop: a query for each entry takes
-- twice as long, and a regular expression with a back reference, on long sequences, five times.
CREATE OR REPLACE FUNCTION pattern_sync.shape_of(sequence text)
RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    arrow CONSTANT text := pattern_sync.arrow();
    tool text;
    previous text;
    shape text;
BEGIN
    FOREACH tool IN ARRAY coalesce(pg_catalog.string_to_array(shape_of.sequence, arrow), '{}'::text[]) LOOP
        IF shape IS NULL THEN
            shape := tool;
        ELSIF tool <> previous THEN
            shape := shape || arrow || tool;
        END IF;
        previous := tool;
    END LOOP;
    RETURN coalesce(shape, '');
END $$;

-- Whether somebody's wish to see an entry later still holds: until a time, or until the savings reach an amount.
CREATE OR REPLACE FUNCTION pattern_sync.is_asleep(
    until timestamptz, until_savings double precision, savings double precision
)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(until > pg_catalog.now(), true)
        AND coalesce(savings < until_savings, true)
        AND (until IS NOT NULL OR until_savings IS NOT NULL)
$$;

-- The wish of somebody to see an entry later that holds at its present savings, as an object; NULL if there is none.
CREATE OR REPLACE FUNCTION pattern_sync.snooze_of(signature text, savings double precision)
RETURNS jsonb LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (
        SELECT pg_catalog.jsonb_build_object(
            'until', pg_catalog.date_part('epoch', s.until),
            'until_doubled', s.until_savings IS NOT NULL,
            'by', pattern_sync.legible(s.reviewer),
            'since', pg_catalog.date_part('epoch', s.since),
            'reason', pattern_sync.legible(s.reason)
        )
        FROM pattern_sync.snoozes AS s
        WHERE s.pattern_id = snooze_of.signature COLLATE "default"
          AND pattern_sync.is_asleep(s.until, s.until_savings, snooze_of.savings)
    );
END $$;

-- The entries whose traits are missing or outdated, at most `most`: those with these names or, if that is NULL, all. An
-- entry has changed if its row is another version than the one that was read. What is recorded of a pattern changes
-- without a change of its entry, and so does its age: traits are read again after a day.
CREATE OR REPLACE FUNCTION pattern_sync.outdated_traits(signatures text[], most bigint)
RETURNS text[] LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET enable_seqscan = on SET plan_cache_mode = force_generic_plan
SET work_mem = '64MB' SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    IF outdated_traits.signatures IS NULL THEN
        RETURN ARRAY(
            SELECT a.pattern_id::text
            FROM pattern_approvals AS a
            LEFT JOIN pattern_sync.traits AS t ON t.pattern_id = a.pattern_id::text COLLATE "default"
            WHERE t.row_version IS DISTINCT FROM pg_catalog.concat(a.xmin::text, a.ctid::text)
               OR t.changed_at < pg_catalog.clock_timestamp() - '1 day'::interval
            LIMIT outdated_traits.most
        );
    END IF;
    PERFORM pg_catalog.set_config('enable_seqscan', 'off', true);
    RETURN ARRAY(
        SELECT a.pattern_id::text
        FROM pattern_approvals AS a
        LEFT JOIN (
            SELECT f.pattern_id, f.row_version FROM pattern_sync.traits AS f
            WHERE f.pattern_id = ANY (outdated_traits.signatures)
        ) AS t ON t.pattern_id = a.pattern_id::text COLLATE "default"
        WHERE a.pattern_id::text = ANY (outdated_traits.signatures)
          AND t.row_version IS DISTINCT FROM pg_catalog.concat(a.xmin::text, a.ctid::text)
        LIMIT outdated_traits.most
    );
END $$;

-- Bring the traits of some entries up to date, or of all (NULL), at most `most` of them. Returns how many were written
-- or removed; NULL if another daemon is at work on all of them.
--
-- The first time, all are written in one transaction: whoever finds any traits may rely on finding those of every entry
-- that is older than the last call. What the application's table says of an entry may be NULL: it is in no status, or
-- was seen no time.
CREATE OR REPLACE FUNCTION pattern_sync.keep_traits(signatures text[], most bigint)
RETURNS bigint LANGUAGE plpgsql
SET enable_nestloop = off SET enable_hashjoin = on SET work_mem = '64MB' SET lock_timeout = '2s'
SET plan_cache_mode = force_generic_plan AS $$ -- a custom plan would estimate each of 200,000 names
DECLARE
    changed text[];
    written bigint;
    removed bigint;
BEGIN
    IF keep_traits.signatures IS NULL AND NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('traits')::integer
    ) THEN
        RETURN NULL;
    END IF;
    changed := pattern_sync.outdated_traits(keep_traits.signatures, CASE
        WHEN EXISTS (SELECT FROM pattern_sync.traits) THEN keep_traits.most
    END);
    INSERT INTO pattern_sync.traits AS t (
        pattern_id, row_version, status, kind, target, shape, words, confidence, occurrences, savings, impact,
        evidence, workflows, first_seen, last_seen, flags, reviewed_by, reviewed_at, created_at
    )
    SELECT
        entry.pattern_id,
        CASE WHEN shown.readable IS NULL THEN '' ELSE entry.row_version END, -- locked just now: soon once more
        entry.status,
        pattern_sync.kind_of(entry.pattern_id),
        pattern_sync.target_of(entry.pattern_id),
        pattern_sync.shape_of(entry.tool_sequence),
        pg_catalog.lower(pg_catalog.left(
            pg_catalog.concat_ws(E'\n', entry.pattern_id, entry.tool_sequence, entry.pattern_context), 2000
        )),
        entry.confidence,
        entry.occurrences,
        entry.savings,
        pattern_sync.impact(entry.confidence, entry.occurrences, entry.savings::numeric),
        shown.savings_by_evidence,
        coalesce(shown.workflows, 0::bigint),
        shown.first_seen,
        shown.last_seen,
        coalesce(shown.flags, '{}'::text[]),
        entry.reviewed_by,
        entry.reviewed_at,
        entry.created_at
    FROM (
        SELECT
            a.pattern_id::text COLLATE "default" AS pattern_id,
            pg_catalog.concat(a.xmin::text, a.ctid::text) AS row_version,
            coalesce(a.status::text, '') AS status,
            a.tool_sequence::text AS tool_sequence,
            a.pattern_context::text AS pattern_context,
            pattern_sync.figure(a.confidence_score::text::numeric)::double precision AS confidence,
            coalesce(a.occurrence_count::bigint, 0::bigint) AS occurrences,
            pattern_sync.figure(a.estimated_savings_usd::text::numeric)::double precision AS savings,
            a.reviewed_by::text AS reviewed_by,
            pattern_sync.moment(a.reviewed_at::timestamptz) AS reviewed_at,
            pattern_sync.moment(a.created_at::timestamptz) AS created_at
        FROM pattern_approvals AS a
        WHERE a.pattern_id::text = ANY (changed)
    ) AS entry
    LEFT JOIN pattern_sync.evidence(changed, NULL) AS shown ON shown.signature = entry.pattern_id
    ORDER BY entry.pattern_id -- two daemons wait for each other in one order
    ON CONFLICT (pattern_id) DO UPDATE
    SET
        row_version = EXCLUDED.row_version,
        status = EXCLUDED.status,
        shape = EXCLUDED.shape,
        words = EXCLUDED.words,
        confidence = EXCLUDED.confidence,
        occurrences = EXCLUDED.occurrences,
        savings = EXCLUDED.savings,
        impact = EXCLUDED.impact,
        evidence = EXCLUDED.evidence,
        workflows = EXCLUDED.workflows,
        first_seen = EXCLUDED.first_seen,
        last_seen = EXCLUDED.last_seen,
        flags = EXCLUDED.flags,
        reviewed_by = EXCLUDED.reviewed_by,
        reviewed_at = EXCLUDED.reviewed_at,
        created_at = EXCLUDED.created_at,
        changed_at = pg_catalog.clock_timestamp();
    GET DIAGNOSTICS written = ROW_COUNT;
    IF keep_traits.signatures IS NULL THEN
        DELETE FROM pattern_sync.traits AS t
        WHERE t.pattern_id IN (
            SELECT known.pattern_id
            FROM pattern_sync.traits AS known
            LEFT JOIN pattern_approvals AS a ON a.pattern_id::text COLLATE "default" = known.pattern_id
            WHERE a.pattern_id IS NULL
        );
    ELSE
        DELETE FROM pattern_sync.traits AS t
        WHERE t.pattern_id = ANY (keep_traits.signatures)
          AND t.pattern_id <> ALL (ARRAY(
              SELECT a.pattern_id::text FROM pattern_approvals AS a
              WHERE a.pattern_id::text = ANY (keep_traits.signatures)
          ));
    END IF;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN written + removed;
END $$;

-- The seconds since a time.
CREATE OR REPLACE FUNCTION pattern_sync.seconds_since(value timestamptz)
RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.date_part('epoch'::text, pg_catalog.now() - value)
$$;

-- The words under a key of an object, in small letters; NULL if it has no such key.
CREATE OR REPLACE FUNCTION pattern_sync.words_of(wanted jsonb, key text)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.array_agg(pg_catalog.lower(word))
    FROM pg_catalog.jsonb_array_elements_text(pg_catalog.jsonb_extract_path(wanted, key)) AS word
$$;

-- The patterns of LIKE for texts that hold the words under a key of an object, in small letters; each character of a
-- word stands for itself. NULL if it has no such key.
CREATE OR REPLACE FUNCTION pattern_sync.containing(wanted jsonb, key text)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.array_agg(
        pg_catalog.concat('%', pg_catalog.regexp_replace(word, '([\\%_])', '\\\1', 'g'), '%')
    )
    FROM pg_catalog.unnest(pattern_sync.words_of(containing.wanted, containing.key)) AS word
$$;

-- Whether a text is, in small letters, one of the words under one key of an object and none of those under another. A
-- key that is missing asks for nothing, here and below.
CREATE OR REPLACE FUNCTION pattern_sync.is_one_of(value text, wanted jsonb, key text, without_key text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (
            pattern_sync.words_of(wanted, key) IS NULL
            OR pg_catalog.lower(value) = ANY (pattern_sync.words_of(wanted, key))
        )
        AND (
            pattern_sync.words_of(wanted, without_key) IS NULL
            OR coalesce(pg_catalog.lower(value), '') <> ALL (pattern_sync.words_of(wanted, without_key))
        )
$$;

-- Whether a text is the one under a key of an object.
CREATE OR REPLACE FUNCTION pattern_sync.is_text_of(value text, wanted jsonb, key text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.jsonb_extract_path_text(wanted, key) IS NULL
        OR value = pg_catalog.jsonb_extract_path_text(wanted, key)
$$;

-- Whether something is so, or is not, as an object asks under a key.
CREATE OR REPLACE FUNCTION pattern_sync.is_so(value boolean, wanted jsonb, key text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.jsonb_extract_path_text(wanted, key) IS NULL
        OR value = pg_catalog.jsonb_extract_path_text(wanted, key)::boolean
$$;

-- Whether a figure is at least the one under one key of an object, and at most the one under another.
CREATE OR REPLACE FUNCTION pattern_sync.is_within(value double precision, wanted jsonb, least_key text, most_key text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (
            pg_catalog.jsonb_extract_path_text(wanted, least_key) IS NULL
            OR value >= pg_catalog.jsonb_extract_path_text(wanted, least_key)::double precision
        )
        AND (
            pg_catalog.jsonb_extract_path_text(wanted, most_key) IS NULL
            OR value <= pg_catalog.jsonb_extract_path_text(wanted, most_key)::double precision
        )
$$;

-- The entries with a status (NULL: any) that somebody wants to see later. They are few: a search reads them once.
CREATE OR REPLACE FUNCTION pattern_sync.asleep(status text)
RETURNS TABLE (pattern_id text) LANGUAGE sql STABLE AS $$
    SELECT s.pattern_id
    FROM pattern_sync.snoozes AS s
    JOIN pattern_sync.traits AS t ON t.pattern_id = s.pattern_id
    WHERE pattern_sync.is_asleep(s.until, s.until_savings, t.savings)
      AND (asleep.status IS NULL OR t.status = asleep.status)
$$;

-- The traits that are found: those with a status (NULL: any) that meet what is wanted, an object as domain/query.py
-- makes it, and are snoozed or not ('show' both, 'hide', 'only'), and have changed since a time (NULL: ever). It is one
-- SELECT, so that PostgreSQL inlines it.
--
-- Whoever calls it is planned for the values at hand (force_custom_plan): a condition that nobody asks for is then gone
-- before the first row is read. Else each row would be asked for all of them, and 200,000 rows take twice as long.
CREATE OR REPLACE FUNCTION pattern_sync.matching(status text, wanted jsonb, snoozed text, since timestamptz)
RETURNS TABLE (
    pattern_id text, kind text, target text, shape text, confidence double precision, occurrences bigint,
    savings double precision, impact double precision, evidence double precision, workflows bigint,
    last_seen timestamptz, flags text[], reviewed_at timestamptz, created_at timestamptz
) LANGUAGE sql STABLE AS $$
    SELECT
        t.pattern_id, t.kind, t.target, t.shape, t.confidence, t.occurrences,
        t.savings, t.impact, t.evidence, t.workflows,
        t.last_seen, t.flags, t.reviewed_at, t.created_at
    FROM pattern_sync.traits AS t
    WHERE (matching.status IS NULL OR t.status = matching.status)
      AND (matching.since IS NULL OR t.changed_at >= matching.since)
      AND (
          pattern_sync.containing(wanted, 'words') IS NULL
          OR t.words LIKE ALL (pattern_sync.containing(wanted, 'words'))
      )
      AND (
          pattern_sync.containing(wanted, 'without_words') IS NULL
          OR NOT t.words LIKE ANY (pattern_sync.containing(wanted, 'without_words'))
      )
      AND pattern_sync.is_one_of(pg_catalog.split_part(t.kind, ':', 1), wanted, 'type', 'not_type')
      AND pattern_sync.is_one_of(t.kind, wanted, 'kind', 'not_kind')
      AND pattern_sync.is_one_of(t.target, wanted, 'target', 'not_target')
      AND pattern_sync.is_one_of(
          pg_catalog.replace(t.shape, pattern_sync.arrow(), '->'), wanted, 'shape', 'not_shape'
      )
      AND pattern_sync.is_one_of(t.reviewed_by, wanted, 'by', 'not_by')
      AND (
          pattern_sync.words_of(wanted, 'flag') IS NULL
          OR pg_catalog.arraycontains(t.flags, pattern_sync.words_of(wanted, 'flag'))
      )
      AND (
          pattern_sync.words_of(wanted, 'not_flag') IS NULL
          OR NOT pg_catalog.arrayoverlap(t.flags, pattern_sync.words_of(wanted, 'not_flag'))
      )
      AND pattern_sync.is_so(
          pg_catalog.cardinality(pg_catalog.array_remove(t.flags, 'nothing-recorded'::text)) > 0, wanted, 'flagged'
      )
      AND (
          pg_catalog.jsonb_extract_path_text(wanted, 'carries') IS NULL
          OR pattern_sync.is_so(
              coalesce(t.pattern_id = (SELECT c.signature FROM pattern_sync.carrier() AS c), false), wanted, 'carries'
          )
      )
      AND (
          pg_catalog.jsonb_extract_path_text(wanted, 'folded') IS NULL
          OR pattern_sync.is_so(
              t.pattern_id IN (
                  SELECT p.pattern_id
                  FROM pattern_sync.predictions AS p
                  WHERE p.folds AND (SELECT pattern_sync.shows_likelihoods())
              ),
              wanted, 'folded'
          )
      )
      AND pattern_sync.is_text_of(t.kind, wanted, 'in_kind')
      AND pattern_sync.is_text_of(t.shape, wanted, 'in_shape')
      AND (
          pg_catalog.jsonb_extract_path_text(wanted, 'in_shape') IS NULL
          OR pg_catalog.md5(t.shape) = pg_catalog.md5(pg_catalog.jsonb_extract_path_text(wanted, 'in_shape'))
      )
      AND pattern_sync.is_text_of(t.target, wanted, 'in_target')
      AND (
          pg_catalog.jsonb_extract_path_text(wanted, 'in_flag') IS NULL
          OR pg_catalog.jsonb_extract_path_text(wanted, 'in_flag') = ANY (t.flags)
      )
      AND pattern_sync.is_within(t.savings, wanted, 'min_savings', 'max_savings')
      AND pattern_sync.is_within(t.evidence, wanted, 'min_evidence', 'max_evidence')
      AND pattern_sync.is_within(t.confidence, wanted, 'min_confidence', 'max_confidence')
      AND pattern_sync.is_within(t.occurrences::double precision, wanted, 'min_occurrences', 'max_occurrences')
      AND pattern_sync.is_within(t.workflows::double precision, wanted, 'min_workflows', 'max_workflows')
      AND pattern_sync.is_within(pattern_sync.seconds_since(t.created_at), wanted, 'min_age', 'max_age')
      AND pattern_sync.is_within(pattern_sync.seconds_since(t.last_seen), wanted, 'min_quiet', 'max_quiet')
      AND (matching.snoozed = 'show' OR (matching.snoozed = 'only') = (t.pattern_id IN (
          SELECT a.pattern_id FROM pattern_sync.asleep(matching.status) AS a
      )))
$$;

-- The names of the entries that are found, in the order of a sort, and the rank of each in it, which falls: at most
-- `most` that follow a place (rank and name; NULL: the start), after the first `skipped`. Figures and times come
-- largest first, names from A on, and equals by name. Backwards, figures rise and names fall; what has no value still
-- comes last.
CREATE OR REPLACE FUNCTION pattern_sync.find(
    status text, wanted jsonb, snoozed text, since timestamptz,
    sort text, backwards boolean, after_rank double precision, after_name text, skipped bigint, most bigint
)
RETURNS TABLE (pattern_id text, rank double precision) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF sort = 'impact' AND NOT backwards AND wanted IS NULL AND snoozed <> 'only' AND since IS NULL
        AND find.status IS NOT NULL
    THEN
        -- By the index: with 200,000 entries a sort of all for each page takes a tenth of a second.
        RETURN QUERY
        SELECT t.pattern_id, t.impact
        FROM pattern_sync.traits AS t
        WHERE t.status = find.status
          AND (after_rank IS NULL OR t.impact <= after_rank)
          AND (after_rank IS NULL OR t.impact < after_rank OR t.pattern_id > after_name)
          AND (snoozed = 'show' OR t.pattern_id NOT IN (SELECT a.pattern_id FROM pattern_sync.asleep(find.status) AS a))
        ORDER BY t.impact DESC, t.pattern_id
        OFFSET skipped LIMIT most;
        RETURN;
    END IF;
    IF sort = 'name' AND backwards THEN
        RETURN QUERY
        SELECT m.pattern_id, '-Infinity'::double precision
        FROM pattern_sync.matching(find.status, wanted, snoozed, since) AS m
        WHERE after_name IS NULL OR m.pattern_id < after_name
        ORDER BY m.pattern_id DESC
        OFFSET skipped LIMIT most;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT ranked.pattern_id, ranked.rank
    FROM (
        SELECT
            m.pattern_id,
            coalesce(
                CASE sort
                    WHEN 'impact' THEN m.impact
                    WHEN 'evidence' THEN m.evidence
                    WHEN 'expected' THEN pattern_sync.expected(
                        said.likelihood, said.folds, coalesce(m.evidence, m.savings)
                    )
                    WHEN 'savings' THEN m.savings
                    WHEN 'confidence' THEN m.confidence
                    WHEN 'occurrences' THEN m.occurrences::double precision
                    WHEN 'workflows' THEN m.workflows::double precision
                    WHEN 'queued' THEN pg_catalog.date_part('epoch'::text, m.created_at)
                    WHEN 'reviewed' THEN pg_catalog.date_part('epoch'::text, m.reviewed_at)
                    WHEN 'last-seen' THEN pg_catalog.date_part('epoch'::text, m.last_seen)
                END * CASE WHEN backwards THEN -1::double precision ELSE 1::double precision END,
                '-Infinity'::double precision
            ) AS rank
        FROM pattern_sync.matching(find.status, wanted, snoozed, since) AS m
        -- Without the sort that needs it, the planner leaves it out.
        LEFT JOIN pattern_sync.predictions AS said ON said.pattern_id = m.pattern_id
    ) AS ranked
    WHERE after_rank IS NULL
       OR ranked.rank < after_rank
       OR (ranked.rank = after_rank AND ranked.pattern_id > after_name)
    ORDER BY ranked.rank DESC, ranked.pattern_id
    OFFSET skipped LIMIT most;
END $$;

-- The names of the first entries of a status, best impact first, from the queue itself: as long as there are no traits.
CREATE OR REPLACE FUNCTION pattern_sync.find_without_traits(
    status text, after_impact double precision, after_name text, most bigint
)
RETURNS TABLE (pattern_id text, rank double precision) LANGUAGE sql STABLE AS $$
    SELECT entry.pattern_id, entry.impact
    FROM (
        SELECT
            a.pattern_id::text COLLATE "default" AS pattern_id,
            pattern_sync.impact(
                pattern_sync.figure(a.confidence_score::text::numeric)::double precision,
                a.occurrence_count::bigint,
                pattern_sync.figure(a.estimated_savings_usd::text::numeric)
            ) AS impact
        FROM pattern_approvals AS a
        WHERE a.status::text = find_without_traits.status
    ) AS entry
    WHERE after_impact IS NULL
       OR entry.impact < after_impact
       OR (entry.impact = after_impact AND entry.pattern_id > after_name)
    ORDER BY entry.impact DESC, entry.pattern_id
    LIMIT most
$$;

-- Whether a queue is so short that its traits are brought up to date before each list, which takes milliseconds. The
-- traits of a longer one are kept by the daemons.
CREATE OR REPLACE FUNCTION pattern_sync.is_short_queue()
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM pattern_approvals OFFSET 2000);
END $$;

-- Whether the caller may keep traits. Whoever may only read finds by those that others have kept.
CREATE OR REPLACE FUNCTION pattern_sync.may_keep_traits()
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT pg_catalog.current_setting('transaction_read_only')::boolean
        AND pg_catalog.has_table_privilege('pattern_sync.traits', 'INSERT')
        AND pg_catalog.has_table_privilege('pattern_sync.traits', 'UPDATE')
        AND pg_catalog.has_table_privilege('pattern_sync.traits', 'DELETE')
$$;

-- Whether every entry can be found: not before the traits of a long queue were written for the first time.
CREATE OR REPLACE FUNCTION pattern_sync.can_find()
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM pattern_sync.traits)
        OR (pattern_sync.may_keep_traits() AND pattern_sync.is_short_queue());
END $$;

-- Wait for others that bring all traits up to date, and keep them waiting until the transaction ends. Returns whether
-- they were through in time.
CREATE OR REPLACE FUNCTION pattern_sync.wait_for_traits()
RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '2s' AS $$
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('traits')::integer
    );
    RETURN true;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN false;
END $$;

-- Make what is found as new as can be had: the traits of a short queue are brought up to date, and those of any queue
-- if it is so asked. Returns whether every entry can be found: not while others take long to bring these traits up to
-- date, as they may be about to write what this caller has just changed; without such a wish, see `can_find`.
CREATE OR REPLACE FUNCTION pattern_sync.prepare_to_find(however_long boolean)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pattern_sync.may_keep_traits()
        OR NOT (prepare_to_find.however_long OR pattern_sync.is_short_queue())
    THEN
        RETURN pattern_sync.can_find();
    END IF;
    IF NOT pattern_sync.wait_for_traits() THEN
        RETURN false;
    END IF;
    PERFORM pattern_sync.keep_traits(NULL, NULL);
    RETURN true;
END $$;

-- The same as `find`, of traits that are as new as can be had. Without any, the entries of a status are found without
-- them, best impact first; so are those of a short queue for whoever may only read, as others' traits may be behind.
CREATE OR REPLACE FUNCTION pattern_sync.list(
    status text, wanted jsonb, snoozed text, since timestamptz,
    sort text, backwards boolean, after_rank double precision, after_name text, skipped bigint, most bigint
)
RETURNS TABLE (pattern_id text, rank double precision) LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pattern_sync.prepare_to_find(false)
        OR (
            list.status IS NOT NULL AND wanted IS NULL AND snoozed = 'show' AND since IS NULL
            AND sort = 'impact' AND NOT backwards AND skipped = 0::bigint
            AND NOT pattern_sync.may_keep_traits() AND pattern_sync.is_short_queue()
        )
    THEN
        RETURN QUERY SELECT f.pattern_id, f.rank
        FROM pattern_sync.find_without_traits(list.status, after_rank, after_name, most) AS f;
        RETURN;
    END IF;
    RETURN QUERY SELECT f.pattern_id, f.rank
    FROM pattern_sync.find(
        list.status, wanted, snoozed, since, sort, backwards, after_rank, after_name, skipped, most
    ) AS f;
END $$;

-- How many entries are found.
CREATE OR REPLACE FUNCTION pattern_sync.count_found(status text, wanted jsonb, snoozed text, since timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF wanted IS NULL AND since IS NULL AND snoozed <> 'only' THEN
        RETURN (
            SELECT pg_catalog.count(*) FROM pattern_sync.traits AS t
            WHERE count_found.status IS NULL OR t.status = count_found.status
        ) - CASE WHEN snoozed = 'hide' THEN (
            SELECT pg_catalog.count(*) FROM pattern_sync.asleep(count_found.status)
        ) ELSE 0::bigint END;
    END IF;
    RETURN (SELECT pg_catalog.count(*) FROM pattern_sync.matching(count_found.status, wanted, snoozed, since));
END $$;

-- How many entries are found, and their savings, claimed and by evidence.
CREATE OR REPLACE FUNCTION pattern_sync.sum_found(
    status text, wanted jsonb, snoozed text, since timestamptz,
    OUT entries bigint, OUT savings double precision, OUT evidence double precision
) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(m.savings), 0::double precision), pg_catalog.sum(m.evidence)
    INTO entries, savings, evidence
    FROM pattern_sync.matching(sum_found.status, wanted, snoozed, since) AS m;
END $$;

-- Some entries as people see them, with the place of their names in the array.
--
-- Figures are converted through text: 0.85 stored as REAL is 0.85 to a person, not 0.8500000238418579. Times without a
-- zone are in the session's zone, as for the application that wrote them.
CREATE OR REPLACE FUNCTION pattern_sync.shown_entries(signatures text[])
RETURNS TABLE (
    pattern_id text, tool_sequence text, status text, confidence_score double precision, occurrence_count bigint,
    estimated_savings_usd double precision, impact_score double precision, pattern_context text,
    example_sessions text, reviewed_by text, reviewed_at timestamptz, approval_notes text, created_at timestamptz,
    evidence text, from_pattern boolean, snooze text, mark text, likelihood double precision,
    folded boolean, place bigint
) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_nestloop = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    recorded CONSTANT jsonb := pattern_sync.evidence_by_signature(shown_entries.signatures);
    foretells CONSTANT boolean := pattern_sync.shows_likelihoods();
BEGIN
    RETURN QUERY
    SELECT
        pattern_sync.legible(a.pattern_id::text),
        coalesce(pattern_sync.legible(a.tool_sequence::text), 'Unknown'),
        coalesce(a.status::text, ''),
        figures.confidence,
        coalesce(a.occurrence_count::bigint, 0::bigint),
        figures.savings,
        pattern_sync.impact(figures.confidence, a.occurrence_count::bigint, figures.savings::numeric),
        pattern_sync.legible(a.pattern_context::text),
        pattern_sync.legible(a.example_sessions::text),
        pattern_sync.legible(a.reviewed_by::text),
        pattern_sync.moment(a.reviewed_at::timestamptz),
        pattern_sync.legible(a.approval_notes::text),
        pattern_sync.moment(a.created_at::timestamptz),
        -- Without the names, which may be bytes that no client can read.
        (recorded -> a.pattern_id::text #- '{signature}'::text[] #- '{carried,signature}'::text[])::text,
        pattern_sync.is_from_pattern(a.pattern_id::text),
        -- What is decided is not snoozed, whoever has decided it.
        CASE WHEN a.status::text = 'pending' THEN pattern_sync.snooze_of(a.pattern_id::text, figures.savings) END::text,
        CASE WHEN a.status::text = 'pending' THEN pattern_sync.mark_of(a.pattern_id::text) END::text,
        said.likelihood,
        coalesce(said.folds, false),
        pg_catalog.array_position(shown_entries.signatures, a.pattern_id::text)::bigint
    FROM pattern_approvals AS a
    CROSS JOIN LATERAL (
        SELECT
            pattern_sync.figure(a.confidence_score::text::numeric)::double precision AS confidence,
            pattern_sync.figure(a.estimated_savings_usd::text::numeric)::double precision AS savings
    ) AS figures
    LEFT JOIN (
        SELECT p.pattern_id, p.likelihood, p.folds
        FROM pattern_sync.predictions AS p
        WHERE p.pattern_id = ANY (shown_entries.signatures) AND foretells
    ) AS said ON said.pattern_id = a.pattern_id::text COLLATE "default" AND a.status::text = 'pending'
    WHERE a.pattern_id::text = ANY (shown_entries.signatures);
END $$;

-- What an entry is grouped by, which is one of its traits.
CREATE OR REPLACE FUNCTION pattern_sync.key_of(facet text, kind text, shape text, target text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE facet WHEN 'kind' THEN kind WHEN 'shape' THEN shape ELSE target END
$$;

-- The groups of what is found, by 'kind', 'shape', 'target' or 'flag': those worth most first, at most `most`, with how
-- many there are in all. An entry with several flags is in several groups. Of each group, how many were decided before,
-- by a person, and how many of these were approved.
CREATE OR REPLACE FUNCTION pattern_sync.grouped(
    status text, wanted jsonb, snoozed text, since timestamptz, facet text, most bigint
)
RETURNS TABLE (
    key text, entries bigint, savings double precision, evidence double precision,
    min_savings double precision, max_savings double precision,
    min_confidence double precision, max_confidence double precision,
    flags text, approved_before bigint, decided_before bigint, total bigint
) LANGUAGE plpgsql STABLE SET enable_nestloop = off SET plan_cache_mode = force_custom_plan SET work_mem = '64MB' AS $$
BEGIN
    RETURN QUERY
    -- Of flags there are few combinations: these are counted, and not each flag of each entry.
    WITH combined AS MATERIALIZED (
        SELECT
            m.flags,
            pg_catalog.count(*) AS entries,
            pg_catalog.sum(pg_catalog.round(m.savings * 100::double precision)) AS savings_cents,
            pg_catalog.sum(pg_catalog.round(m.evidence * 100::double precision)) AS evidence_cents,
            pg_catalog.min(m.savings) AS min_savings,
            pg_catalog.max(m.savings) AS max_savings,
            pg_catalog.min(m.confidence) AS min_confidence,
            pg_catalog.max(m.confidence) AS max_confidence
        FROM pattern_sync.matching(grouped.status, wanted, snoozed, since) AS m
        WHERE grouped.facet = 'flag'
        GROUP BY m.flags
    ),
    summed AS MATERIALIZED (
        SELECT each.*, pg_catalog.count(*) OVER () AS total
        FROM (
            SELECT
                pattern_sync.key_of(grouped.facet, m.kind, m.shape, m.target) AS key,
                pg_catalog.count(*) AS entries,
                -- In whole cents, so that the sums do not depend on the order in which a plan adds.
                pg_catalog.sum(pg_catalog.round(m.savings * 100::double precision)) AS savings_cents,
                pg_catalog.sum(pg_catalog.round(m.evidence * 100::double precision)) AS evidence_cents,
                pg_catalog.min(m.savings) AS min_savings,
                pg_catalog.max(m.savings) AS max_savings,
                pg_catalog.min(m.confidence) AS min_confidence,
                pg_catalog.max(m.confidence) AS max_confidence
            FROM pattern_sync.matching(grouped.status, wanted, snoozed, since) AS m
            WHERE grouped.facet <> 'flag'
            GROUP BY 1
            UNION ALL
            SELECT
                flag.name,
                pg_catalog.sum(c.entries)::bigint,
                pg_catalog.sum(c.savings_cents),
                pg_catalog.sum(c.evidence_cents),
                pg_catalog.min(c.min_savings),
                pg_catalog.max(c.max_savings),
                pg_catalog.min(c.min_confidence),
                pg_catalog.max(c.max_confidence)
            FROM combined AS c
            CROSS JOIN LATERAL pg_catalog.unnest(c.flags) AS flag (name)
            GROUP BY flag.name
        ) AS each
        ORDER BY each.savings_cents DESC, each.key
        LIMIT most
    ),
    flagged AS (
        SELECT each.key, pg_catalog.jsonb_object_agg(each.flag, each.entries) AS flags
        FROM (
            SELECT counted.key, flag.name AS flag, pg_catalog.sum(counted.entries)::bigint AS entries
            FROM (
                SELECT keyed.key, keyed.flags, pg_catalog.count(*) AS entries
                FROM (
                    SELECT pattern_sync.key_of(grouped.facet, m.kind, m.shape, m.target) AS key, m.flags
                    FROM pattern_sync.matching(grouped.status, wanted, snoozed, since) AS m
                    WHERE grouped.facet <> 'flag'
                ) AS keyed
                WHERE keyed.key IN (SELECT s.key FROM summed AS s)
                GROUP BY keyed.key, keyed.flags
                UNION ALL
                SELECT flag.name, c.flags, c.entries
                FROM combined AS c
                CROSS JOIN LATERAL pg_catalog.unnest(c.flags) AS flag (name)
            ) AS counted
            CROSS JOIN LATERAL pg_catalog.unnest(counted.flags) AS flag (name)
            GROUP BY counted.key, flag.name
        ) AS each
        GROUP BY each.key
    ),
    decided AS (
        SELECT
            each.key,
            pg_catalog.count(*) FILTER (WHERE each.status = 'approved') AS approved,
            pg_catalog.count(*) AS decided
        FROM (
            SELECT pattern_sync.key_of(grouped.facet, t.kind, t.shape, t.target) AS key, t.status
            FROM pattern_sync.traits AS t
            WHERE t.status IN ('approved', 'rejected') AND grouped.facet <> 'flag'
            UNION ALL
            SELECT flag.name, t.status
            FROM pattern_sync.traits AS t
            CROSS JOIN LATERAL pg_catalog.unnest(t.flags) AS flag (name)
            WHERE t.status IN ('approved', 'rejected') AND grouped.facet = 'flag'
        ) AS each
        GROUP BY each.key
    )
    SELECT
        s.key, s.entries, s.savings_cents / 100::double precision, s.evidence_cents / 100::double precision,
        s.min_savings, s.max_savings, s.min_confidence, s.max_confidence,
        f.flags::text, coalesce(d.approved, 0::bigint), coalesce(d.decided, 0::bigint), s.total
    FROM summed AS s
    LEFT JOIN flagged AS f ON f.key = s.key
    LEFT JOIN decided AS d ON d.key = s.key
    ORDER BY s.savings_cents DESC, s.key;
END $$;

-- The entries that may be like one: those of its kind with a status, and their shapes, best impact first.
CREATE OR REPLACE FUNCTION pattern_sync.of_the_same_kind(signature text, status text, most bigint)
RETURNS TABLE (pattern_id text, shape text) LANGUAGE sql STABLE AS $$
    SELECT t.pattern_id, t.shape
    FROM pattern_sync.traits AS t
    WHERE t.kind = (SELECT one.kind FROM pattern_sync.traits AS one WHERE one.pattern_id = of_the_same_kind.signature)
      AND (t.status = of_the_same_kind.status OR t.pattern_id = of_the_same_kind.signature)
    ORDER BY t.pattern_id = of_the_same_kind.signature DESC, t.impact DESC, t.pattern_id
    LIMIT most
$$;
