-- Pairs of texts: a reference of 15 to 35 words, and the same with a fifth of the words changed or left out.
DROP TABLE IF EXISTS bench_pair, bench_word;
CREATE TABLE bench_word AS
SELECT n, translate(substr(md5(n::text), 1, 3 + n % 6), '0123456789', 'ghijklmnop') AS word FROM generate_series(0, 999) n;
ANALYZE bench_word;
CREATE TABLE bench_pair AS
SELECT i, string_agg(CASE WHEN h % 10 > 1 THEN r.word WHEN h % 10 = 1 THEN p.word END, ' ' ORDER BY k) AS pred, string_agg(r.word, ' ' ORDER BY k) AS ref
FROM (SELECT i, k, abs(hashint8(i::bigint * 100 + k)::bigint) AS h FROM generate_series(1, :pairs) i, generate_series(1, 15 + i % 21) k) t
JOIN bench_word r ON r.n = h / 7 % 1000 JOIN bench_word p ON p.n = h / 100 % 1000
GROUP BY i;
VACUUM ANALYZE bench_pair;
