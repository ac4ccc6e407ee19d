import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { engineLibrary } from './engine.ts'

const run = promisify(execFile)

/**
 * Command lines as data, not engines: what `docker compose version` and `docker-compose` do where they are and where they are not (docker 28.2 without the
 * plugin, compose 2.x, compose 1.29). The plugin cannot be installed on every machine of the tests; that v1 works is what the stories prove.
 */
const programs = {
  // `docker: unknown command: docker compose`, status 1; every other command would reach an engine.
  dockerAlone: `[ "$1" = compose ] || exit 0
echo 'docker: unknown command: docker compose' >&2; exit 1`,
  // The plugin takes its global options after the word \`compose\`, and shows here what it was given.
  dockerWithPlugin: `[ "$1" = compose ] || exit 64
if [ "$2" = version ]; then echo 'Docker Compose version v2.39.1'; exit 0; fi
echo v2; for word; do printf '<%s>\\n' "$word"; done; printf 'TOKEN=%s HOST=%s\\n' "$TOKEN" "$DOCKER_HOST"`,
  standalone: `echo v1; for word; do printf '<%s>\\n' "$word"; done; printf 'TOKEN=%s HOST=%s\\n' "$TOKEN" "$DOCKER_HOST"`,
}

/** Runs `compose up --detach`, or something else, on a host that has the programs, and returns what it was told. */
async function upWith(
  here: { readonly docker?: string; readonly 'docker-compose'?: string },
  command = 'compose up --detach',
): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'shipway-engine-'))
  try {
    const bin = path.join(folder, 'bin')
    await mkdir(bin)
    for (const [name, script] of Object.entries(here)) {
      await writeFile(path.join(bin, name), `#!/bin/sh\n${script}\n`)
      await chmod(path.join(bin, name), 0o755)
    }
    const settings = path.join(folder, 'settings')
    const environment = path.join(folder, 'environment')
    await writeFile(
      settings,
      "project='shop' files='b.yaml\na.yaml' profiles='front\nback' engine='unix:///e.sock' within=1\n",
    )
    await writeFile(environment, `TOKEN='a "b" $c'\n`)
    const script = `set -eu
settings=$1 environment=$2 override=$3
PATH=$4
${engineLibrary}
find_dialect
if [ -z "$dialect" ]; then echo none; exit 0; fi
${command}`
    const args = ['-c', script, 'shipway', settings, environment, path.join(folder, 'images.json'), bin]
    const { stdout } = await run('sh', args, { cwd: folder })
    return stdout.replaceAll(folder, '')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const told = `<--project-name>
<shop>
<--project-directory>
<>
<--env-file>
</settings.none>
<--file>
<a.yaml>
<--file>
<b.yaml>
<--file>
</images.json>
<--profile>
<back>
<--profile>
<front>
<up>
<--detach>
TOKEN=a "b" $c HOST=unix:///e.sock
`

test('The plugin `docker compose` is used where it is, also beside docker-compose, and is told the same in its own place', async () => {
  const { dockerAlone, dockerWithPlugin, standalone } = programs

  expect(await upWith({ docker: dockerWithPlugin, 'docker-compose': standalone })).toBe(`v2\n<compose>\n${told}`)
  expect(await upWith({ docker: dockerWithPlugin })).toBe(`v2\n<compose>\n${told}`)
  expect(await upWith({ docker: dockerAlone, 'docker-compose': standalone })).toBe(`v1\n${told}`)
  expect(await upWith({ 'docker-compose': standalone })).toBe(`v1\n${told}`)
  expect([await upWith({ docker: dockerAlone }), await upWith({})]).toEqual(['none\n', 'none\n'])
})

test('Which version docker-compose has is read where its launcher names the one that it loads, and asked where it does not', async () => {
  const { dockerAlone, dockerWithPlugin } = programs
  const saying = 'if [ "$1 $2" = "version --short" ]; then echo 1.28.0; exit 0; fi'
  const asDebian = `${saying}\n__requires__ = 'docker-compose==1.29.2'`
  const versionOf = async (script: string, docker = dockerAlone): Promise<string> =>
    upWith({ docker, 'docker-compose': script }, 'PATH=$PATH:/usr/bin:/bin\ndialect_version')

  expect(await versionOf(asDebian)).toBe('1.29.2\n')
  expect(await versionOf(saying)).toBe('1.28.0\n')
  expect(await versionOf(asDebian, dockerWithPlugin)).toBe('Docker Compose version v2.39.1\n')
})
