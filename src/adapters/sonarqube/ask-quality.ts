import { objectIn, objectsIn, readJsonObject, textIn } from '#core/evidence/json-report.ts'
import type { JsonObject } from '#core/json.ts'
import { readSonarGate } from '#core/evidence/sonarqube.ts'
import { analysisFailed, analysisMissing, analysisOther, sonarQubeAnswerInvalid } from '#core/known/gate.ts'
import type { AskQuality, QualityAnswer, QualityQuestion } from '#ports/quality-server.ts'
import { callSonar } from './sonar-call.ts'
import type { SonarAddress } from './sonar-call.ts'

/** Analyses of a branch that are searched for the commit, the latest first. */
const analysesMax = 100

/**
 * Finds the analysis of the commit and asks for its quality gate: by the task that the run's scanner has handed in, else by the commit among the
 * analyses of the branch. The state of the branch is never asked for: a later analysis would answer for this commit.
 */
export const askQuality: AskQuality = async (question, signal) => {
  const server: SonarAddress = { url: question.url, token: question.token, signal }
  const found = await findAnalysis(server, question)
  if ('why' in found) return { gate: 'sonarqube', kind: 'pending', why: found.why }
  const { analysis, revision } = found
  const path = 'api/qualitygates/project_status'
  const text = await callSonar(server, path, { analysisId: analysis })
  if (text === undefined)
    throw sonarQubeAnswerInvalid({
      url: `${question.url}/${path}`,
      problem: `it does not know the analysis ${analysis}`,
    })
  const gate = readSonarGate(text)
  if (gate.kind === 'unreadable')
    throw sonarQubeAnswerInvalid({ url: `${question.url}/${path}`, problem: gate.problem })
  return {
    gate: 'sonarqube',
    kind: 'quality',
    status: gate.report.status,
    conditions: gate.report.conditions,
    project: question.project,
    analysis,
    ...(revision === undefined ? {} : { revision }),
  } satisfies QualityAnswer
}

type Found = { readonly analysis: string; readonly revision?: string } | { readonly why: string }

async function findAnalysis(server: SonarAddress, question: QualityQuestion): Promise<Found> {
  const byTask = question.task === undefined ? undefined : await analysisOfTask(server, question, question.task)
  return byTask ?? (await analysisOfCommit(server, question))
}

/** Undefined when the server no longer knows the task: it keeps them for some months only. */
async function analysisOfTask(server: SonarAddress, question: QualityQuestion, id: string): Promise<Found | undefined> {
  const text = await callSonar(server, 'api/ce/task', { id })
  if (text === undefined) return undefined
  const task = objectIn(parse(server, 'api/ce/task', text), 'task')
  const status = textIn(task, 'status') ?? 'UNKNOWN'
  const project = textIn(task, 'componentKey')
  if (project !== undefined && project !== question.project)
    throw analysisOther({ what: 'project', found: project, wanted: question.project })
  if (status === 'PENDING' || status === 'IN_PROGRESS')
    return { why: `SonarQube has not finished the analysis (task ${id} is ${status}).` }
  const analysis = textIn(task, 'analysisId')
  if (status !== 'SUCCESS' || analysis === undefined)
    throw analysisFailed({ task: id, status, said: textIn(task, 'errorMessage') ?? '' })
  const pullRequest = textIn(task, 'pullRequest')
  const branch = textIn(task, 'branch')
  const analyses = await listAnalyses(server, { project: question.project, branch, pullRequest })
  const listed = analyses?.find(({ key }) => key === analysis)
  // What the server does not show of itself is searched by the commit: nobody could say what it is of.
  if (listed === undefined && pullRequest === undefined) return undefined
  const revision = listed?.revision
  // The analysis of a pull request may be of its merge with the base or of its head: the forge's choice, not ours.
  if (revision !== undefined && revision !== question.sha && pullRequest === undefined)
    throw analysisOther({ what: 'commit', found: revision.slice(0, 12), wanted: question.sha.slice(0, 12) })
  return { analysis, ...(revision === undefined ? {} : { revision }) }
}

async function analysisOfCommit(server: SonarAddress, question: QualityQuestion): Promise<Found> {
  const { project, branch, pullRequest, sha } = question
  const analyses = await listAnalyses(server, { project, branch, pullRequest })
  const found = analyses?.find(({ revision }) => revision === sha)
  if (found !== undefined) return { analysis: found.key, revision: sha }
  if (await isUnderWay(server, project))
    return { why: `SonarQube is analysing ${project}, and has none of ${sha.slice(0, 12)} yet.` }
  // It may have ended between the two questions.
  const again = await listAnalyses(server, { project, branch, pullRequest })
  const late = again?.find(({ revision }) => revision === sha)
  if (late !== undefined) return { analysis: late.key, revision: sha }
  throw analysisMissing({ project, sha, branch })
}

interface Analysis {
  readonly key: string
  readonly revision?: string
}

/** Undefined when the server does not know the project or the branch. */
async function listAnalyses(
  server: SonarAddress,
  asked: { readonly project: string; readonly branch: string | undefined; readonly pullRequest: string | undefined },
): Promise<readonly Analysis[] | undefined> {
  const path = 'api/project_analyses/search'
  const { project, branch, pullRequest } = asked
  const place = pullRequest === undefined ? { branch } : { pullRequest }
  const text = await callSonar(server, path, { project, ps: String(analysesMax), ...place })
  if (text === undefined) return undefined
  return objectsIn(parse(server, path, text), 'analyses').flatMap((analysis): readonly Analysis[] => {
    const key = textIn(analysis, 'key')
    const revision = textIn(analysis, 'revision')
    return key === undefined ? [] : [{ key, ...(revision === undefined ? {} : { revision }) }]
  })
}

async function isUnderWay(server: SonarAddress, project: string): Promise<boolean> {
  const path = 'api/ce/component'
  const text = await callSonar(server, path, { component: project })
  return text !== undefined && objectsIn(parse(server, path, text), 'queue').length > 0
}

function parse(server: SonarAddress, path: string, text: string): JsonObject {
  const json = readJsonObject(text)
  if (json.kind === 'unreadable') throw sonarQubeAnswerInvalid({ url: `${server.url}/${path}`, problem: json.problem })
  return json.report
}
