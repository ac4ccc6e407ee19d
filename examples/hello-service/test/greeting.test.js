import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkName, greet, nameLengthMax, salutation } from '../lib/greeting.js'

test('the salutation follows the hour, at its borders too', () => {
  const expected = { 0: 'Good night', 4: 'Good night', 5: 'Good morning', 11: 'Good morning', 12: 'Good afternoon' }
  Object.assign(expected, { 17: 'Good afternoon', 18: 'Good evening', 23: 'Good evening' })
  for (const [hour, words] of Object.entries(expected))
    assert.equal(salutation(Number(hour)), words, `at ${hour} o'clock`)
})

test('an hour that no clock shows is an error', () => {
  for (const hour of [-1, 24, 7.5, Number.NaN]) assert.throws(() => salutation(hour), RangeError)
})

test('a name loses its superfluous white space', () => {
  assert.equal(checkName('  Grace   Hopper\n'), 'Grace Hopper')
})

test('an empty name and one that is too long are errors that say so', () => {
  assert.throws(() => checkName('   '), { name: 'RangeError', message: 'The name is empty.' })
  assert.throws(() => checkName('x'.repeat(nameLengthMax + 1)), { message: 'The name is longer than 40 characters.' })
})

test('length is counted in characters, so that an emoji is one', () => {
  assert.equal(checkName('🚢'.repeat(nameLengthMax)), '🚢'.repeat(nameLengthMax))
})

test('a greeting is a whole sentence', () => {
  assert.equal(greet('Ada', 9), 'Good morning, Ada!')
})
