/**
 * Says what a hook writes while it runs, for whoever watches: `follow <log>`, the hook, `unfollow`, then `say_log <log>` for what was not said. Nothing is
 * said of a hook that has ended within a second, and never more than 100 lines in 16,000 bytes. It reads the log from where it ended before, with no file of its
 * own: a full disk does not stop it. A process of its own, since the shell itself waits for the hook; it ends with the shell.
 */
export const followLibrary = `
follow() {
  said_from=$(wc -c < "$D/$1" 2>/dev/null || echo 0) said_lines=0
  sh -c "$follower_script" follow "$D/$1" $$ $((said_from + 1)) </dev/null 2>/dev/null 9>&- &
  follower=$!
}
# Its status is the number of lines that it has said; more than that is a signal that has ended it before it began.
unfollow() {
  kill -TERM "$follower" 2>/dev/null || :
  wait "$follower" 2>/dev/null || said_lines=$?
  follower=''
  if [ $said_lines -gt 100 ]; then said_lines=0; fi
}
follower_script='
sleep 1 >/dev/null
trap "is_last=yes" TERM
is_last=no said=0
while :; do
  ending=$is_last
  lines=$(tail -c "+$3" "$1" | head -c 16000 | wc -l)
  if [ "$lines" -gt 100 ]; then lines=100; fi
  if [ "$lines" -gt $said ]; then
    tail -c "+$3" "$1" | head -c 16000 | sed -n "$((said + 1)),\${lines}s/^/shipway:log /p"
    said=$lines
  fi
  if [ $ending = yes ] || ! kill -0 "$2"; then exit $said; fi
  sleep 0.2 >/dev/null
done
'
say_log() {
  if [ -s "$D/$1" ]; then
    tail -c "+$((\${said_from-0} + 1))" "$D/$1" | tail -n "+$((\${said_lines-0} + 1))" | tail -c 16000 | tail -n 100 | sed 's/^/shipway:log /'
    echo
  fi
}
`
