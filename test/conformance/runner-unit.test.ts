import { describe, expect, test } from 'vitest'
import { Redactor } from '#core/redact/redactor.ts'
import { isBlockedVariable, parseKeyValueFile } from '#core/step/file-command.ts'
import { parseWorkflowCommand } from '#core/step/workflow-command.ts'
import { missingData, readData } from './data.ts'

/*
 * Facts about GitHub's own runner: file commands, masking, workflow commands. A failure means that a workflow would
 * behave differently here; the runner's source is the judge (actions-semantics 67, 68, 76, 77, 81, 82).
 */
interface Facts {
  readonly envFile: readonly {
    readonly name: string
    readonly file: string | null
    readonly kind?: 'env'
    readonly expect?: Readonly<Record<string, string>>
    readonly issues?: number
    readonly error?: string
  }[]
  readonly masking: readonly {
    readonly secrets: readonly string[]
    readonly input?: string
    readonly inputBase64Of?: string
    readonly output: string
  }[]
  readonly commands: readonly {
    readonly line: string
    readonly registered: readonly string[]
    readonly command?: string
    readonly props?: Readonly<Record<string, string>>
    readonly data?: string
    readonly notACommand?: boolean
  }[]
}

const file = 'actions/runner-unit-facts.json'
const missing = missingData(file)

describe.skipIf(missing !== undefined)(`facts about the runner ${missing ?? ''}`, () => {
  const facts: Facts =
    missing === undefined ? (JSON.parse(readData(file)) as Facts) : { envFile: [], masking: [], commands: [] }

  test('all 38 facts are there', () => {
    expect(facts.envFile.length + facts.masking.length + facts.commands.length).toBe(38)
  })

  test.each(facts.envFile)('a file of variables: $name', ({ file, kind, expect: expected, issues = 0, error }) => {
    const parsed = parseKeyValueFile(file ?? '')
    if (error !== undefined) {
      expect(parsed).toEqual({ kind: 'invalid', reason: expect.stringContaining(error) })
      return
    }
    const entries = parsed.kind === 'entries' ? parsed.entries : []
    const isBlocked = ([name]: readonly [string, string]) => kind === 'env' && isBlockedVariable(name)
    expect(parsed.kind).toBe('entries')
    expect(Object.fromEntries(entries.filter((entry) => !isBlocked(entry)))).toEqual(expected)
    expect(entries.filter(isBlocked)).toHaveLength(issues)
  })

  test.each(facts.masking)('masking $secrets in $input$inputBase64Of', ({ secrets, input, inputBase64Of, output }) => {
    const redactor = new Redactor()
    for (const secret of secrets) redactor.add(secret)
    const text = input ?? Buffer.from(inputBase64Of ?? '').toString('base64')
    expect(redactor.redact(text)).toBe(output)
  })

  test.each(facts.commands)('the command in $line', ({ line, registered, command, props, data, notACommand }) => {
    const parsed = parseWorkflowCommand(line, (name) => registered.includes(name))
    const expected = notACommand === true ? undefined : { name: command, properties: props, value: data }
    expect(parsed).toEqual(expected)
  })
})
