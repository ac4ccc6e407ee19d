import { expect, test } from 'vitest'
import { takeBuiltins } from './bundle-builtins.ts'

const get = (name: string) => `process.getBuiltinModule("node:${name}")`

test.for([
  ['import{readFile}from"node:fs";x()', `const {readFile:readFile}=${get('fs')};x()`],
  ['import{readFile as a,default as b}from"node:fs";', `const b=${get('fs')},{readFile:a}=${get('fs')};`],
  ['import a from"node:http";', `const a=${get('http')};`],
  ['import*as a from"node:os";', `const a=${get('os')};`],
  ['import a,{b as c}from"node:path";', `const a=${get('path')},{b:c}=${get('path')};`],
  ['import"node:fs";x()', 'x()'],
  ['import{a}from"./other.js";', 'import{a}from"./other.js";'],
  ['const a=await import("node:sqlite");', 'const a=await import("node:sqlite");'],
] as const)('%s', ([code, expected]) => {
  expect(takeBuiltins(code)).toBe(expected)
})
