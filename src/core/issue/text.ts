import type { IssueKey, IssuesConfig, Outcome } from './model.ts'

/** Jobs that a body lists. */
const statusMax = 50
/** Characters of a title. */
const titleMax = 200

/** The hidden beginning of every body of ours for an application. */
export function applicationMarker(application: string): string {
  return `<!-- shipway:application=${encodeURIComponent(application)};`
}

/** Hidden in the body; by it, and never by the title, an issue is found again. */
export function issueMarker({ application, workflow, environment = '' }: IssueKey): string {
  const parts = `workflow=${encodeURIComponent(workflow)};environment=${encodeURIComponent(environment)}`
  return `${applicationMarker(application)}${parts} -->`
}

export function issueTitle({ workflow, environment, stages }: Outcome): string {
  const title = environment === undefined ? `${workflow} failed: ${stages.join(', ')}` : `${stages.join(', ')} failed`
  return title.replace(/: $/, '').slice(0, titleMax)
}

/** The body of a new issue. */
export function issueBody(outcome: Outcome, config: Pick<IssuesConfig, 'link'>): string {
  return `${issueMarker(outcome)}\n${describe(outcome, config)}\n\nThe next green one closes this issue; so does "Fix issue #N" in a commit of a green run.\n`
}

/** A comment on an issue that is open already. */
export function failedAgain(outcome: Outcome, config: Pick<IssuesConfig, 'link'>): string {
  return `Failed again.\n\n${describe(outcome, config)}\n`
}

/** The last word on an issue. */
export function fixed(outcome: Outcome, config: Pick<IssuesConfig, 'link'>): string {
  return `Green again: ${code(outcome.what)} of ${code(outcome.sha.slice(0, 12))} on ${code(shortRef(outcome.ref))}. ${linkTo(outcome, config)}\n`
}

function describe(outcome: Outcome, config: Pick<IssuesConfig, 'link'>): string {
  const { stages, what, ref, sha, status, reason } = outcome
  return [
    `- Stage: ${stages.length === 0 ? 'none' : stages.map(code).join(', ')}`,
    `- Run: ${code(what)} (${code(outcome.subject)})`,
    `- Branch: ${code(shortRef(ref))}`,
    `- Commit: ${code(sha)}`,
    ...(reason === undefined ? [] : [`- Reason: ${code(reason)}`]),
    `- Status: ${status
      .slice(0, statusMax)
      .map(({ name, conclusion }) => `${code(name)} ${conclusion}`)
      .join(', ')}`,
    `- Logs: ${linkTo(outcome, config)}`,
  ].join('\n')
}

function linkTo({ subject }: Outcome, { link }: Pick<IssuesConfig, 'link'>): string {
  if (link !== undefined) return link.replaceAll('{id}', encodeURIComponent(subject))
  return code(subject.startsWith('run_') ? `shipway logs ${subject}` : `shipway why ${subject}`)
}

/** Text of others as code: it can name nobody and link nowhere. */
function code(text: string): string {
  const plain = text.replaceAll(/[`\s]+/g, ' ').trim()
  return `\`${plain === '' ? '-' : plain}\``
}

function shortRef(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, '')
}

/** Issues that the message of a commit closes: GitHub's keywords, and "Fix issue #N" of our own. What is in code does not count. */
export function fixedIssues(message: string): readonly number[] {
  const text = message.replaceAll(/`[^`]*`/g, ' ')
  const found = text.matchAll(/\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:issue\s+)?#(\d{1,9})\b/gi)
  return [...new Set([...found].map(([, number]) => Number(number)))]
}
