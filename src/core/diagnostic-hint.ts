/**
 * What to do about a mistake in a file, where the place that found it knows nothing nearer: one next step for each code, so that none is reported without
 * one. A test holds the table against the codes that the checks use.
 */
const hints: Readonly<Record<string, string>> = {
  ACTION_INPUT_DEPRECATED: 'Read in the action what has taken its place, and use that.',
  ACTION_INPUT_MISSING: 'Give it below "with" of the step.',
  ACTION_INPUT_UNKNOWN: 'Take it out of "with", or look in the inputs of the action how it is called.',
  ACTION_INVALID:
    'Compare the action with https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax.',
  ACTION_KEY_UNKNOWN: 'Take it out, or correct its name.',
  ACTION_MISSING: 'Write the path from the root of the repository (./folder), and commit its action.yml.',
  CALL_CIRCLE: 'Take the call out of one of the workflows.',
  CALL_INVALID: 'Compare "with" and "secrets" of the job with "on: workflow_call" of the workflow that it calls.',
  CALL_NOT_FOUND: 'Write the path from the root of the repository (./.github/workflows/file.yml), and commit the file.',
  CALL_TOO_DEEP: 'Call the inner workflow from further above.',
  CALL_TOO_MANY: 'Call fewer different workflows, or put several into one.',
  CONCURRENCY_INVALID: 'Write `concurrency: GROUP`, or `group` with `cancel-in-progress`.',
  CONCURRENCY_OWN_GROUP: 'Give the job a group of its own.',
  CONFIG_CYCLE: 'Take one of the names out of "after".',
  CONFIG_DRIVER_LATER: 'Use the driver directory, compose or webhook.',
  CONFIG_EMPTY: '`shipway init --force` writes one that works.',
  CONFIG_ENVIRONMENT_UNKNOWN: 'Correct the name, or define the environment.',
  CONFIG_JOB_UNKNOWN: 'Correct the name: it is the id of a job in a workflow of this project.',
  CONFIG_KEY_DUPLICATE: 'Only one of them would count; take one out.',
  CONFIG_KEY_LATER: 'Take it out: nothing would heed it yet.',
  CONFIG_KEY_MISSING: 'Add the key. shipway.example.yml shows every key with a comment.',
  CONFIG_KEY_UNKNOWN: 'Take it out, or correct its name. shipway.example.yml shows every key.',
  CONFIG_PATTERN_INVALID: 'Write a pattern as in workflow files: *, **, ?, [a-z], and ! in front to take back.',
  CONFIG_TARGET_DUPLICATE: 'Take one of them out, or give it another folder.',
  CONFIG_TARGET_INVALID: 'Write ssh://user@host/folder, or ./folder for a folder of this machine.',
  CONFIG_TOKEN_UNENCRYPTED: 'Use https://: the token would be readable on its way.',
  CONFIG_TOO_LARGE: 'Is this the right file? Take out what Shipway does not read.',
  CONFIG_TYPE_WRONG: 'Write a value of that kind. shipway.example.yml shows every key with one.',
  CONFIG_URL_INVALID: 'Write the whole address: https://host/path.',
  CONFIG_VALUE_DUPLICATE: 'Take one of them out.',
  CONFIG_VALUE_INVALID: 'shipway.example.yml shows every key with a value that works.',
  CONFIG_YAML_INVALID:
    'Look at the indentation and at quotes and brackets that do not end, here and in the lines above.',
  ENVIRONMENT_UNKNOWN: 'Correct the name, or define the environment in shipway.yml.',
  EXPRESSION_INVALID:
    'Compare it with https://docs.github.com/actions/reference/workflows-and-actions/expressions; text stands in single quotes.',
  FILE_TOO_LARGE: 'Is this the right file? Split it, or take out what is generated.',
  INPUT_INVALID: 'Correct the input below "on".',
  JOB_PLATFORM_UNKNOWN: 'Say where it runs with "platforms" in shipway.yml: LABEL: host, or docker:IMAGE.',
  MATRIX_INVALID: 'Give each key of the matrix a list of values; include and exclude take lists of mappings.',
  PERMISSION_EXCEEDED: 'Allow it in "permissions" of the calling job.',
  STEP_ID_INVALID: 'Use letters, digits, "-" and "_", beginning with a letter or "_".',
  STEP_ID_REPEATED: 'Give one of the steps another id.',
  TRIGGER_INVALID: 'Correct the event below "on"; `shipway plan EVENT` says what it then starts.',
  USES_INVALID: 'Write owner/repo@ref, ./folder of this repository, or docker://image.',
  WORKFLOW_INVALID: 'Compare it with https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax.',
  WORKFLOW_KEY_UNKNOWN: 'Take it out, or correct its name or its indentation.',
  WORKFLOW_TOO_LARGE: 'Split the workflow into several files.',
  YAML_INVALID: 'Look at the indentation and at quotes and brackets that do not end, here and in the lines above.',
}

/** The next step for a code; undefined for one that no check of files reports. */
export function hintOfCode(code: string): string | undefined {
  return hints[code]
}
