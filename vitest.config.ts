import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { ClosingLine } from './tools/closing-line.ts'

// Tests start the program from source hundreds of times; most of what one costs is compiling it. Their processes inherit this.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/compiled')

/**
 * `vitest run` is everything. `vitest run --project unit` leaves out the stories (`test/stories/`, end to end, real
 * sshd and processes, on the package as npm installs it); `--tags-filter '!slow'` leaves out single tests that declare `{ tags: ['slow'] }`.
 */
export default defineConfig({
  test: {
    globals: false,
    pool: 'forks',
    // Tests start processes of their own, and the machines that run them have two cores.
    maxWorkers: 2,
    // Bounds for a hang, not measurements: no test may depend on how fast the machine is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    allowOnly: false,
    reporters: ['default', new ClosingLine()],
    tags: [
      { name: 'slow', description: 'Takes seconds: kill loops, crash loops, whole deployments.', timeout: 300_000 },
    ],
    // These two import JSON without an import attribute, which Node refuses and Vite does not.
    server: { deps: { inline: ['@actions/workflow-parser', '@actions/expressions'] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,test,tools,bench}/**/*.test.ts'],
          exclude: ['test/stories/**', '**/node_modules/**'],
        },
      },
      {
        extends: true,
        // Real machines stumble. A story gets a second attempt, and the end of the run names every one that needed it; no other
        // test does, since what fails there fails for a reason that a second attempt would only hide.
        test: {
          name: 'story',
          include: ['test/stories/**/*.test.ts'],
          globalSetup: ['test/rig/installed-package.ts'],
          testTimeout: 180_000,
          retry: 1,
          // Of the stories of a file that may run beside each other.
          maxConcurrency: 3,
        },
      },
    ],
  },
})
