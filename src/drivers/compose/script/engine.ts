/**
 * What the scripts of this driver share: POSIX `sh`. `$settings` is a file with `project`, `files` (one per line, the last
 * one first), `profiles`, `engine` and `within`, and for blue-green what `colour.ts` names; `$environment` the file for interpolation, `$override` the pinned images.
 * The two dialects of compose read quotes in such files differently and a shell reads them exactly, so the values go to compose as its
 * environment, which wins in both. Whichever of `docker compose` and `docker-compose` the host has is used: `find_dialect` puts it into `$dialect`, empty where
 * there is none. To ask is a process, so that only those ask who call `compose` afterwards.
 */
export const engineLibrary = `
. "$settings"
if [ -n "$engine" ]; then DOCKER_HOST=$engine; export DOCKER_HOST; fi
unset COMPOSE_FILE COMPOSE_PROJECT_NAME COMPOSE_PROFILES COMPOSE_ENV_FILES COMPOSE_PATH_SEPARATOR
find_dialect() {
  if docker compose version >/dev/null 2>&1; then dialect='docker compose'
  elif command -v docker-compose >/dev/null 2>&1; then dialect='docker-compose'
  else dialect=''
  fi
}
# Half a second of Python to ask docker-compose; where its launcher names the one version that it loads, nobody needs to.
dialect_version() {
  named=''
  if [ "$dialect" = docker-compose ]; then
    named=$(head -c 4096 "$(command -v docker-compose)" | tr -d '\\0' | sed -n "s/^__requires__ = 'docker-compose==\\([0-9][0-9A-Za-z.]*\\)'.*/\\1/p")
  fi
  if [ -n "$named" ]; then printf '%s\\n' "$named"; else $dialect version --short 2>/dev/null; fi
}
line_end='
'

# compose <command…>: for this project, with the files of the release in the current folder.
compose() { (become_compose "$@"); }
# The shell becomes compose, so that in the background $! is compose itself.
become_compose() {
  given_ifs=$IFS
  IFS=$line_end
  set -f
  for profile in $profiles; do set -- --profile "$profile" "$@"; done
  if [ -n "$override" ]; then set -- --file "$override" "$@"; fi
  for file in $files; do set -- --file "$file" "$@"; done
  set +f
  IFS=$given_ifs
  : > "$settings.none"
  set -- --project-name "$project" --project-directory "$PWD" --env-file "$settings.none" "$@"
  own_host=\${DOCKER_HOST-}
  if [ -f "$environment" ]; then set -a; . "$environment"; set +a; fi
  SHIPWAY_START=\${colour_start-} SHIPWAY_MARK=\${colour_mark-} SHIPWAY_PORT=\${colour_port-}
  export SHIPWAY_START SHIPWAY_MARK SHIPWAY_PORT
  if [ -n "$own_host" ]; then DOCKER_HOST=$own_host; else unset DOCKER_HOST; fi
  exec $dialect "$@"
}
`
