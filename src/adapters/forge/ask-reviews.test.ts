import { describe, expect, test } from 'vitest'
import { judgeGates } from '#core/gate/judge.ts'
import type { ReviewGate } from '#core/gate/policy.ts'
import { startReviewForge } from '../../../test/rig/review-forge.ts'
import type { ReviewForge, StockPull, StockReview } from '../../../test/rig/review-forge.ts'
import type { ForgeKind } from '../../../test/rig/forge.ts'
import { askReviews } from './ask-reviews.ts'

const head = 'a'.repeat(40)
const old = 'b'.repeat(40)
const merge = 'c'.repeat(40)
const { signal } = new AbortController()

const pull = (reviews: readonly StockReview[], more: Partial<StockPull> = {}): StockPull => ({
  number: 12,
  author: 'ann',
  base: 'main',
  branch: 'feature/x',
  head,
  reviews: [...reviews],
  ...more,
})
const approval = (by: string, more: Partial<StockReview> = {}): StockReview => ({
  by,
  says: 'approved',
  commit: head,
  ...more,
})

async function judge(
  kind: ForgeKind,
  forge: ReviewForge,
  asked: Partial<ReviewGate> & { readonly sha?: string; readonly ref?: string } = {},
) {
  const { sha = head, ref = 'refs/heads/feature/x', ...more } = asked
  const gate: ReviewGate = {
    forge: kind,
    url: forge.url,
    repository: 'acme/shop',
    token: 'FORGE_TOKEN',
    approvals: 1,
    notAuthor: true,
    ofHead: true,
    from: [],
    into: [],
    ...more,
  }
  const pulls = await askReviews({ forge: gate, token: forge.token, sha, ref }, signal)
  const [result] = judgeGates(
    { review: gate },
    {
      source: { sha, ref },
      answers: [{ gate: 'review', kind: 'reviews', pulls }],
      evidence: [],
      previous: [],
      waivers: [],
      now: 0,
    },
  )
  return `${result?.verdict}: ${result?.text}`
}

describe.for(['github', 'gitlab', 'gitea'] as const)('the reviews of %s', (kind) => {
  const number = kind === 'gitlab' ? '!12' : '#12'

  test('count for the head of an open request and for the commit of its merge', async () => {
    await using forge = await startReviewForge(kind)
    forge.pulls.push(pull([approval('bo')]))
    expect(await judge(kind, forge)).toBe(`pass: ${number} was approved by bo.`)
    forge.pulls[0]!.merge = merge
    expect(await judge(kind, forge, { sha: merge, ref: 'refs/heads/main' })).toMatch(/^pass/)
    expect(await judge(kind, forge, { sha: merge, ref: 'refs/tags/v1.0.0' })).toMatch(/^pass/)
    expect(await judge(kind, forge, { sha: 'd'.repeat(40) })).toMatch(
      /^fail: No pull request of acme\/shop brings d{12}/,
    )
  })

  test('do not count of the author, of an older commit, or when they were dismissed', async () => {
    await using forge = await startReviewForge(kind)
    forge.pulls.push(
      pull([approval('Ann'), approval('cy', { commit: old }), approval('di', { isDismissed: true }), approval('bo')]),
    )
    const two = await judge(kind, forge, { approvals: 2 })
    expect(two).toContain(
      `fail: ${number} has 1 of 2 approvals (not counted: Ann is its author; cy approved an older commit`,
    )
    expect(two).not.toContain('di ')
    expect(await judge(kind, forge, { approvals: 2, ofHead: false })).toMatch(/^pass: .* cy, bo/)
    expect(await judge(kind, forge, { from: ['cy'] })).toContain('bo is not among those whose approval counts')
  })

  test('of a request into another branch say nothing for this one', async () => {
    await using forge = await startReviewForge(kind)
    forge.pulls.push(pull([approval('bo')], { base: 'playground', merge }))
    expect(await judge(kind, forge, { sha: merge, ref: 'refs/heads/main' })).toMatch(/^fail: .*goes into playground/)
    expect(await judge(kind, forge, { into: ['main'] })).toMatch(/^fail: .*a request into main is asked for/)
  })

  test('that ask for changes outweigh approvals', async () => {
    await using forge = await startReviewForge(kind)
    forge.pulls.push(pull([approval('bo'), { by: 'cy', says: 'changes', commit: head }]))
    expect(await judge(kind, forge)).toMatch(/^fail: cy asked for changes/)
  })

  test('of more than one page are all read', async () => {
    await using forge = await startReviewForge(kind)
    const talk = Array.from({ length: 120 }, (): StockReview => ({ by: 'ann', says: 'comment', commit: head }))
    forge.pulls.push(pull([...talk, approval('bo')]))
    expect(await judge(kind, forge)).toMatch(/^pass/)
  })

  test('that cannot be asked for are an error that says whether trying again can help', async () => {
    await using forge = await startReviewForge(kind)
    const question = { forge: { forge: kind, url: forge.url, repository: 'acme/shop' }, sha: head, ref: 'refs/heads/x' }
    await expect(askReviews({ ...question, token: 'wrong' }, signal)).rejects.toMatchObject({ code: 'FORGE_REFUSED' })
    forge.failing = 502
    await expect(askReviews({ ...question, token: forge.token }, signal)).rejects.toMatchObject({
      code: 'FORGE_UNREACHABLE',
      retry: 'backoff',
    })
  })
})

describe.for(['github', 'gitea'] as const)('at %s', (kind) => {
  test('the last word of each reviewer counts, strangers and those with commits in the request do not', async () => {
    await using forge = await startReviewForge(kind)
    forge.pulls.push(
      pull(
        [
          { by: 'bo', says: 'changes', commit: head },
          approval('bo'),
          { by: 'bo', says: 'comment', commit: head },
          approval('eve', { isStranger: true }),
          approval('cy'),
        ],
        { commitAuthors: ['ann', 'cy'] },
      ),
    )
    const three = await judge(kind, forge, { approvals: 3 })
    expect(three).toMatch(/has 1 of 3 approvals \(not counted: eve .*; cy made commits of it\)/)
    expect(await judge(kind, forge, { from: ['eve'] })).toMatch(/^pass/)
  })

  test('an approval that was taken back by the same person is none', async () => {
    await using forge = await startReviewForge(kind)
    forge.pulls.push(pull([approval('bo'), approval('bo', { isDismissed: true })]))
    expect(await judge(kind, forge)).toMatch(/^fail: #12 has no approval of 1 that are needed/)
  })
})

test('the run of a pull request asks for the request that its ref names', async () => {
  await using forge = await startReviewForge('github')
  forge.pulls.push(pull([approval('bo')], { merge }))
  expect(await judge('github', forge, { sha: merge, ref: 'refs/pull/12/merge' })).toMatch(/^pass/)
  expect(forge.calls.some((call) => call.includes('/commits/'))).toBe(false)
})

test('an approval of a machine does not count', async () => {
  await using forge = await startReviewForge('github')
  forge.pulls.push(pull([approval('helper[bot]', { isBot: true })]))
  expect(await judge('github', forge)).toContain('helper[bot] is a machine')
})

test('an older GitLab tells in its notes when somebody approved', async () => {
  await using forge = await startReviewForge('gitlab')
  forge.hasNotesOnly = true
  forge.pulls.push(pull([approval('bo'), approval('cy', { commit: old })]))
  expect(await judge('gitlab', forge, { approvals: 2 })).toContain(
    '1 of 2 approvals (not counted: cy approved an older',
  )
})
