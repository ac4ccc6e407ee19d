import { shellUnknown } from '#core/known/cli.ts'
import type { CommandPage } from '../command.ts'
import type { Session } from '../session.ts'

/** Static scripts: everything that changes is asked of `shipway __complete`, one candidate per line. */
const scripts: Readonly<Record<string, string>> = {
  bash: `_shipway() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _shipway shipway workflow
`,
  zsh: `#compdef shipway workflow
_shipway() {
  local -a candidates
  candidates=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- "\${candidates[@]}" || _files
}
compdef _shipway shipway workflow
`,
  fish: `function __shipway_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c shipway -f -a '(__shipway_complete)'
complete -c workflow -f -a '(__shipway_complete)'
`,
}

export const page: CommandPage = {
  description: 'Prints a script that completes commands, flags, environments, releases and runs in the shell.',
  examples: [
    { command: 'source <(shipway completion bash)', purpose: 'bash; into ~/.bashrc to keep it' },
    { command: 'shipway completion zsh > "${fpath[1]}/_shipway"', purpose: 'zsh' },
    { command: 'shipway completion fish > ~/.config/fish/completions/shipway.fish', purpose: 'fish' },
  ],
  exits: [0, 2],
  define: (command, act) => {
    command.argument('<shell>', 'bash, zsh or fish').action(act(completion))
  },
}

async function completion(session: Session, shell: string): Promise<number> {
  const script = scripts[shell]
  if (script === undefined) throw shellUnknown({ shell, known: Object.keys(scripts) })
  session.world.stdout.write(script)
  return 0
}
