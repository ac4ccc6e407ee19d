/**
 * After `engineLibrary` and `wellLibrary`: `compose_or_stop <command…>` is `compose` that hears when the deployment is stopped. Compose waits by itself
 * for what others depend on (`depends_on` with `service_healthy`), as long as a health check lasts that never succeeds; it is ended then, and the script
 * with it, by 79. Another process looks after it, while the shell waits: it ends compose and what compose has started (the plug-in of `docker`),
 * and itself soon after compose.
 */
export const stoppableLibrary = `
compose_or_stop() {
  become_compose "$@" </dev/null &
  composing=$!
  sh -c "$stopping_script" stopping $composing "\${SHIPWAY_PATH-}/.shipway/deployments/\${SHIPWAY_DEPLOYMENT-}" </dev/null >/dev/null 2>&1 &
  composed=0
  wait $composing || composed=$?
  if [ $composed != 0 ] && is_stopped; then
    echo 'Nobody waits for compose any more: the deployment is stopped.'
    exit 79
  fi
  return $composed
}
stopping_script='
its_processes() {
  cat /proc/[0-9]*/stat | awk -v top="$1" "{ sub(/[(].*[)]/, \\"x\\"); parent[\\$1] = \\$4 }
    END {
      ours[top] = 1
      do { more = 0; for (p in parent) if (!(p in ours) && (parent[p] in ours)) { ours[p] = 1; more = 1 } } while (more)
      for (p in ours) print p
    }"
}
while kill -0 "$1"; do
  if [ -e "$2/stop" ] && [ -e "$2/undecided" ]; then
    all=$(its_processes "$1")
    kill -TERM $all
    patience=0
    while kill -0 "$1" && [ $patience -lt 50 ]; do sleep 0.1; patience=$((patience + 1)); done
    kill -KILL $all
    exit 0
  fi
  sleep 0.2
done
'
`
