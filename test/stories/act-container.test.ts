/**
 * Those whole runs of act's test suite that need Docker, each through the real command line, as `test/conformance/act.test.ts` does the others. The
 * images that they name cannot be pulled here: Debian's own packages stand behind the same names.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { actArguments, actCases, actExpectations, actRepository, missingAct } from '../conformance/act-case.ts'
import { checkRun } from '../conformance/run-fact.ts'
import { baseImage, besideEachOther, sharedDocker } from '../rig/docker.ts'
import { LiveAgent } from '../rig/live-agent.ts'
import type { Repository } from '../rig/repository.ts'

const daemon = missingAct === undefined ? await sharedDocker() : { missing: missingAct }
const missing = 'missing' in daemon ? daemon.missing : undefined

/** The images of the cases. */
const images = ['ubuntu:18.04', 'ubuntu:latest']
const nodeImages = ['node:16-buster-slim', 'node:12-buster-slim']
/** As in the images of Node: what begins with `-` is for node. */
const nodeEntry = ['/bin/sh', '-c', 'case $1 in -*) set -- node "$@" ;; esac; exec "$@"', 'docker-entrypoint']

describe.skipIf(missing !== undefined)(`act's whole runs in containers ${missing ?? ''}`, besideEachOther, () => {
  const cases = missing === undefined ? [...actCases()] : []
  let agent: LiveAgent
  let repository: Repository

  beforeAll(async () => {
    if ('missing' in daemon) return
    for (const image of images) await daemon.docker('tag', baseImage, image)
    for (const image of nodeImages) {
      const entry = `ENTRYPOINT ${JSON.stringify(nodeEntry)}`
      await daemon.build(image, [`FROM ${baseImage}`, entry, 'CMD ["node"]'])
    }
    await daemon.build('node:16-buster', [`FROM ${baseImage}`, 'RUN ln -s python3 /usr/bin/python'])
    repository = actRepository()
    agent = await LiveAgent.start({ env: { SHELL: undefined, ...daemon.env } })
  })
  afterAll(async () => {
    await agent[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
  })

  for (const [key, one] of cases) {
    const facts = actExpectations.cases[key] ?? {}
    if (facts.container !== true) continue
    const gap = actExpectations.gaps[key]
    const run = gap === undefined ? test : test.fails
    run(gap === undefined ? key : `gap: ${key}: ${gap}`, async () => {
      const client = gap === undefined ? agent.client() : agent.quietClient
      const end = await client.call(repository.root, 'run', ...actArguments(one), ...(facts.flags ?? []))
      checkRun(end, facts)
    })
  }
})
