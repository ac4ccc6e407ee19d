import { describe, expect, test } from 'vitest'
import { KnownError } from '#core/errors.ts'
import { dispatchInputs } from './dispatch-input.ts'

const workflow = {
  name: 'Deploy',
  triggers: [
    {
      event: 'workflow_dispatch',
      inputs: {
        target: { type: 'choice', required: true, options: ['staging', 'production'], default: 'staging' },
        dry: { type: 'boolean', required: false },
        count: { type: 'number', required: false, default: 3 },
        note: { type: 'string', required: false },
        ticket: { type: 'string', required: true },
      },
    },
  ],
} as const

describe('inputs of a run by hand', () => {
  test('are typed, and defaults are filled in', () => {
    expect(dispatchInputs(workflow, { TICKET: 'T-1', dry: 'true' })).toEqual({
      target: 'staging',
      dry: true,
      count: 3,
      note: '',
      ticket: 'T-1',
    })
    expect(dispatchInputs(workflow, { ticket: 'x', count: '0.5', target: 'production' })).toMatchObject({
      count: 0.5,
      target: 'production',
      dry: false,
    })
  })

  test('that do not fit are refused all at once, with what is declared', () => {
    const given = { target: 'prod', dry: 'yes', count: 'many', tiket: 'x' }
    try {
      dispatchInputs(workflow, given)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(KnownError)
      expect(error).toMatchObject({
        code: 'INPUTS_INVALID',
        hint: 'Declared inputs: target, dry, count, note, ticket.',
        details: [
          '"tiket" is not an input (did you mean "ticket"?)',
          '"target" must be one of staging, production, not "prod"',
          '"dry" must be true or false, not "yes"',
          '"count" must be a number, not "many"',
          '"ticket" is required',
        ],
      })
    }
  })

  test('are refused by a workflow that declares none', () => {
    expect(() => dispatchInputs({ name: 'CI', triggers: [{ event: 'push' }] }, { x: '1' })).toThrow(
      /"x" is not an input/,
    )
    expect(dispatchInputs({ name: 'CI', triggers: [{ event: 'push' }] }, {})).toEqual({})
  })

  test('of type environment must be one of the project, where it has any', () => {
    const where = {
      name: 'Deploy',
      triggers: [{ event: 'workflow_dispatch', inputs: { to: { type: 'environment', required: false } } }],
    } as const
    expect(dispatchInputs(where, { to: 'anywhere' })).toEqual({ to: 'anywhere' })
    expect(dispatchInputs(where, { to: 'staging' }, ['staging', 'production'])).toEqual({ to: 'staging' })
    expect(dispatchInputs(where, {}, ['staging'])).toEqual({ to: '' })
    expect(() => dispatchInputs(where, { to: 'stagin' }, ['staging', 'production'])).toThrow(
      expect.objectContaining({ details: ['"to" must be an environment (staging, production), not "stagin"'] }),
    )
  })

  test('are limited in number and in length', () => {
    const many = Object.fromEntries(Array.from({ length: 26 }, (_, index) => [`i${index}`, 'x']))
    expect(() => dispatchInputs(workflow, { ...many, ticket: 'x' })).toThrow(
      expect.objectContaining({ details: expect.arrayContaining(['27 inputs were given; 25 are allowed']) }),
    )
    expect(() => dispatchInputs(workflow, { ticket: 'x', note: 'y'.repeat(70_000) })).toThrow(
      expect.objectContaining({ details: ['the inputs have 70011 characters together; 65535 are allowed'] }),
    )
  })
})
