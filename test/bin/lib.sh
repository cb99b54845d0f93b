# lib.sh - what make check, demo, bench, property and fuzz share: a private place to work in, the prerequisites, the
# installation, and a private PostgreSQL server, all of which end with the script however it ends.
#
# The scripts run at the top of the checkout. Everything that they start carries FEATBIT_RUN in its environment or has
# its working directory below $work; that is how sweep.pl finds what is left. The server's user need not be able to
# read the checkout: what it runs is copied to $work.

set -u -o pipefail

fail()
{
	printf 'featbit_pg: %s\n' "$*" >&2
	exit 1
}

# Makes the working directory and arranges for everything to be undone at the end. $1: directory for logs to keep.
begin()
{
	local name caller
	kept=$1
	umask 022
	for name in ${!PG*}; do
		[ "$name" = PG_CONFIG ] || unset "$name"
	done
	# When make itself is killed, this script must end too.
	caller=${MAKELEVEL:+$PPID}
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS TAR_OPTIONS CDPATH
	export LC_ALL=C.UTF-8 PSQLRC=/dev/null PAGER=cat PSQL_PAGER=cat
	: "${MAKE:=make}"

	am_root=
	[ "$(id -u)" -ne 0 ] || am_root=1
	root_job= watcher= server_started= work=
	local base=${TMPDIR:-/tmp}
	[ ${#base} -le 40 ] && [ -d "$base" ] && [ -w "$base" ] || base=/tmp
	work=$base/featbit.$$.$RANDOM
	export FEATBIT_RUN=$work

	trap finish EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir -m 755 "$work" || { work=; fail "cannot make a temporary directory in $base"; }
	cp test/bin/sweep.pl test/bin/lib.sh "$work"
	export TMPDIR=$work/tmp
	mkdir -m 1777 "$TMPDIR"

	# A process of its own session cleans up if this one is killed outright.
	setsid bash -c '. "$1/lib.sh"; watch_over "$@"' watcher "$work" "$am_root" $$ $caller </dev/null >/dev/null 2>&1 &
	watcher=$!
}

# Tells whether process $1 runs; one that has ended and was not waited for does not.
alive()
{
	local stat
	{ read -r stat </proc/"$1"/stat; } 2>/dev/null || return 1
	case ${stat##*) } in
		[ZX]*) return 1 ;;
	esac
}

# Tells whether make, process $1, wants to end: it is gone, or has caught SIGHUP or SIGINT, which it keeps blocked while
# it waits for this script without telling it.
caller_ends()
{
	local blocked
	alive "$1" || return 0
	blocked=$(sed -n 's/^SigBlk:\t*//p' /proc/"$1"/status 2>/dev/null)
	[ $((0x${blocked:-0} & 3)) -ne 0 ]
}

# Waits for the end of the script $3, then removes what it left in working directory $1 ($2: it ran as root). Asks the
# script to end when its caller $4 does.
watch_over()
{
	local ending=0
	work=$1 am_root=$2
	trap '' HUP INT TERM
	cd /
	while alive "$3"; do
		if [ -n "${4:-}" ]; then
			# Once may be the moment in which make starts another command.
			if caller_ends "$4"; then ending=$((ending + 1)); else ending=0; fi
			[ "$ending" -lt 2 ] || kill -TERM "$3" 2>/dev/null
		fi
		sleep 0.5
	done
	remove_all
}

# Ends every process of this run and removes its working directory.
remove_all()
{
	local user
	[ -d "$work" ] || return 0
	user=$(cat "$work/server-user" 2>/dev/null)
	cd /
	perl "$work/sweep.pl" "$work" $$ ${watcher:-}
	# Where root may not look into other users' processes, the server's user looks itself.
	if [ -n "$am_root" ] && [ -n "$user" ]; then
		setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups perl "$work/sweep.pl" "$work" $$ ${watcher:-}
	fi
	rm -rf "$work"
}

# Undoes everything, at a normal end as after a signal.
finish()
{
	local status=$?
	trap '' HUP INT TERM
	trap - EXIT
	if [ -n "$root_job" ]; then
		touch "$work/stop"
		wait "$root_job"
	fi
	# After a signal clients and server end together, so that no client reports the loss of its server.
	[ "$status" -ge 129 ] || stop_server
	if [ -n "$kept" ] && [ -d "$kept" ] && [ -d "$work/log" ]; then
		cp -r "$work/log/." "$kept" 2>/dev/null
	fi
	[ -z "$watcher" ] || kill -KILL "$watcher" 2>/dev/null
	{ wait "$watcher"; } 2>/dev/null
	remove_all
	exit "$status"
}

# Runs a command in a way that a signal to this script ends at once.
step()
{
	local status
	env --default-signal=INT,QUIT "$@" </dev/null &
	wait $!
	status=$?
	return "$status"
}

# Runs a command as the user of the server, in the working directory.
as_server()
{
	if [ -n "$am_root" ]; then
		step bash -c 'cd "$1" && shift && exec "$@"' as_server "$work" \
			setpriv --reuid="$server_user" --regid="$server_group" --clear-groups -- \
			env HOME="$work/home" USER="$server_user" LOGNAME="$server_user" "$@"
	else
		step bash -c 'cd "$1" && shift && exec "$@"' as_server "$work" "$@"
	fi
}

# Succeeds where every header that the extension needs is there.
headers_present()
{
	printf '#include <stdio.h>\n#define PCRE2_CODE_UNIT_WIDTH 8\n#include <pcre2.h>\n#include <xxhash.h>\n' |
		"${CC:-cc}" -E -o /dev/null - 2>/dev/null
}

# Sets pg_config, bindir, pgxs and major if PostgreSQL is there with all that building and running needs.
find_postgres()
{
	pg_config=$(command -v "${PG_CONFIG:-pg_config}") || return 1
	bindir=$("$pg_config" --bindir 2>/dev/null) || return 1
	pgxs=$("$pg_config" --pgxs 2>/dev/null) || return 1
	[ -f "$pgxs" ] && [ -x "$bindir/postgres" ] && [ -x "$bindir/initdb" ] && [ -x "$bindir/psql" ] || return 1
	major=$("$pg_config" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
}

# Names the Debian release of PostgreSQL to install: of a given PG_CONFIG, of an installed server, or the system's own.
debian_major()
{
	local path
	case ${PG_CONFIG:-} in
		/usr/lib/postgresql/[0-9]*/bin/pg_config)
			path=${PG_CONFIG#/usr/lib/postgresql/}
			echo "${path%%/*}"
			return ;;
		*/*)
			return 1 ;;
	esac
	path=$(ls -d /usr/lib/postgresql/[0-9]*/bin/postgres 2>/dev/null | sort -t/ -k5n | tail -n 1)
	if [ -n "$path" ]; then
		path=${path#/usr/lib/postgresql/}
		echo "${path%%/*}"
	else
		echo default
	fi
}

# Installs what is missing of PostgreSQL, compiler, libraries and, with "tests" as $1, the test modules of Perl.
prerequisites()
{
	local purpose=$1 packages=() wanted missing=() sudo=()
	if ! find_postgres; then
		if [ -n "${PG_CONFIG:-}" ] && ! debian_major >/dev/null; then
			fail "PG_CONFIG=$PG_CONFIG does not name a PostgreSQL installation with server and PGXS"
		fi
		wanted=$(debian_major)
		missing+=("PostgreSQL with its server development files")
		packages+=("postgresql:$wanted")
	fi
	command -v "${CC:-cc}" >/dev/null || { missing+=("a C compiler"); packages+=(gcc); }
	if ! headers_present; then
		missing+=("the headers of libc, PCRE2 and xxHash")
		packages+=(libc6-dev libpcre2-dev libxxhash-dev)
	fi
	if [ "$purpose" = tests ]; then
		perl -MTAP::Harness -MTest::More -e1 2>/dev/null || { missing+=("Perl's test modules"); packages+=(perl); }
		perl -MIPC::Run -e1 2>/dev/null || { missing+=("Perl's IPC::Run"); packages+=(libipc-run-perl); }
	fi
	[ ${#packages[@]} -gt 0 ] || return 0

	local list
	list=$(printf ', %s' "${missing[@]}")
	list=${list#, }
	command -v apt-get >/dev/null || fail "missing: $list; install them and try again"
	if [ -z "$am_root" ]; then
		command -v sudo >/dev/null || fail "missing: $list; run as root once, or install sudo"
		sudo=(sudo)
		if ! sudo -n true 2>/dev/null; then
			[ -t 0 ] || [ -t 2 ] || fail "missing: $list; sudo asks for a password here: run once where it can, or as root"
		fi
	fi
	echo "featbit_pg: installing what is missing: $list" >&2
	: >"$work/apt.log"
	# Not through step: apt-get must not be cut off while it unpacks, so it watches for $work/stop itself and does not carry FEATBIT_RUN.
	${sudo[@]+"${sudo[@]}"} env -u TMPDIR -u FEATBIT_RUN bash test/bin/install-packages "$$" "$work/stop" "${packages[@]}" >"$work/apt.log" 2>&1 &
	root_job=$!
	wait "$root_job"
	local status=$?
	root_job=
	if [ "$status" -ne 0 ]; then
		fail "cannot install $list: $(grep '^E: \|^sudo: \|^featbit_pg: ' "$work/apt.log" | sed 's/^featbit_pg: //' | tail -n 1 | grep . ||
			tail -n 1 "$work/apt.log")"
	fi
	if ! find_postgres; then
		PG_CONFIG=/usr/lib/postgresql/$(debian_major)/bin/pg_config
		find_postgres || fail "PostgreSQL was installed, but $PG_CONFIG finds no server to build for"
	fi
	headers_present || fail "the headers of libc, PCRE2 and xxHash are still missing after installation"
}

# Builds the extension and installs it into the PostgreSQL of pg_config. Arguments are passed to make.
build_and_install()
{
	local sudo=() dir
	[ "$major" -ge 14 ] || fail "PostgreSQL $major is too old: version 14 or newer is needed"
	export PG_CONFIG=$pg_config
	step "$MAKE" -s -j"$(nproc)" "$@" all || fail "the build failed"
	for dir in "$("$pg_config" --pkglibdir)" "$("$pg_config" --sharedir)/extension"; do
		[ -w "$dir" ] || sudo=(sudo)
	done
	if [ ${#sudo[@]} -gt 0 ]; then
		command -v sudo >/dev/null || fail "cannot write to $("$pg_config" --pkglibdir): run as root, or install sudo"
		[ -t 0 ] || [ -t 2 ] || sudo=(sudo -n)
	fi
	${sudo[@]+"${sudo[@]}"} "$MAKE" -s "$@" install PG_CONFIG="$pg_config" >"$work/install.log" 2>&1 ||
		fail "cannot install into $("$pg_config" --pkglibdir): $(tail -n 1 "$work/install.log")"
}

# Succeeds where clang has libFuzzer.
can_fuzz()
{
	headers_present && printf '#include <stddef.h>\nint LLVMFuzzerTestOneInput(const char *d, size_t n);\nint LLVMFuzzerTestOneInput(const char *d, size_t n) { return 0; }\n' |
		"${CLANG:-clang}" -fsanitize=fuzzer,address,undefined -x c -o "$work/can-fuzz" - >/dev/null 2>&1
}

# Names the fuzzers.
fuzzers()
{
	compgen -G 'test/fuzz/fuzz_*.c' | sort | sed 's,.*/,,; s,\.c$,,'
}

# Runs fuzzer $1 for $2 inputs, random from seed $3 (0: another one each time), and says what came of it. An input that
# it fails on is kept in build/fuzz. $4: directory for inputs worth keeping.
fuzz()
{
	local log=$work/$1.log
	if step "build/fuzz/$1" -runs="$2" -seed="$3" -timeout=30 -rss_limit_mb=4096 -verbosity=0 -artifact_prefix="build/fuzz/$1-" \
		${4+"$4"} >"$log" 2>&1; then
		echo "ok - $1, $2 inputs"
	else
		echo "not ok - $1"
		tail -n 60 "$log" | sed 's/^/# /'
		return 1
	fi
}

# Chooses who runs servers: this user, or one without privileges in place of root.
set_server_user()
{
	server_user= server_group=
	[ -n "$am_root" ] || return 0
	server_user=postgres
	id -u "$server_user" >/dev/null 2>&1 || server_user=nobody
	server_group=$(id -g "$server_user")
	echo "$server_user" >"$work/server-user"
}

# Starts the private server and sets PGHOST, PGPORT and PGUSER. Arguments are further lines of its configuration.
start_server()
{
	set_server_user
	mkdir -m 700 "$work/data" "$work/s"
	mkdir -m 755 "$work/log" "$work/home"
	[ -z "$am_root" ] || chown "$server_user:$server_group" "$work/data" "$work/s" "$work/log" "$work/home"
	as_server "$bindir/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$work/initdb.log" 2>&1 ||
		fail "initdb failed: $(tail -n 3 "$work/initdb.log" | tr '\n' ' ')"
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$work/s'"
		echo "fsync = off"
		printf '%s\n' "$@"
	} >>"$work/data/postgresql.conf"
	server_started=1
	as_server "$bindir/pg_ctl" -D "$work/data" -l "$work/log/server.log" -w -t 120 -s start ||
		fail "the private server does not start: $(tail -n 3 "$work/log/server.log" | tr '\n' ' ')"
	export PGHOST=$work/s PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	PATH=$bindir:$PATH
}

# Stops the private server at once; its data is not needed again.
stop_server()
{
	[ -n "$server_started" ] || return 0
	server_started=
	as_server "$bindir/pg_ctl" -D "$work/data" -m immediate -w -t 20 -s stop >/dev/null 2>&1
}
