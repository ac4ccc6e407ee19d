import { greet } from './greeting.js'

/** What must be true before this instance may serve. A check answers undefined, or a sentence that says what is wrong. */
export const checks = {
  greeting: () => (greet('health', 9) === 'Good morning, health!' ? undefined : 'The greeting is wrong.'),
}

/** Runs all checks: one that throws has failed. `env` is the environment of the process. */
export function checkHealth(env, list = checks) {
  const results = Object.entries(list).map(([name, check]) => [name, ask(check, env) ?? 'ok'])
  return { healthy: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) }
}

function ask(check, env) {
  try {
    return check(env)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
