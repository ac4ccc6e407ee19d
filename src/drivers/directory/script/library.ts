/**
 * What all scripts share: POSIX `sh`, tested with dash, bash and busybox. Everything happens inside the target's
 * folder, with relative paths, in variables and functions; data comes from arguments and standard input only.
 *
 *     releases/<short>/            files of a release, read-only, hard links between releases
 *     current -> releases/<short>
 *     .shipway/releases/<short>/   about (id sha version: its presence says "complete"), files (catalogue), restart, service.*, used
 *     .shipway/deployments/<dep>/  order, undecided | confirmed | reverted, ended, switching, hooked, undone | done, back, logs …
 *     .shipway/pending -> <dep>    a switch that nobody has confirmed
 *     .shipway/{owner,lock,previous,confirmed,sequence,journal,mutex,incoming/}
 *
 * Two renames carry the protocol. `undecided` becomes `confirmed` or `reverted`: it is there once, so exactly one of those
 * who try succeeds. `current` is replaced as a whole. Going back makes no new file, nor does a confirmation: all that they
 * need was made before the switch, so that they work on a full disk. `ended` keeps what was taken back before it began from
 * beginning late. `mutex` (a kernel lock where `flock` exists) only keeps two scripts from working at the same moment;
 * nothing is lost when it cannot.
 */
export const library = `
set -eu
unset CDPATH
umask 022
given_locale=\${LC_ALL-}
LC_ALL=C
export LC_ALL
S=.shipway

say() { printf 'shipway:%s\\n' "$*"; }
fail() { say "error $*"; exit 3; }
now() { date +%s; }

# The shell's own commands do not say why they could not write, so an unforeseen end looks at the disk.
mutex_folder='' follower=''
at_exit() {
  status=$?
  if [ -n "$follower" ]; then kill "$follower" 2>/dev/null || :; fi
  if [ -n "$mutex_folder" ]; then rm -rf "$mutex_folder"; fi
  if [ $status -ne 0 ] && [ $status -ne 3 ]; then
    room=$(df -Pk . 2>/dev/null | awk 'NR == 2 { print $4 }')
    if [ "\${room:-64}" -lt 64 ]; then say "error full $room"; fi
  fi
  exit $status
}
trap at_exit EXIT

# Waits up to $1 tenths of a second for the right to work on this target alone.
mutex() {
  waits=0
  if command -v flock >/dev/null 2>&1; then
    exec 9>>$S/mutex
    until flock -n 9; do
      [ $waits -lt "$1" ] || return 1
      waits=$((waits + 1)); sleep 0.1
    done
  else
    until mkdir $S/mutex.d 2>/dev/null; do
      holder=$(cat $S/mutex.d/pid 2>/dev/null || :)
      if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then rm -rf $S/mutex.d; continue; fi
      [ $waits -lt "$1" ] || return 1
      waits=$((waits + 1)); sleep 0.1
    done
    mutex_folder=$S/mutex.d
    echo $$ > $S/mutex.d/pid
  fi
}
mutex_free() {
  if [ -n "$mutex_folder" ]; then rm -rf "$mutex_folder"; mutex_folder=''; else exec 9>&-; fi
}

# Makes files and folders durable: fsync of each where \`sync\` takes names. A slow disk does not keep the mutex of a dead script.
keep() { sync "$@" 2>/dev/null 9>&- || sync 9>&-; }

note() { { printf '%s %s %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$dep" "$*" >> $S/journal; } 2>/dev/null || :; }

# What \`current\` is: a release of ours ($current), or something else ($foreign).
read_current() {
  current='' foreign=''
  if link=$(readlink current 2>/dev/null); then
    current=\${link#releases/}
    if [ "$link" = "$current" ] || [ ! -e "$S/releases/$current/about" ]; then
      foreign="a link to $link" current=''
    fi
  elif [ -e current ]; then
    foreign='a file or folder'
  fi
}
read_about() {
  about_id='' about_sha='' about_version=''
  { read -r about_id about_sha about_version < "$S/releases/$1/about"; } 2>/dev/null
}

# Releases by their last use, newest first. Times of files are no order: busybox compares seconds.
newest_releases() {
  for used in $S/releases/*/used; do
    { read -r number < "$used"; } 2>/dev/null || continue
    short=\${used#$S/releases/}
    echo "$number \${short%/used}"
  done | sort -rn | sed 's/^[0-9]* //'
}
mark_used() {
  number=0
  { read -r number < $S/sequence; } 2>/dev/null || :
  echo $((number + 1)) > $S/sequence.new
  mv -f $S/sequence.new $S/sequence
  echo $((number + 1)) > "$S/releases/$1/used"
}

# Loads a deployment's record: D dep rel prev deadline seconds older.
read_order() {
  dep=$1 D=$S/deployments/$1
  { read -r rel prev deadline seconds older < "$D/order"; } 2>/dev/null || return 1
  if [ -e "$S/releases/$rel/service.up" ]; then back_seconds=300; fi
}
read_pending() { pending=$(readlink $S/pending 2>/dev/null) && read_order "$pending"; }
is_open() { [ -e "$D/undecided" ]; }

# Succeeds when the verdict is $1, whoever came first.
decide() {
  if [ -e "$D/undecided" ]; then mv "$D/undecided" "$D/$1" 2>/dev/null || :; fi
  [ -e "$D/$1" ]
}

check_owner() {
  if { read -r owner < $S/owner; } 2>/dev/null; then
    [ "$owner" = "$1" ] || fail "owned $owner"
  else
    printf '%s\\n' "$1" > $S/owner
  fi
}

# A deployment that was taken back before anything happened does not begin any more.
check_not_ended() { [ ! -e "$S/deployments/$1/ended" ] || fail 'reverted it was taken back before it began'; }

# lock_take <deployment> <seconds> <who>: a lock of another one holds until its own time is over.
lock_take() {
  lock_now=$(now) lock_since=$lock_now
  if { read -r lock_dep lock_begun lock_until lock_who < $S/lock; } 2>/dev/null; then
    if [ "$lock_dep" = "$1" ]; then lock_since=$lock_begun
    elif [ "$lock_now" -lt "$lock_until" ]; then fail "locked $lock_dep $lock_begun $lock_until $lock_who"
    fi
  fi
  printf '%s %s %s %s\\n' "$1" "$lock_since" $((lock_now + $2)) "$3" > $S/lock.new && mv -f $S/lock.new $S/lock
}
# lock_end <deployments>: they have ended, as whoever asked for them knows. The lock that one of them has left holds nobody, and what the network has
# kept of it must not begin any more.
lock_end() {
  { read -r lock_dep lock_rest < $S/lock; } 2>/dev/null || return 0
  case " $1 " in *" $lock_dep "*) ;; *) return 0 ;; esac
  if [ "$(readlink $S/pending 2>/dev/null)" = "$lock_dep" ]; then return 0; fi
  { mkdir -p "$S/deployments/$lock_dep" && : > "$S/deployments/$lock_dep/ended"; } 2>/dev/null || :
  rm -f $S/lock
}
lock_free() {
  if { read -r lock_dep lock_rest < $S/lock; } 2>/dev/null && [ "$lock_dep" = "$1" ]; then rm -f $S/lock; fi
}

# replace_current <link>: \`current\` becomes this link, in one step.
replace_current() { mv -Tf "$1" current 2>/dev/null || mv -hf "$1" current; }

# run_hook <release> <log> <seconds>: starts the services of a release, where it has any, then its restart command.
# \`hook_part\` says which of them has failed.
run_hook() {
  hook_end=$(($(now) + $3)) hook_part=up
  if [ -s "$S/releases/$1/service.up" ]; then run_part up "$1" "$2" "$3" || return $?; fi
  hook_part=restart hook_rest=$((hook_end - $(now)))
  if [ $hook_rest -lt 1 ]; then hook_rest=1; fi
  if [ -s "$S/releases/$1/restart" ]; then run_part restart "$1" "$2" $hook_rest || return $?; fi
}
# run_down <release> <log>: stops the services of a release, where it has any.
run_down() {
  if [ -s "$S/releases/$1/service.down" ]; then run_part down "$1" "$2" $back_seconds || return $?; fi
}
# run_part <up | down | restart> <release> <log> <seconds>: in the release's folder. It keeps no descriptor of ours, since
# a service that it starts lives on and would keep the connection open.
run_part() {
  read_about "$2" || :
  limit=''
  if command -v timeout >/dev/null 2>&1; then limit="timeout -k 5 $4"; fi
  hook_log=$PWD/$D/$3 hook_begun=$(now) hook_status=0 hook_records=$PWD/$S/releases/$2
  (
    exec 9>&- </dev/null >>"$hook_log" 2>&1
    SHIPWAY_PATH=$PWD SHIPWAY_RELEASE=$about_id SHIPWAY_VERSION=$about_version SHIPWAY_SHA=$about_sha
    SHIPWAY_DEPLOYMENT=$dep SHIPWAY_SECRETS_FILE=$PWD/releases/$2/.secrets.env
    SHIPWAY_APPLICATION='' SHIPWAY_ENVIRONMENT=''
    { read -r SHIPWAY_APPLICATION SHIPWAY_ENVIRONMENT < $S/owner; } 2>/dev/null || :
    export SHIPWAY_PATH SHIPWAY_RELEASE SHIPWAY_VERSION SHIPWAY_SHA SHIPWAY_DEPLOYMENT
    export SHIPWAY_SECRETS_FILE SHIPWAY_APPLICATION SHIPWAY_ENVIRONMENT
    if [ -n "$given_locale" ]; then LC_ALL=$given_locale; else unset LC_ALL; fi
    cd -P "releases/$2" || exit 126
    if [ "$1" != restart ]; then exec $limit sh "$hook_records/service.$1" "$hook_records"; fi
    restart=$(cat "$hook_records/restart")
    exec $limit sh -c 'set -a; if [ -f .env ]; then . ./.env; fi; set +a; exec sh -c "$1"' hook "$restart"
  ) || hook_status=$?
  # GNU's \`timeout\` says 124, busybox's says by which signal the command died.
  if [ $hook_status -ge 128 ] && [ $(($(now) - hook_begun)) -ge "$4" ]; then hook_status=124; fi
  return $hook_status
}
# What a release has from its last switch, beside its files: below its records.
hook_files='restart service.up service.down service.settings service.env service.front'

# The time-out that is left for a hook before the deadline of the deployment.
hook_left() {
  left=$((deadline - $(now) - 1))
  if [ $left -lt 1 ]; then left=1; fi
}
back_seconds=60

stop_watcher() {
  { read -r watcher < "$D/watcher"; } 2>/dev/null || return 0
  if grep -q "$dep" "/proc/$watcher/cmdline" 2>/dev/null; then
    kill -TERM -- "-$watcher" 2>/dev/null || kill "$watcher" 2>/dev/null || :
  fi
}

end_pending() { if [ "$(readlink $S/pending 2>/dev/null)" = "$dep" ]; then rm -f $S/pending; fi; }
# The last of a deployment. \`pending\` goes after the lock: as long as it is there, the next script ends what was cut.
let_go() { lock_free "$dep"; end_pending; }

# Everything that going back needs, made while there is room: see go_back.
get_ready_to_go_back() {
  : >> "$D/back.log"
  : > "$D/undone"
  if [ "$prev" != - ]; then
    rm -f "$D/back"
    ln -s "releases/$prev" "$D/back"
  fi
}

# What a confirmation writes, made while there is room: it must not fail once it is decided.
get_ready_to_confirm() {
  for ready in "previous $prev" "confirmed $dep" "older $older"; do
    printf '%s\\n' "\${ready#* }" > "$D/ready.\${ready%% *}"
  done
}
# put_line <file> <text> <what was made ready>: the file is replaced as a whole, without new room if possible.
put_line() {
  line=''
  { read -r line < "$S/$1"; } 2>/dev/null || :
  if [ "$line" = "$2" ]; then return 0; fi
  if [ ! -e "$D/ready.$3" ]; then printf '%s\\n' "$2" > "$D/ready.$3"; fi
  mv -f "$D/ready.$3" "$S/$1"
}

# go_back <reason>: after the verdict "reverted". May be called again at any point of it. It renames, links and removes.
go_back() {
  if [ ! -e "$D/done" ]; then go_back_now "$1"; fi
  let_go
}
go_back_now() {
  back_status=0
  if [ -e "$D/switching" ]; then
    if [ "$prev" = - ]; then
      rm -f current
      run_down "$rel" back.log || back_status=$?
    else
      if [ -d "$D/before" ]; then restore_environment; fi
      if [ -h "$D/back" ]; then replace_current "$D/back"; fi
      if [ ! -e "$S/releases/$prev/service.up" ]; then run_down "$rel" back.log || :
      elif [ -e "$S/releases/$rel/service.front" ] && [ ! -e "$S/releases/$prev/service.front" ]; then
        run_down "$rel" back.log || :
      fi
      run_hook "$prev" back.log $back_seconds || back_status=$?
    fi
  fi
  { printf '%s %s\\n' "$back_status" "$1" > "$D/outcome"; } 2>/dev/null || :
  mv -f "$D/undone" "$D/done"
  note "reverted: $1"
}
read_outcome() { back_status=0 reason='it was taken back'; { read -r back_status reason < "$D/outcome"; } 2>/dev/null || :; }

# A deployment of the release that runs already replaces its settings: these are the ones to go back to.
restore_environment() {
  for name in .env .secrets.env; do restore_file "$name" "releases/$rel/$name"; done
  for name in $hook_files; do restore_file "$name" "$S/releases/$rel/$name"; done
}
restore_file() { if [ -e "$D/before/$1" ]; then ln -f "$D/before/$1" "$2"; else rm -f "$2"; fi; }

# Ends what nobody ended: a switch whose time is over while the host was down, a revert that was cut.
settle() {
  read_pending || return 0
  if is_open; then
    [ "$(now)" -ge "$deadline" ] || return 0
    decide reverted || return 0
  fi
  if [ -e "$D/confirmed" ]; then finish_confirm; else go_back 'nobody confirmed it in time'; fi
}

# After the verdict "confirmed". May be called again at any point of it.
finish_confirm() {
  if [ "$prev" != - ] && [ "$prev" != "$rel" ]; then put_line previous "$prev" previous; fi
  put_line confirmed "$dep" confirmed
  if [ -d "$D/before" ]; then rm -rf "$D/before"; fi
  let_go
}
`
