import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hashFiles } from './hash-files.ts'

test('hashFiles reads a file in pieces to the same digest, and ends with a named error when its time is over', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shipway-hash-'))
  try {
    writeFileSync(join(folder, 'large'), Buffer.alloc(3 * 1024 * 1024 + 5, 'x'))

    expect(hashFiles(['large'], folder)).toMatch(/^[0-9a-f]{64}$/)
    expect(hashFiles(['large'], folder)).toBe(hashFiles(['**'], folder))
    expect(() => hashFiles(['large'], folder, -1)).toThrow(
      expect.objectContaining({ code: 'HASH_FILES_TOO_SLOW', message: expect.stringContaining('hashFiles(large)') }),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
