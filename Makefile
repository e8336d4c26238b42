# align: sales-and-marketing alignment inside PostgreSQL
#
#   make, make install    build and install, as for any PGXS extension (PG_CONFIG=... chooses the PostgreSQL)
#   make installcheck     pg_regress and isolation tests against the server that the PG* variables name
#   make test             all tests, in throwaway clusters; installs what is missing when run by root
#   make demo             a tour with its own throwaway cluster; DATA=folder tells it on your own CSV, KEEP=1 keeps it running
#   make matrix           the tests on PostgreSQL 17 and 18 too, in chroots
#   make bench            measurements side by side

# The folder of `make demo DATA=folder`: PGXS has another use for the name.
DEMO_DATA := $(DATA)

EXTENSION = align
MODULE_big = align
EXTVERSION = 0.6.0

# One module per room; the order is that of their dependencies.
SQL_MODULES = schema calendar funnel lead campaign judge infer attribute conversion rates events sequence incidence process paths agreement attachment explain history alerts leads reports
SQL_SOURCES = $(SQL_MODULES:%=sql/align/%.sql)
# The version before, and the modules that it did not have.
PREVIOUS_VERSION = 0.5.0
NEW_MODULES = events sequence incidence process paths
CURRENT_SCRIPT = sql/align--$(EXTVERSION).sql

OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

DATA_built = $(CURRENT_SCRIPT)
DATA = $(wildcard sql/released/*.sql sql/upgrade/*.sql)

REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --outputdir=test --load-extension=align
ISOLATION = $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=test/output_iso --load-extension=align

# The lists of campaigns, made into tables by awk.
CAMPAIGN_TABLES = src/campaign/tables.h
CAMPAIGN_DATA = src/campaign/data

# The queries of reports, made into C by awk.
REPORT_BODIES = src/report/report_bodies.h
REPORT_FILES = $(sort $(wildcard sql/report/*.sql)) $(sort $(wildcard sql/report/parts/*.sql)) $(sort $(wildcard sql/report/stored/*.sql)) $(sort $(wildcard sql/report/table/*.sql)) $(sort $(wildcard sql/report/page/*.sql))

EXTRA_CLEAN = $(REPORT_BODIES) $(REPORT_BODIES).tmp $(CAMPAIGN_TABLES) $(CAMPAIGN_TABLES).tmp test/expected test/results test/output_iso test/regression.diffs test/regression.out

PG_CONFIG ?= pg_config
PG_CPPFLAGS = -Isrc
WARNINGS = -Wall -Wextra -Wno-ignored-attributes $(if $(WERROR),-Werror)
PG_CFLAGS = -std=gnu99 $(WARNINGS) -isystem $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)

# The front doors work before there is a PostgreSQL to build for, so PGXS is
# read only where it is.
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)

$(CURRENT_SCRIPT): $(SQL_SOURCES)
	cat $^ >$@

$(CAMPAIGN_TABLES): $(wildcard $(CAMPAIGN_DATA)/*.tsv) $(CAMPAIGN_DATA)/tables.awk
	LC_ALL=C $(AWK) -f $(CAMPAIGN_DATA)/tables.awk list=ga4 $(CAMPAIGN_DATA)/ga4_sources.tsv \
		list=ai $(CAMPAIGN_DATA)/ai_assistants.tsv list=own $(CAMPAIGN_DATA)/own_sources.tsv \
		list=clicks $(CAMPAIGN_DATA)/click_ids.tsv list=words $(CAMPAIGN_DATA)/words.tsv >$@.tmp
	mv $@.tmp $@
src/campaign/lists.o src/campaign/lists.bc: $(CAMPAIGN_TABLES)

$(REPORT_BODIES): $(REPORT_FILES) sql/report/bodies.awk
	LC_ALL=C $(AWK) -f sql/report/bodies.awk $(REPORT_FILES) >$@.tmp
	mv $@.tmp $@
src/report/body.o src/report/body.bc: $(REPORT_BODIES)

# For developers: the delta to this version ends with the modules that are new, and
# with the comments of others that are; what comes before is written by hand.  Released
# deltas stay as they are.
DELTA = sql/upgrade/align--$(PREVIOUS_VERSION)--$(EXTVERSION).sql
OLD_SOURCES = $(filter-out $(NEW_MODULES:%=sql/align/%.sql),$(SQL_SOURCES))
.PHONY: delta
delta:
	sed -i '/^-- Comments that are new/q' $(DELTA)
	sql/upgrade/comments sql/released/align--$(PREVIOUS_VERSION).sql $(OLD_SOURCES) >>$(DELTA)
	cat $(NEW_MODULES:%=sql/align/%.sql) </dev/null >>$(DELTA)

$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h src/*/*.h)

# pg_regress has no --expecteddir before 16: it looks below --inputdir.
installcheck: test/expected
test/expected:
	ln -s ../expected $@
else
all install installcheck uninstall clean:
	@echo "align: no pg_config of a PostgreSQL with server headers (try: make test, which installs it, or PG_CONFIG=/path/to/pg_config)" >&2; exit 1
endif

# For developers: the sections on views in the documentation.
.PHONY: docs/reports.md
docs/reports.md:
	sed -i '/^<!-- From here on/q' $@
	LC_ALL=C awk -f sql/report/docs.awk $(sort $(wildcard sql/report/*.sql)) >>$@

# These scripts look for a PostgreSQL themselves, unless one is asked for: make
# hands them PG_CONFIG and other settings that were given in the environment or
# on its command line.
.PHONY: test demo matrix bench
test:
	@test/run
demo:
	@DATA='$(DEMO_DATA)' sql/demo/run
matrix:
	@test/matrix
bench:
	@CONF="$$(cat test/bench/postgresql.conf)" test/cluster test/bench/run
