import { library } from './library.ts'

/**
 * The target's own timer, `watch.sh <folder> <deployment>`: written to the deployment's record and started in a session of
 * its own, so it outlives the connection that armed it. It counts both the clock and its own sleeps: a clock that is set
 * back does not prolong it.
 */
export const watchScript = `${library}
cd "$1"
# A unit of systemd has an environment of its own: this is the one of the connection that armed it.
given=$S/deployments/$2/new/environment
if [ -r "$given" ]; then
  if (. "$given") >/dev/null 2>&1; then . "$given"; fi
  rm -f "$given"
fi
read_order "$2" || exit 0
echo $$ > "$D/watcher.new"
mv -f "$D/watcher.new" "$D/watcher"
ticks=0
while is_open && [ $ticks -le "$seconds" ] && [ "$(now)" -lt "$deadline" ]; do
  sleep 1
  ticks=$((ticks + 1))
done
is_open || exit 0
decide reverted || exit 0
mutex 300 || :
go_back 'nobody confirmed it in time'
`
