import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { library } from './library.ts'

const run = promisify(execFile)

describe('the decision between a confirmation and the timer', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipway-decide-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('of many processes that decide at the same moment those with one verdict succeed, and only those', async () => {
    const script = `${library}
cd "$1"
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
  D=$round
  mkdir "$D"
  : > "$D/undecided"
  for verdict in confirmed reverted confirmed reverted; do
    ( until [ -e "$D/go" ]; do :; done; if decide $verdict; then echo "$round $verdict"; fi ) &
  done
  : > "$D/go"
  wait
done`

    const { stdout } = await run('sh', ['-c', script, 'test', folder])

    const winners = Map.groupBy(stdout.trim().split('\n'), (line) => line.split(' ')[0])
    expect(winners.size).toBe(30)
    for (const lines of winners.values()) {
      expect(lines).toHaveLength(2)
      expect(new Set(lines).size).toBe(1)
    }
  })

  test('one process at a time works on a target, and a killed one leaves no lock', async () => {
    const script = `${library}
cd "$1"
mkdir -p $S
sh -c "$2" killed &
wait
for worker in 1 2 3 4; do
  ( mutex 300 && for turn in 1 2 3 4 5; do read -r count < count; echo $((count + 1)) > count; done; mutex_free ) &
done
wait
cat count`
    const killed = `${library}
mutex 10
echo 0 > count
kill -9 $$`

    const { stdout } = await run('sh', ['-c', script, 'test', folder, killed])

    expect(stdout).toBe('20\n')
  })
})
