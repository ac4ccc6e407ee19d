import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { QualityQuestion } from '#ports/quality-server.ts'
import { startSonarQube } from '../../../test/rig/sonarqube.ts'
import type { SonarServer } from '../../../test/rig/sonarqube.ts'
import { askQuality } from './ask-quality.ts'

const sha = 'a'.repeat(40)
const other = 'b'.repeat(40)
const { signal } = new AbortController()
const ask = ({ url, token }: SonarServer, more: Partial<QualityQuestion> = {}) =>
  askQuality({ url, token, project: 'shop', sha, branch: 'main', ...more }, signal)

describe('the quality gate of a commit', () => {
  test('is that of its own analysis, whatever was analysed on the branch since', async () => {
    await using sonar = await startSonarQube()
    sonar.analyses.push({ key: 'A2', revision: other, status: 'OK' }, { key: 'A1', revision: sha, status: 'ERROR' })

    expect(await ask(sonar)).toMatchObject({ status: 'ERROR', analysis: 'A1', revision: sha })
    expect((await ask(sonar)).kind === 'quality' && (await ask(sonar, { sha: other }))).toMatchObject({ status: 'OK' })
    expect(sonar.calls.some((call) => call.includes('projectKey'))).toBe(false)
  })

  test('is asked for by the task of the run, on the branch that the task names', async () => {
    await using sonar = await startSonarQube()
    sonar.analyses.push({ key: 'A1', revision: sha, branch: 'feature/x', status: 'OK' })
    sonar.tasks.push({ id: 'T1', status: 'IN_PROGRESS', branch: 'feature/x', analysis: 'A1' })

    expect(await ask(sonar, { task: 'T1' })).toMatchObject({ kind: 'pending', why: expect.stringContaining('T1') })
    sonar.tasks[0]!.status = 'SUCCESS'
    expect(await ask(sonar, { task: 'T1' })).toMatchObject({ kind: 'quality', status: 'OK', revision: sha })
  })

  test('is not that of another project or commit that the task belongs to', async () => {
    await using sonar = await startSonarQube()
    sonar.analyses.push({ key: 'A1', revision: other, status: 'OK' })
    sonar.tasks.push({ id: 'T1', status: 'SUCCESS', analysis: 'A1' })
    sonar.tasks.push({ id: 'T2', status: 'SUCCESS', analysis: 'A1', project: 'easy' })
    sonar.tasks.push({ id: 'T3', status: 'FAILED', error: 'out of memory' })

    await expect(ask(sonar, { task: 'T1' })).rejects.toMatchObject({ code: 'ANALYSIS_OTHER' })
    await expect(ask(sonar, { task: 'T2' })).rejects.toMatchObject({ code: 'ANALYSIS_OTHER' })
    await expect(ask(sonar, { task: 'T3' })).rejects.toMatchObject({
      code: 'ANALYSIS_FAILED',
      message: expect.stringContaining('out of memory'),
    })
  })

  test('waits only while something is under way that may become it', async () => {
    await using sonar = await startSonarQube()
    await expect(ask(sonar)).rejects.toMatchObject({ code: 'ANALYSIS_MISSING' })
    await expect(ask(sonar, { project: 'other' })).rejects.toMatchObject({ code: 'ANALYSIS_MISSING' })
    sonar.tasks.push({ id: 'T1', status: 'PENDING' })
    expect(await ask(sonar)).toMatchObject({ kind: 'pending' })
    sonar.tasks[0]!.status = 'SUCCESS'
    // It ends between the question for analyses and the one for tasks.
    sonar.onCall = (call) => {
      if (call.includes('/ce/component')) sonar.analyses.push({ key: 'A1', revision: sha, status: 'OK' })
    }
    expect(await ask(sonar)).toMatchObject({ kind: 'quality', analysis: 'A1' })
  })

  test('is asked of an old server in its own way', async () => {
    await using sonar = await startSonarQube()
    sonar.hasBasicOnly = true
    sonar.analyses.push({ key: 'A1', revision: sha, status: 'OK' })
    expect(await ask(sonar)).toMatchObject({ status: 'OK' })
  })
})

describe('a server', () => {
  test('that is down can be tried again, one that refuses cannot, and no error holds the token', async () => {
    await using sonar = await startSonarQube()
    const stranger = ask(sonar, { token: 'wrong-token' })
    await expect(stranger).rejects.toMatchObject({ code: 'SONARQUBE_REFUSED', retry: 'never' })
    await expect(stranger).rejects.toMatchObject({ message: expect.not.stringContaining('wrong-token') })
    sonar.failing = 503
    await expect(ask(sonar)).rejects.toMatchObject({ code: 'SONARQUBE_UNREACHABLE', retry: 'backoff' })
    await sonar[Symbol.asyncDispose]()
    await expect(ask(sonar)).rejects.toMatchObject({ code: 'SONARQUBE_UNREACHABLE' })
  })

  test('that points elsewhere is not followed: the token would go there', async () => {
    await using sonar = await startSonarQube()
    await using elsewhere = await startSonarQube()
    sonar.failing = 302
    sonar.elsewhere = `${elsewhere.url}/api/project_analyses/search`
    await expect(ask(sonar)).rejects.toMatchObject({
      code: 'SONARQUBE_REFUSED',
      message: expect.stringContaining('302'),
    })
    expect(elsewhere.calls).toEqual([])
  })

  test('that answers something else, or without end, is an error with its address', async () => {
    const server = createServer((request, response) => {
      response.writeHead(200)
      if (request.url?.includes('project=endless') !== true) return void response.end('<html>login</html>')
      const more = (): void => void (response.destroyed || response.write('x'.repeat(1 << 20), () => more()))
      more()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const question = { url, token: 't', sha, branch: 'main' }
    await expect(askQuality({ ...question, project: 'shop' }, signal)).rejects.toMatchObject({
      code: 'SONARQUBE_ANSWER_INVALID',
      message: expect.stringContaining(url),
    })
    await expect(askQuality({ ...question, project: 'endless' }, signal)).rejects.toMatchObject({
      code: 'SONARQUBE_ANSWER_INVALID',
      message: expect.stringContaining('longer than'),
    })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})
