import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { program } from '../rig/program.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `
on: push
jobs:
  make:
    runs-on: ubuntu-latest
    steps:
      - run: |
          mkdir -p out/bin
          echo plain > out/a.txt
          echo '#!/bin/sh' > out/bin/tool
          chmod +x out/bin/tool
          echo report > report.txt
      - { uses: actions/upload-artifact@v4, with: { name: dist, path: out } }
      - { uses: actions/upload-artifact@v4, with: { name: report, path: report.txt } }
`

test('what a run has uploaded is listed and written into a folder, over nothing and through no link', async () => {
  using repository = new Repository({ '.github/workflows/ci.yml': workflow })
  using cleaning = new DisposableStack()
  const scratch = mkdtempSync(path.join(tmpdir(), 'shipway-artifacts-'))
  cleaning.defer(() => rmSync(scratch, { recursive: true }))
  await using shipway = new Shipway()
  const call = async (...args: readonly string[]) => shipway.call(scratch, ...args, '-C', repository.root)
  const artifacts = async (...args: readonly string[]) => call('artifacts', ...args)
  expect((await call('run')).status).toBe(0)

  const list = JSON.parse((await artifacts('--json')).stdout) as { items: unknown[] }
  expect(list).toMatchObject({
    kind: 'ArtifactList',
    items: [
      {
        name: 'dist',
        job: 'make',
        files: [
          { path: 'a.txt', mode: '644' },
          { path: 'bin/tool', mode: '755' },
        ],
      },
      { name: 'report', size: 7 },
    ],
  })
  expect((await artifacts('-q')).stdout).toBe('dist\nreport\n')
  // The words that are completed end the call, so the home is told in the environment.
  const completed = spawnSync(program, ['__complete', '--', 'artifacts', 'latest', 'd'], {
    cwd: repository.root,
    env: { ...shipway.env, SHIPWAY_HOME: shipway.home },
    encoding: 'utf8',
  })
  expect(completed.stdout).toBe('dist\n')

  const out = path.join(scratch, 'out')
  expect(await artifacts('latest', 'dist', '--to', out)).toMatchObject({ status: 0 })
  expect(readFileSync(path.join(out, 'a.txt'), 'utf8')).toBe('plain\n')
  expect(statSync(path.join(out, 'bin/tool')).mode & 0o777).toBe(0o755)
  expect(readdirSync(out).toSorted()).toEqual(['a.txt', 'bin'])

  writeFileSync(path.join(out, 'a.txt'), 'mine')
  const taken = await artifacts('latest', 'dist', '--to', out)
  expect(taken).toMatchObject({ status: 2, stderr: expect.stringContaining('ARTIFACT_TARGET_TAKEN') })
  expect(readFileSync(path.join(out, 'a.txt'), 'utf8')).toBe('mine')
  expect(await artifacts('latest', 'dist', '--to', out, '--force')).toMatchObject({ status: 0 })
  expect(readFileSync(path.join(out, 'a.txt'), 'utf8')).toBe('plain\n')

  const elsewhere = path.join(scratch, 'elsewhere')
  mkdirSync(elsewhere)
  rmSync(path.join(out, 'bin'), { recursive: true })
  symlinkSync(elsewhere, path.join(out, 'bin'))
  const linked = await artifacts('latest', 'dist', '--to', out, '--force')
  expect(linked).toMatchObject({ status: 2, stderr: expect.stringContaining('ARTIFACT_TARGET_BLOCKED') })
  expect(readdirSync(elsewhere)).toEqual([])

  const all = path.join(scratch, 'all')
  expect(await artifacts('latest', '--to', all)).toMatchObject({ status: 0 })
  expect(readFileSync(path.join(all, 'report/report.txt'), 'utf8')).toBe('report\n')
  const unknown = await artifacts('latest', 'dits')
  expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining('Did you mean "dist"?') })
})
