import { KnownError } from '../errors.ts'

/** `.shipway/actions.lock` cannot be read. */
export function actionLockInvalid(fact: { file: string; problem: string }): KnownError {
  return new KnownError({
    code: 'ACTION_LOCK_INVALID',
    kind: 'usage',
    message: `${fact.file} cannot be used: ${fact.problem}.`,
    hint: 'Restore it from git, or write it again with `shipway actions update`.',
  })
}
