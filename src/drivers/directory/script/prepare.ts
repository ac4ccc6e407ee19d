import { library } from './library.ts'

/** `check_sums FILE`: says in the manner of `sha256sum -c` how the files below this folder agree with it. */
const sumTool = `
if command -v sha256sum >/dev/null 2>&1; then check_sums() { sha256sum -c "$1"; }
elif command -v shasum >/dev/null 2>&1; then check_sums() { shasum -a 256 -c "$1"; }
elif command -v openssl >/dev/null 2>&1; then
  check_sums() {
    while IFS= read -r line; do
      name=\${line#*  }
      found=$(openssl dgst -sha256 -r < "$name")
      if [ "\${found%% *}" = "\${line%% *}" ]; then echo "$name: OK"; else echo "$name: FAILED"; fi
    done < "$1"
  }
else
  check_sums() { return 1; }
fi
`

/**
 * `<folder> <deployment> <owner> <short> <lease seconds> <who> <ended deployments>`, standard input: a line `wanted`, then `mode digest` of
 * each file. Takes the lock; says `complete`, or the folder that the files go to and which of them are here already.
 *
 * A release that is kept counts as complete while its files are as they were sealed. Every file is read where it is the one that runs, since
 * somebody may want just that mended. Of another one only a file that was written later, or is gone, gives reason to: going back must be quick.
 */
export const planScript = `${library}
${sumTool}
sealed_files() { awk '{ print substr($0, length($1) + length($2) + 3) }' "$S/releases/$short/files"; }
seems_whole() {
  { sealed_files; echo; find "releases/$short" -type f
    echo; find "releases/$short" -type f -newer "$S/releases/$short/about"; } | awk -v "skip=$((\${#short} + 11))" '
    $0 == "" { part++; next }
    !part { wanted[$0] = 1; next }
    { path = substr($0, skip) }
    part == 1 && path in wanted { delete wanted[path]; sealed[path] = 1 }
    part == 2 && path in sealed { later = 1 }
    END { for (path in wanted) later = 1; exit later }'
}
is_whole() {
  [ -s "$S/releases/$short/files" ] || return 0
  wrong=$(awk '{ print $2 "  ./" substr($0, length($1) + length($2) + 3) }' "$S/releases/$short/files" |
    (cd "releases/$short" && check_sums /dev/stdin) 2>&1 | grep -v ': OK$' || :)
  [ -z "$wrong" ]
}
mkdir -p "$1"
cd "$1"
[ -d $S ] || mkdir -m 700 -p $S
mkdir -p releases $S/releases $S/deployments $S/incoming
mutex 300 || fail busy
dep=$2
check_owner "$3"
settle
dep=$2 short=$4
check_not_ended "$2"
lock_end "$7"
lock_take "$2" "$5" "$6"
# Of whoever was cut: it may hold secrets.
rm -rf $S/incoming/*
if [ -e $S/colours/blue/about ] || [ -e $S/colours/green/about ]; then say colours; fi
if [ -e "$S/releases/$short/about" ] && [ -d "releases/$short" ]; then
  read_current
  if { [ "$current" != "$short" ] && seems_whole; } || is_whole; then
    say complete
    exit 0
  fi
  say damaged
fi
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
${sumTool}
cd "$1"
dep=$2 short=$3 incoming=$4
case $incoming in $S/incoming/*) ;; *) exit 4 ;; esac
give_up() { rm -rf "$incoming"; exit "$1"; }

tar -xpof - || give_up 5
[ -f "$incoming/end" ] || give_up 6

command -v sha256sum >/dev/null 2>&1 || command -v shasum >/dev/null 2>&1 || command -v openssl >/dev/null 2>&1 || {
  rm -rf "$incoming"
  fail 'tool sha256sum'
}
# openssl uses the processor's own instructions and is three times as fast as most builds of sha256sum. It only ever
# says yes: what it cannot say of every file (it escapes some names) is asked again, file by file.
all_right() {
  command -v openssl >/dev/null 2>&1 || return 1
  cut -c 67- ../sums | tr '\\n' '\\000' | xargs -0 openssl dgst -sha256 -r > ../found 2>/dev/null || return 1
  sed 's/ \\*/  /' ../found | cmp -s - ../sums
}
if ! (cd "$incoming/tree" && all_right); then
  checked=$(cd "$incoming/tree" && check_sums ../sums 2>&1) || :
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
else
  # Files that were changed by hand: each is replaced by one rename, because the release may be the one that runs.
  while IFS= read -r line; do
    path=\${line#* } path=\${path#* }
    there=releases/$short/$path
    if [ ! -h "$there" ] && cmp -s "$incoming/tree/$path" "$there"; then continue; fi
    if [ -h "$there" ] || [ -d "$there" ]; then rm -rf "$there"; fi
    case $path in */*) mkdir -p "\${there%/*}" ;; esac
    mv -f "$incoming/tree/$path" "$there"
  done < "$incoming/files"
  touch "$S/releases/$short/about"
fi
rm -rf "$incoming"
`
