import { engineLibrary } from './engine.ts'
import { stoppableLibrary } from './stoppable.ts'
import { wellLibrary } from './well.ts'

/** What a script of the services begins with: `<records>`, in the release's folder. */
export const serviceBeginning = `
set -eu
records=$1 settings=$1/service.settings environment=$1/service.env override=$1/images.json
${engineLibrary}
find_dialect
if [ -z "$dialect" ]; then echo 'Neither docker compose nor docker-compose is here.'; exit 69; fi
`

/** `<records>`, in the release's folder: replaces what runs of the project, in the order of its dependencies, and waits until every service works. */
export const upScript = `${serviceBeginning}${wellLibrary}${stoppableLibrary}
[ -f "$override" ] || { echo 'The images of this release are not pinned.'; exit 70; }
failed=0
compose_or_stop up --detach --no-build --force-recreate --remove-orphans || failed=$?
wait_well $failed
`

/** `<records>`: ends what runs of the project. Volumes stay. */
export const downScript = `${serviceBeginning}
if [ ! -f "$override" ]; then override=''; fi
compose down --remove-orphans
`
