import { expect, test } from 'vitest'
import { sshByHand } from './project.ts'

const target = { kind: 'ssh', name: 'a', host: 'example.org', path: '/srv/a', options: [] } as const

test.for([
  [target, 'ssh example.org true'],
  [{ ...target, user: 'deploy', port: 2222 }, 'ssh -p 2222 deploy@example.org true'],
  [
    { ...target, options: ['IdentityFile=~/.ssh/deploy', 'ProxyCommand=nc %h %p'] },
    "ssh -o IdentityFile=~/.ssh/deploy -o 'ProxyCommand=nc %h %p' example.org true",
  ],
] as const)('what one tries by hand has port, user and options of the target: %j', ([of, words]) => {
  expect(sshByHand(of)).toBe(words)
})
