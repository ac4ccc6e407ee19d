import { nginxLibrary, nginxLook } from '#core/nginx/script.ts'
import { colourLibrary } from './colour.ts'

/**
 * After the library of the release folders, `<folder>`, standard input: `settings`. What processes in two colours need on the host, without a release and without
 * making anything: `nginx <version>`, or in its place `lacks <word> …` with the word that a deployment would fail with; `unwritten` when the file that nginx
 * includes is not there yet; `probe <program>`, empty where none can ask a colour whether it is well; `port <colour> <free | ours | taken>`.
 */
export const colourExamineScript = `
SHIPWAY_PATH=$1
work=$(mktemp -d)
trap 'code=$?; set +e; rm -rf "$work"; (exit $code); at_exit' EXIT
tar -xpof - -C "$work"
. "$work/settings"
${nginxLibrary}${colourLibrary}
log() { sed 's/^/shipway:log /' "$1" | tail -n 60; }
( ${nginxLook} ) > "$work/nginx" || :
lacking=$(sed -n 's/^shipway:error //p' "$work/nginx" | head -n 1)
grep '^shipway:log ' "$work/nginx" || :
if [ -n "$lacking" ]; then say "lacks $lacking"
else
  say "nginx $(nginx_call -v 2>&1 | sed -n 's/^nginx version: //p')"
  if [ ! -e "$upstream" ]; then say unwritten; fi
fi
probe=''
for program in wget curl; do
  if command -v $program >/dev/null 2>&1; then probe=$program; fi
done
say "probe $probe"
# What was started with another port is not what listens at this one.
started_at() { if [ -e "$C/$1/about" ]; then ( . "$C/$1/settings" && port_of "$1" ) 2>/dev/null || :; fi; }
for colour in blue green; do
  port=$(port_of $colour) whose=taken
  if ! listens "$port"; then whose=free
  elif [ "$(started_at $colour)" = "$port" ]; then whose=ours
  fi
  say "port $colour $whose"
done
`
