/**
 * A JavaScript action in one file, as bundlers make them of `@actions/core`: the same protocol of files and commands, with nothing but Node. The body finds
 * the toolkit's functions in `core`.
 */
export function coreScript(body: string): string {
  return `'use strict'
const fs = require('node:fs')
const os = require('node:os')
const crypto = require('node:crypto')

function escapeData(text) {
  return String(text).replace(/%/g, '%25').replace(/\\r/g, '%0D').replace(/\\n/g, '%0A')
}
function escapeProperty(text) {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C')
}
function issue(command, properties, message) {
  const list = Object.entries(properties).filter(([, value]) => value !== undefined).map(([key, value]) => key + '=' + escapeProperty(value))
  process.stdout.write('::' + command + (list.length > 0 ? ' ' + list.join(',') : '') + '::' + escapeData(message) + os.EOL)
}
function toFile(variable, key, value) {
  const delimiter = 'ghadelimiter_' + crypto.randomUUID()
  const file = process.env[variable]
  if (!file) throw new Error('Unable to find environment variable for file command ' + variable)
  fs.appendFileSync(file, key + '<<' + delimiter + os.EOL + value + os.EOL + delimiter + os.EOL)
}
const annotate = (level) => (message, at = {}) =>
  issue(level, { title: at.title, file: at.file, line: at.startLine, endLine: at.endLine, col: at.startColumn, endColumn: at.endColumn }, message)
const core = {
  getInput(name, options = {}) {
    const value = process.env['INPUT_' + name.replace(/ /g, '_').toUpperCase()] || ''
    if (options.required && !value) throw new Error('Input required and not supplied: ' + name)
    return value.trim()
  },
  getState: (name) => process.env['STATE_' + name] || '',
  saveState: (name, value) => toFile('GITHUB_STATE', name, value),
  setOutput: (name, value) => toFile('GITHUB_OUTPUT', name, value),
  exportVariable(name, value) {
    process.env[name] = value
    toFile('GITHUB_ENV', name, value)
  },
  addPath: (folder) => fs.appendFileSync(process.env.GITHUB_PATH, folder + os.EOL),
  setSecret: (text) => issue('add-mask', {}, text),
  summary: (text) => fs.appendFileSync(process.env.GITHUB_STEP_SUMMARY, text + os.EOL),
  info: (text) => process.stdout.write(text + os.EOL),
  debug: (text) => issue('debug', {}, text),
  notice: annotate('notice'),
  warning: annotate('warning'),
  error: annotate('error'),
  startGroup: (name) => issue('group', {}, name),
  endGroup: () => issue('endgroup', {}, ''),
  setFailed(message) {
    process.exitCode = 1
    core.error(message)
  },
}
async function run() {${body}}
run().catch((error) => core.setFailed(error.message))
`
}
