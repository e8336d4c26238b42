# test/lib.sh   what the scripts of the front door share; sourced, never run.
#
# Nothing here touches a PostgreSQL that was there before.  The tree is copied
# to a work folder, built there, and installed into a stage: a private copy of
# the PostgreSQL installation, below the work folder, made of symbolic links and
# of copied executables (a server finds its libraries and extensions relative to
# where its executable lies).  All servers are started from the stage, listen on
# a socket in the work folder only, and go away with it.
#
# Settings: PG_CONFIG (which PostgreSQL; default: the first found), TMPDIR,
# KEEP=1 (leave the work folder and, for the demo, the server).

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() { printf '%s\n' "$*"; }
complain() { printf '%s: %s\n' "align" "$*" >&2; }
die() { complain "$@"; exit 1; }

# Is this the pg_config of a PostgreSQL that extensions can be built for?
usable_pg_config() {
	local pgxs
	pgxs=$("$1" --pgxs 2>/dev/null) && [ -e "$pgxs" ] &&
		[ -e "$("$1" --includedir-server 2>/dev/null)/postgres.h" ]
}

# Sets PG_CONFIG if a usable one is to be found: the caller's choice, the one on
# the PATH, or the newest supported one where Debian keeps them.
find_pg_config() {
	local candidate major
	if [ -n "${PG_CONFIG:-}" ]; then
		usable_pg_config "$PG_CONFIG"
		return
	fi
	for candidate in pg_config $(for major in 18 17 16 15; do echo "/usr/lib/postgresql/$major/bin/pg_config"; done); do
		if usable_pg_config "$candidate"; then
			PG_CONFIG=$candidate
			return
		fi
	done
	return 1
}

# 15 for "PostgreSQL 15.4 (Debian ...)".
pg_major() { "$PG_CONFIG" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/'; }

# The PostgreSQL that this system's own packages bring.
distribution_major() {
	# shellcheck disable=SC1091
	case $(. /etc/os-release 2>/dev/null; echo "${VERSION_CODENAME:-}") in
		bookworm) echo 15 ;;
		trixie) echo 17 ;;
		forky) echo 18 ;;
		noble) echo 16 ;;
		*) apt-cache depends postgresql 2>/dev/null | sed -nE 's/.*Depends: postgresql-([0-9]+)$/\1/p' | head -n 1 ;;
	esac
}

perl_has() { perl "-M$1" -e 1 >/dev/null 2>&1; }

# Prints the packages that are missing for a purpose: "build" (compile, install,
# run a server) or "test" (that, and the test tools), one per line.
missing_packages() {
	local purpose=$1 major

	command -v make >/dev/null || say make
	command -v cc >/dev/null || say gcc
	echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1 || say libc6-dev
	command -v runuser >/dev/null || say util-linux

	if find_pg_config; then
		major=$(pg_major)
	elif [ -n "${PG_CONFIG:-}" ]; then
		die "PG_CONFIG=$PG_CONFIG is not the pg_config of a PostgreSQL with server headers"
	else
		major=$(distribution_major)
		[ -n "$major" ] || die "no PostgreSQL found, nor the package that brings it: set PG_CONFIG"
		say "postgresql-server-dev-$major"
	fi
	if [ -z "${PG_CONFIG:-}" ]; then
		[ -x "/usr/lib/postgresql/$major/bin/postgres" ] || say "postgresql-$major"
	elif [ ! -x "$("$PG_CONFIG" --bindir)/postgres" ]; then
		say "postgresql-$major"
	fi

	[ "$purpose" = test ] || return 0
	{ perl_has TAP::Harness && perl_has Test::More; } || say perl
	perl_has IPC::Run || say libipc-run-perl
	perl_has TAP::Parser::SourceHandler::pgTAP || say libtap-parser-sourcehandler-pgtap-perl
	if [ -z "${PG_CONFIG:-}" ] || [ ! -e "$("$PG_CONFIG" --sharedir)/extension/pgtap.control" ]; then
		say "postgresql-$major-pgtap"
	fi
}

# Makes sure that what a purpose needs is there.  Root: installs it by name.
# Others: told the one line to run.
prepare() {
	local purpose=$1 packages

	find_pg_config || true
	packages=$(missing_packages "$purpose" | sort -u | tr '\n' ' ')
	packages=${packages% }
	if [ -n "$packages" ]; then
		if ! command -v apt-get >/dev/null; then
			die "missing, under the names that Debian gives the packages: $packages"
		fi
		if [ "$(id -u)" != 0 ]; then
			complain "some packages are missing; run this line, then try again:"
			say "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends $packages'"
			exit 1
		fi
		say "installing $packages"
		install_packages "$packages"
	fi
	find_pg_config || die "no usable pg_config found, even now"
	packages=$(missing_packages "$purpose" | tr '\n' ' ')
	[ -z "$packages" ] || die "still missing: $packages"
	case $(pg_major) in
		15 | 16 | 17 | 18) ;;
		*) die "$("$PG_CONFIG" --version) is none of those that align knows: 15, 16, 17, 18" ;;
	esac
}

install_packages() {
	local log
	log=$(mktemp)
	# shellcheck disable=SC2086
	if ! {
		apt-get update -q &&
			DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $1
	} </dev/null >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		rm -f "$log"
		die "apt-get could not install: $1"
	fi
	rm -f "$log"
}

# make_work NAME   makes the work folder $work, with a copy of the tree in
# $work/align, and removes it at exit.  When root, the folder belongs to a user
# without privileges, whom as_user then runs commands as: PostgreSQL refuses to
# run as root, and could not read a checkout in root's home.
make_work() {
	local base=${TMPDIR:-/tmp}

	# A socket's path must stay below some hundred bytes.
	[ "${#base}" -le 60 ] || base=/tmp
	work=$(mktemp -d "$base/align-$1.XXXXXX")
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM

	mkdir "$work/align"
	tar -C "$top" -cf - --exclude=./.git --exclude='*.o' --exclude='*.bc' --exclude='*.so' \
		--exclude='./sql/align--*.sql' --exclude=./test/results --exclude=./test/expected . |
		tar -C "$work/align" --no-same-owner -xf -

	run_as=
	if [ "$(id -u)" = 0 ]; then
		for run_as in postgres nobody; do
			id "$run_as" >/dev/null 2>&1 && break
		done
		chown -R "$run_as" "$work"
		chmod 711 "$work"
	fi
	copy_shared
	cd "$work" || exit
}

# Data beside the checkout that some tests use where it exists.
copy_shared() {
	local shared=${ALIGN_SHARED:-$top/../shared}

	if [ -d "$shared" ]; then
		shared=$(cd "$shared" && pwd -P)
		if as_user test -r "$shared/data" && as_user test -r "$shared/cases"; then
			ln -s "$shared" "$work/shared"
		else
			cp -r "$shared" "$work/shared"
			[ -z "$run_as" ] || chown -R "$run_as" "$work/shared"
		fi
	fi
	export ALIGN_SHARED=$work/shared
}

# Runs a command as the user who owns the work folder.
as_user() {
	if [ -n "$run_as" ]; then
		runuser -u "$run_as" -- env HOME="$work" "$@"
	else
		"$@"
	fi
}

clean_up() {
	local status=$?

	trap - EXIT INT TERM
	if [ -n "${keep_work:-}" ]; then
		exit "$status"
	fi
	[ -z "${cluster_running:-}" ] || stop_cluster
	rm -rf "$work"
	exit "$status"
}

# build_and_stage [MAKE ARGUMENTS]   builds the copy of the tree, warnings being
# errors, and installs it into the stage.  Sets bin (the stage's executables)
# and stage_config (a pg_config that tells of the stage).
build_and_stage() {
	local bindir pkglibdir sharedir stage=$work/stage clang

	# What a calling make left behind must not steer ours.
	unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES DESTDIR
	bindir=$("$PG_CONFIG" --bindir)
	pkglibdir=$("$PG_CONFIG" --pkglibdir)
	sharedir=$("$PG_CONFIG" --sharedir)

	# Bitcode for just-in-time compilation needs the very clang that the server
	# was built with.
	make_arguments=("PG_CONFIG=$PG_CONFIG" WERROR=1)
	clang=$(sed -nE 's/^CLANG[[:space:]]*=[[:space:]]*//p' "$(dirname "$("$PG_CONFIG" --pgxs)")/../Makefile.global")
	if [ -z "$clang" ] || ! command -v "${clang%% *}" >/dev/null; then
		make_arguments+=(with_llvm=no)
	fi
	as_user make -s -j "$(nproc)" -C "$work/align" "${make_arguments[@]}" "$@" || return 1

	as_user mkdir -p "$stage$bindir" "$stage$pkglibdir" "$stage$sharedir"
	as_user cp -L "$bindir"/{postgres,initdb,pg_ctl,psql,pg_config,pg_dump,pg_dumpall,pg_restore,pg_basebackup,pgbench,pg_controldata,pg_resetwal,pg_upgrade,pg_isready,pg_rewind,createdb,dropdb} \
		"$stage$bindir/" 2>/dev/null || true
	as_user cp -rs "$pkglibdir/." "$stage$pkglibdir/"
	as_user cp -rs "$sharedir/." "$stage$sharedir/"
	as_user make -s -C "$work/align" "${make_arguments[@]}" "DESTDIR=$stage" install >/dev/null || return 1
	bin=$stage$bindir
	stage_config=$bin/pg_config
}

# stage_package EXTENSION NAME   puts an extension of the distribution into the
# stage for its test, unless it is there: unpacked from the package
# postgresql-MAJOR-NAME, not installed.  If it cannot be had, EXTENSION_MISSING
# (in upper case) says why.
stage_package() {
	local extension=$1 missing=${1^^}_MISSING folder=$work/$1 name major

	export "$missing="
	[ ! -e "$("$stage_config" --sharedir)/extension/$extension.control" ] || return 0
	major=$(pg_major)
	name=postgresql-$major-$2
	export "$missing=there is no $extension for this server, nor an apt-get to download $name with"
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 0
	export "$missing=$name could not be downloaded"
	as_user mkdir -p "$folder"
	(
		cd "$folder"
		as_user timeout 60 apt-get download -q "$name" ||
			{ [ "$(id -u)" = 0 ] && timeout 120 apt-get update -q && as_user timeout 60 apt-get download -q "$name"; }
	) </dev/null >"$work/$extension.log" 2>&1 || return 0
	as_user sh -ec 'dpkg-deb -x "$1"/*.deb "$1"
		cp "$1/usr/lib/postgresql/$2/lib/$5"*.so "$3"
		cp "$1/usr/share/postgresql/$2/extension/$5"* "$4/extension"' \
		sh "$folder" "$major" "$("$stage_config" --pkglibdir)" "$("$stage_config" --sharedir)" "$extension" || return 0
	export "$missing="
}

# stage_clients   puts what Debian and npm have for the test of clients into the
# folder ALIGN_CLIENTS: drivers for Node.js, Python, Java and R, whose interpreters
# must be there.  What cannot be had is missing, and CLIENTS_MISSING says why.
stage_clients() {
	local package

	export ALIGN_CLIENTS=$work/clients CLIENTS_MISSING=
	as_user mkdir -p "$ALIGN_CLIENTS/npm"
	if command -v npm >/dev/null && ! as_user node -e 'require("pg")' 2>/dev/null; then
		as_user timeout 120 npm install --prefix "$ALIGN_CLIENTS" --cache "$ALIGN_CLIENTS/npm" \
			--no-audit --no-fund --silent pg </dev/null >"$work/npm.log" 2>&1 ||
			CLIENTS_MISSING="npm could not install pg"
	fi
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 0
	for package in python3-psycopg python3-typing-extensions libpostgresql-jdbc-java r-cran-dbi r-cran-rpostgresql; do
		! dpkg -s "$package" >/dev/null 2>&1 || continue
		as_user sh -c 'cd "$1" && timeout 60 apt-get download -q "$2" && dpkg-deb -x "$2"_*.deb .' \
			sh "$ALIGN_CLIENTS" "$package" </dev/null >"$work/clients.log" 2>&1 ||
			CLIENTS_MISSING="${CLIENTS_MISSING:+$CLIENTS_MISSING, }$package could not be downloaded"
	done
}

# start_cluster [LINE OF postgresql.conf ...]   a cluster of its own: socket in
# the work folder, no TCP port, superuser postgres, trusting whoever can reach
# the socket.  Sets and exports the PG* variables that clients read.
start_cluster() {
	export PGDATA=$work/data PGHOST=$work PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	unset PGSERVICE PGPASSFILE PGOPTIONS PGSSLMODE PGCLIENTENCODING PGTZ PGDATESTYLE

	as_user "$bin/initdb" -D "$PGDATA" -U postgres -A trust -N -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1 ||
		{ cat "$work/initdb.log" >&2; die "initdb failed"; }
	as_user sh -c 'cat >>"$1"' sh "$PGDATA/postgresql.conf" <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$work'
		fsync = off
		full_page_writes = off
		$(printf '%s\n' "$@")
	CONF
	as_user "$bin/pg_ctl" -D "$PGDATA" -l "$work/server.log" -w start >/dev/null ||
		{ cat "$work/server.log" >&2; die "the server did not start"; }
	cluster_running=1
}

stop_cluster() {
	as_user "$bin/pg_ctl" -D "$PGDATA" -m immediate stop >/dev/null 2>&1 || true
	cluster_running=
}
