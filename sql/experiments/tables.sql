-- experiments: what is compared, since when and by which metrics

CREATE TABLE featbit.experiment (
	environment text COLLATE "C" NOT NULL,
	key text COLLATE "C" NOT NULL,
	name text,
	description text,
	flag_key text COLLATE "C",
	rule_id text COLLATE "C",
	control text COLLATE "C" NOT NULL,
	variations text[] NOT NULL,
	assignment jsonb NOT NULL,
	activation text COLLATE "C",
	dimensions jsonb NOT NULL DEFAULT '{}',
	identity jsonb,
	clusters jsonb,
	lookback interval,
	method text COLLATE "C" NOT NULL DEFAULT 'sequential' CHECK (method OPERATOR(pg_catalog.=) ANY (ARRAY['fixed', 'sequential', 'group_sequential', 'bayes'])),
	alpha double precision NOT NULL DEFAULT 0.05 CHECK (alpha OPERATOR(pg_catalog.>) 0 AND alpha OPERATOR(pg_catalog.<) 1),
	planned_n bigint CHECK (planned_n OPERATOR(pg_catalog.>) 0),
	planned_end timestamptz,
	looks double precision[],
	spending text COLLATE "C" NOT NULL DEFAULT 'of',
	prior_sd double precision CHECK (prior_sd OPERATOR(pg_catalog.>) 0),
	multiplicity text COLLATE "C" NOT NULL,
	search_path text NOT NULL,
	archived boolean NOT NULL DEFAULT false,
	revision bigint NOT NULL,
	updated_at timestamptz NOT NULL,
	updated_by text NOT NULL,
	PRIMARY KEY (environment, key)
);

COMMENT ON TABLE featbit.experiment IS 'experiments: written by create_experiment, update_experiment and archive_experiment; when they ran is in featbit.experiment_iteration';
COMMENT ON COLUMN featbit.experiment.environment IS 'environment of the experiment';
COMMENT ON COLUMN featbit.experiment.key IS 'name of the experiment: letters, digits, dot, underscore and hyphen, at most 128 bytes';
COMMENT ON COLUMN featbit.experiment.name IS 'name for people';
COMMENT ON COLUMN featbit.experiment.description IS 'the hypothesis';
COMMENT ON COLUMN featbit.experiment.flag_key IS 'flag whose variations are compared; NULL when the assignment is not a flag''s';
COMMENT ON COLUMN featbit.experiment.rule_id IS 'rule of the flag whose users are compared; NULL: the users that the fallthrough dealt';
COMMENT ON COLUMN featbit.experiment.control IS 'variation that the others are compared with';
COMMENT ON COLUMN featbit.experiment.variations IS 'variations that are compared, the control first';
COMMENT ON COLUMN featbit.experiment.assignment IS 'who saw which variation when: {"kind": "tracking"} the exposures of expose, {"kind": "relation"} a relation of the user''s, {"kind": "replay"} a relation of visits, for which the flag''s history says what they saw';
COMMENT ON COLUMN featbit.experiment.activation IS 'metric whose first event after the exposure makes a unit count, and starts its clock; NULL: the exposure itself does';
COMMENT ON COLUMN featbit.experiment.dimensions IS 'what results can be sliced by: name: source, unit and value';
COMMENT ON COLUMN featbit.experiment.identity IS 'relation that says which anonymous keys belong to which unit; NULL: none';
COMMENT ON COLUMN featbit.experiment.clusters IS 'relation that says which units were randomised together; NULL: each by itself';
COMMENT ON COLUMN featbit.experiment.lookback IS 'covariate window in place of those of the metrics; NULL: as they say';
COMMENT ON COLUMN featbit.experiment.method IS 'fixed, sequential, group_sequential or bayes';
COMMENT ON COLUMN featbit.experiment.alpha IS 'probability of a false alarm';
COMMENT ON COLUMN featbit.experiment.planned_n IS 'planned number of units in all variations';
COMMENT ON COLUMN featbit.experiment.planned_end IS 'planned end';
COMMENT ON COLUMN featbit.experiment.looks IS 'shares of planned_n at which a group sequential design looks';
COMMENT ON COLUMN featbit.experiment.spending IS 'error spending function of a group sequential design, as of group_bounds';
COMMENT ON COLUMN featbit.experiment.prior_sd IS 'standard deviation of the relative effect that method bayes expects; NULL: a flat prior';
COMMENT ON COLUMN featbit.experiment.multiplicity IS 'adjustment over goal metrics and variations: a method of adjust_p, or e-BH';
COMMENT ON COLUMN featbit.experiment.search_path IS 'search path in which sources and expressions were read';
COMMENT ON COLUMN featbit.experiment.archived IS 'true: kept for the record; its metrics may be deleted';
COMMENT ON COLUMN featbit.experiment.revision IS 'number of this version; it also grows when a metric of the experiment changes';
COMMENT ON COLUMN featbit.experiment.updated_at IS 'when this version was written';
COMMENT ON COLUMN featbit.experiment.updated_by IS 'session user who wrote this version';

CREATE TABLE featbit.experiment_metric (
	environment text COLLATE "C" NOT NULL,
	experiment_key text COLLATE "C" NOT NULL,
	metric_key text COLLATE "C" NOT NULL,
	role text COLLATE "C" NOT NULL CHECK (role OPERATOR(pg_catalog.=) ANY (ARRAY['goal', 'guardrail', 'secondary'])),
	margin double precision,
	place integer NOT NULL,
	PRIMARY KEY (environment, experiment_key, metric_key)
);

COMMENT ON TABLE featbit.experiment_metric IS 'metrics of experiments and their roles';
COMMENT ON COLUMN featbit.experiment_metric.environment IS 'environment of the experiment';
COMMENT ON COLUMN featbit.experiment_metric.experiment_key IS 'the experiment';
COMMENT ON COLUMN featbit.experiment_metric.metric_key IS 'the metric';
COMMENT ON COLUMN featbit.experiment_metric.role IS 'goal: decides; guardrail: must not get worse by more than its margin; secondary: is shown';
COMMENT ON COLUMN featbit.experiment_metric.margin IS 'relative loss that a guardrail tolerates, 0.01 is one percent';
COMMENT ON COLUMN featbit.experiment_metric.place IS 'order of the metrics';

CREATE TABLE featbit.experiment_iteration (
	environment text COLLATE "C" NOT NULL,
	experiment_key text COLLATE "C" NOT NULL,
	iteration integer NOT NULL,
	flag_iteration integer,
	started_at timestamptz NOT NULL,
	stopped_at timestamptz,
	CHECK (stopped_at OPERATOR(pg_catalog.>=) started_at),
	PRIMARY KEY (environment, experiment_key, iteration)
);

COMMENT ON TABLE featbit.experiment_iteration IS 'when experiments ran';
COMMENT ON COLUMN featbit.experiment_iteration.environment IS 'environment of the experiment';
COMMENT ON COLUMN featbit.experiment_iteration.experiment_key IS 'the experiment';
COMMENT ON COLUMN featbit.experiment_iteration.iteration IS 'number of the run, from 1';
COMMENT ON COLUMN featbit.experiment_iteration.flag_iteration IS 'iteration of the flag in this run; each deals the users anew';
COMMENT ON COLUMN featbit.experiment_iteration.started_at IS 'exposures count from here on';
COMMENT ON COLUMN featbit.experiment_iteration.stopped_at IS 'and before this moment; NULL while it runs';

CREATE TABLE featbit.experiment_epoch (
	environment text COLLATE "C" NOT NULL,
	experiment_key text COLLATE "C" NOT NULL,
	iteration integer NOT NULL,
	started_at timestamptz NOT NULL,
	weights jsonb NOT NULL,
	PRIMARY KEY (environment, experiment_key, iteration, started_at)
);

COMMENT ON TABLE featbit.experiment_epoch IS 'planned weights of experiments over time, where they were given; without rows those of the flag''s history hold';
COMMENT ON COLUMN featbit.experiment_epoch.environment IS 'environment of the experiment';
COMMENT ON COLUMN featbit.experiment_epoch.experiment_key IS 'the experiment';
COMMENT ON COLUMN featbit.experiment_epoch.iteration IS 'run of the experiment';
COMMENT ON COLUMN featbit.experiment_epoch.started_at IS 'since when the weights hold';
COMMENT ON COLUMN featbit.experiment_epoch.weights IS 'object of variation and weight';

SELECT pg_catalog.pg_extension_config_dump('featbit.experiment', '');
SELECT pg_catalog.pg_extension_config_dump('featbit.experiment_metric', '');
SELECT pg_catalog.pg_extension_config_dump('featbit.experiment_iteration', '');
SELECT pg_catalog.pg_extension_config_dump('featbit.experiment_epoch', '');
