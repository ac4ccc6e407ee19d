import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { SpareRunner } from '#adapters/runner-process/spare-runner.ts'
import type { RunnerProgram } from '#adapters/runner-process/spare-runner.ts'

/** The spare runner of this process. */
export const spareRunner = new SpareRunner()

/** The runner beside this file: its source, or its bundle in an installed package. */
export function runnerProgram(): RunnerProgram {
  const here = path.dirname(fileURLToPath(import.meta.url))
  const candidates = [path.join(here, 'runner.ts'), path.join(here, 'runner.js')]
  const entry = candidates.find((file) => existsSync(file)) ?? candidates[0] ?? ''
  return { node: process.execPath, args: [entry], env: process.env }
}
