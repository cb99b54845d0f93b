-- Measures statements inside the server: CPU time of the backend (wall time where the system does not tell), each run between
-- two runs of the reference, in an order that rotates from round to round.

CREATE SCHEMA bench;
CREATE TABLE bench.statement (label text PRIMARY KEY, position serial, sql text NOT NULL);
CREATE TABLE bench.sample (round int, label text, ms float8, reference_ms float8);

-- milliseconds on a CPU since the backend started; the system keeps nanoseconds for each process in schedstat
CREATE FUNCTION bench.cpu_ms() RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
    RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e6;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

CREATE FUNCTION bench.clock() RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN bench.cpu_ms() IS NULL THEN 'wall time' ELSE 'CPU time' END
$$;

-- runs a statement once and tells the milliseconds
CREATE FUNCTION bench.time(sql text, wall boolean) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    cpu float8 := bench.cpu_ms();
    started timestamptz := clock_timestamp();
BEGIN
    EXECUTE sql;
    IF wall OR cpu IS NULL THEN
        RETURN 1000 * extract(epoch FROM clock_timestamp() - started);
    END IF;
    RETURN bench.cpu_ms() - cpu;
END $$;

-- reference: a label; wall => true where workers of a parallel query do the work, whose CPU time nobody adds up
CREATE PROCEDURE bench.run(rounds int, reference text DEFAULT NULL, wall boolean DEFAULT false) LANGUAGE plpgsql AS $$
DECLARE
    s record;
    n int := (SELECT count(*) FROM bench.statement);
    reference_sql text := (SELECT sql FROM bench.statement WHERE label = reference);
    before float8;
    after float8;
    ms float8;
BEGIN
    DELETE FROM bench.sample;
    FOR r IN 0 .. rounds LOOP
        before := NULL;
        FOR s IN SELECT * FROM bench.statement WHERE reference IS NULL OR label <> reference ORDER BY (position + r) % n LOOP
            IF reference_sql IS NOT NULL AND before IS NULL THEN
                before := bench.time(reference_sql, wall);
            END IF;
            ms := bench.time(s.sql, wall);
            -- round 0 warms the caches
            IF reference_sql IS NULL THEN
                INSERT INTO bench.sample SELECT r, s.label, ms WHERE r > 0;
            ELSE
                after := bench.time(reference_sql, wall);
                INSERT INTO bench.sample SELECT r, s.label, ms, (before + after) / 2 WHERE r > 0;
                INSERT INTO bench.sample SELECT r, reference, after, (before + after) / 2 WHERE r > 0;
                before := after;
            END IF;
            COMMIT;
        END LOOP;
    END LOOP;
END $$;

-- median and quartiles of each statement, and the median of its ratio to the reference beside it (in the same round
-- where the runs were not bracketed); less: milliseconds that no statement can avoid, taken from both sides of the ratio
CREATE FUNCTION bench.report(reference text, less text DEFAULT NULL)
    RETURNS TABLE (label text, median_ms numeric, quartiles_ms text, ratio numeric, ratio_quartiles text)
LANGUAGE sql AS $$
    WITH floor AS (SELECT coalesce((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM bench.sample f WHERE f.label = less), 0) AS ms),
    paired AS (
        SELECT s.label, s.ms, (s.ms - floor.ms) / nullif(coalesce(s.reference_ms, r.ms) - floor.ms, 0) AS ratio
        FROM bench.sample s CROSS JOIN floor
        LEFT JOIN bench.sample r ON r.round = s.round AND r.label = reference AND s.reference_ms IS NULL)
    SELECT p.label, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY p.ms)::numeric, 1),
        format('%s-%s', round(percentile_cont(0.25) WITHIN GROUP (ORDER BY p.ms)::numeric, 1),
            round(percentile_cont(0.75) WITHIN GROUP (ORDER BY p.ms)::numeric, 1)),
        round(percentile_cont(0.5) WITHIN GROUP (ORDER BY p.ratio)::numeric, 3),
        format('%s-%s', round(percentile_cont(0.25) WITHIN GROUP (ORDER BY p.ratio)::numeric, 2),
            round(percentile_cont(0.75) WITHIN GROUP (ORDER BY p.ratio)::numeric, 2))
    FROM paired p JOIN bench.statement t ON t.label = p.label
    GROUP BY p.label, t.position ORDER BY t.position
$$;
