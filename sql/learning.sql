-- Learning: what people's decisions teach, and what was foretold of each. The text is ASCII, as a database may be
-- LATIN1.
--
-- A prediction is stored while its entry is pending, and a decision takes it along. Nothing ever writes one to a
-- decision that is made: what is compared later was said before.

-- The lesson of a decision, with what was seen: the same for those that teach the same, as they are of one batch and on
-- one shape.
CREATE OR REPLACE FUNCTION pattern_sync.lesson_of(signature text, batch bigint, shown jsonb)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(batch::text || ' ' || pg_catalog.jsonb_extract_path_text(shown, 'traits', 'shape'), signature)
$$;

-- What tells whether the traits of an entry were written anew.
CREATE OR REPLACE FUNCTION pattern_sync.version_of(changed_at timestamptz)
RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.round(pg_catalog.date_part('epoch'::text, changed_at) * 1000000::double precision)::bigint
$$;

-- What was foretold of people's decisions that were not undone, each with a number that rises: of a pattern only the
-- first, as the model may have learned from it afterwards. It never learns from a rule's, which are left out. `lesson`
-- is as by `people_decided`.
CREATE OR REPLACE FUNCTION pattern_sync.foretold()
RETURNS TABLE (
    lesson text, number bigint, approved boolean, reviewer text, likelihood double precision, folded boolean
) LANGUAGE sql STABLE AS $$
    SELECT
        pattern_sync.lesson_of(first.pattern_id, first.batch_id, first.shown),
        first.id, first.decision = 'approved'::text, first.reviewer, first.likelihood, first.folded
    FROM (
        SELECT DISTINCT ON (d.pattern_id) d.*
        FROM pattern_sync.decisions AS d
        WHERE d.decision IN ('approved', 'rejected')
        ORDER BY d.pattern_id, d.id
    ) AS first
    WHERE first.likelihood IS NOT NULL AND first.undone_at IS NULL
$$;

-- The newest model, which alone counts; no row if nothing was learned.
CREATE OR REPLACE FUNCTION pattern_sync.newest_model()
RETURNS TABLE (
    id bigint, trained_at timestamptz, lessons bigint, model text, digest text, gate jsonb, shown boolean
) LANGUAGE sql STABLE AS $$
    SELECT m.id, m.trained_at, m.lessons, m.model, m.digest, m.gate, m.shown
    FROM pattern_sync.models AS m
    ORDER BY m.id DESC
    LIMIT 1
$$;

-- Whether entries have likelihoods.
CREATE OR REPLACE FUNCTION pattern_sync.shows_likelihoods()
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT m.shown FROM pattern_sync.newest_model() AS m), false)
$$;

-- The rank of an entry by what it is expected to bring, USD a month: what folds away comes after all others, in the
-- same order. NULL if nothing was foretold.
CREATE OR REPLACE FUNCTION pattern_sync.expected(likelihood double precision, folds boolean, worth double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN folds
            THEN -1::double precision
                / (1::double precision + likelihood * greatest(worth, 0::double precision))
        ELSE likelihood * greatest(worth, 0::double precision)
    END
$$;

-- Keep a model that was learned from so many lessons, in place of the one with this id (NULL: none). Returns its id;
-- NULL if another daemon has kept one meanwhile, or is doing so. Whether likelihoods are shown stays until the gate is
-- looked at.
CREATE OR REPLACE FUNCTION pattern_sync.keep_model(replaced bigint, lessons bigint, model text, digest text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    kept bigint;
BEGIN
    IF NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('model')::integer
    ) OR (SELECT pg_catalog.max(m.id) FROM pattern_sync.models AS m) IS DISTINCT FROM keep_model.replaced THEN
        RETURN NULL;
    END IF;
    INSERT INTO pattern_sync.models (lessons, model, digest, shown)
    VALUES (keep_model.lessons, keep_model.model, keep_model.digest, pattern_sync.shows_likelihoods())
    RETURNING id INTO kept;
    RETURN kept;
END $$;

-- The traits of pending entries of which a model has foretold nothing yet, or that have changed since, by name: at most
-- `most` after one. What a newer model has foretold, its own daemon keeps up to date. Names that no client can read are
-- left out.
--
-- Mostly there is nothing: then all are compared at once, by hashing, whatever is estimated of a table that was just
-- filled. After a first page there is much: then the indexes of both tables are walked side by side up to the next
-- page, so that a million entries are not compared for each page anew.
CREATE OR REPLACE FUNCTION pattern_sync.unforetold(model bigint, after text, most bigint)
RETURNS TABLE (
    pattern_id text, confidence double precision, occurrences bigint, savings double precision,
    evidence double precision, workflows double precision, days_seen double precision,
    kind text, target text, shape text, version bigint
) LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET enable_mergejoin = off SET enable_hashjoin = on SET work_mem = '64MB'
SET enable_seqscan = on SET enable_bitmapscan = on SET enable_sort = on SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF unforetold.after <> '' THEN
        PERFORM
            pg_catalog.set_config(planned.name, planned.setting, true)
        FROM (
            VALUES
                ('enable_mergejoin', 'on'), ('enable_hashjoin', 'off'), ('enable_seqscan', 'off'),
                ('enable_bitmapscan', 'off'), ('enable_sort', 'off')
        ) AS planned (name, setting);
    END IF;
    RETURN QUERY
    SELECT
        t.pattern_id, t.confidence, t.occurrences, t.savings, t.evidence,
        coalesce(t.workflows, 0::bigint)::double precision,
        pattern_sync.days_between(t.first_seen, t.last_seen),
        pattern_sync.legible(t.kind), pattern_sync.legible(t.target), pattern_sync.legible(t.shape),
        pattern_sync.version_of(t.changed_at)
    FROM pattern_sync.traits AS t
    LEFT JOIN (
        SELECT f.pattern_id, f.model_id, f.traits_version
        FROM pattern_sync.predictions AS f
        WHERE f.pattern_id > unforetold.after
    ) AS p ON p.pattern_id = t.pattern_id
    WHERE t.status = 'pending'
      AND t.pattern_id > unforetold.after
      AND (
          p.pattern_id IS NULL
          OR p.model_id < unforetold.model
          OR (p.model_id = unforetold.model AND p.traits_version <> pattern_sync.version_of(t.changed_at))
      )
      AND t.pattern_id = pattern_sync.legible(t.pattern_id)
    ORDER BY t.pattern_id
    LIMIT unforetold.most;
END $$;

-- Keep what a model foretells of some entries, in lists beside their names; what a newer one has foretold stays.
-- Returns false, with nothing written, if another daemon is just doing so.
CREATE OR REPLACE FUNCTION pattern_sync.keep_predictions(
    model bigint, signatures text[], likelihoods double precision[], folds boolean[], versions bigint[]
)
RETURNS boolean LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('predictions')::integer
    ) THEN
        RETURN false;
    END IF;
    INSERT INTO pattern_sync.predictions AS p (pattern_id, model_id, likelihood, folds, traits_version)
    SELECT said.pattern_id, keep_predictions.model, said.likelihood, said.folds, said.version
    FROM ROWS FROM (
        pg_catalog.unnest(keep_predictions.signatures),
        pg_catalog.unnest(keep_predictions.likelihoods),
        pg_catalog.unnest(keep_predictions.folds),
        pg_catalog.unnest(keep_predictions.versions)
    ) AS said (pattern_id, likelihood, folds, version)
    ON CONFLICT (pattern_id) DO UPDATE
    SET
        model_id = EXCLUDED.model_id, likelihood = EXCLUDED.likelihood, folds = EXCLUDED.folds,
        traits_version = EXCLUDED.traits_version
    WHERE p.model_id <= EXCLUDED.model_id;
    RETURN true;
END $$;
