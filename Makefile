# align: sales-and-marketing alignment inside PostgreSQL
EXTENSION = align
MODULE_big = align
EXTVERSION = 0.1.0

# One module per room; the order is that of their dependencies.
SQL_MODULES = schema calendar funnel lead judge conversion agreement
SQL_SOURCES = $(SQL_MODULES:%=sql/align/%.sql)
CURRENT_SCRIPT = sql/align--$(EXTVERSION).sql

OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))

DATA_built = $(CURRENT_SCRIPT)
DATA = $(wildcard sql/released/*.sql sql/upgrade/*.sql)

REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --outputdir=test

EXTRA_CLEAN = test/expected test/results test/regression.diffs test/regression.out

PG_CONFIG ?= pg_config
PG_CPPFLAGS = -Isrc
WARNINGS = -Wall -Wextra -Wno-ignored-attributes $(if $(CI)$(WERROR),-Werror)
PG_CFLAGS = -std=gnu99 $(WARNINGS) -isystem $(shell $(PG_CONFIG) --includedir-server)

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(CURRENT_SCRIPT): $(SQL_SOURCES)
	cat $^ >$@
