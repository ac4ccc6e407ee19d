import { library } from './library.ts'

/** Differences that one target tells at most. */
export const differencesMax = 1000

/** `<folder>`, standard input `<digest>  ./<path>` per file: how the files below `current` differ. What a deployment itself writes there is left out. */
export const compareScript = `${library}
cd "$1/current/"
{
  cat
  echo =
  find . -type f ! -path ./.env ! -path ./.secrets.env ! -path ./RELEASE.json -exec sha256sum {} +
} | awk '
  !actual && $0 == "=" { actual = 1; next }
  { digest = substr($0, 1, 64); path = substr($0, 67) }
  !actual { wanted[path] = digest; next }
  !(path in wanted) { print "shipway:differs added " substr(path, 3); next }
  { seen[path] = 1 }
  wanted[path] != digest { print "shipway:differs changed " substr(path, 3) }
  END { for (path in wanted) if (!(path in seen)) print "shipway:differs removed " substr(path, 3) }
' | head -n ${differencesMax}
`
