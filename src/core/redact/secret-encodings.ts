/** Below this length a piece of a secret says too little to be masked on its own: it would blank out ordinary text. */
const PIECE_LENGTH_MIN = 6

/** Below this length the stable head of a base64 form is not masked without its tail, for the same reason. */
const BASE64_HEAD_LENGTH_MIN = 8

/**
 * Every form in which a secret may reach a log: as it is, and as the usual tools print it (actions-semantics 82; the
 * list follows GitHub's runner). A form never holds a line end, because logs are masked line by line: of a secret with
 * several lines each line is a secret of its own.
 */
export function encodingsOf(secret: string): readonly string[] {
  const forms = new Set<string>()
  for (const part of [secret, ...secret.split(/[\r\n]+/)]) {
    if (part === '') continue
    for (const encode of encoders) for (const form of encode(part)) forms.add(form)
  }
  forms.delete('')
  return [...forms].filter((form) => !/[\r\n]/.test(form))
}

const encoders: readonly ((secret: string) => readonly string[])[] = [
  (secret) => [secret],
  (secret) => base64Forms(utf8(secret)),
  (secret) => (secret.length > 1 ? base64Forms(utf8(secret).slice(1)) : []),
  (secret) => (secret.length > 2 ? base64Forms(utf8(secret).slice(2)) : []),
  (secret) => [secret.replaceAll('"', String.raw`\"`)],
  (secret) => [secret.replaceAll("'", "''")],
  jsonForms,
  percentForms,
  (secret) => [xmlEscape(secret)],
  hexForms,
  (secret) => (secret.length > 8 && secret.startsWith('"') && secret.endsWith('"') ? [secret.slice(1, -1)] : []),
  powershellPieces,
]

/** The bytes of a text as a string of characters 0 to 255, which is what `btoa` reads. */
function utf8(text: string): string {
  let bytes = ''
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte)
  return bytes
}

/**
 * Base64 of the bytes, with and without the signs that fill it up, as GitHub's runner has it; and the head of it that stays the same whatever follows the secret: `echo $SECRET | base64`
 * encodes a line end too, which changes the last characters.
 */
function base64Forms(bytes: string): readonly string[] {
  const whole = btoa(bytes)
  const head = whole.slice(0, Math.floor((bytes.length * 8) / 6))
  const bare = whole.replace(/=+$/, '')
  const forms = head.length >= BASE64_HEAD_LENGTH_MIN ? [whole, bare, head] : [whole, bare]
  return [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))]
}

/** JSON as most tools write it, and as Go writes it (with `<`, `>` and `&` escaped). */
function jsonForms(secret: string): readonly string[] {
  const plain = JSON.stringify(secret).slice(1, -1)
  const go = plain.replaceAll(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
  return [plain, go]
}

/**
 * For addresses: everything escaped but the unreserved characters of RFC 3986; as JavaScript leaves `!'()*` alone; as
 * Python leaves `/` alone; and as forms write a blank. A lone surrogate has no such form.
 */
function percentForms(secret: string): readonly string[] {
  if (!secret.isWellFormed()) return []
  const script = encodeURIComponent(secret)
  const strict = script.replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
  return [script, strict, strict.replaceAll('%2F', '/'), strict.replaceAll('%20', '+')]
}

/** The bytes as `xxd -p`, `od` and most languages print them, in either case. GitHub leaves them out; a short secret would blank out numbers. */
function hexForms(secret: string): readonly string[] {
  const bytes = new TextEncoder().encode(secret)
  if (bytes.length < PIECE_LENGTH_MIN) return []
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex, hex.toUpperCase()]
}

const xmlEntities: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '&': '&amp;',
}

function xmlEscape(secret: string): string {
  return secret.replaceAll(/[<>"'&]/g, (character) => xmlEntities[character] ?? character)
}

/**
 * PowerShell prints a command that failed in pieces: around the first `&+`, and what follows that without its first character, or
 * around the last `&`.
 */
function powershellPieces(secret: string): readonly string[] {
  const plus = secret.indexOf('&+')
  const last = secret.lastIndexOf('&')
  if (last === -1) return []
  const pieces =
    plus === -1
      ? [secret.slice(0, last + 1), secret.slice(last + 1)]
      : [secret.slice(0, plus + 2), secret.slice(plus + 3), secret.slice(0, last + 1), secret.slice(last + 1)]
  return pieces.filter((piece) => piece.length >= PIECE_LENGTH_MIN)
}
