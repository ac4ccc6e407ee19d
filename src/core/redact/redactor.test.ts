import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Redactor } from './redactor.ts'

function redactorOf(...secrets: readonly string[]): Redactor {
  const redactor = new Redactor()
  for (const secret of secrets) redactor.add(secret)
  return redactor
}

describe('a redactor', () => {
  test('leaves text alone while it knows no secret', () => {
    const redactor = redactorOf('')
    expect(redactor.isEmpty).toBe(true)
    expect(redactor.redact('nothing to hide')).toBe('nothing to hide')
  })

  test.each([
    ['plain', 'tok-abc', 'with tok-abc inside', 'with *** inside'],
    ['twice', 'tok-abc', 'tok-abc,tok-abc', '***,***'],
    ['touching', 'tok-abc', 'tok-abctok-abc', '***'],
    ['each line of a key', 'first-line\nsecond-line\n', 'a second-line b', 'a *** b'],
    ['a key with Windows line ends', 'first-line\r\nsecond-line', 'second-line', '***'],
    ['a key as JSON', 'one"1\ntwo', String.raw`{"key":"one\"1\ntwo"}`, '{"key":"***"}'],
    ['as Go writes JSON', 'a<b>c&d', String.raw`a\u003cb\u003ec\u0026d`, '***'],
    ['percent-encoded', 'pass word(1)', 'u=pass%20word%281%29', 'u=***'],
    ['XML', `a<b>"c'&`, 'a&lt;b&gt;&quot;c&apos;&amp;', '***'],
    ['in a shell argument', 'say "hi" now', String.raw`say \"hi\" now`, '***'],
    ['PowerShell pieces', 'section1&section2', 'At line: section2', 'At line: ***'],
    [
      'PowerShell pieces around a coloured letter',
      'section1&+Ssection2&x',
      'At line: section1&+ ection2&',
      'At line: *** ection2&',
    ],
    ['what follows the coloured letter', 'section1&+Section2', '+ ection2', '+ ***'],
    ['url-safe base64', 'k?>~xyz', btoa('k?>~xyz').replaceAll('+', '-').replaceAll('/', '_'), '***'],
    ['hexadecimal', 'tok-abc', 'x 746f6b2d616263 746F6B2D616263', 'x *** ***'],
    ['not the hexadecimal of a short one', 'abc', 'x 616263', 'x 616263'],
    ['an emoji', 'pass\u{1F511}word', 'a pass\u{1F511}word b', 'a *** b'],
  ])('hides a secret: %s', (_name, secret, text, masked) => {
    expect(redactorOf(secret).redact(text)).toBe(masked)
  })

  test.each(['', 'x', 'xy', 'user', 'user:', 'users:'])(
    'hides base64 wherever a secret stands in it, padded or not: after "%s"',
    (before) => {
      for (const secret of ['tok-abcdefg', 'tok-abcdefgh', 'tok-abcdefghi', 'tok']) {
        const text = btoa(before + secret)
        // A character of base64 that the text before shares with the secret, and what belongs to that text.
        const shared = Math.ceil((before.length * 4) / 3) + (before.length % 3 === 0 ? 0 : 2)
        for (const form of [text, text.replaceAll('=', '')])
          expect(redactorOf(secret).redact(form).replace(/=+$/, '')).toMatch(new RegExp(`^.{0,${shared}}\\*\\*\\*$`))
      }
    },
  )

  test('hides what `echo $SECRET | base64` prints, although the line end changes the last characters', () => {
    const masked = redactorOf('hunter2-token').redact(btoa('hunter2-token\n'))
    expect(masked).toMatch(/^\*\*\*.{0,4}$/)
  })

  test('lets the longest secret win where one is a part of another', () => {
    expect(redactorOf('token', 'token-with-tail').redact('x token-with-tail y')).toBe('x *** y')
  })

  test('never lets a secret through, whatever the text around it and the encoding', () => {
    const secret = fc.string({ unit: fc.constantFrom('a', 'b', '"', '&', ' ', '<', '/', 'é', "'"), minLength: 3 })
    const encodings: readonly ((text: string) => string)[] = [
      (text) => text,
      (text) => JSON.stringify(text).slice(1, -1),
      encodeURIComponent,
      (text) => Buffer.from(text).toString('base64'),
      (text) => (Buffer.byteLength(text) < 6 ? text : Buffer.from(text).toString('hex')),
      (text) => text.replaceAll("'", "''"),
    ]
    const property = (secrets: readonly string[], around: readonly string[], form: number) => {
      const encode = encodings[form] ?? String
      const redactor = redactorOf(...secrets)
      const text = around.map((part, index) => part + encode(secrets[index % secrets.length] ?? '')).join(' ')
      const masked = redactor.redact(text)
      for (const one of secrets) {
        expect(masked).not.toContain(one)
        expect(masked).not.toContain(encode(one))
      }
      expect(redactor.hides(masked)).toBe(false)
    }
    const around = fc.array(fc.string({ unit: fc.constantFrom('x', 'y', '=', 'a', 'é'), maxLength: 8 }), {
      minLength: 1,
    })
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 4 }),
        around,
        fc.nat({ max: encodings.length - 1 }),
        property,
      ),
    )
  })

  test('says where an unfinished line may be cut: nowhere inside a secret, and not where one may have begun', () => {
    // Its longest form is hexadecimal, with twelve characters.
    const redactor = redactorOf('SECRET')
    expect(redactor.cutOf('abcdefghijklmnop')).toBe(5)
    expect(redactor.cutOf('abcdefghSECRETabcdef')).toBe(8)
    expect(redactorOf().cutOf('abc')).toBe(3)
    expect(redactor.cutOf('SECRET')).toBe(0)
  })
})
