import { library } from './library.ts'

/**
 * `<folder>`: what deployments need there and what of it is missing, without making anything. Says `folder <yes | no> <path>`: whether this account may write in
 * the nearest folder that is there, `room <KiB> <files>`, and a line `without <tool>` for each tool that is not there.
 */
export const examineScript = `${library}
place=$1
while [ ! -e "$place" ] && [ ! -h "$place" ]; do
  above=\${place%/*}
  place=\${above:-/}
done
writable=no
if [ -d "$place" ] && [ -w "$place" ] && [ -x "$place" ]; then writable=yes; fi
say "folder $writable $place"
room=$(df -Pk "$place" 2>/dev/null | awk 'NR == 2 { print $4 }')
nodes=$(df -Pi "$place" 2>/dev/null | awk 'NR == 2 && $2 > 0 { print $4 }')
say "room \${room:--} \${nodes:--}"
for tool in tar awk sed find sort readlink mktemp flock timeout setsid; do
  command -v $tool >/dev/null 2>&1 || say "without $tool"
done
command -v sha256sum >/dev/null 2>&1 || command -v shasum >/dev/null 2>&1 || command -v openssl >/dev/null 2>&1 || say 'without sha256sum'
`
