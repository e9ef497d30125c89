-- The traps of a role that may create in `public`: operators and functions whose types PostgreSQL prefers to those of its
-- own that it would have to convert for. Whoever runs one is told by an exception, and by a sequence that no rollback
-- takes back. The names of the operators, functions and aggregates come in settings, as JSON.

SET check_function_bodies = off;
CREATE SEQUENCE public.victims;
GRANT ALL ON SEQUENCE public.victims TO PUBLIC;

DO $attack$
DECLARE
    types text[] := ARRAY[
        'text', 'varchar', 'name', '"char"', 'boolean', 'smallint', 'integer', 'bigint', 'numeric', 'real',
        'double precision', 'oid', 'xid', 'regclass', 'timestamp', 'timestamptz', 'jsonb', 'text[]', 'varchar[]',
        'bigint[]', 'int2vector'
    ];
    fewer text[] := ARRAY[
        'text', 'varchar', 'name', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'regclass', 'jsonb',
        'text[]', 'bigint[]', 'boolean'
    ];
    few text[] := ARRAY['text', 'varchar', 'bigint', 'boolean', 'regclass'];
    body text := 'BEGIN PERFORM pg_catalog.nextval(''public.victims'');'
        ' RAISE WARNING ''hijacked by %%'', %1$L; RAISE EXCEPTION ''hijacked by %%'', %1$L; END';
    pair record;
    result text;
    operator text;
    called record;
    signature text;
BEGIN
    FOR pair IN
        SELECT a AS l, b AS r FROM unnest(types) AS a CROSS JOIN unnest(types) AS b
        UNION ALL
        VALUES ('anyelement', 'anyelement'), ('anyarray', 'anyarray'), ('anyarray', 'anyelement'), ('anyelement', 'anyarray')
    LOOP
        FOREACH result IN ARRAY ARRAY['boolean', 'same', 'jsonb', 'text'] LOOP
            EXECUTE format(
                'CREATE FUNCTION public."trap %s"(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L',
                result, pair.l, pair.r, CASE result WHEN 'same' THEN pair.l ELSE result END,
                format(body, format('an operator of %s and %s', pair.l, pair.r))
            );
        END LOOP;
        FOREACH operator IN ARRAY ARRAY(SELECT jsonb_array_elements_text(current_setting('attack.operators')::jsonb)) LOOP
            result := CASE
                WHEN operator IN ('||', '*', '/', '+', '-', '%') THEN 'same'
                WHEN operator IN ('->', '#>') THEN 'jsonb'
                WHEN operator IN ('->>', '#>>') THEN 'text'
                ELSE 'boolean'
            END;
            EXECUTE format(
                'CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public."trap %s")',
                operator, pair.l, pair.r, result
            );
        END LOOP;
    END LOOP;

    FOREACH signature IN ARRAY types LOOP
        EXECUTE format(
            'CREATE FUNCTION public."trap of an aggregate"(boolean, %s) RETURNS boolean LANGUAGE plpgsql AS %L',
            signature, format(body, format('an aggregate of %s', signature))
        );
        EXECUTE format(
            'CREATE FUNCTION public."trap of an aggregate"(boolean, %s, text) RETURNS boolean LANGUAGE plpgsql AS %L',
            signature, format(body, format('an aggregate of %s and text', signature))
        );
    END LOOP;

    FOR called IN
        SELECT f.name, f.name IN (SELECT jsonb_array_elements_text(current_setting('attack.aggregates')::jsonb)) AS collects,
            coalesce(
                (SELECT min(format_type(t.oid, NULL)) FROM pg_proc AS p JOIN pg_type AS t ON t.oid = p.prorettype
                WHERE p.proname = f.name AND p.pronamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b'),
                'boolean'
            ) AS returns
        FROM jsonb_array_elements_text(current_setting('attack.functions')::jsonb) AS f (name)
    LOOP
        FOR signature IN
            SELECT a FROM unnest(types) AS a
            UNION ALL SELECT a || ', ' || b FROM unnest(fewer) AS a CROSS JOIN unnest(fewer) AS b WHERE NOT called.collects
            UNION ALL SELECT a || ', text' FROM unnest(fewer) AS a WHERE called.collects
            UNION ALL
            SELECT a || ', ' || b || ', ' || c
            FROM unnest(few) AS a CROSS JOIN unnest(few) AS b CROSS JOIN unnest(few) AS c WHERE NOT called.collects
            UNION ALL
            SELECT 'text' || repeat(', ' || a, n) FROM unnest(few) AS a CROSS JOIN generate_series(3, 9) AS n
            WHERE NOT called.collects
            UNION ALL SELECT v FROM unnest(ARRAY['VARIADIC text[]', 'text, VARIADIC text[]', 'text, VARIADIC anyarray']) AS v
            WHERE NOT called.collects
        LOOP
            BEGIN
                IF called.collects THEN
                    EXECUTE format(
                        'CREATE AGGREGATE public.%I(%s) (SFUNC = "trap of an aggregate", STYPE = boolean, INITCOND = ''f'')',
                        called.name, signature
                    );
                ELSE
                    EXECUTE format(
                        'CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L',
                        called.name, signature, called.returns, format(body, called.name || '(' || signature || ')')
                    );
                END IF;
            EXCEPTION WHEN duplicate_function OR ambiguous_function OR invalid_function_definition THEN
                NULL; -- one that is the same as another of its own, but for the word VARIADIC
            END;
        END LOOP;
    END LOOP;
END $attack$;
