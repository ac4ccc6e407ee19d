import path from 'node:path'

/** The launcher of the package that `installed-package.ts` has laid out; else the one of this checkout, which runs from source. */
export const program = process.env['SHIPWAY_TEST_PROGRAM'] ?? path.resolve(import.meta.dirname, '../../bin/shipway')
