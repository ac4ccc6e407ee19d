// What `.ci/run` calls before the tests: every part of the system that some test needs, so that none installs it itself.
import { requireSystem, systemParts } from './system.ts'

const missing = await requireSystem(systemParts)
console.log(
  missing === undefined ? `system parts are there: ${systemParts.join(', ')}` : `some tests will be skipped ${missing}`,
)
