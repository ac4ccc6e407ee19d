import { expect, test } from 'vitest'
import { commitAuthors } from './author.ts'

test('whoever made a commit of an event is known by login, name, mail, and the mail before the "@"', () => {
  const payload = {
    head_commit: { author: { name: 'Ann Author', email: '4711+ann@users.noreply.example.org', username: 'ann-a' } },
    commits: [{ author: { name: 'bo', email: 'bo@example.org' } }, { author: { name: 'bo', email: 'bo@example.org' } }],
  }

  expect(commitAuthors(payload)).toEqual([
    'ann-a',
    'Ann Author',
    '4711+ann@users.noreply.example.org',
    'ann',
    'bo',
    'bo@example.org',
  ])
})

test('whoever asks for a change to be taken is its author, too', () => {
  expect(commitAuthors({ pull_request: { user: { login: 'cy' } } })).toEqual(['cy'])
})

test.for([
  {},
  { pull_request: { user: 7 } },
  { head_commit: null },
  { head_commit: { author: 'ann' } },
  { commits: [1, { author: { name: 1 } }] },
])('an event that tells nobody, %j, names nobody', (payload) => {
  expect(commitAuthors(payload)).toEqual([])
})
