import { statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { isInside } from '#core/step/path-pattern.ts'
import type { AnnotationPlace } from '#core/step/annotation.ts'
import type { MatchValues } from '#core/matcher/model.ts'
import type { JobRun } from '../job-run.ts'

const levels = { '': 'error', error: 'error', warning: 'warning', notice: 'notice' } as const
const LINE_END = '\n'

/** Searches the output of one stream of a step with the job's matchers: what is found becomes an annotation, and its line shows so in the log. */
export function outputSearch(job: JobRun, stream: string): (lines: Buffer) => Buffer {
  return (block) => {
    if (job.matchers.isEmpty) return block
    const lines = block.toString('utf8').replace(/\n$/, '').split(LINE_END)
    const matched = job.matchers.scan(
      stream,
      lines.map((line) => line.replace(/\r$/, '')),
    )
    if (matched.size === 0) return block
    for (const [index, { text, values }] of matched) {
      const level = levelOf(values)
      if (level === undefined) continue
      job.annotate(level, values.message ?? '', placeOf(job, values))
      lines[index] = `##[${level}]${text}`
    }
    return Buffer.from(lines.join(LINE_END) + LINE_END)
  }
}

function levelOf({ severity = '' }: MatchValues): (typeof levels)[keyof typeof levels] | undefined {
  const name = severity.toLowerCase()
  return Object.hasOwn(levels, name) ? levels[name as keyof typeof levels] : undefined
}

function placeOf(job: JobRun, values: MatchValues): AnnotationPlace {
  const line = numberOf(values.line)
  const column = numberOf(values.column)
  const code = values.code?.trim() ?? ''
  const file = fileOf(job, values)
  return {
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...(code === '' ? {} : { code }),
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** A file of the repository, as its own folders name it. One that is not there, or not in the workspace, is left out, as GitHub does. */
function fileOf(job: JobRun, { file = '', fromPath = '' }: MatchValues): string | undefined {
  if (file.trim() === '') return undefined
  const { workspace } = job.order.paths
  const from = fromPath.trim() === '' || isAbsolute(file) ? file : join(dirname(fromPath), file)
  const path = job.host.outside(resolve(job.host.inside(workspace), from))
  if (!isInside(path, workspace) || statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined
  return relative(repositoryOf(dirname(path), workspace), path)
}

/** The folder of the repository that holds a folder: `actions/checkout` may have put it below the workspace. */
function repositoryOf(folder: string, workspace: string): string {
  for (let at = folder; isInside(at, workspace); at = dirname(at)) {
    if (statSync(join(at, '.git'), { throwIfNoEntry: false }) !== undefined) return at
  }
  return workspace
}
