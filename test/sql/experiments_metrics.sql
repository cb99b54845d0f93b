-- metrics: definition, what is refused and with which words, rights, changes
CREATE EXTENSION IF NOT EXISTS featbit_pg;
SET featbit.environment = 'test_metrics';
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset null '-'
CREATE SCHEMA metrics;
SET search_path = metrics, public;
CREATE TABLE orders (user_id bigint, ordered_at timestamptz, amount numeric, status text, paid boolean, shipped timestamp, took interval, place point);
CREATE VIEW paid_orders AS SELECT * FROM orders WHERE paid;

-- what is stored: as it was written, and with qualified names
SELECT featbit.create_metric('revenue', 'sum', 'orders', time_column => 'ordered_at', value => 'amount * 2', filter => $$status = 'paid'$$, lookback => '14 days', cap => 1000, minimum_effect => 0.02);
SELECT featbit.create_metric('orders', 'count', 'SELECT user_id, ordered_at AS at FROM orders WHERE paid -- only these', time_column => 'at');
SELECT featbit.create_metric('slow', 'quantile', 'paid_orders', time_column => 'ordered_at', value => 'extract(epoch FROM took)', quantile => 0.9, direction => 'decrease');
SELECT key, kind, source, value, filter, delay, lookback, cap, direction, minimum_effect, mature_only, search_path, revision FROM featbit.metric_definition WHERE environment = 'test_metrics' ORDER BY key;
SELECT key, compiled ->> 'source' ~ 'metrics\.' AS qualified, compiled ->> 'unit' AS unit, compiled ->> 'unit_type' AS type, compiled ->> 'time' AS time, compiled ->> 'value_type' AS value_type
	FROM featbit.metric_definition WHERE environment = 'test_metrics' ORDER BY key;

-- sources
SELECT featbit.create_metric('m', 'count', 'ordres', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'count', 'metrics.order', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'count', 'nothing.like:this', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'count', '  ', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'count');
SELECT featbit.create_metric('m', 'count', 'SELECT user_id, amoun FROM orders', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'count', 'SELECT user_id, ordered_at FROM orders WHERE', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'count', 'SELECT 1; DROP TABLE orders', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'count', 'WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'count', 'SELECT user_id, user_id, ordered_at FROM orders', time_column => 'ordered_at');
CREATE TEMPORARY TABLE passing (user_id bigint, ordered_at timestamptz);
SELECT featbit.create_metric('m', 'count', 'passing', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'count', 'SELECT * FROM passing', time_column => 'ordered_at');
SELECT count(*) AS orders_left FROM pg_class WHERE oid = 'orders'::regclass;
-- columns
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'orderd_at');
SELECT featbit.create_metric('m', 'count', 'orders');
SELECT featbit.create_metric('m', 'count', 'orders', 'userid', 'ordered_at');
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'shipped');
SELECT featbit.create_metric('m', 'count', 'orders', 'place', 'ordered_at');
-- expressions
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'amout');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 's.amout + 1');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'sum(amount)');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'sum(amount) OVER ()');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'generate_series(1, 3)');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'amount +');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'amount) AS x FROM orders; --');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'amount, status');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'amunt(status)');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'took');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'amount', filter => 'status');
SELECT featbit.create_metric('m', 'ratio', 'orders', time_column => 'ordered_at', value => 'amount', denominator => 'status');
SELECT featbit.create_metric('m', 'funnel', 'orders', time_column => 'ordered_at', steps => '{paid,amount}');
-- parts that do not fit the kind
SELECT featbit.create_metric('m', 'conversoin', 'orders', time_column => 'ordered_at');
SELECT featbit.create_metric('a b', 'conversion', 'orders', time_column => 'ordered_at');
SELECT featbit.create_metric(NULL, 'conversion', 'orders', time_column => 'ordered_at');
SELECT featbit.create_metric('revenue', 'conversion', 'orders', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'retention', 'orders', time_column => 'ordered_at', value => 'amount');
SELECT featbit.create_metric('m', 'retention', 'orders', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'ratio', 'orders', time_column => 'ordered_at', value => 'amount');
SELECT featbit.create_metric('m', 'sum', 'orders', time_column => 'ordered_at', value => 'amount', denominator => '1');
SELECT featbit.create_metric('m', 'quantile', 'orders', time_column => 'ordered_at', value => 'amount');
SELECT featbit.create_metric('m', 'quantile', 'orders', time_column => 'ordered_at', value => 'amount', quantile => 90);
SELECT featbit.create_metric('m', 'funnel', 'orders', time_column => 'ordered_at');
SELECT featbit.create_metric('m', 'funnel', 'orders', time_column => 'ordered_at', steps => '{paid}');
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', delay => '-1 day');
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', attribution_window => '0');
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', lookback => '0');
SELECT featbit.create_metric('m', 'retention', 'orders', time_column => 'ordered_at', attribution_window => '1 day', lookback => '1 day');
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', cap => -1);
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', cap => 1, cap_quantile => 0.5);
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', cap_quantile => 99);
SELECT featbit.create_metric('m', 'conversion', 'orders', time_column => 'ordered_at', cap => 1);
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', direction => 'up');
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', minimum_effect => 0);
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', mature_only => true);
SELECT featbit.create_metric('m', 'count', 'orders', time_column => 'ordered_at', event_name => 'x');
SELECT featbit.create_metric('m', 'count', event_name => 'x');
SELECT count(*) FROM featbit.metric_definition WHERE environment = 'test_metrics';

-- what track records needs no source
SELECT featbit.create_tracking('metrics_facts');
SELECT featbit.create_metric('m', 'count');
SELECT featbit.create_metric('signed-up', 'conversion', event_name => 'sign''up', filter => 'value > 3');
SELECT source, unit_column, time_column, filter FROM featbit.metric_definition WHERE environment = 'test_metrics' AND key = 'signed-up';

-- changes
SELECT featbit.update_metric('revenue', '{"value": "amount", "minimum_effect": 0.05, "lookback": null}');
SELECT value, compiled ->> 'value' = 'orders.amount' OR compiled ->> 'value' ~ 'amount$' AS compiled, minimum_effect, lookback, revision FROM featbit.metric_definition WHERE environment = 'test_metrics' AND key = 'revenue';
SET search_path = public;
-- names are found in the search path of the definition
SELECT featbit.update_metric('revenue', '{"filter": "status = ''shipped''"}');
SELECT featbit.update_metric('revenue', '{"values": "amount"}');
SELECT featbit.update_metric('revenue', '{"value": "amuont"}');
SELECT featbit.update_metric('revenue', '[]');
SELECT featbit.update_metric('revenue', '{"cap": 5}', 1);
SELECT featbit.update_metric('revenu', '{}');
SELECT featbit.delete_metric('revenu');
SELECT featbit.create_experiment('uses', NULL, '{revenue}', control => 'a', variations => '{a,b}', assignment => '{"source": "SELECT 1::bigint AS user_id, now() AS exposed_at, ''a'' AS variation"}');
SELECT featbit.delete_metric('revenue');
SELECT featbit.update_metric('revenue', '{"cap": 5}');
SELECT revision FROM featbit.experiment WHERE environment = 'test_metrics' AND key = 'uses';
SELECT featbit.archive_experiment('uses');
SELECT featbit.delete_metric('revenue');
SELECT featbit.delete_metric('revenue');

-- rights: a metric reads what its reader may read, and no more
CREATE ROLE regress_metrics_manager;
CREATE ROLE regress_metrics_analyst;
GRANT USAGE ON SCHEMA metrics TO regress_metrics_manager, regress_metrics_analyst;
CREATE TABLE metrics.salary (user_id bigint, paid_at timestamptz, amount numeric);
INSERT INTO metrics.salary VALUES (1, '2026-01-02', 5), (2, '2026-01-02', 7);
GRANT SELECT (user_id, paid_at) ON metrics.salary TO regress_metrics_manager;
SELECT featbit.grant_access('regress_metrics_manager', 'manage', 'test_metrics'), featbit.grant_access('regress_metrics_analyst', 'analyse', 'test_metrics');
SET ROLE regress_metrics_manager;
SELECT featbit.create_metric('pay', 'sum', 'metrics.salary', time_column => 'paid_at', value => 'amount');
SELECT featbit.create_metric('pay', 'sum', 'SELECT * FROM metrics.salary', time_column => 'paid_at', value => 'amount');
SELECT featbit.create_metric('paid', 'conversion', 'metrics.salary', time_column => 'paid_at');
SELECT featbit.create_metric('paid', 'conversion', 'metrics.salary', time_column => 'paid_at', environment => 'test_other');
RESET ROLE;
SELECT featbit.create_metric('pay', 'sum', 'metrics.salary', time_column => 'paid_at', value => 'amount');
SELECT featbit.create_experiment('wages', NULL, '{pay}', control => 'a', variations => '{a,b}',
	assignment => '{"source": "SELECT g::bigint AS user_id, timestamptz ''2026-01-01'' AS exposed_at, CASE g WHEN 1 THEN ''a'' ELSE ''b'' END AS variation FROM generate_series(1, 2) g"}');
SELECT featbit.start_experiment('wages', '2026-01-01');
SELECT metric, variation, users, mean FROM featbit.experiment_results('wages', '2026-02-01');
SET ROLE regress_metrics_analyst;
SELECT key FROM featbit.metric_definition ORDER BY key;
SELECT metric, variation, users, mean FROM featbit.experiment_results('wages', '2026-02-01');
SELECT place FROM featbit.experiment_states('wages', '2026-02-01');
SELECT check_name FROM featbit.experiment_health('wages', '2026-02-01');
SELECT featbit.delete_metric('pay');
UPDATE featbit.metric_definition SET key = 'x';
RESET ROLE;
GRANT SELECT ON metrics.salary TO regress_metrics_analyst;
SET ROLE regress_metrics_analyst;
SELECT metric, variation, users, mean FROM featbit.experiment_results('wages', '2026-02-01');
RESET ROLE;
-- nor does row-level security let it see more
ALTER TABLE metrics.salary ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON metrics.salary USING (user_id = 1);
SET ROLE regress_metrics_analyst;
SELECT metric, variation, users, mean FROM featbit.experiment_results('wages', '2026-02-01');
RESET ROLE;
-- other environments stay out of sight
SELECT featbit.create_metric('elsewhere', 'conversion', 'metrics.salary', time_column => 'paid_at', environment => 'test_metrics_2');
SET ROLE regress_metrics_manager;
SELECT environment, key FROM featbit.metric_definition ORDER BY key;
SELECT featbit.update_metric('elsewhere', '{}', environment => 'test_metrics_2');
SELECT featbit.update_metric('paid', '{"description": "whether there was pay"}');
RESET ROLE;
SELECT featbit.revoke_access('regress_metrics_manager', 'manage'), featbit.revoke_access('regress_metrics_analyst', 'analyse');
DROP OWNED BY regress_metrics_manager, regress_metrics_analyst;
DROP ROLE regress_metrics_manager, regress_metrics_analyst;
