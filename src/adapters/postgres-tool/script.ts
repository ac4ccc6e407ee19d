/**
 * The scripts of `postgres-tool.ts`, POSIX `sh`, constant texts. The address of the database comes on standard input, line by line up to an
 * empty one: the password is in the environment of PostgreSQL's programs and nowhere else. `docker exec -e NAME` takes the
 * value from its own environment, so that it stands in no argument either.
 *
 * A script whose caller was killed runs on with nobody to read it. PIPE is ignored, so that it still tidies up when it has something to say.
 */
const begin = `set -u
umask 077
trap '' PIPE
export LC_ALL=C PGCONNECT_TIMEOUT=15 "PGAPPNAME=shipway-$1"
id=$1 attempt=$2 container=$3
base=\${TMPDIR:-/tmp}
work=$base/shipway-$id.$attempt
scratch=shipway_\${id}_$attempt
names='-e LC_ALL -e PGCONNECT_TIMEOUT -e PGAPPNAME'
while IFS= read -r line && [ -n "$line" ]; do
  export "\${line%%=*}=\${line#*=}"
  names="$names -e \${line%%=*}"
done
pg() { if [ -n "$container" ]; then docker exec -i $names "$container" "$@"; else "$@"; fi; }
sql() { pg psql -X -q -A -t -w -v ON_ERROR_STOP=1 "$@"; }
fail() { printf '%s\\n' "$2" >&2; exit "$1"; }
drop_scratch() {
  sql -v "prefix=$1" >/dev/null <<'SQL'
select pg_terminate_backend(pid) from pg_stat_activity where starts_with(datname, :'prefix') and pid <> pg_backend_pid();
select format('drop database if exists %I', datname) from pg_database where starts_with(datname, :'prefix') \\gexec
SQL
}
drop_earlier() {
  sql >/dev/null <<'SQL' && drop_scratch "shipway_\${id}_"
select pg_terminate_backend(pid) from pg_stat_activity where application_name = current_setting('application_name') and usename = current_user and pid <> pg_backend_pid();
SQL
}
digest() { sha256sum "$work/dump" | cut -d ' ' -f 1; }
`

/** Rows of every table that a dump holds; tables of extensions come with the extension. One JSON array per line. */
export const countSql = `set row_security = off;
select format('select ''shipway-count '' || json_build_array(%L::text, %L::text, count(*)) from only %I.%I', n.nspname, c.relname, n.nspname, c.relname)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by 1 \\gexec
`

/** Dump and counts see one snapshot. The dump goes to descriptor 3, which is the standard output of \`dumpInside\`. */
export const dumpSql = `begin isolation level repeatable read read only;
select 'shipway-source ' || json_build_array(current_database(), current_setting('server_version'));
select pg_export_snapshot() as snapshot \\gset
\\setenv SHIPWAY_SNAPSHOT :snapshot
\\! pg_dump -w -Fc --snapshot="$SHIPWAY_SNAPSHOT" >&3 && echo shipway-dumped
${countSql}commit;
`

/** Runs where the programs are: in the container, or on the host. */
export const dumpInside = `exec 3>&1 1>&2; printf '%s' "$1" | psql -X -q -A -t -w -v ON_ERROR_STOP=1`

/**
 * Restores \`$work/dump\` into a scratch database, counts there, and drops it. An attempt whose folder is gone was followed by another one,
 * which has looked for databases to drop: it must not make one more, and drops what it made meanwhile.
 */
const verify = `
still_ours() { [ -f "$work/dump" ] || fail 80 'shipway: another attempt has begun'; }
still_ours
sql -v "scratch=$scratch" <<'SQL' || fail 82 'shipway: no scratch database'
select format('create database %I template template0 encoding %L lc_collate %L lc_ctype %L', :'scratch', pg_encoding_to_char(encoding), datcollate, datctype)
from pg_database where datname = current_database() \\gexec
SQL
still_ours
pg pg_restore -w --exit-on-error --no-owner --no-privileges -d "$scratch" <"$work/dump" || fail 83 'shipway: not restored'
restored=$(printf '%s' "$counts" | sql -d "$scratch") || fail 83 'shipway: not counted'
drop_scratch "$scratch"
`

/** A folder for this attempt alone: those of earlier ones go with their sessions, and whatever this one leaves unfinished goes with it. */
const ownFolder = `for old in "$base/shipway-$id".*; do rm -rf "$old"; done
mkdir "$work" || fail 80 'shipway: no folder'
done=no
finish() { [ "$done" = yes ] || rm -rf "$work"; drop_scratch "$scratch" 2>/dev/null; }
trap finish EXIT
trap 'exit 99' HUP INT TERM
`

/** $4 is \`dumpInside\`, $5 \`dumpSql\`, $6 \`countSql\`. */
export const dumpScript = `${begin}counts=$6
${ownFolder}drop_earlier || fail 81 'shipway: no connection'
said=$(pg sh -c "$4" shipway "$5" 2>&1 >"$work/dump" </dev/null)
status=$?
case $said in *shipway-dumped*) ;; *) status=1 ;; esac
[ "$status" = 0 ] || fail 81 "$said"
${verify}
printf '%s\\n' "$said" | grep '^shipway-'
printf '%s\\n' "$restored" | sed 's/^shipway-count/shipway-restored/'
printf 'shipway-file %s %s\\n' "$(digest)" "$(wc -c <"$work/dump" | tr -d ' ')"
done=yes
`

/** A piece of the dump: $4 is its number, $5 its size in MiB. */
export const pieceScript = `set -u
dd if="\${TMPDIR:-/tmp}/shipway-$1.$2/dump" bs=1048576 skip="$(($4 * $5))" count="$5" 2>/dev/null | base64
`

export const removeScript = `rm -rf "\${TMPDIR:-/tmp}/shipway-$1.$2"`

/** After an abort: ends the sessions of this and earlier attempts, and removes what they have left. */
export const endScript = `${begin}rm -rf "$work"
drop_earlier
`

/** After the address comes the file. $4 is its digest, $5 \`countSql\`. */
export const stageScript = `${begin}counts=$5
${ownFolder}cat >"$work/dump" || fail 80 'shipway: the file was not written'
[ "$(digest)" = "$4" ] || fail 84 'shipway: the file did not arrive whole'
drop_earlier || fail 81 'shipway: no connection'
${verify}
printf '%s\\n' "$restored" | sed 's/^shipway-count/shipway-restored/'
done=yes
`

/** Everything that is there goes, and what a new database has by itself comes back: the same as \`template0\`. */
export const emptySql = `begin;
set local lock_timeout = '30s';
do $$ declare one record; begin
  for one in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
    execute format('drop schema %I cascade', one.nspname);
  end loop;
  for one in select oid from pg_largeobject_metadata loop perform lo_unlink(one.oid); end loop;
  create schema public;
  if current_setting('server_version_num')::int >= 150000 then
    alter schema public owner to pg_database_owner;
    grant usage on schema public to public;
  else
    grant all on schema public to public;
  end if;
end $$;
`

/**
 * $4 is \`emptySql\`, $5 \`countSql\`. The whole text is there before the first statement runs, and the last statement is the commit: an
 * end in the middle, of the text or of this machine, leaves the database as it was.
 */
export const applyScript = `${begin}
trap 'exit 99' HUP INT TERM
pg pg_restore -w -f - <"$work/dump" >"$work/restore.sql" || fail 85 'shipway: the file cannot be read'
{ printf '%s' "$4"; cat "$work/restore.sql"; printf '%s' "$5"; printf 'commit;\\n'; } >"$work/all.sql" || fail 80 'shipway: no room for the statements'
sql <"$work/all.sql" >"$work/said" || fail 86 'shipway: rolled back'
grep '^shipway-count' "$work/said" | sed 's/^shipway-count/shipway-restored/'
`
