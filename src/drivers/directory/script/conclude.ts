import { followLibrary } from './follow.ts'
import { library } from './library.ts'

/** How many records of deployments stay for people and for late questions. */
const recordsKept = 20

/** `<folder> <deployment> <retain>`: decides for the new release, then removes what is neither needed nor kept. */
export const confirmScript = `${library}
[ -d "$1/$S" ] || fail unknown
cd "$1"
mutex 300 || fail busy
settle
if ! read_order "$2"; then fail unknown; fi
if is_open && [ ! -e "$D/hooked" ]; then fail unknown; fi
if ! decide confirmed; then
  go_back 'nobody confirmed it in time'
  read_outcome
  fail "reverted $reason"
fi
if [ "$(readlink $S/pending 2>/dev/null)" = "$dep" ]; then
  note confirmed
  finish_confirm
  stop_watcher
fi

read_current
previous=''
{ read -r previous < $S/previous; } 2>/dev/null || :
room=$3
for short in "$current" "$previous"; do
  if [ -n "$short" ]; then room=$((room - 1)); fi
done
kept=" $current $previous "
for short in $(newest_releases); do
  case $kept in *" $short "*) continue ;; esac
  if [ $room -gt 0 ] && [ -e "$S/releases/$short/about" ]; then kept="$kept$short " room=$((room - 1)); fi
done
for folder in $S/releases/*; do
  short=\${folder#$S/releases/}
  case $kept in *" $short "*) continue ;; esac
  rm -f "$folder/about"
  rm -rf "releases/$short" "$folder"
  say "removed $short"
done
set -- $S/deployments/*
if [ $# -gt ${recordsKept} ]; then
  for old in $(ls -t $S/deployments | tail -n +${recordsKept + 1}); do
    if [ "$old" != "$dep" ]; then rm -rf "$S/deployments/$old"; fi
  done
fi
`

/**
 * `<folder> <deployment> <reason>`: decides for the release before. A confirmed deployment goes back too, as long as it is
 * the last one: a fleet whose other half failed needs that.
 */
export const revertScript = `${library}${followLibrary}
# On a fresh host the first call may still be on its way.
[ -d "$1/$S" ] || { mkdir -p "$1" && mkdir -m 700 "$1/$S"; } 2>/dev/null || [ -d "$1/$S" ] || exit 0
cd "$1"
mutex 1200 || fail busy
if ! read_order "$2"; then
  # What the network has kept until now must not begin after this.
  { mkdir -p "$S/deployments/$2" && : > "$S/deployments/$2/ended"; } 2>/dev/null || :
  rm -rf $S/incoming/"$2".*
  lock_free "$2"
  exit 0
fi
if ! decide reverted; then
  last=''
  { read -r last < $S/confirmed; } 2>/dev/null || :
  read_current
  waiting=$(readlink $S/pending 2>/dev/null || :)
  if [ "$last" != "$dep" ] || [ "$current" != "$rel" ] || [ "\${waiting:-$dep}" != "$dep" ]; then
    found=''
    if [ -n "$current" ] && read_about "$current"; then found=$about_id; fi
    fail "drifted $found"
  fi
  # On a full disk there is no lock, but there is a way back.
  lock_take "$2" $((back_seconds + 30)) - 2>/dev/null || rm -f $S/lock.new
  get_ready_to_go_back
  # Cut from here on, the next script ends it: as confirmed before the rename, as reverted after it.
  if [ -z "$waiting" ]; then ln -s "$dep" $S/pending; fi
  if [ "$older" = - ]; then rm -f $S/previous; else put_line previous "$older" older; fi
  mv "$D/confirmed" "$D/reverted"
fi
stop_watcher
read_outcome
if [ "$back_status" != 0 ] && [ -e "$D/done" ]; then
  get_ready_to_go_back
  rm -f "$D/done"
fi
if [ ! -e "$D/done" ]; then
  : > "$D/back.log"
  follow back.log
  go_back "$3"
  unfollow
  say_log back.log
  if [ -e "$D/switching" ]; then say "back $back_status $prev"; fi
  if [ "$back_status" != 0 ]; then fail "restart $back_status"; fi
fi
let_go
`
