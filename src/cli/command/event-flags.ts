import type { Command } from 'commander'
import { collect } from '../pairs.ts'

/** The flags that `run` and `plan` share: which event, on which commit, of which workflows. */
export function addEventFlags(command: Command): void {
  command
    .argument('[event]', 'push, pull_request, workflow_dispatch, tag, … (default push; workflow_dispatch with --input)')
    .option('--workflow <path>', 'only this file, or the files of this folder; may be repeated', collect)
    .option('--job <id>', 'only this job and what it needs')
    .option('--event-file <file>', 'payload of the event as the forge sends it, JSON')
    .option('--ref <ref>', 'branch, tag or full ref (default HEAD with its uncommitted changes)')
    .option('--repository <owner/name>', 'value of github.repository (default from the remote origin)')
    .option('--actor <name>', 'value of github.actor (default $SHIPWAY_ACTOR, else the user of this machine)')
    .option('--input <key=value>', 'input of workflow_dispatch; may be repeated', collect)
    .option('--var <key=value>', 'value of the vars context; may be repeated', collect)
    .option('--matrix <key:value>', 'only the legs of a matrix with this value; may be repeated', collect)
    .option(
      '--platform <label=where>',
      'where jobs of a runs-on label run: LABEL=host or LABEL=docker:IMAGE; may be repeated',
      collect,
    )
    .option('--changed-files <list>', 'files for path filters, separated by commas (default: what git says)')
}
