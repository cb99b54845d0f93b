-- == 1. Which prompt reads support tickets best? ==
-- 68 insurance tickets with their true category, and the categories that a language model really
-- gave them under three prompts (source and licence: examples/data/support_tickets).

CREATE TABLE ticket (key text PRIMARY KEY, source_split text, body text, label text);
CREATE TABLE answer (prompt text, temperature float8, key text, predicted text);
CREATE TABLE run (model text, prompt text, temperature float8, n int, correct int,
                  total_latency_ms float8, prompt_tokens int, completion_tokens int,
                  cost_usd float8);
\copy ticket from 'examples/data/support_tickets/tickets.csv' csv header
\copy answer from 'examples/data/support_tickets/predictions.csv' csv header
\copy run from 'examples/data/support_tickets/runs.csv' csv header

-- The aggregate featbit.metric gives a value with its 95 % interval. The label of a ticket is what is
-- right, the ticket is what was sampled.

SELECT prompt, round((accuracy).value * (accuracy).n) || '/' || (accuracy).n AS "right",
       round((accuracy).value::numeric, 4) AS accuracy,
       round((accuracy).lo::numeric, 3) AS lo, round((accuracy).hi::numeric, 3) AS hi,
       round((f1).value::numeric, 4) AS macro_f1,
       round((f1).lo::numeric, 3) AS lo, round((f1).hi::numeric, 3) AS hi
FROM (
    SELECT prompt, featbit.metric('accuracy', predicted, ARRAY[label], key) AS accuracy,
           featbit.metric('f1_macro', predicted, ARRAY[label], key) AS f1
    FROM answer JOIN ticket USING (key)
    WHERE temperature = 0
    GROUP BY prompt
) AS evaluated
ORDER BY (accuracy).value;

--?
SELECT demo.expect('the evaluation of prompts',
    string_agg(format('%s %s/%s %s', prompt, round((a).value * (a).n), (a).n, round((f).value::numeric, 4)), ', ' ORDER BY prompt),
    'rag 64/68 0.9433, rag_chain_of_thought 65/68 0.9498, simple 48/68 0.6753')
FROM (
    SELECT prompt, featbit.metric('accuracy', predicted, ARRAY[label], key) AS a,
           featbit.metric('f1_macro', predicted, ARRAY[label], key) AS f
    FROM answer JOIN ticket USING (key) WHERE temperature = 0 GROUP BY prompt
) e
WHERE (a).lo < (a).value AND (a).value < (a).hi AND (f).lo < (f).value AND (f).value < (f).hi
\g /dev/null

-- The prompt with retrieved examples and a chain of thought is ahead of the simple one by far more
-- than chance; its tokens cost more:

SELECT prompt, round((total_latency_ms / n / 1000)::numeric, 1) AS seconds_per_ticket,
       round((cost_usd / n * 1000)::numeric, 2) AS usd_per_1000_tickets
FROM run
WHERE temperature = 0
ORDER BY usd_per_1000_tickets;

-- Is it worth that to users? The two prompts become the variations of a flag: nine users in ten keep
-- the baseline, one in ten gets the new prompt, and the support team always does.

--.
SELECT featbit.create_flag('ticket-model', $$[
    {"key": "simple",
     "value": {"model": "claude-3-haiku-20240307", "prompt": "simple"}},
    {"key": "rag-cot",
     "value": {"model": "claude-3-haiku-20240307", "prompt": "rag_chain_of_thought"}}
]$$, off_variation => 'simple', description => 'Which prompt reads support tickets');

--.
SELECT featbit.create_segment('support-team', included => ARRAY['ana', 'ben', 'chloe']);
--.
SELECT featbit.add_rule('ticket-model',
    '{"id": "team", "when": {"segment": "support-team"}, "serve": {"variation": "rag-cot"}}');
--.
SELECT featbit.set_rollout('ticket-model',
    '[{"variation": "simple", "weight": 90}, {"variation": "rag-cot", "weight": 10}]');

