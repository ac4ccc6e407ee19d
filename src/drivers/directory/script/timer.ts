/**
 * How the target's own timer is started, so that it outlives the connection that arms it: as a unit of systemd where systemd runs it for longer than a
 * session (the system's for root, the user's where it lingers; `KillUserProcesses=yes` ends everything else with the session), else in a session of its own.
 * `KillMode=process`: what going back starts lives on when the timer has ended. systemd expands `$` in arguments, so a path is given as the folder to
 * work in, and the environment as a file.
 */
export const timerLibrary = `
arm_timer() {
  rm -f "$D/watcher"
  managers=''
  if [ "$(id -u)" = 0 ] && [ -S /run/systemd/private ]; then managers=--system
  elif [ -S "\${XDG_RUNTIME_DIR:-/nowhere}/systemd/private" ] && [ -e "/var/lib/systemd/linger/$(id -un)" ]; then managers=--user
  fi
  if [ -n "$managers" ] && command -v systemd-run >/dev/null 2>&1; then
    (umask 077; export -p > "$D/new/environment")
    if systemd-run $managers --quiet --collect --unit="shipway-$dep-$$" --property=KillMode=process --working-directory="$PWD" sh "$D/new/watch.sh" . "$dep" </dev/null >/dev/null 2>&1 9>&-; then
      return 0
    fi
    rm -f "$D/new/environment"
  fi
  if command -v setsid >/dev/null 2>&1; then
    setsid sh "$D/new/watch.sh" "$PWD" "$dep" </dev/null >/dev/null 2>&1 9>&- &
  else
    nohup sh "$D/new/watch.sh" "$PWD" "$dep" </dev/null >/dev/null 2>&1 9>&- &
  fi
}
`
