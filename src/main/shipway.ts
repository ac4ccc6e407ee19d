import { keepCompiledCode } from './compiled-code.ts'

// Entry point of the command. What it loads from here on is found compiled, if it was loaded before.
keepCompiledCode()
await import('./call.ts')
