/**
 * How the nginx of a host is asked and told, for every driver that switches behind it: POSIX `sh`, as text for their scripts. From the settings come
 * `nginx` (its words, the last one first), `upstream` (the file that it includes), `drain` (seconds) and `colours` (a line `service port group-of-servers` for each
 * group). `nginx -s reload` returns before anything has happened, so the proof of a switch is that new workers are there, and the proof that requests
 * are through is that the workers of before are gone.
 *
 * The driver's part is a function `render_upstream <name>`, which prints the file that serves that name and has a line `# serving <name>`.
 */
export const nginxLibrary = `
line_end='
'
PATH=$PATH:/usr/sbin:/usr/local/sbin:/sbin
upstream_folder=\${upstream%/*}/ upstream_name=\${upstream##*/}
upstream_new=$upstream_folder.$upstream_name.shipway-new
upstream_before=$upstream_folder.$upstream_name.shipway-before

nginx_call() {
  given_ifs=$IFS
  IFS=$line_end
  set -f
  for word in $nginx; do set -- "$word" "$@"; done
  set +f
  IFS=$given_ifs
  "$@"
}
# The whole configuration, as nginx reads it: $nginx_dump.
nginx_read() { nginx_dump=$(nginx_call -T 2>/dev/null); }
nginx_includes_upstream() {
  printf '%s\\n' "$nginx_dump" | sed -n 's/^# configuration file \\(.*\\):$/\\1/p' | while IFS= read -r file; do
    if [ "$file" -ef "$upstream" ]; then echo yes; break; fi
  done | grep -q yes
}
# Where its process id stands: $pid_file. A relative path is below the prefix.
nginx_find_pid_file() {
  pid_file=$(printf '%s\\n' "$nginx_dump" | sed -n "s/^[[:space:]]*pid[[:space:]][[:space:]]*[\\"']\\{0,1\\}\\([^;\\"']*\\).*;.*/\\1/p" | head -n 1)
  built=$(nginx_call -V 2>&1 | tr ' ' '\\n')
  if [ -z "$pid_file" ]; then pid_file=$(printf '%s\\n' "$built" | sed -n 's/^--pid-path=//p'); fi
  case $pid_file in
    /*) ;;
    *)
      prefix=$(printf '%s\\n' "$nginx" | awk 'seen == "" && $0 == "-p" { seen = 1; print last } { last = $0 }')
      if [ -z "$prefix" ]; then prefix=$(printf '%s\\n' "$built" | sed -n 's/^--prefix=//p'); fi
      pid_file=\${prefix%/}/$pid_file ;;
  esac
}
nginx_find_master() {
  master=''
  { read -r master < "$pid_file"; } 2>/dev/null || :
  case $master in '' | *[!0-9]*) return 1 ;; esac
  [ -d "/proc/$master" ] || kill -0 "$master" 2>/dev/null
}
nginx_workers() {
  if [ -r "/proc/$master/status" ]; then
    grep -l "^PPid:[[:space:]]*$master\\$" /proc/[0-9]*/status 2>/dev/null | cut -d / -f 3 || :
  else
    pgrep -P "$master" || :
  fi
}
# Which of the workers of before are still there: $left_workers.
nginx_count_left() {
  there=" $(nginx_workers | tr '\\n' ' ') " left_workers=0
  for worker in $old_workers; do
    case $there in *" $worker "*) left_workers=$((left_workers + 1)) ;; esac
  done
}
nginx_has_new() {
  for worker in $(nginx_workers); do
    case " $old_workers " in *" $worker "*) ;; *) return 0 ;; esac
  done
  return 1
}
# Hundredths of a second, of a clock that nobody sets.
ticks() {
  if { read -r up_time rest < /proc/uptime; } 2>/dev/null; then printf '%s%s' "\${up_time%.*}" "\${up_time#*.}"; else date +%s00; fi
}
nginx_refusal() { nginx_call -t 2>&1 | tail -n 20 || :; }

# Tells nginx what its files say now. Returns 0 when new workers have it, 72 when it refuses the files, 73 when it goes on with the old ones, 74 when it
# does not run.
nginx_reload() {
  if ! nginx_call -t >/dev/null 2>&1; then nginx_refusal; return 72; fi
  nginx_find_master || return 74
  old_workers=$(nginx_workers | tr '\\n' ' ')
  reloaded_at=$(ticks)
  nginx_call -s reload || return 73
  tries=0
  until nginx_has_new; do
    if [ $tries -ge 200 ]; then return 73; fi
    tries=$((tries + 1)); sleep 0.1
  done
}
# Waits for the workers of before: $old_workers since $reloaded_at. What came of it: $drained, "workers milliseconds left".
nginx_drain() {
  nginx_count_left
  while [ $left_workers -gt 0 ] && [ $(($(ticks) - reloaded_at)) -lt $((drain * 100)) ]; do
    sleep 0.05
    nginx_count_left
  done
  set -- $old_workers
  drained="$# $((($(ticks) - reloaded_at) * 10)) $left_workers"
}
# Writes the file from standard input, in one step.
write_upstream() {
  cat > "$upstream_new"
  sync "$upstream_new" 2>/dev/null || sync
  mv -f "$upstream_new" "$upstream"
}
# What stands there until something is served.
nothing_served() {
  echo "# Written by Shipway: nothing is served."
  while read -r service port name <&3; do
    printf 'upstream %s {\\n  server 127.0.0.1:%s down;\\n}\\n' "$name" "$port"
  done 3<<END
$colours
END
}
read_served() { served=$(sed -n 's/^# serving //p' "$upstream" 2>/dev/null | head -n 1); }
read_or_nothing() { cat "$1" 2>/dev/null || :; }
`

/**
 * After `nginxLibrary`, for the scripts of one deployment: the order in which nothing is lost, and its way back. `D` is the deployment's record, `start` what shall be served and
 * `served` what is. In the record lie `touched` (nginx was told), `ignored` (in vain), `drain` and `pid-file`. What was served runs on all the time: it is the
 * caller's to end, and only after this.
 */
export const nginxSwitch = `
undo_upstream() {
  if [ -e "$upstream_before" ]; then mv -f "$upstream_before" "$upstream"; else nothing_served | write_upstream; fi
}
# Ends the script where nginx does not go along; then what was served is served.
switch_nginx() {
  if [ "$served" != "$start" ]; then
    rm -f "$upstream_before"
    if [ -e "$upstream" ]; then ln "$upstream" "$upstream_before"; fi
    : > "$D/touched"
    render_upstream "$start" | write_upstream
  fi
  if ! nginx_read; then nginx_refusal; undo_upstream; rm -f "$D/touched"; exit 72; fi
  if ! nginx_includes_upstream; then undo_upstream; rm -f "$D/touched"; exit 77; fi
  nginx_find_pid_file
  printf '%s\\n' "$pid_file" > "$D/pid-file"
  outcome=0
  nginx_reload || outcome=$?
  if [ $outcome = 73 ]; then : > "$D/ignored"; fi
  if [ $outcome != 0 ]; then undo_upstream; exit $outcome; fi
  nginx_drain
  printf '%s\\n' "$drained" > "$D/drain"
}
# Also where nginx was told nothing: what was served may have had to be started anew, somewhere else.
switch_nginx_back() {
  rm -f "$upstream_new"
  wanted=$(render_upstream "$start")
  if [ "$wanted" != "$(read_or_nothing "$upstream")" ]; then
    if [ "$wanted" = "$(read_or_nothing "$upstream_before")" ]; then mv -f "$upstream_before" "$upstream"
    else printf '%s\\n' "$wanted" | write_upstream
    fi
  elif [ ! -e "$D/touched" ]; then return 0
  fi
  nginx_know_pid_file
  outcome=0
  nginx_reload || outcome=$?
  if [ $outcome = 0 ]; then nginx_drain; fi
  # Where nginx did not hear of the switch, it need not hear of the way back.
  if [ $outcome = 73 ] && [ -e "$D/ignored" ]; then outcome=0; fi
  return $outcome
}
nginx_know_pid_file() {
  pid_file=$(read_or_nothing "$D/pid-file")
  if [ -z "$pid_file" ]; then nginx_read && nginx_find_pid_file; fi
}
# nginx_leave <before | nothing>: what nginx was told is taken back, up to what its file said before the switch or to no living server.
nginx_leave() {
  rm -f "$upstream_new"
  if [ "$1" = nothing ]; then nothing_served | write_upstream
  elif [ -e "$D/touched" ]; then undo_upstream
  else return 0
  fi
  nginx_know_pid_file
  if nginx_reload; then nginx_drain; fi
}
`

/** A part of what looks at a host before anything is touched, with `work` as its folder and `log` to show a file: is everything there that a switch needs? */
export const nginxLook = `
words=$(printf '%s\\n' "$nginx" | tail -n 1)
command -v "$words" >/dev/null 2>&1 || fail "nginx-missing $words"
[ -d "$upstream_folder" ] && [ -w "$upstream_folder" ] || fail "upstream-closed $upstream"
if [ -e "$upstream" ]; then
  rest=$(sed 's/#.*//' "$upstream" | tr '\\n' ' ' | sed 's/upstream[[:space:]][[:space:]]*[^{}]*{[^{}]*}//g' | tr -d '[:space:]')
  [ -z "$rest" ] || fail "upstream-foreign $upstream"
fi
if ! nginx_read; then
  nginx_refusal > "$work/error"
  log "$work/error"
  fail nginx-refused
fi
if [ -e "$upstream" ] && ! nginx_includes_upstream; then fail "upstream-unread $upstream"; fi
nginx_find_pid_file
nginx_find_master || fail "nginx-silent $pid_file"
`
