-- Measures statements inside the server, interleaved: every round runs each of them once, in an order that rotates.

CREATE SCHEMA bench;
CREATE TABLE bench.statement (label text PRIMARY KEY, position serial, sql text NOT NULL);
CREATE TABLE bench.sample (round int, label text, ms float8);

CREATE PROCEDURE bench.run(rounds int) LANGUAGE plpgsql AS $$
DECLARE
    s record;
    started timestamptz;
    n int := (SELECT count(*) FROM bench.statement);
BEGIN
    DELETE FROM bench.sample;
    FOR r IN 0 .. rounds LOOP
        FOR s IN SELECT * FROM bench.statement ORDER BY (position + r) % n LOOP
            started := clock_timestamp();
            EXECUTE s.sql;
            -- round 0 warms the caches
            IF r > 0 THEN
                INSERT INTO bench.sample VALUES (r, s.label, 1000 * extract(epoch FROM clock_timestamp() - started));
            END IF;
            COMMIT;
        END LOOP;
    END LOOP;
END $$;

-- median and quartiles of each statement, and the median of its ratio to another in the same round
CREATE FUNCTION bench.report(reference text) RETURNS TABLE (label text, median_ms numeric, quartiles_ms text, ratio numeric)
LANGUAGE sql AS $$
    SELECT s.label, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.ms)::numeric, 1),
        format('%s-%s', round(percentile_cont(0.25) WITHIN GROUP (ORDER BY s.ms)::numeric, 1),
            round(percentile_cont(0.75) WITHIN GROUP (ORDER BY s.ms)::numeric, 1)),
        round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.ms / r.ms)::numeric, 3)
    FROM bench.sample s JOIN bench.sample r ON r.round = s.round AND r.label = reference
    JOIN bench.statement t ON t.label = s.label
    GROUP BY s.label, t.position ORDER BY t.position
$$;
