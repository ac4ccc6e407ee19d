import { nginxLibrary, nginxSwitch } from '#core/nginx/script.ts'
import { engineLibrary } from './engine.ts'
import { serviceBeginning } from './up.ts'
import { wellLibrary } from './well.ts'

/**
 * What is told of sets of containers: POSIX `sh`. A set is what one start has made; its containers carry that deployment's id as the label
 * `shipway.start`, the release and its settings as `shipway.mark`, and their port on loopback as `shipway.port`. The file that nginx
 * includes says which set is served: there is no other record of it. `colours` has a line `service port group-of-servers` for each service.
 */
export const colourLibrary = `
colour_services=$(printf '%s\\n' "$colours" | cut -d ' ' -f 1)
# list <format> [filters]: of the project, in any state.
list() {
  list_format=$1; shift
  docker ps --all --no-trunc --format "$list_format" --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False "$@"
}
containers() { list '{{.ID}}' "$@"; }
# set_of <start> [filters]
set_of() { set_start=$1; shift; containers --filter "label=shipway.start=$set_start" "$@"; }
count_lines() { grep -c . || :; }
set_size=$(($(printf '%s\\n' "$colours" | count_lines) * replicas))
set_is_complete() { [ "$(set_of "$1" --filter status=running | count_lines)" = "$set_size" ]; }
# All containers of these services, and those of them that belong to none of the given sets.
all_colours() {
  for service in $colour_services; do containers --filter "label=com.docker.compose.service=$service"; done
}
others_than() {
  kept=''
  for start in "$@"; do
    if [ -n "$start" ]; then kept="$kept $(set_of "$start" | tr '\\n' ' ')"; fi
  done
  for id in $(all_colours); do
    case $kept in *"$id"*) ;; *) echo "$id" ;; esac
  done
}
end_containers() {
  if [ $# = 0 ]; then return 0; fi
  docker stop "$@" >/dev/null
  docker rm --force --volumes "$@" >/dev/null
}
render_upstream() {
  printf '# Written by Shipway with every deployment of %s.\\n# serving %s\\n' "$project" "$1"
  while read -r service port name <&3; do
    printf 'upstream %s {\\n' "$name"
    list '{{.Label "shipway.port"}}' --filter "label=shipway.start=$1" --filter "label=com.docker.compose.service=$service" | sort -n | sed 's/.*/  server 127.0.0.1:&;/'
    echo '}'
  done 3<<END
$colours
END
}
`

const beginning = `${serviceBeginning}${wellLibrary}${nginxLibrary}${nginxSwitch}${colourLibrary}
D=$SHIPWAY_PATH/.shipway/deployments/$SHIPWAY_DEPLOYMENT
`

/**
 * `<records>`, in the release's folder. Forwards: starts a new set beside the one that is served, waits until it is well, switches nginx, and waits for
 * the workers of before. The set that was served runs on: the confirmation ends it. Backwards, for the release before when the deployment was
 * decided so: the set that was served is served again, started only when it is gone, and then all others are ended.
 *
 * In the deployment's record: `left` (the set that was served), `start` (the new one), `touched` (nginx was told), `ignored` (in vain), `drain`, `pid-file`.
 */
export const colourUpScript = `${beginning}
[ -f "$override" ] || { echo 'The images of this release are not pinned.'; exit 70; }
mark=\${records##*/}.$(cat "$settings" "$environment" "$override" .env .secrets.env 2>/dev/null | cksum | tr ' ' -)
read_served
mode=forwards
if [ -e "$D/reverted" ]; then mode=back; fi
# The way back has its own, shorter time.
if [ $mode = back ] && [ "$drain" -gt 120 ]; then drain=120; fi

members() {
  strange=" $(others_than "$start" | tr '\\n' ' ') "
  for id in $(printf '%s\\n' "$all_seen" | cut -d ' ' -f 1); do
    case $strange in *" $id "*) ;; *) echo "$id" ;; esac
  done
}
# A set of this release that is not served and works: what an earlier deployment has left standing by.
find_standby() {
  if [ -n "$served" ] && list '{{.Label "shipway.mark"}}' --filter "label=shipway.start=$served" | grep -q -x "$mark"; then return 0; fi
  for candidate in $(list '{{.Label "shipway.start"}}' --filter "label=shipway.mark=$mark" --filter health=healthy | sort -u); do
    if [ "$(set_of "$candidate" --filter health=healthy | count_lines)" = "$set_size" ]; then echo "$candidate"; return 0; fi
  done
}
choose_start() {
  start=$(read_or_nothing "$D/start")
  if [ $mode = back ]; then
    # Cut before it had chosen, the switch has changed nothing: what is served stays.
    if [ -n "$start" ]; then start=$(read_or_nothing "$D/left"); else start=$served; fi
    start=\${start:-back-$SHIPWAY_DEPLOYMENT}
    return 0
  fi
  if [ -n "$start" ]; then return 0; fi
  start=$(find_standby)
  start=\${start:-$SHIPWAY_DEPLOYMENT}
  printf '%s\\n' "$served" > "$D/left"
  printf '%s\\n' "$start" > "$D/start.new"
  mv "$D/start.new" "$D/start"
}
# Two projects on one host must not choose the same: each begins to look at another place.
choose_port() {
  in_use=" $(docker ps --all --filter label=shipway.port --format '{{.Label "shipway.port"}}' | tr '\\n' ' ') "
  listening=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '{ print $2 " " }')
  size=$((ports_last - ports_first + 1)) tried=0
  offset=$(printf %s "$project" | cksum)
  offset=$((\${offset%% *} % size))
  while [ $tried -lt $size ]; do
    chosen=$((ports_first + (offset + tried) % size)) tried=$((tried + 1))
    case $in_use in *" $chosen "*) continue ;; esac
    case $listening in *":$(printf %04X $chosen) "*) continue ;; esac
    return 0
  done
  echo "Every port from $ports_first to $ports_last is taken."
  exit 75
}
start_one() {
  attempts=0
  while :; do
    choose_port
    scale=$(($(containers --filter "label=com.docker.compose.service=$1" | count_lines) + 1))
    colour_start=$start colour_mark=$mark colour_port=$chosen
    status=0
    said=$(compose up --detach --no-build --no-deps --no-recreate --remove-orphans --scale "$1=$scale" "$1" </dev/null 2>&1) || status=$?
    # docker-compose does not know that each container has another port.
    printf '%s\\n' "$said" | grep -v 'the port will clash' || :
    if [ $status = 0 ]; then return 0; fi
    end_containers $(set_of "$start" --filter status=created)
    attempts=$((attempts + 1))
    if [ $attempts -ge 3 ]; then exit 71; fi
  done
}
start_set() {
  stopped=$(set_of "$start" --filter status=exited --filter status=created)
  if [ -n "$stopped" ]; then docker start $stopped >/dev/null || end_containers $stopped; fi
  while read -r service port name <&3; do
    have=$(set_of "$start" --filter "label=com.docker.compose.service=$service" | count_lines)
    while [ "$have" -lt "$replicas" ]; do
      start_one "$service"
      have=$((have + 1))
    done
  done 3<<END
$colours
END
}
start_others() {
  others=$(cut -d ' ' -f 1 "$records/images" | while read -r service; do
    case "$line_end$colour_services$line_end" in *"$line_end$service$line_end"*) ;; *) echo "$service" ;; esac
  done)
  if [ -n "$others" ]; then compose up --detach --no-build --no-deps --remove-orphans $others </dev/null; fi
}

# What the host has just started anew, as after a reboot, is served when it can answer. What is ill is served all the same: the deployment is decided.
wait_started() {
  started_until=$(($(date +%s) + within))
  while [ -n "$(set_of "$start" --filter health=starting)" ] && [ "$(date +%s)" -lt $started_until ]; do sleep 0.3; done
}

choose_start
failed=0
start_others || failed=$?
if [ $mode = forwards ] || ! set_is_complete "$start"; then
  if [ $failed = 0 ]; then start_set; fi
  wait_well $failed
fi
if [ $mode = forwards ]; then
  switch_nginx
else
  wait_started
  switch_nginx_back
  rm -f "$upstream_before"
  end_containers $(others_than "$start")
fi
`

/**
 * `<records>`: takes back what the release of these records has told nginx and started, or, when another release takes its place, ends all of the
 * project. Volumes stay.
 */
export const colourDownScript = `${beginning}
if [ ! -f "$override" ]; then override=''; fi
release='' before=-
{ read -r release before rest < "$D/order"; } 2>/dev/null || :
if [ "$release" = "\${records##*/}" ]; then nginx_leave before; else nginx_leave nothing; fi
start=$(read_or_nothing "$D/start")
if [ "$release" = "\${records##*/}" ] && [ -e "$SHIPWAY_PATH/.shipway/releases/$before/service.up" ]; then
  if [ -n "$start" ]; then end_containers $(set_of "$start"); fi
else
  compose down --remove-orphans
fi
`

/**
 * `<folder> <deployment>`. After the confirmation, with the settings of its switch, and without new room on the disk: ends every set that is not served, except the one that was left
 * where it stands by, and the file of nginx that served them. Says `drained <workers> <milliseconds> <left>`, as measured at the switch, and `ended <number>`.
 */
export const retireScript = `
cd "$1"
D=$S/deployments/$2
{ read -r release rest < "$D/order"; } 2>/dev/null || exit 0
settings=$PWD/$S/releases/$release/service.settings environment='' override=''
${engineLibrary}${nginxLibrary}${colourLibrary}
if { read -r workers took left < "$D/drain"; } 2>/dev/null; then say "drained $workers $took $left"; fi
start=$(cat "$D/start" 2>/dev/null || :)
read_served
if [ -z "$start" ] || [ "$served" != "$start" ]; then exit 0; fi
rm -f "$upstream_before"
standing=''
if [ "$standby" = yes ]; then standing=$(cat "$D/left" 2>/dev/null || :); fi
old=$(others_than "$start" "$standing")
if [ -n "$old" ]; then
  end_containers $old
  say "ended $(printf '%s\\n' "$old" | grep -c .)"
fi
`
