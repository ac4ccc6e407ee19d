import { RuleTester } from 'oxlint/plugins-dev'
import { describe, test } from 'vitest'

/** oxlint's tester for rules, with cases that show up as tests of vitest. */
export function ruleTester(): RuleTester {
  RuleTester.describe = describe
  RuleTester.it = test
  return new RuleTester({ languageOptions: { sourceType: 'module', parserOptions: { lang: 'ts' } } })
}
