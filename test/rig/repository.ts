import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A real git repository in a temporary folder, with a committer of its own. Removed when disposed. */
export class Repository implements Disposable {
  readonly root: string

  constructor(files: Readonly<Record<string, string>> = {}, branch = 'main') {
    this.root = mkdtempSync(path.join(tmpdir(), 'shipway-repo-'))
    this.git('init', '--quiet', '--initial-branch', branch)
    this.git('config', 'user.name', 'Ann Author')
    this.git('config', 'user.email', 'ann@example.org')
    this.git('config', 'commit.gpgsign', 'false')
    if (Object.keys(files).length > 0) this.commit(files)
  }

  /** Writes files and commits everything. A file name that ends in `*` is made executable (without the `*`). Returns the commit. */
  commit(files: Readonly<Record<string, string>>, message = 'Change something'): string {
    this.write(files)
    this.git('add', '--all')
    this.git('commit', '--quiet', '--allow-empty', '--message', message)
    return this.git('rev-parse', 'HEAD')
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.root, name.replace(/\*$/, ''))
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, text)
      if (name.endsWith('*')) chmodSync(file, 0o755)
    }
  }

  /** A link in the folder, to anywhere. */
  link(name: string, target: string): void {
    symlinkSync(target, path.join(this.root, name))
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', ['-C', this.root, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
