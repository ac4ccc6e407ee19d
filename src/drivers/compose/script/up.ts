import { engineLibrary } from './engine.ts'

const beginning = `
set -eu
records=$1 settings=$1/service.settings environment=$1/service.env override=$1/images.json
${engineLibrary}
if [ -z "$dialect" ]; then echo 'Neither docker compose nor docker-compose is here.'; exit 69; fi
`

/**
 * `<records>`, in the release's folder: replaces what runs of the project, in the order of its dependencies, and waits until every
 * service works: healthy where it has a health check, else running in two looks one second apart without a restart in between; one that has
 * ended with 0 and is not to be restarted has done its work. A service that does not make it is named, with the end of its log.
 */
export const upScript = `${beginning}
[ -f "$override" ] || { echo 'The images of this release are not pinned.'; exit 70; }
compose up --detach --no-build --force-recreate --remove-orphans || failed=$?
deadline=$(($(date +%s) + within)) before=''

# A line for each container: id, service, state, status, restarts, policy. Templates of docker differ in what they say to a field that
# is not there, so the health comes from filters: \`healthy\` and \`ailing\` are lists of ids.
containers() {
  docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False "$@"
}
look() {
  ids=$(containers)
  [ -n "$ids" ] || return 1
  healthy=$(containers --filter health=healthy) || return 1
  ailing=$(containers --filter health=starting --filter health=unhealthy) || return 1
  now_seen=$(docker inspect --format '{{.Id}} {{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{if .HostConfig.RestartPolicy.Name}}{{.HostConfig.RestartPolicy.Name}}{{else}}no{{end}}' $ids)
}
unwell() {
  printf '%s\\n' "$now_seen" | while read -r id service state code restarts policy; do
    health=-
    case $healthy in *"$id"*) health=healthy ;; esac
    case $ailing in *"$id"*) health='not healthy' ;; esac
    case $state/$health in
      running/healthy) continue ;;
      running/-) if [ "$restarts" = 0 ]; then continue; fi ;;
      exited/*) if [ "$code" = 0 ] && [ "$policy" = no ]; then continue; fi ;;
    esac
    echo "$id $service $state $code $restarts $health"
  done
}
while :; do
  if look; then bad=$(unwell); else bad='- (all) unknown 0 0 -' now_seen=''; fi
  if [ -n "\${failed-}" ]; then break; fi
  if [ -z "$bad" ] && [ "$now_seen" = "$before" ]; then exit 0; fi
  if [ "$(date +%s)" -ge "$deadline" ]; then break; fi
  before=$now_seen
  sleep 1
done
if [ -z "$bad" ] && [ -z "\${failed-}" ]; then exit 0; fi
printf '%s\\n' "$bad" | while read -r id service state code restarts health; do
  [ -n "$id" ] || continue
  case $health in -) ;; *) state="$state, $health" ;; esac
  if [ "$restarts" != 0 ]; then state="$state, restarted $restarts times"; fi
  if [ "$code" != 0 ]; then state="$state, last ended with status $code"; fi
  echo "service $service is not well after its start: $state"
  docker logs --tail 15 "$id" 2>&1 | sed "s/^/  $service | /" || :
done
exit "\${failed-71}"
`

/** `<records>`: ends what runs of the project. Volumes stay. */
export const downScript = `${beginning}
if [ ! -f "$override" ]; then override=''; fi
compose down --remove-orphans
`
