import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Upload } from './upload.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'shipway-upload-'))
})
afterAll(() => rmSync(root, { recursive: true }))

function begin(bytesMax = 1000): { readonly upload: Upload; readonly folder: string } {
  const folder = mkdtempSync(join(root, 'upload-'))
  return { upload: new Upload('name', folder, bytesMax), folder }
}

const body = (text: string): Readable => Readable.from([Buffer.from(text)])

describe('an upload', () => {
  test('is put together in the order of its list, whatever the order of arrival', async () => {
    const { upload, folder } = begin()
    await Promise.all([
      upload.putBlock('c', body('3')),
      upload.putBlock('a', body('1')),
      upload.putBlock('b', body('2')),
    ])
    await upload.putBlock('unused', body('x'))
    await upload.putBlock('b', body('two'))
    await upload.commit(['a', 'b', 'c'])
    expect(readFileSync(upload.file, 'utf8')).toBe('1two3')
    expect(upload.bytes).toBe(5)
    upload[Symbol.dispose]()
    expect(() => readdirSync(folder)).toThrow('ENOENT')
  })

  test('of no block is empty', async () => {
    const { upload } = begin()
    await upload.commit([])
    expect(upload.bytes).toBe(0)
  })

  test('is not finished before its list came', async () => {
    const { upload } = begin()
    await upload.putBlock('a', body('1'))
    expect(() => upload.file).toThrow('There is no upload of "name"')
  })

  test('has a size over all its blocks; what was refused, or replaced, does not count', async () => {
    const { upload, folder } = begin(15)
    await upload.putBlock('a', body('12345'))
    await expect(upload.putBlock('b', body('12345678901'))).rejects.toMatchObject({ code: 'UPLOAD_TOO_LARGE' })
    expect(readdirSync(folder)).toHaveLength(1)
    await upload.putBlock('b', body('12345'))
    await upload.putBlock('a', body('54321'))
    await upload.commit(['a', 'b'])
    expect(readFileSync(upload.file, 'utf8')).toBe('5432112345')
  })

  test('of ranges takes them at the same time and in any order', async () => {
    const { upload } = begin(10)
    await Promise.all([upload.putRange(5, body('67890')), upload.putRange(0, body('12345'))])
    await expect(upload.putRange(8, body('xyz'))).rejects.toMatchObject({ code: 'UPLOAD_TOO_LARGE' })
    await expect(upload.putRange(11, body(''))).rejects.toMatchObject({ code: 'UPLOAD_TOO_LARGE' })
    upload.close()
    expect(readFileSync(upload.file, 'utf8')).toBe('1234567890')
  })
})
