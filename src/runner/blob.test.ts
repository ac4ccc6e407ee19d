import { expect, test } from 'vitest'
import { foldersOfBlobs } from './blob.ts'

test('the name of a blob is durable when its folder and all folders above it, up to the store, are', () => {
  expect(foldersOfBlobs('/b', ['aa01', 'bb02', 'aa03'])).toEqual(['/b/sha256/aa', '/b/sha256/bb', '/b/sha256', '/b'])
  expect(foldersOfBlobs('/b', [])).toEqual([])
})
