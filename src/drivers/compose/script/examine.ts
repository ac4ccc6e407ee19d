import { engineLibrary } from './engine.ts'
import { nginxLibrary, nginxLook } from '#core/nginx/script.ts'

/**
 * After the library of the release folders, `<folder>`, standard input: `settings`. What services need on the host, without a release and without making
 * anything: `engine <version>`, `images <KiB> <folder>`, `compose <dialect and version>`, `nginx <version>`; and in place of one of
 * these `lacks <word> …` with the word that a deployment would fail with.
 */
export const examineScript = `
work=$(mktemp -d)
trap 'code=$?; set +e; rm -rf "$work"; (exit $code); at_exit' EXIT
tar -xpof - -C "$work"
settings=$work/settings environment='' override=''
${engineLibrary}
log() { sed 's/^/shipway:log /' "$1" | tail -n 60; }
if ! command -v docker >/dev/null 2>&1; then say 'lacks engine the command docker is not there'
elif server=$(docker version --format '{{.Server.Version}}' 2>"$work/error"); then
  say "engine $server"
  root=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null || :)
  if [ -d "$root" ]; then say "images $(df -Pk "$root" 2>/dev/null | awk 'NR == 2 { print $4 }') $root"; fi
else
  say "lacks engine $(tail -n 1 "$work/error")"
fi
find_dialect
if [ -n "$dialect" ]; then say "compose $dialect $(dialect_version || :)"; else say 'lacks composeless'; fi
if [ -z "\${upstream-}" ]; then exit 0; fi
${nginxLibrary}
( ${nginxLook} ) > "$work/nginx" || :
lacking=$(sed -n 's/^shipway:error //p' "$work/nginx" | head -n 1)
grep '^shipway:log ' "$work/nginx" || :
if [ -n "$lacking" ]; then say "lacks $lacking"; else say "nginx $(nginx_call -v 2>&1 | sed -n 's/^nginx version: //p')"; fi
`
