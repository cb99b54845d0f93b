\echo Use "CREATE EXTENSION featbit_pg" to load this file. \quit

CREATE SCHEMA featbit;

COMMENT ON SCHEMA featbit IS 'feature flags, experiments and LLM evaluation (extension featbit_pg)';

