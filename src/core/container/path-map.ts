import { isInside } from '#core/step/path-pattern.ts'

/** One folder or file of this machine in a container. */
export interface Mount {
  readonly outside: string
  readonly inside: string
  readonly readOnly?: true
}

/** The two directions of a container's mounts (actions-semantics 74, 113): the deepest mount around a path decides. */
export interface PathMap {
  inside(path: string): string
  outside(path: string): string
}

/** Paths below no mount come back as they were. */
export function pathMap(mounts: readonly Mount[]): PathMap {
  const translate = (path: string, from: 'inside' | 'outside', to: 'inside' | 'outside'): string => {
    let best: Mount | undefined
    for (const mount of mounts) {
      if (isInside(path, mount[from]) && mount[from].length > (best?.[from].length ?? -1)) best = mount
    }
    return best === undefined ? path : best[to] + path.slice(best[from].length)
  }
  return {
    inside: (path) => translate(path, 'outside', 'inside'),
    outside: (path) => translate(path, 'inside', 'outside'),
  }
}
