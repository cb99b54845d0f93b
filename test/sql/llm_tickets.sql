-- Real answers of a language model under three prompts at five temperatures: examples/data/support_tickets.
CREATE TEMP TABLE ticket (key text PRIMARY KEY, source_split text, body text, label text);
CREATE TEMP TABLE answer (prompt text, temperature float8, key text, predicted text);
CREATE TEMP TABLE run (model text, prompt text, temperature float8, n int, correct int, total_latency_ms float8,
                       prompt_tokens int, completion_tokens int, cost_usd float8);
\copy ticket from program 'cat "$PG_ABS_SRCDIR/../examples/data/support_tickets/tickets.csv"' (format csv, header)
\copy answer from program 'cat "$PG_ABS_SRCDIR/../examples/data/support_tickets/predictions.csv"' (format csv, header)
\copy run from program 'cat "$PG_ABS_SRCDIR/../examples/data/support_tickets/runs.csv"' (format csv, header)

-- the number of right answers that the source states for every run
SELECT prompt, temperature, r.correct, (e).n, round((e).value::numeric, 4) AS accuracy, round((e).lo::numeric, 4) AS lo,
       round((e).hi::numeric, 4) AS hi, round((e).value * (e).n) = r.correct AND (e).n = r.n AS ok
FROM run r JOIN (
	SELECT prompt, temperature, featbit.metric('accuracy', predicted, ARRAY[label], key) AS e
	FROM answer JOIN ticket USING (key) GROUP BY prompt, temperature
) s USING (prompt, temperature)
ORDER BY prompt, temperature;

-- every metric at temperature 0
SELECT prompt, name, round((e).value::numeric, 4) AS value, round((e).se::numeric, 4) AS se,
       round((e).lo::numeric, 4) AS lo, round((e).hi::numeric, 4) AS hi
FROM (
	SELECT prompt, name, featbit.metric(name, predicted, ARRAY[label], key) AS e
	FROM answer JOIN ticket USING (key),
	     unnest(ARRAY['accuracy', 'precision_macro', 'precision_micro', 'precision_weighted', 'recall_macro', 'recall_micro',
	                  'recall_weighted', 'f1_macro', 'f1_micro', 'f1_weighted', 'mcc']) AS name
	WHERE temperature = 0
	GROUP BY prompt, name
) s
ORDER BY name, prompt;

-- all temperatures together: a ticket is one unit with five answers, not five units
SELECT prompt, round((one).value::numeric, 4) AS value, round((one).se::numeric, 4) AS clustered, round((five).se::numeric, 4) AS as_if_independent
FROM (
	SELECT prompt, featbit.metric('f1_macro', predicted, ARRAY[label], key) AS one, featbit.metric('f1_macro', predicted, ARRAY[label]) AS five
	FROM answer JOIN ticket USING (key) GROUP BY prompt
) s
ORDER BY prompt;
