import { followLibrary } from './follow.ts'
import { library } from './library.ts'
import { timerLibrary } from './timer.ts'

/**
 * `<folder> <deployment>`: says to the services of a switch that is under way that nobody waits for them. Without the mutex, which that switch has.
 */
export const stopScript = `${library}
D=$1/$S/deployments/$2
if [ -e "$D/undecided" ]; then : > "$D/stop"; fi
`

/**
 * `<folder> <deployment> <owner> <short> <confirm seconds> <who> <expected short | - for none | * for any>`, standard
 * input: a tar archive with `watch.sh`, `restart`, `.env` and `.secrets.env` below the deployment's record, as far as there
 * are any. The order of the steps is the safety: a record that can already go back, durable; timer alive, then the switch,
 * then the restart. Killed before any of its commands, it leaves what the next script can end.
 */
export const switchScript = `${library}${followLibrary}${timerLibrary}
[ -d "$1/$S" ] || fail unprepared
cd "$1"
mutex 300 || fail busy
check_owner "$3"
settle
short=$4
if read_order "$2"; then
  if [ -e "$D/confirmed" ]; then exit 0; fi
  if ! is_open; then read_outcome; fail "reverted $reason"; fi
  if [ -e "$D/hooked" ]; then exit 0; fi
  lock_take "$2" $((seconds + back_seconds + 30)) "$6"
else
  check_not_ended "$2"
  lock_take "$2" $(($5 + back_seconds + 30)) "$6"
  [ -e "$S/releases/$short/about" ] || fail unprepared
  read_current
  [ -z "$foreign" ] || fail "occupied $foreign"
  if [ "$7" != '*' ] && [ "$7" != "\${current:--}" ]; then
    found=''
    if [ -n "$current" ] && read_about "$current"; then found=$about_id; fi
    # What nobody knows is no release: to a plan that saw nothing it is nothing.
    if [ "$7" != - ] || [ -n "$found" ]; then
      lock_free "$2"
      fail "drifted $found"
    fi
  fi
  older=-
  { read -r older < $S/previous; } 2>/dev/null || :
  if read_pending; then fail "locked $dep 0 $deadline ?"; fi
  dep=$2 D=$S/deployments/$2
  rm -rf "$D"
  mkdir "$D"
  rel=$short prev=\${current:--} seconds=$5
  deadline=$(($(now) + seconds + 1))
  printf '%s %s %s %s %s\\n' "$rel" "$prev" "$deadline" "$seconds" "$older" > "$D/order.new"
  get_ready_to_go_back
  get_ready_to_confirm
  : > "$D/undecided"
  mv "$D/order.new" "$D/order"
fi
if [ "$(readlink $S/pending 2>/dev/null)" != "$dep" ]; then
  rm -f $S/pending
  ln -s "$dep" $S/pending
fi
rm -rf "$D/new"
mkdir "$D/new"
tar -xpof - -C "$D/new"
mark_used "$rel"
keep "$D/order" "$D" $S

arm_timer

if [ "$prev" = "$rel" ] && [ ! -d "$D/before" ]; then
  rm -rf "$D/before.new"
  mkdir "$D/before.new"
  for name in .env .secrets.env; do
    if [ -e "releases/$rel/$name" ]; then ln "releases/$rel/$name" "$D/before.new/$name"; fi
  done
  for name in $hook_files; do
    if [ -e "$S/releases/$rel/$name" ]; then ln "$S/releases/$rel/$name" "$D/before.new/$name"; fi
  done
  mv "$D/before.new" "$D/before"
fi
for name in .env .secrets.env; do
  if [ -e "$D/new/$name" ]; then mv -f "$D/new/$name" "releases/$rel/$name"; else rm -f "releases/$rel/$name"; fi
done
for name in $hook_files; do
  if [ -e "$D/new/$name" ]; then mv -f "$D/new/$name" "$S/releases/$rel/$name"; else rm -f "$S/releases/$rel/$name"; fi
done

waits=0
until [ -s "$D/watcher" ]; do
  if [ $waits -ge 500 ]; then
    if decide reverted; then go_back 'the timer did not start'; fi
    fail timer
  fi
  waits=$((waits + 1)); sleep 0.01
done

: > "$D/switching"
rm -f "$S/next"
ln -s "releases/$rel" "$S/next"
replace_current "$S/next"
if ! is_open; then
  # The timer came while this script stood still: what it put back was just replaced.
  if [ -e "$D/done" ]; then mv "$D/done" "$D/undone"; fi
  get_ready_to_go_back
  go_back 'nobody confirmed it in time'
  fail 'reverted nobody confirmed it in time'
fi
note "switched from $prev to $rel"
say switched
status=0
hook_left
follow hook.log
if [ "$prev" != - ] && [ ! -e "$S/releases/$rel/service.up" ]; then run_down "$prev" hook.log || :; fi
run_hook "$rel" hook.log $left || status=$?
unfollow
say_log hook.log
if [ $status -ne 0 ]; then
  failed_part=$hook_part
  if decide reverted; then
    stop_watcher
    say returning
    follow back.log
    go_back "its $hook_part command ended with status $status"
    unfollow
    say "back $back_status $prev"
    say_log back.log
  fi
  fail "$failed_part $status"
fi
: > "$D/hooked"
if ! is_open; then fail 'reverted nobody confirmed it in time'; fi
`
