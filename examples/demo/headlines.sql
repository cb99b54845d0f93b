-- == 3. 4,873 real experiments in one statement ==
-- Between 2013 and 2015 Upworthy tested headlines and images on its readers (source and licence:
-- examples/data/headline_tests). Each row is one arm of a test.

CREATE TABLE headline (test_id text, test_week int, arm int, impressions bigint, clicks bigint,
                       headline text, image_id text);
\copy headline from program 'zcat examples/data/headline_tests/headline_tests.csv.gz' csv header

ANALYZE headline;

SELECT count(DISTINCT test_id) AS tests, count(*) AS arms,
       sum(impressions) AS impressions, sum(clicks) AS clicks
FROM headline;

--?
SELECT demo.expect('the archive', format('%s tests, %s arms, %s impressions', count(DISTINCT test_id), count(*), sum(impressions)),
    '4873 tests, 22666 arms, 81024151 impressions')
FROM headline
\g /dev/null

-- One statement analyses all of it. Per test it checks that the arms got equal traffic, as planned
-- (p < .001 says no). It compares every arm with the first of its test, and adjusts the p-values of
-- all comparisons together (Benjamini-Hochberg; where nobody clicked there is nothing to test).

\timing on
CREATE TABLE result AS
WITH test AS (
    SELECT test_id, min(test_week) AS week, array_agg(impressions ORDER BY arm) AS counts
    FROM headline
    GROUP BY test_id
), checked AS (
    SELECT test_id, week, srm.p_value AS srm_p, srm.p_value < 0.001 AS srm_failed
    FROM test, featbit.srm_test(counts) AS srm
), compared AS (
    SELECT arm.test_id, arm.arm, arm.headline, arm.clicks::float8 / arm.impressions AS rate,
           e.effect AS lift, e.ci_low, e.ci_high, e.p_value,
           row_number() OVER (ORDER BY arm.test_id, arm.arm) AS i
    FROM headline AS arm
    JOIN headline AS base ON base.test_id = arm.test_id AND base.arm = 1 AND arm.arm > 1,
         featbit.effect(featbit.stats_from_counts(base.impressions, base.clicks),
                        featbit.stats_from_counts(arm.impressions, arm.clicks)) AS e
), adjusted AS (
    SELECT a.i, a.p_adjusted
    FROM (SELECT featbit.adjust_p(array_agg(p_value ORDER BY i), 'BH') AS p FROM compared) AS f,
         unnest(p) WITH ORDINALITY AS a(p_adjusted, i)
)
SELECT test_id, week, srm_p, srm_failed, arm, headline, rate, lift, ci_low, ci_high, p_value,
       p_adjusted, row_number() OVER (PARTITION BY test_id ORDER BY rate DESC, arm) = 1 AS best
FROM compared JOIN adjusted USING (i) JOIN checked USING (test_id);
\timing off

--?
SELECT demo.expect('the comparisons',
    format('%s comparisons, %s tested, %s tests', count(*), count(p_adjusted), count(*) FILTER (WHERE best)),
    '17793 comparisons, 17789 tested, 4873 tests')
FROM result
\g /dev/null

-- The archive's authors report that randomisation was at fault in these weeks; the check finds it:

SELECT CASE WHEN week BETWEEN 201326 AND 201402 THEN '2013-26 to 2014-02' ELSE 'other' END
           AS weeks, count(*) AS tests, count(*) FILTER (WHERE srm_failed) AS unequal_traffic,
       round(100.0 * count(*) FILTER (WHERE srm_failed) / count(*), 1) AS percent
FROM result
WHERE best
GROUP BY weeks
ORDER BY weeks;

--?
SELECT demo.expect('the sample-ratio check',
    format('%s of %s, %s of %s', count(*) FILTER (WHERE srm_failed AND fault), count(*) FILTER (WHERE fault),
           count(*) FILTER (WHERE srm_failed AND NOT fault), count(*) FILTER (WHERE NOT fault)),
    '708 of 1055, 45 of 3818')
FROM (SELECT srm_failed, week BETWEEN 201326 AND 201402 AS fault FROM result WHERE best) AS test
\g /dev/null

-- Of each test, the arm with the highest click rate is shown, the first one apart. It wins where it
-- beats the first with an adjusted p below 0.05; a test with unequal traffic has no winner.

SELECT count(*) AS tests, count(*) FILTER (WHERE p_adjusted < 0.05 AND lift > 0) AS better,
       count(*) FILTER (WHERE p_adjusted < 0.05 AND lift > 0 AND srm_failed) AS not_counted,
       count(*) FILTER (WHERE p_adjusted < 0.05 AND lift > 0 AND NOT srm_failed) AS winners
FROM result
WHERE best;

--?
SELECT demo.expect('the winners', count(*), 525::bigint)
FROM result
WHERE best AND p_adjusted < 0.05 AND lift > 0 AND NOT srm_failed
\g /dev/null

-- The twenty with the strongest evidence, with the adjusted p. "!" marks a test with unequal traffic.
-- The bar is the 95 % interval of the click rate, as a multiple of that of the first arm. Who picks
-- the largest of thousands should expect a little less than the dots say.

\pset border 0
SELECT CASE WHEN srm_failed THEN '!' ELSE ' ' END AS " ", left(headline, 34) AS headline,
       lpad(to_char(100 * lift, 'FMSG999') || '%', 5) AS lift,
       to_char(p_adjusted, '9EEEE') AS p,
       demo.bar(ci_low, lift, ci_high) AS "¼      ½      1      2      4      8     16"
FROM result
WHERE best
ORDER BY p_value
LIMIT 20;
