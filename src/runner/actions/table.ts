import type { BuiltInName } from '#core/action/built-in-name.ts'
import type { BuiltInAction } from './built-in-action.ts'

/** The actions that need no download, by their names without a version. Each is loaded when a step uses it. */
export const builtInActions: Readonly<Record<BuiltInName, () => Promise<BuiltInAction>>> = {
  'actions/checkout': async () => (await import('./checkout.ts')).checkout,
  'actions/upload-artifact': async () => (await import('./upload-artifact.ts')).uploadArtifact,
  'actions/upload-artifact/merge': async () => (await import('./merge-artifact.ts')).mergeArtifact,
  'actions/download-artifact': async () => (await import('./download-artifact.ts')).downloadArtifact,
  'actions/cache': async () => (await import('./cache.ts')).cache,
  'actions/cache/restore': async () => (await import('./cache-restore.ts')).cacheRestore,
  'actions/cache/save': async () => (await import('./cache-save.ts')).cacheSave,
  'actions/setup-node': async () => (await import('./setup-node.ts')).setupNode,
  'actions/setup-python': async () => (await import('./setup-python.ts')).setupPython,
  'docker/login-action': async () => (await import('./docker-login.ts')).dockerLogin,
  'shipway/build-image': async () => (await import('./build-image.ts')).buildImage,
  'shipway/deploy': async () => (await import('./deploy.ts')).deploy,
  'shipway/push-image': async () => (await import('./push-image.ts')).pushImage,
}
