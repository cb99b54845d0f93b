-- Metrics in databases of other encodings: units are hashed as UTF-8 where the encoding is known, else as they are.
SET client_encoding = 'UTF8';
CREATE DATABASE regress_llm_latin1 ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C';
CREATE DATABASE regress_llm_ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C';
\set origin :DBNAME

-- the same bucket and the same unit in all three
SELECT featbit.metric_agg('mcc', 'ä', ARRAY['ä'], 'zoë');
SELECT featbit.metric_agg('accuracy', 'ä', ARRAY['ä'], 'zoë');
\set texts 'SELECT featbit.levenshtein(''naïve'', ''naive'') AS distance, featbit.squad_em(''ÉA'', ARRAY[''éa'']) AS em, round(featbit.chrf(''größer'', ARRAY[''grösser''])::numeric, 6) AS chrf, round(featbit.bleu(''«a» b c'', ARRAY[''« a » b c''], ''{"tokenize": "intl"}'')::numeric, 6) AS bleu, featbit.exact_match(''Ä1'', ARRAY[''ä''], ''{"ignore_case": true, "regexes": ["[0-9]"]}'') AS exact, (featbit.rouge(''Öl für'', ''öl FÜR'')).f1 AS rouge, featbit.metric(''f1_binary'', ''ä'', ARRAY[''ä''], NULL, ''{"pos": "ä"}'') AS pos'
:texts;
\c regress_llm_latin1
SET client_encoding = 'UTF8';
CREATE EXTENSION featbit_pg;
SELECT getdatabaseencoding(), featbit.metric_agg('mcc', 'ä', ARRAY['ä'], 'zoë');
SELECT featbit.metric_agg('accuracy', 'ä', ARRAY['ä'], 'zoë');
-- texts are the same characters
:texts;
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
-- texts are UTF-8 there
:texts;
-- bytes that are no text in any encoding: labels take them, texts do not
SELECT featbit.bleu(E'\xff', ARRAY['a']);
SELECT featbit.metric('rouge_l', 'a', ARRAY[E'a\xc3']);
SELECT featbit.exact_match(E'\xff', ARRAY['a'], '{"regexes": ["a"]}');
SELECT (e).n, (e).value, state::text::featbit.metric_state::text = state::text AS same
FROM (
	SELECT featbit.metric('f1_macro', p, ARRAY[g], u) AS e, featbit.metric_agg('f1_macro', p, ARRAY[g], u) AS state
	FROM (VALUES (E'\xff', E'\xff', E'\xfe'), (E'\xff\x80', E'\xff', E'\xc3')) v(p, g, u)
) s;
\c :origin
DROP DATABASE regress_llm_latin1;
DROP DATABASE regress_llm_ascii;
