import { describe, expect, test } from 'vitest'
import { CommandSession } from './command-session.ts'
import type { CommandSettings } from './command-session.ts'

/** A session whose effects are written down as texts. */
function open(settings: Partial<CommandSettings> = {}): { session: CommandSession; effects: string[] } {
  const effects: string[] = []
  const session = new CommandSession(
    {
      setOutput: (name, value) => effects.push(`output ${name}=${value}`),
      saveState: (name, value) => effects.push(`state ${name}=${value}`),
      addMask: (text) => effects.push(`mask ${text}`),
      setVariable: (name, value) => effects.push(`env ${name}=${value}`),
      addMatcher: () => undefined,
      removeMatcher: () => undefined,
      addPath: (path) => effects.push(`path ${path}`),
      annotate: (level, message, place) => effects.push(`${level} ${message} ${JSON.stringify(place)}`),
      fail: () => effects.push('fail'),
    },
    { workspace: '/w', isDebug: false, allowsUnsecureCommands: false, ...settings },
  )
  return { session, effects }
}

describe('the commands of a step', () => {
  test.each<[string, Partial<CommandSettings>, readonly string[], readonly string[]]>([
    ['::set-output name=a::b', {}, [], ['output a=b']],
    ['::save-state name=a::b', {}, [], ['state a=b']],
    ['::add-mask::top secret', {}, [], ['mask top secret']],
    ['::group::Install', {}, ['##[group]Install'], []],
    ['::endgroup::', {}, ['##[endgroup]'], []],
    ['::debug::hidden', {}, [], []],
    ['::debug::one%0Atwo', { isDebug: true }, ['##[debug]one', '##[debug]two'], []],
    ['  ::notice title=T::hi', {}, ['##[notice]hi'], ['notice hi {"title":"T"}']],
    [
      '::warning file=/w/src/a.ts,line=3,col=5::oops',
      {},
      ['##[warning]oops'],
      ['warning oops {"file":"src/a.ts","line":3,"column":5}'],
    ],
    ['see ##[error]bad', {}, ['##[error]bad'], ['error bad {}']],
    ['::set-env name=A::b', { allowsUnsecureCommands: true }, [], ['env A=b']],
    ['::add-path::/opt/bin', { allowsUnsecureCommands: true }, [], ['path /opt/bin']],
    ['::SET-OUTPUT name=a::b', {}, [], ['output a=b']],
  ])('%s', (line, settings, lines, effects) => {
    const opened = open(settings)
    expect(opened.session.accept(line)).toEqual({ kind: 'command', lines })
    expect(opened.effects).toEqual(effects)
  })

  test.each(['::unknown::x', 'a ::error::not at the start', 'C::b::c', '##[unknown]x', '::error'])(
    '%s is plain text',
    (line) => {
      const { session, effects } = open()
      expect(session.accept(line)).toEqual({ kind: 'text' })
      expect(effects).toEqual([])
    },
  )

  test.each([
    ['::set-env name=A::b', /disabled/],
    ['::add-path::/x', /disabled/],
    ['::set-output::b', /'name' is missing/],
    ['::echo::maybe', /Invalid echo command value/],
    ['::stop-commands::', /stop token/],
    ['::stop-commands::error', /stop token/],
    ['::stop-commands::pause-logging', /stop token/],
  ])('%s fails the step', (line, reason) => {
    const { session, effects } = open()
    const answer = session.accept(line)
    expect(answer).toEqual({ kind: 'command', lines: [expect.stringMatching(reason)] })
    expect(effects[0]).toBe('fail')
  })

  test('are ignored between stop-commands and its token, which is masked when it is long enough to be a secret', () => {
    const { session, effects } = open()
    session.accept('::stop-commands::a-long-token')
    expect(session.accept('::set-output name=a::b')).toEqual({ kind: 'text' })
    expect(session.accept('::add-mask::x')).toEqual({ kind: 'text' })
    expect(session.accept('::A-LONG-TOKEN::')).toEqual({ kind: 'text' })
    session.accept('::set-output name=a::c')
    expect(effects).toEqual(['mask a-long-token', 'output a=c'])
  })

  test('are shown after echo on, except the masks', () => {
    const { session } = open()
    session.accept('::echo::on')
    expect(session.accept('::set-output name=a::b')).toEqual({ kind: 'command', lines: ['::set-output name=a::b'] })
    expect(session.accept('::add-mask::s3')).toEqual({ kind: 'command', lines: ['::add-mask::***'] })
    session.accept('::echo::off')
    expect(session.accept('::set-output name=a::b')).toEqual({ kind: 'command', lines: [] })
  })

  test('may not set NODE_OPTIONS even where set-env is allowed', () => {
    const { session, effects } = open({ allowsUnsecureCommands: true })
    session.accept('::set-env name=NODE_OPTIONS::--require=x')
    expect(effects).toEqual([expect.stringMatching(/^error Can't update NODE_OPTIONS/)])
  })
})
