import { library } from './library.ts'

/**
 * `<folder> <deployment> <owner> <short> <lease seconds> <who>`, standard input: a line `wanted`, then `mode digest` of
 * each file. Takes the lock; says `complete`, or the folder that the files go to and which of them are here already.
 */
export const planScript = `${library}
mkdir -p "$1"
cd "$1"
[ -d $S ] || mkdir -m 700 -p $S
mkdir -p releases $S/releases $S/deployments $S/incoming
mutex 300 || fail busy
dep=$2
check_owner "$3"
settle
dep=$2 short=$4
lock_take "$2" "$5" "$6"
if [ -e "$S/releases/$short/about" ] && [ -d "releases/$short" ]; then
  say complete
  exit 0
fi
rm -rf $S/incoming/*
incoming=$S/incoming/$2.$$
mkdir "$incoming"
mutex_free
say "incoming $incoming"
set -- $S/releases/*/files
if [ -e "$1" ]; then
  awk '
    NR == FNR { want[$1 " " $2] = 1; next }
    FNR == 1 { n = split(FILENAME, part, "/"); source = part[n - 1] }
    ($1 " " $2) in want {
      delete want[$1 " " $2]
      print "shipway:have " $1 " " $2 " " source " " substr($0, length($1) + length($2) + 3)
    }' - "$@"
fi
`

/**
 * `<folder> <deployment> <short> <incoming> <id> <sha> <version>`, standard input: a tar archive with `sums`, `files`,
 * `tree/…` and, last, `end` below the incoming folder. Nothing becomes a release before every digest was right
 * and the data is on the disk.
 */
export const receiveScript = `${library}
cd "$1"
dep=$2 short=$3 incoming=$4
case $incoming in $S/incoming/*) ;; *) exit 4 ;; esac
give_up() { rm -rf "$incoming"; exit "$1"; }

tar -xpof - || give_up 5
[ -f "$incoming/end" ] || give_up 6

if command -v sha256sum >/dev/null 2>&1; then check_sums() { sha256sum -c ../sums; }
elif command -v shasum >/dev/null 2>&1; then check_sums() { shasum -a 256 -c ../sums; }
elif command -v openssl >/dev/null 2>&1; then
  check_sums() {
    while IFS= read -r line; do
      name=\${line#*  }
      found=$(openssl dgst -sha256 -r < "$name")
      if [ "\${found%% *}" = "\${line%% *}" ]; then echo "$name: OK"; else echo "$name: FAILED"; fi
    done < ../sums
  }
else
  rm -rf "$incoming"
  fail 'tool sha256sum'
fi
# openssl uses the processor's own instructions and is three times as fast as most builds of sha256sum. It only ever
# says yes: what it cannot say of every file (it escapes some names) is asked again, file by file.
all_right() {
  command -v openssl >/dev/null 2>&1 || return 1
  cut -c 67- ../sums | tr '\\n' '\\000' | xargs -0 openssl dgst -sha256 -r > ../found 2>/dev/null || return 1
  sed 's/ \\*/  /' ../found | cmp -s - ../sums
}
if ! (cd "$incoming/tree" && all_right); then
  checked=$(cd "$incoming/tree" && check_sums 2>&1) || :
  wrong=$(printf '%s\\n' "$checked" | grep -v ': OK$' || :)
  right=$(printf '%s\\n' "$checked" | grep -c ': OK$' || :)
  wanted=$(grep -c . "$incoming/sums" || :)
  if [ "$right" -ne "$wanted" ]; then
    printf '%s\\n' "$wrong" | head -n 20 | sed 's/^/shipway:corrupt /'
    rm -rf "$incoming"
    fail corrupt
  fi
fi
sync -f "$incoming/end" 2>/dev/null || sync

mutex 300 || fail busy
if ! { read -r lock_dep lock_begun lock_until lock_who < $S/lock; } 2>/dev/null || [ "$lock_dep" != "$dep" ]; then
  rm -rf "$incoming"
  fail "locked \${lock_dep:--} \${lock_begun:-0} \${lock_until:-0} \${lock_who:--}"
fi
if [ ! -e "$S/releases/$short/about" ]; then
  rm -rf "releases/$short" "$S/releases/$short"
  mv "$incoming/tree" "releases/$short"
  mkdir "$S/releases/$short"
  mv "$incoming/files" "$S/releases/$short/files"
  mark_used "$short"
  printf '%s %s %s\\n' "$5" "$6" "$7" > "$S/releases/$short/about.new"
  mv "$S/releases/$short/about.new" "$S/releases/$short/about"
fi
rm -rf "$incoming"
`
