import type { RuleTester } from 'oxlint/plugins-dev'

/** A lint rule of ours. oxlint exports the type only through its rule tester. */
export type Rule = Extract<Parameters<RuleTester['run']>[1], { create: unknown }>
