-- Metrics in databases of other encodings: units are hashed as UTF-8 where the encoding is known, else as they are.
SET client_encoding = 'UTF8';
CREATE DATABASE regress_llm_latin1 ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C';
CREATE DATABASE regress_llm_ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C';
\set origin :DBNAME

-- the same bucket and the same unit in all three
SELECT featbit.metric_agg('mcc', 'ä', ARRAY['ä'], 'zoë');
SELECT featbit.metric_agg('accuracy', 'ä', ARRAY['ä'], 'zoë');
\c regress_llm_latin1
SET client_encoding = 'UTF8';
CREATE EXTENSION featbit_pg;
SELECT getdatabaseencoding(), featbit.metric_agg('mcc', 'ä', ARRAY['ä'], 'zoë');
SELECT featbit.metric_agg('accuracy', 'ä', ARRAY['ä'], 'zoë');
-- the binary form speaks the encoding of the client
SELECT featbit.metric_state_send(featbit.metric_agg('mcc', 'ä', ARRAY['ä'], 'zoë'));
CREATE TEMP TABLE state AS SELECT featbit.metric_agg('mcc', 'ä', ARRAY['ö'], 'zoë') AS state;
CREATE TEMP TABLE again (LIKE state);
\copy state to program 'cat > "$PG_ABS_BUILDDIR/results/llm_encoding.bin"' (format binary)
\copy again from program 'cat "$PG_ABS_BUILDDIR/results/llm_encoding.bin"' (format binary)
SELECT a.state::text = s.state::text AS same, a.state FROM again a, state s;
\c regress_llm_ascii
CREATE EXTENSION featbit_pg;
SELECT getdatabaseencoding(), featbit.metric_agg('mcc', 'ä', ARRAY['ä'], 'zoë');
SELECT featbit.metric_agg('accuracy', 'ä', ARRAY['ä'], 'zoë');
-- bytes that are no text in any encoding
SELECT (e).n, (e).value, state::text::featbit.metric_state::text = state::text AS same
FROM (
	SELECT featbit.metric('f1_macro', p, ARRAY[g], u) AS e, featbit.metric_agg('f1_macro', p, ARRAY[g], u) AS state
	FROM (VALUES (E'\xff', E'\xff', E'\xfe'), (E'\xff\x80', E'\xff', E'\xc3')) v(p, g, u)
) s;
\c :origin
DROP DATABASE regress_llm_latin1;
DROP DATABASE regress_llm_ascii;
