/** One answer of `git cat-file --batch`. */
export interface BatchObject {
  readonly oid: string
  readonly type: string
  readonly content: Buffer
}

/** Splits the output of `git cat-file --batch`: `<oid> <type> <size>\n<content>\n`, or `<name> missing\n`. */
export function parseBatch(output: Buffer): readonly (BatchObject | undefined)[] {
  const objects: (BatchObject | undefined)[] = []
  let offset = 0
  while (offset < output.length) {
    const end = output.indexOf(0x0a, offset)
    if (end < 0) break
    const match = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(output.toString('utf8', offset, end))
    offset = end + 1
    if (match === null) {
      objects.push(undefined)
      continue
    }
    const size = Number(match[3])
    objects.push({ oid: match[1] ?? '', type: match[2] ?? '', content: output.subarray(offset, offset + size) })
    offset += size + 1
  }
  return objects
}
