/** Longest name that is greeted; a longer one is an error of the caller. */
export const nameLengthMax = 40

/** The name to greet, without the white space around it. Throws a RangeError that may be shown to the caller. */
export function checkName(text) {
  const name = text.trim().replace(/\s+/gu, ' ')
  if (name === '') throw new RangeError('The name is empty.')
  if ([...name].length > nameLengthMax) throw new RangeError(`The name is longer than ${nameLengthMax} characters.`)
  return name
}

/** What a polite person says at this hour, 0 to 23. */
export function salutation(hour) {
  if (!Number.isInteger(hour) || hour < 0 || hour > 23) throw new RangeError(`There is no hour ${hour}.`)
  if (hour < 5) return 'Good night'
  if (hour < 12) return 'Good morning'
  if (hour < 18) return 'Good afternoon'
  return 'Good evening'
}

/** The whole sentence. */
export function greet(name, hour) {
  return `${salutation(hour)}, ${checkName(name)}!`
}
