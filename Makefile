# featbit_pg: feature flags, experiments and LLM evaluation inside PostgreSQL
EXTENSION = featbit_pg
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" featbit_pg.control)
MODULE_big = featbit_pg
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

# The install script is concatenated from fragments, one per concern, in order of dependency.
SQL_PARTS = \
	sql/schema.sql \
	sql/flags/tables.sql \
	sql/flags/evaluation.sql \
	sql/flags/management.sql \
	sql/metrics/mathematics.sql \
	sql/metrics/stats.sql \
	sql/metrics/comparison.sql \
	sql/facts/tracking.sql \
	sql/facts/results.sql \
	sql/llm/metric.sql
FULL_SCRIPT = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(FULL_SCRIPT)

PG_CPPFLAGS = -Isrc
PG_CFLAGS = -ffp-contract=off -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers $(WERROR)
SHLIB_LINK = -lpcre2-8 -lm

TESTS = $(sort $(wildcard test/sql/*.sql))
REGRESS = $(patsubst test/sql/%.sql,%,$(TESTS))
REGRESS_OPTS = --inputdir=test --load-extension=featbit_pg
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=featbit_pg
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

EXTRA_CLEAN = $(FULL_SCRIPT)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

all: $(FULL_SCRIPT)

$(FULL_SCRIPT): $(SQL_PARTS) featbit_pg.control
	cat $(SQL_PARTS) > $@
