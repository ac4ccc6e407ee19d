/**
 * Between `engineLibrary` and a script that starts something: `wait_well` waits until every container that `members` names works. It is healthy
 * where it has a health check; else running in two looks one second apart without a restart in between; one that has ended with 0
 * and is not to be restarted has done its work. One that does not make it is named, with the end of its log and what its health check said, and
 * the script ends: at once where a container has ended with an error and nobody starts it again, because each second more is one without a service,
 * and with 79 where the deployment is stopped meanwhile.
 */
export const wellLibrary = `
# Every look is two processes of docker. Templates of \`inspect\` differ in what they say to a field that is not there, so the health comes from the
# status as people read it: all_seen has a line "id status" for each container of the project.
members() { printf '%s\\n' "$all_seen" | cut -d ' ' -f 1; }
having() { printf '%s\\n' "$all_seen" | grep -E "$1" | cut -d ' ' -f 1 || :; }

# A line for each container: id, service, state, status, restarts, policy; \`healthy\` and \`ailing\` are lists of ids.
look() {
  all_seen=$(docker ps --all --no-trunc --format '{{.ID}} {{.Status}}' --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False) || return 1
  ids=$(members)
  [ -n "$ids" ] || return 1
  healthy=$(having '[(]healthy[)]')
  ailing=$(having '[(]((health: )?starting|unhealthy)[)]')
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
# wait_well <status of what has started them>
wait_well() {
  deadline=$(($(date +%s) + within)) before='' waited_for='' told_from=$(($(date +%s) + 2))
  while :; do
    if look; then bad=$(unwell); else bad='- (all) unknown 0 0 -' now_seen=''; fi
    if [ "$1" != 0 ]; then break; fi
    if [ -z "$bad" ] && { [ "$now_seen" = "$before" ] || all_healthy; }; then return 0; fi
    if is_hopeless; then break; fi
    if is_stopped; then echo 'Nobody waits for the services any more: the deployment is stopped.'; exit 79; fi
    if [ "$(date +%s)" -ge "$deadline" ]; then break; fi
    before=$now_seen
    if [ -n "$bad" ] && [ "$(date +%s)" -ge $told_from ]; then tell_waiting; fi
    if [ -n "$bad" ]; then sleep 0.3; else sleep 1; fi
  done
  if [ -z "$bad" ] && [ "$1" = 0 ]; then return 0; fi
  tell_unwell
  if [ "$1" != 0 ]; then exit "$1"; fi
  exit 71
}
# Whoever watches learns what it takes so long for, once for each set of services.
tell_waiting() {
  waits_for=$(printf '%s\\n' "$bad" | cut -d ' ' -f 2 | sort -u | tr '\\n' ' ' | sed 's/ $//')
  if [ "$waits_for" != "$waited_for" ]; then echo "waiting for $waits_for"; fi
  waited_for=$waits_for
}
# Not on the way back: then the deployment is decided.
is_stopped() {
  own_records=\${SHIPWAY_PATH-}/.shipway/deployments/\${SHIPWAY_DEPLOYMENT-}
  [ -e "$own_records/stop" ] && [ -e "$own_records/undecided" ]
}
# A container of those in \`now_seen\` has ended with an error and stays down.
is_hopeless() {
  printf '%s\\n' "$now_seen" | while read -r id service state code restarts policy; do
    case $state/$policy in exited/no | dead/*) if [ "$code" != 0 ]; then echo "$id"; fi ;; esac
  done | grep -q .
}
# One look is enough where a health check speaks for every container.
all_healthy() {
  for one in $ids; do
    case $healthy in *"$one"*) ;; *) return 1 ;; esac
  done
}
tell_unwell() {
  printf '%s\\n' "$bad" | while read -r id service state code restarts health; do
    [ -n "$id" ] || continue
    case $health in -) ;; *) state="$state, $health" ;; esac
    if [ "$restarts" != 0 ]; then state="$state, restarted $restarts times"; fi
    if [ "$code" != 0 ]; then state="$state, last ended with status $code"; fi
    echo "service $service is not well after its start: $state"
    docker logs --tail 15 "$id" 2>&1 | sed "s/^/  $service | /" || :
    if [ "$health" = 'not healthy' ] && [ "$state" != "\${state#running}" ]; then
      docker inspect --format '{{with .State.Health}}{{range .Log}}{{printf "%.400s" .Output}}{{println}}{{end}}{{end}}' "$id" 2>/dev/null |
        grep -v '^[[:space:]]*$' | tail -n 3 | sed "s/^/  $service, health check | /" || :
    fi
  done
}
`
