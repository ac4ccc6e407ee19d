import { nginxLibrary, nginxLook } from '#core/nginx/script.ts'
import { engineLibrary } from './engine.ts'

/** Between the library of the release folders and a script: `<folder> <deployment> <short>`, and a folder for what came on standard input. */
const beginning = `
cd "$1"
here=$(pwd -P)
dep=$2 short=$3
work=$here/$S/incoming/$dep.compose
trap 'code=$?; set +e; rm -rf "$work"; (exit $code); at_exit' EXIT
rm -rf "$work"
mkdir -p "$work"
tar -xpof - -C "$work"
if ! { read -r lock_dep lock_begun lock_until lock_who < $S/lock; } 2>/dev/null || [ "$lock_dep" != "$dep" ]; then
  fail "locked \${lock_dep:--} \${lock_begun:-0} \${lock_until:-0} \${lock_who:--}"
fi
[ -e "$S/releases/$short/about" ] || fail unprepared
records=$here/$S/releases/$short settings=$work/settings environment=$work/env override=''
${engineLibrary}
log() { sed 's/^/shipway:log /' "$1" | tail -n 60; }
`

/**
 * `<folder> <deployment> <short>`, standard input: `settings` and `env`. Says which engine and compose the host has, and the composed project, line by
 * line; nothing is started or kept.
 */
export const lookScript = `${beginning}
if ! server=$(docker version --format '{{.Server.Version}}' 2>"$work/error"); then
  fail "engine $(tail -n 1 "$work/error")"
fi
find_dialect
[ -n "$dialect" ] || fail composeless
say "engine $server"
say "dialect $dialect $(dialect_version || :)"
docker ps --all --filter "label=com.docker.compose.project=$project" --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u > "$work/places"
while IFS= read -r place; do
  case $place in "$here"/releases/*) ;; *) fail "foreign $project $place" ;; esac
done < "$work/places"
if [ -n "\${upstream-}" ]; then
${nginxLibrary}${nginxLook}
elif [ -n "$(docker ps --all --quiet --filter "label=com.docker.compose.project=$project" --filter label=shipway.start)" ]; then
  fail "colours $project"
fi
cd "releases/$short"
if ! compose config > "$work/config" 2> "$work/error"; then
  log "$work/error"
  fail "invalid $(grep . "$work/error" | tail -n 1)"
fi
awk '{
  while (length($0) > 2000) { print "shipway:part " substr($0, 1, 2000); $0 = substr($0, 2001) }
  print "shipway:line " $0
}' "$work/config"
`

/**
 * `<folder> <deployment> <short> <lease seconds> <format version | ->`, standard input: `settings`, `env`, `images` (a line `service image` each), `unchecked`
 * (services without a health check of their own that need one), and for a private registry `server`, `username` and `password`. Pulls what is missing, logged in only for this script; then writes down which image each
 * service has. An image that has only a tag is what the tag means now, and stays that for this release on this target. A name of our own on each
 * image keeps it from `docker image prune` as long as the release is kept.
 */
export const pullScript = `${beginning}
mutex 300 || fail busy
lock_take "$dep" "$4" "$lock_who"
mutex_free
if [ -s "$work/server" ]; then
  DOCKER_CONFIG=$work/docker
  export DOCKER_CONFIG
  mkdir "$DOCKER_CONFIG"
  if ! docker login --username "$(cat "$work/username")" --password-stdin "$(cat "$work/server")" < "$work/password" > "$work/said" 2>&1; then
    log "$work/said"
    fail "login $(cat "$work/server")"
  fi
  rm -f "$work/password"
fi
if [ -s "$records/images" ]; then cp "$records/images" "$work/images"; fi

is_here() { docker image inspect "$1" >/dev/null 2>&1; }
number=0
: > "$work/pinned"
while read -r service image; do
  number=$((number + 1))
  case $image in
    *@sha256:* | sha256:*)
      if ! is_here "$image"; then
        say "log pulling the image of $service"
        docker pull --quiet "$image" > "$work/said" 2>&1 || { log "$work/said"; fail "image $service $image"; }
      fi ;;
    *)
      if ! docker pull --quiet "$image" > "$work/said" 2>&1; then
        is_here "$image" || { log "$work/said"; fail "image $service $image"; }
        say "kept $image"
      fi
      case \${image##*/} in *:*) name=\${image%:*} ;; *) name=$image ;; esac
      found=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image" | grep -F "$name@" | head -n 1 || :)
      image=\${found:-$(docker image inspect --format '{{.Id}}' "$image")} ;;
  esac
  if grep -q -x "$service" "$work/unchecked" && ! docker image inspect --format '{{json .Config}}' "$image" | grep -q '"Healthcheck":{"Test":[[]"CMD'; then
    fail "unchecked $service"
  fi
  docker tag "$image" "shipway.local/$project:$short-$number"
  printf '%s %s\\n' "$service" "$image" >> "$work/pinned"
  say "image $service $image"
done < "$work/images"

# A service that two sets have gets a port of its own and says which set it belongs to; the script that starts it knows the values.
printf '%s\\n' "\${colours-}" > "$work/colours"
awk -v version="$5" -v colours="$work/colours" '
  BEGIN {
    while ((getline line < colours) > 0) { split(line, part, " "); port[part[1]] = part[2] }
    printf "{"; if (version != "-") printf "\\"version\\":\\"%s\\",", version; printf "\\"services\\":{"
  }
  {
    printf "%s\\"%s\\":{\\"image\\":\\"%s\\"", separator, $1, $2; separator = ","
    if ($1 in port) {
      printf ",\\"ports\\":[\\"127.0.0.1:\${SHIPWAY_PORT}:%s\\"]", port[$1]
      printf ",\\"labels\\":{\\"shipway.start\\":\\"\${SHIPWAY_START}\\",\\"shipway.mark\\":\\"\${SHIPWAY_MARK}\\",\\"shipway.port\\":\\"\${SHIPWAY_PORT}\\"}"
    }
    printf "}"
  }
  END { print "}}" }' "$work/pinned" > "$records/images.json.new"
mv "$records/images.json.new" "$records/images.json"
if [ ! -s "$records/images" ]; then
  cp "$work/pinned" "$records/images.new"
  mv "$records/images.new" "$records/images"
fi
`

/**
 * `<folder> <deployment>`, with the settings of its switch, and without new room on the disk. Takes our names from the images of releases that are gone, and removes those that have no other name:
 * never one that somebody else has named or that a container uses.
 */
export const tidyScript = `
cd "$1"
{ read -r release rest < "$S/deployments/$2/order"; } 2>/dev/null || exit 0
settings=$PWD/$S/releases/$release/service.settings environment='' override=''
${engineLibrary}
tags=$(docker image ls --format '{{.Tag}}' "shipway.local/$project")
for tag in $tags; do
  if [ -e "$S/releases/\${tag%-*}/about" ]; then continue; fi
  id=$(docker image inspect --format '{{.Id}}' "shipway.local/$project:$tag")
  docker image rm "shipway.local/$project:$tag" >/dev/null
  if [ -n "$(docker image inspect --format '{{range .RepoTags}}{{println .}}{{end}}' "$id" 2>/dev/null)" ]; then continue; fi
  for name in $(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$id" 2>/dev/null); do
    docker image rm "$name" >/dev/null 2>&1 || :
  done
  if ! docker image inspect "$id" >/dev/null 2>&1; then say "removed $id"; fi
done
`
