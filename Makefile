# featbit_pg: feature flags, experiments and LLM evaluation inside PostgreSQL
#
# "make help" lists the targets. PG_CONFIG names the PostgreSQL installation to build for.

EXTENSION = featbit_pg
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" featbit_pg.control)
MODULE_big = featbit_pg
OBJS := $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

# The install script is concatenated from fragments, one per concern, in order of dependency.
SQL_PARTS = \
	sql/schema.sql \
	sql/flags/tables.sql \
	sql/flags/evaluation.sql \
	sql/flags/row.sql \
	sql/flags/explain.sql \
	sql/flags/preview.sql \
	sql/flags/management.sql \
	sql/flags/lifecycle.sql \
	sql/flags/views.sql \
	sql/flags/featbit.sql \
	sql/metrics/mathematics.sql \
	sql/metrics/stats.sql \
	sql/metrics/stats_rows.sql \
	sql/metrics/quantile.sql \
	sql/metrics/variation_stats.sql \
	sql/metrics/variation_quantiles.sql \
	sql/metrics/units.sql \
	sql/metrics/unit_agg.sql \
	sql/metrics/comparison.sql \
	sql/metrics/robust.sql \
	sql/metrics/proportion.sql \
	sql/metrics/sequential.sql \
	sql/metrics/bayes.sql \
	sql/metrics/design.sql \
	sql/metrics/preference.sql \
	sql/metrics/featbit.sql \
	sql/facts/tracking.sql \
	sql/facts/results.sql \
	sql/featbit/insights.sql \
	sql/featbit/shadow.sql \
	sql/experiments/tables.sql \
	sql/experiments/metrics.sql \
	sql/experiments/management.sql \
	sql/experiments/lifecycle.sql \
	sql/experiments/units.sql \
	sql/experiments/map.sql \
	sql/experiments/states.sql \
	sql/experiments/decision.sql \
	sql/experiments/results.sql \
	sql/experiments/monitoring.sql \
	sql/experiments/report.sql \
	sql/experiments/operation.sql \
	sql/llm/metric.sql \
	sql/llm/scores.sql \
	sql/llm/text.sql \
	sql/featbit/import.sql \
	sql/featbit/tables.sql \
	sql/featbit/follow.sql \
	sql/featbit/export.sql \
	sql/featbit/native.sql \
	sql/flags/access.sql
FULL_SCRIPT = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(FULL_SCRIPT)

PG_CPPFLAGS = -Isrc
PG_CFLAGS = -ffp-contract=off -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers $(WERROR)
SHLIB_LINK = -lm

# Inputs of pg_regress live in test/, outputs in expected/. ISOLATION stays empty, not merely blank, without specs.
REGRESS := $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
# The databases of the tests do not take encoding and locale from the server.
REGRESS_OPTS = --inputdir=test --load-extension=featbit_pg --encoding=UTF8 --no-locale
ISOLATION := $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=featbit_pg --encoding=UTF8 --no-locale
# TAP tests make clusters of their own, which PostgreSQL does not allow to root.
ifneq ($(shell id -u),0)
ifneq (,$(wildcard test/t/*.pl))
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl
endif
endif

EXTRA_CLEAN = $(FULL_SCRIPT) $(OBJS:=.d) $(OBJS:.o=.bc.d) build

PG_CONFIG ?= pg_config
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))

# These targets need no PostgreSQL at hand: they fetch what is missing and then enter make again. They stay apart from
# PGXS, which has a "check" of its own.
OWN_TARGETS = help check demo bench property fuzz simulate compare-featbit-sdk

ifneq (,$(filter $(OWN_TARGETS),$(MAKECMDGOALS)))

.PHONY: $(MAKECMDGOALS)

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

# A shell starts background jobs with SIGINT ignored, which would make the server outlive the shell.
check demo bench property fuzz simulate compare-featbit-sdk:
	@exec env --default-signal=INT MAKE='$(MAKE)' bash test/bin/$@

$(filter-out $(OWN_TARGETS),$(MAKECMDGOALS)):
	@$(MAKE) $@

else ifeq (,$(PGXS))

.PHONY: all install uninstall installcheck clean
all install uninstall installcheck:
	@echo "$(EXTENSION): '$(PG_CONFIG) --pgxs' finds no PostgreSQL to build for: install postgresql-server-dev, or set PG_CONFIG" >&2; exit 1

clean:
	rm -rf $(EXTENSION).so $(OBJS) $(OBJS:.o=.bc) $(EXTRA_CLEAN)

else

include $(PGXS)

# Calls between the files of the extension need no indirection: nobody replaces them. PCRE2 is loaded when a pattern is first
# compiled (see src/core/fb_regex.c); elsewhere than on Linux it is linked.
ifeq ($(PORTNAME),linux)
SHLIB_LINK += -Wl,-Bsymbolic-functions
override CPPFLAGS += -DFB_PCRE2_LIBRARY='"libpcre2-8.so.0"'
else
SHLIB_LINK += -lpcre2-8
endif

# Every compilation notes the headers it read, the bitcode's apart from the object's.
FB_CPPFLAGS := $(CPPFLAGS)
override CPPFLAGS = $(FB_CPPFLAGS) -MMD -MP -MF $@.d
-include $(wildcard $(OBJS:=.d) $(OBJS:.o=.bc.d))

# Objects of another PostgreSQL or compiler are built anew.
BUILT_FOR := $(shell $(PG_CONFIG) --version) $(shell $(PG_CONFIG) --includedir-server) $(CC)
$(shell mkdir -p build; [ "$$(cat build/built-for 2>/dev/null)" = "$(BUILT_FOR)" ] || echo "$(BUILT_FOR)" >build/built-for)
$(OBJS) $(OBJS:.o=.bc): build/built-for

UNLISTED = $(filter-out $(SQL_PARTS),$(wildcard sql/*/*.sql))
$(FULL_SCRIPT): $(SQL_PARTS) featbit_pg.control Makefile
	$(if $(UNLISTED),$(error not in SQL_PARTS: $(UNLISTED)))
	cat $(SQL_PARTS) >$@.new && mv $@.new $@

ifeq ($(with_llvm),yes)
# The compiler of the bitcode sees the sources with the warnings of the build, too.
.PHONY: second-compiler
second-compiler:
	$(CLANG) $(BITCODE_CFLAGS) -Wno-ignored-attributes $(PG_CFLAGS) -Werror $(FB_CPPFLAGS) -fsyntax-only $(OBJS:.o=.c)
endif

.DELETE_ON_ERROR:

endif

#: make               build for the PostgreSQL of pg_config (or PG_CONFIG=/path/to/pg_config)
#: make install       install there (as a user who may write there: sudo make install)
#: make check         build, install, and run every test on a private server
#: make demo          build, install, and show the extension at work on a private server
#: make bench         build, install, and measure on a private server
#: make property      build, install, and compare 100,000 random flags in every way of evaluation (FLAGS=n, SEED=n)
#: make fuzz          give the fuzzers of src/core a million random inputs each (FUZZ_RUNS=n, FUZZ="name ...", SEED=n)
#: make simulate      simulate experiments with known truth and compare the statistics' errors with their targets (FACTOR=n times the replications)
#: make compare-featbit-sdk  let FeatBit's Node SDK read an export, and compare 10,000 users of 50 flags (FEATBIT_SDK_FLAGS, _USERS, _SEED)
#: make installcheck  run the regression, isolation and TAP tests against a running server (PGHOST, PGPORT)
#: make clean         remove what was built
#:
#: check, demo, bench, property and compare-featbit-sdk first install what is missing (on Debian, as root or by sudo), start a private server on a Unix
#: socket in a temporary directory, and leave nothing running. fuzz needs clang with libFuzzer; check runs the fuzzers for some
#: seconds where it is there.
#:
#: Variables of make bench:
#:   SECTIONS="evaluation rules many cold socket sdk statistics"   only these sections
#:   BENCH_USERS=n  BENCH_ROWS=n  BENCH_ROUNDS=n  BENCH_CONNECTIONS=n  BENCH_SECONDS=n  BENCH_RUNS=n  BENCH_CLIENTS="n ..."
#:   BENCH_SDK_USERS=n  BENCH_SDK_WARMUP=n    sizes, see test/bench
#: Variables of make check:
#:   TESTS_ONLY="tree core regress isolation tap docs"   only these sections
#:   REGRESS="name ..."  ISOLATION="name ..."  TAP="test/t/name.pl ..."  CORE="test_name ..."  DOCS="README.md ..."
#:                       only these tests of a section
#:   FEATBIT_LOAD_BACKENDS=8  FEATBIT_LOAD_SECONDS=4
#:                       how many backends test/t/sessions.pl lets evaluate, and how long, while one changes flags
#: Results and logs of the last run are in build/check.
