import { readdir } from 'node:fs/promises'
import { exists, textIn } from './detected-project.ts'
import type { DetectedProject } from './detected-project.ts'

/** A module of Go. Its programs are the release; a library is released as its source. */
export async function detectGo(directory: string, name: string): Promise<DetectedProject | undefined> {
  if (!(await exists(directory, 'go.mod'))) return undefined
  const check = [
    { name: 'Vet', run: 'go vet ./...' },
    { name: 'Test', run: 'go test ./...' },
  ]
  if (!(await hasGoProgram(directory))) return { kind: 'go', name, because: 'go.mod', steps: check }
  const steps = [...check, { name: 'Build', run: 'mkdir -p bin\ngo build -o bin/ ./...' }]
  return { kind: 'go', name, because: 'go.mod', steps, artifact: { paths: ['bin'] } }
}

async function hasGoProgram(directory: string): Promise<boolean> {
  if (await exists(directory, 'cmd')) return true
  const sources = (await readdir(directory)).filter((file) => file.endsWith('.go') && !file.endsWith('_test.go'))
  const texts = await Promise.all(sources.map(async (file) => textIn(directory, file)))
  return texts.some((text) => /^package main\b/m.test(text))
}

/** A package of Rust. Its program is the release; a library or a workspace is released as its source. */
export async function detectRust(directory: string, name: string): Promise<DetectedProject | undefined> {
  if (!(await exists(directory, 'Cargo.toml'))) return undefined
  const manifest = await textIn(directory, 'Cargo.toml')
  const locked = (await exists(directory, 'Cargo.lock')) ? ' --locked' : ''
  const test = { name: 'Test', run: `cargo test${locked}` }
  const program = /^\[package\][^[]*?^name\s*=\s*"([\w-]+)"/ms.exec(manifest)?.[1]
  if (program === undefined || !(await exists(directory, 'src/main.rs')))
    return { kind: 'rust', name: program ?? name, because: 'Cargo.toml', steps: [test] }
  const steps = [test, { name: 'Build', run: `cargo build --release${locked}` }]
  return {
    kind: 'rust',
    name: program,
    because: 'Cargo.toml',
    steps,
    artifact: { paths: [`target/release/${program}`] },
  }
}
