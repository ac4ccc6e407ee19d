/** Actions that need no download, by their names without a version: every version of one is the same. */
export const builtInNames = [
  'actions/checkout',
  'actions/upload-artifact',
  'actions/upload-artifact/merge',
  'actions/download-artifact',
  'actions/cache',
  'actions/cache/restore',
  'actions/cache/save',
  'actions/setup-node',
  'actions/setup-python',
  'docker/login-action',
  'shipway/build-image',
  'shipway/deploy',
  'shipway/push-image',
] as const

export type BuiltInName = (typeof builtInNames)[number]

/** `actions/checkout@v4` → `actions/checkout`; undefined for what is not built in. */
export function builtInName(uses: string): BuiltInName | undefined {
  const name = uses.replace(/@.*$/s, '').toLowerCase()
  return builtInNames.find((candidate) => candidate === name)
}
