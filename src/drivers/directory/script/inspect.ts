import { library } from './library.ts'

/** `<folder>`: what the target says of itself. A folder that is not there is a fresh target. */
export const inspectScript = `${library}
[ -d "$1" ] || exit 0
cd "$1"
if [ ! -d $S ]; then
  read_current
  if [ -n "$foreign" ]; then say "foreign $foreign"; fi
  exit 0
fi
[ -r $S ] && [ -x $S ] || fail unreadable
if read_pending && { ! is_open || [ "$(now)" -ge "$deadline" ]; } && mutex 100; then
  settle
  mutex_free
fi
read_current
if [ -n "$foreign" ]; then say "foreign $foreign"; fi
if [ -n "$current" ] && read_about "$current"; then say "current $about_id $about_version"; fi
if [ -n "$current" ] && [ -e "$S/releases/$current/service.front" ]; then
  serving=$(. "./$S/releases/$current/service.settings"; sed -n 's/^# serving //p' "$upstream" 2>/dev/null | head -n 1)
  if [ -n "$serving" ]; then say "serving $serving"; fi
fi
if read_pending && is_open && read_about "$rel"; then
  say "pending $dep $about_id $deadline"
  if [ "$prev" != - ] && [ "$prev" != "$rel" ] && read_about "$prev"; then say "previous $about_id"; fi
elif { read -r previous < $S/previous; } 2>/dev/null && read_about "$previous"; then
  say "previous $about_id"
fi
for short in $(newest_releases); do
  if read_about "$short"; then say "release $about_id"; fi
done
`
