import { KnownError } from '#core/errors.ts'

/** No answer, or one that says that it is the server's own trouble. */
export function sonarQubeUnreachable(fact: {
  readonly url: string
  readonly why: string
  readonly cause?: unknown
}): KnownError {
  return new KnownError({
    code: 'SONARQUBE_UNREACHABLE',
    kind: 'unreachable',
    retry: 'backoff',
    message: `SonarQube at ${fact.url} did not answer: ${fact.why}.`,
    hint: 'Is the server up, and is `gates.sonarqube.url` in shipway.yml its address? Then deploy again.',
    cause: fact.cause,
  })
}

/** The server understood and said no, or points elsewhere: a token is never carried after a redirect. */
export function sonarQubeRefused(fact: {
  readonly url: string
  readonly status: number
  readonly said: string
}): KnownError {
  return new KnownError({
    code: 'SONARQUBE_REFUSED',
    kind: 'auth',
    message: `SonarQube refused ${fact.url} with ${fact.status}${fact.said === '' ? '' : `: ${fact.said}`}.`,
    hint: 'Look at the token and its right to browse the project, and at `gates.sonarqube` in shipway.yml.',
  })
}

/** What came back is no answer of SonarQube's API. */
export function sonarQubeAnswerInvalid(fact: { readonly url: string; readonly problem: string }): KnownError {
  return new KnownError({
    code: 'SONARQUBE_ANSWER_INVALID',
    kind: 'red',
    message: `What ${fact.url} answers cannot be used: ${fact.problem}.`,
    hint: 'Is `gates.sonarqube.url` in shipway.yml the address of the server, without /api?',
  })
}

/** Nothing is under way that could become the analysis of the commit. */
export function analysisMissing(fact: {
  readonly project: string
  readonly sha: string
  readonly branch: string | undefined
}): KnownError {
  const where = fact.branch === undefined ? '' : ` on the branch ${fact.branch}`
  return new KnownError({
    code: 'ANALYSIS_MISSING',
    kind: 'red',
    message: `SonarQube has no analysis of ${fact.sha.slice(0, 12)} in ${fact.project}${where}, and none is under way.`,
    hint: 'Run the scanner in a job that is needed before the deployment; an uploaded report-task.txt names its analysis.',
  })
}

export function analysisFailed(fact: {
  readonly task: string
  readonly status: string
  readonly said: string
}): KnownError {
  return new KnownError({
    code: 'ANALYSIS_FAILED',
    kind: 'red',
    message: `SonarQube could not finish the analysis (task ${fact.task}: ${fact.status}${fact.said === '' ? '' : `, ${fact.said}`}).`,
    hint: 'Its log stands in SonarQube under Background Tasks; run the scanner again.',
  })
}

/** The analysis that the run has named is one of something else. */
export function analysisOther(fact: {
  readonly what: string
  readonly found: string
  readonly wanted: string
}): KnownError {
  return new KnownError({
    code: 'ANALYSIS_OTHER',
    kind: 'red',
    message: `The analysis that report-task.txt names is of the ${fact.what} ${fact.found}, and ${fact.wanted} is to be deployed.`,
    hint: 'Let the same run analyse the commit and upload report-task.txt, and name its project in `gates.sonarqube.project`.',
  })
}

/** It was still under way when the time was over. */
export function gateTooLate(fact: {
  readonly why: string
  readonly within: string
  readonly gate: string
}): KnownError {
  return new KnownError({
    code: 'GATE_TOO_LATE',
    kind: 'red',
    message: `There was no answer within ${fact.within}: ${fact.why}`,
    hint: `Deploy again when it is there, or give it more time with \`gates.${fact.gate}.within\`.`,
  })
}

/** The secret with the token of a gate is not there. */
export function gateTokenMissing(fact: {
  readonly gate: string
  readonly application: string
  readonly environment: string
  readonly token: string
}): KnownError {
  return new KnownError({
    code: 'GATE_TOKEN_MISSING',
    kind: 'auth',
    message: `The secret ${fact.token} with the token of the gate "${fact.gate}" is not there.`,
    hint: `Put it into the state home: secrets/${fact.application}/${fact.environment}.json, mode 0600, {"${fact.token}": "…"}.`,
  })
}
