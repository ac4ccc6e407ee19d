const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes for people, in decimal units as disks and networks count: `812 B`, `12 kB`, `1.4 MB`. */
export function renderSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}
