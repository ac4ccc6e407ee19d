import { nginxLibrary, nginxLook, nginxSwitch } from '#core/nginx/script.ts'

/**
 * Two places for the processes of a release, blue and green: POSIX `sh`, below `SHIPWAY_PATH`. The file that nginx includes says which of them is served; a
 * colour's records say what was started there, and with which commands:
 *
 *     .shipway/colours/<colour>/   about (deployment, release, mark), settings
 *     .shipway/colours/serving     what nginx was last seen to take, for an upstream file that was moved
 *     colours/<colour>             a link to its release, and <colour>.env with its port: for units of systemd
 *
 * Only the colour that is not served is ever started or stopped.
 */
export const colourLibrary = `
C=$SHIPWAY_PATH/.shipway/colours
port_of() { case $1 in blue) echo "$port_blue" ;; *) echo "$port_green" ;; esac; }
other_than() { case $1 in blue) echo green ;; *) echo blue ;; esac; }
render_upstream() {
  printf '# Written by Shipway with every deployment of %s.\\n# serving %s\\nupstream %s {\\n  server 127.0.0.1:%s;\\n}\\n' "$group" "$1" "$group" "$(port_of "$1")"
}
know_served() {
  read_served
  case $served in blue | green) ;; *) served=$(read_or_nothing "$C/serving") ;; esac
}
listens() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf ':%04X' "$1")" '
    $4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
    END { exit !found }'
}
# The wget of busybox does not survive its own limit where it is linked statically.
limited_wget='wget -T 5'
if command -v timeout >/dev/null 2>&1; then limited_wget='timeout 8 wget'; fi
# Whether what listens at a port is well. No proxy stands between.
ask() {
  if command -v curl >/dev/null 2>&1; then curl --silent --fail --noproxy '*' --max-time 5 --output /dev/null "http://127.0.0.1:$1$health"
  else no_proxy=127.0.0.1 $limited_wget -q -O /dev/null "http://127.0.0.1:$1$health"
  fi >/dev/null 2>&1 </dev/null
}
# colour_hook <start | stop> <colour>: in the folder of its release, with its variables and as its release wanted it.
colour_hook() (
  . "$C/$2/settings"
  { read -r started release rest < "$C/$2/about"; } 2>/dev/null || exit 1
  { read -r SHIPWAY_RELEASE SHIPWAY_SHA SHIPWAY_VERSION < "$SHIPWAY_PATH/.shipway/releases/$release/about"; } 2>/dev/null || :
  SHIPWAY_COLOUR=$2 SHIPWAY_PORT=$(port_of "$2") SHIPWAY_SECRETS_FILE=$SHIPWAY_PATH/releases/$release/.secrets.env
  export SHIPWAY_RELEASE SHIPWAY_SHA SHIPWAY_VERSION SHIPWAY_COLOUR SHIPWAY_PORT SHIPWAY_SECRETS_FILE
  cd -P "$SHIPWAY_PATH/releases/$release" 2>/dev/null || cd "$SHIPWAY_PATH"
  command=$start_command limit=''
  if [ "$1" = stop ]; then
    command=$stop_command
    if command -v timeout >/dev/null 2>&1; then limit='timeout -k 5 60'; fi
  fi
  exec 9>&- </dev/null
  exec $limit sh -c 'set -a; if [ -f .env ]; then . ./.env; fi; set +a; exec sh -c "$1"' hook "$command"
)
# Returns 76 where it cannot be done. What it never started it does not stop: a port that is taken is told when it is needed.
stop_colour() {
  if [ ! -e "$C/$1/about" ]; then return 0; fi
  stopping=0
  colour_hook stop "$1" || stopping=$?
  if [ $stopping != 0 ]; then echo "the stop command of $1 ended with status $stopping"; fi
  stop_until=$(($(date +%s) + 30)) stop_port=$(. "$C/$1/settings"; port_of "$1")
  while listens "$stop_port"; do
    if [ "$(date +%s)" -ge $stop_until ]; then
      echo "$1 still listens at port $stop_port after its stop command"
      return 76
    fi
    sleep 0.05
  done
  rm -f "$C/$1/about"
}
`

const beginning = `
set -eu
records=$1 settings=$1/service.settings
. "$settings"
D=$SHIPWAY_PATH/.shipway/deployments/$SHIPWAY_DEPLOYMENT
${nginxLibrary}${nginxSwitch}${colourLibrary}
`

/**
 * `<records>`, in the release's folder. Forwards: starts the colour that is not served, waits until it is well, switches nginx, and waits for the workers of
 * before. The other colour runs on: the confirmation stops it. Backwards, for the release before when the deployment was decided so: its colour is served
 * again, started only when it no longer runs, and then the new one is stopped.
 *
 * In the deployment's record: `left` (the colour that was served), `start` (the new one), and what `nginxSwitch` writes there.
 */
export const colourUpScript = `${beginning}
short=\${records##*/}
mark=$(cat "$settings" .env .secrets.env 2>/dev/null | cksum | tr ' ' -)
know_served
mode=forwards
if [ -e "$D/reverted" ]; then mode=back; fi
# The way back has its own, shorter time.
if [ $mode = back ] && [ "$drain" -gt 120 ]; then drain=120; fi

choose_start() {
  start=$(read_or_nothing "$D/start")
  if [ $mode = back ]; then
    new=$start
    # Cut before it had chosen, the switch has changed nothing: what is served stays.
    if [ -n "$new" ]; then start=$(read_or_nothing "$D/left"); else start=$served; fi
    start=\${start:-$(other_than "\${new:-green}")}
    return 0
  fi
  if [ -n "$start" ]; then return 0; fi
  start=$(other_than "\${served:-green}")
  printf '%s\\n' "$served" > "$D/left"
  printf '%s\\n' "$start" > "$D/start.new"
  mv "$D/start.new" "$D/start"
}
is_ours() {
  started='' release='' seen_mark=''
  { read -r started release seen_mark < "$C/$start/about"; } 2>/dev/null || :
  [ "$release $seen_mark" = "$short $mark" ]
}
show_colour() {
  mkdir -p "$SHIPWAY_PATH/colours"
  printf 'SHIPWAY_COLOUR=%s\\nSHIPWAY_PORT=%s\\nSHIPWAY_RELEASE=%s\\nSHIPWAY_SHA=%s\\n' "$start" "$port" "$SHIPWAY_RELEASE" "$SHIPWAY_SHA" > "$SHIPWAY_PATH/colours/.new.env"
  mv -f "$SHIPWAY_PATH/colours/.new.env" "$SHIPWAY_PATH/colours/$start.env"
  rm -f "$SHIPWAY_PATH/colours/.new"
  ln -s "../releases/$short" "$SHIPWAY_PATH/colours/.new"
  mv -Tf "$SHIPWAY_PATH/colours/.new" "$SHIPWAY_PATH/colours/$start" 2>/dev/null || mv -hf "$SHIPWAY_PATH/colours/.new" "$SHIPWAY_PATH/colours/$start"
}
start_colour() {
  stopped=0
  stop_colour "$start" || stopped=$?
  if [ $stopped != 0 ]; then exit $stopped; fi
  if listens "$port"; then
    echo "service $start is not well after its start: its port $port is taken by something that Shipway has not started"
    exit 75
  fi
  mkdir -p "$C/$start"
  cp "$settings" "$C/$start/settings.new"
  mv -f "$C/$start/settings.new" "$C/$start/settings"
  printf '%s %s %s\\n' "$SHIPWAY_DEPLOYMENT" "$short" "$mark" > "$C/$start/about.new"
  mv -f "$C/$start/about.new" "$C/$start/about"
  show_colour
  starting=0
  colour_hook start "$start" || starting=$?
  if [ $starting != 0 ]; then
    echo "service $start is not well after its start: the start command ended with status $starting"
    exit 71
  fi
}
wait_well() {
  well_until=$(($(date +%s) + within))
  until ask "$port"; do
    if [ -e "$D/stop" ] && [ -e "$D/undecided" ]; then exit 79; fi
    if [ "$(date +%s)" -ge $well_until ]; then
      echo "service $start is not well after its start: http://127.0.0.1:$port$health does not answer with success within $within s"
      exit 71
    fi
    sleep 0.1
  done
}
# What nginx may be serving at this moment is not started anew because of one answer that did not come.
still_runs() {
  looks=0
  until ask "$port"; do
    looks=$((looks + 1))
    if [ ! -e "$D/touched" ] && listens "$port"; then return 0; fi
    if [ $looks -ge 3 ] || ! listens "$port"; then return 1; fi
    sleep 0.2
  done
}
note_serving() { { printf '%s\\n' "$start" > "$C/serving.new" && mv -f "$C/serving.new" "$C/serving"; } 2>/dev/null || :; }

choose_start
port=$(port_of "$start")
if [ $mode = forwards ]; then
  # What is served already is left alone: this call was cut after it had told nginx. So is what stands by.
  if [ "$served" != "$start" ] && ! { is_ours && ask "$port"; }; then start_colour; fi
  wait_well
  switch_nginx
  note_serving
else
  if ! still_runs; then start_colour; wait_well; fi
  switch_nginx_back
  rm -f "$upstream_before"
  note_serving
  if [ -n "$new" ] && [ "$new" != "$start" ]; then stop_colour "$new"; fi
fi
`

/** `<records>`: takes back what the release of these records has told nginx and started; or, when another release takes its place, stops both colours. */
export const colourDownScript = `${beginning}
release=''
{ read -r release rest < "$D/order"; } 2>/dev/null || :
start=$(read_or_nothing "$D/start")
if [ "$release" = "\${records##*/}" ]; then
  nginx_leave before
  if [ -n "$start" ]; then stop_colour "$start"; fi
else
  nginx_leave nothing
  stop_colour blue
  stop_colour green
fi
rm -f "$C/serving"
`

/** `<folder> <deployment>`, standard input: `settings`. Is everything there that a switch needs? Nothing is touched. */
export const colourLookScript = `
cd "$1"
SHIPWAY_PATH=$PWD SHIPWAY_DEPLOYMENT=$2
work=$PWD/$S/incoming/$2.colours
trap 'code=$?; set +e; rm -rf "$work"; (exit $code); at_exit' EXIT
rm -rf "$work"
mkdir -p "$work"
tar -xpof - -C "$work"
. "$work/settings"
${nginxLibrary}${colourLibrary}
log() { sed 's/^/shipway:log /' "$1" | tail -n 60; }
command -v curl >/dev/null 2>&1 || command -v wget >/dev/null 2>&1 || fail 'tool curl'
${nginxLook}
`

/**
 * `<folder> <deployment>`. After the confirmation, with the settings of its switch, and without new room on the disk: stops the colour that is not served,
 * unless it stands by. Says `drained <workers> <milliseconds> <left>`, as measured at the switch, and `ended <colour>`.
 */
export const colourRetireScript = `
cd "$1"
SHIPWAY_PATH=$PWD SHIPWAY_DEPLOYMENT=$2
record=$PWD/$S/deployments/$2
{ read -r release rest < "$record/order"; } 2>/dev/null || exit 0
. "$PWD/$S/releases/$release/service.settings"
${nginxLibrary}${colourLibrary}
if { read -r workers took left < "$record/drain"; } 2>/dev/null; then say "drained $workers $took $left"; fi
# Whoever has the target now has stopped it already, or needs it.
mutex 300 || exit 0
if read_pending; then exit 0; fi
start=$(read_or_nothing "$record/start")
know_served
if [ -z "$start" ] || [ "$served" != "$start" ] || [ "$standby" = yes ]; then exit 0; fi
rm -f "$upstream_before"
old=$(other_than "$start")
if [ ! -e "$C/$old/about" ]; then exit 0; fi
export SHIPWAY_PATH SHIPWAY_DEPLOYMENT
SHIPWAY_APPLICATION='' SHIPWAY_ENVIRONMENT=''
{ read -r SHIPWAY_APPLICATION SHIPWAY_ENVIRONMENT < $S/owner; } 2>/dev/null || :
export SHIPWAY_APPLICATION SHIPWAY_ENVIRONMENT
# A stop command that cannot say what it does may end before it has done it.
said=$record/retire.log
if ! { head -c 65536 /dev/zero > "$said"; } 2>/dev/null; then rm -f "$said"; said=/dev/null; fi
if stop_colour "$old" > "$said" 2>&1; then say "ended $old"; fi
sed 's/^/shipway:log /' "$said" | tail -n 60
`
