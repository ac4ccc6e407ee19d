import { randomBytes } from 'node:crypto'
import type { Ids } from '#ports/ids.ts'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * Ids that sort by time of creation: 48 bits of milliseconds and 80 random ones (the layout of UUIDv7 without its version
 * bits), in 26 characters of Crockford's base 32.
 */
export const randomIds: Ids = {
  next: (prefix) => `${prefix}_${encodeBase32(bytesFor(Date.now()))}`,
}

function bytesFor(time: number): Uint8Array {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(time, 0, 6)
  return bytes
}

function encodeBase32(bytes: Uint8Array): string {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  let text = ''
  for (let index = 0; index < 26; index += 1) {
    text = (alphabet[Number(value & 31n)] ?? '') + text
    value >>= 5n
  }
  return text
}
