import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SshServer } from '../test/rig/sshd.ts'
import type { BenchWorld } from './bench-world.ts'
import type { DeployFleet } from './deploy-fleet.ts'

/** A tool that brings the newest commit of a repository to every host of a fleet and switches `current` to it; keeps three releases. */
export interface DeployTool {
  readonly name: string
  /** Its folder below the place of the fleet. */
  readonly place: string
  /** What happens before the clock starts, after a commit. */
  readonly ready: () => Promise<void>
  readonly deploy: () => Promise<void>
  readonly rollback?: () => Promise<void>
}

interface Job {
  readonly world: BenchWorld
  readonly fleet: DeployFleet
  readonly repository: string
  /** For what the tool keeps: its configuration, its state. */
  readonly folder: string
}

/** `shipway deploy` of a release that a run has sealed. */
export async function shipwayTool({ world, fleet, repository, folder }: Job): Promise<DeployTool> {
  const at = join(fleet.place, 'shipway')
  const home = join(folder, 'home')
  const targets = fleet.hosts.map((host) => {
    const { user, port, options } = host.target(at)
    return { at: `ssh://${user}@127.0.0.1:${port}${at}`, name: `host-${port}`, options }
  })
  const environments = { live: { targets, retain: 3 } }
  await write(repository, {
    'shipway.yml': JSON.stringify({ name: 'bench', release: { files: ['assets/**'] }, environments }),
    '.github/workflows/ci.yml': 'on: push\njobs: { build: { runs-on: ubuntu-latest, steps: [{ run: "true" }] } }\n',
  })
  const call = async (...args: readonly string[]): Promise<void> => {
    await world.run(world.shipway, [...args, '-C', repository, '--home', home])
  }
  return {
    name: 'shipway',
    place: 'shipway',
    ready: () => call('run', 'push'),
    deploy: () => call('deploy', 'live', 'latest', '--yes'),
    rollback: () => call('rollback', 'live', '--yes', '--reason', 'measured'),
  }
}

/** Capistrano's own recipe for a git repository, with nothing added. */
export async function capistranoTool({ world, fleet, repository, folder }: Job): Promise<DeployTool> {
  const servers = fleet.hosts.map((host) => {
    const { user, port } = host.target('')
    return `server '127.0.0.1:${port}', user: '${user}', roles: %w[app], ssh_options: ${rubyOptions(host)}`
  })
  await write(folder, {
    Capfile: [
      "require 'capistrano/setup'",
      "require 'capistrano/deploy'",
      "require 'capistrano/scm/git'",
      'install_plugin Capistrano::SCM::Git\n',
    ].join('\n'),
    'config/deploy.rb': [
      "set :application, 'bench'",
      `set :repo_url, '${repository}'`,
      "set :branch, 'main'",
      `set :deploy_to, '${join(fleet.place, 'capistrano')}'`,
      'set :keep_releases, 3\n',
    ].join('\n'),
    'config/deploy/live.rb': `${servers.join('\n')}\n`,
  })
  const call = async (task: string): Promise<void> => {
    await world.run('cap', ['live', task], { cwd: folder })
  }
  return {
    name: 'Capistrano',
    place: 'capistrano',
    ready: async () => undefined,
    deploy: () => call('deploy'),
    rollback: () => call('deploy:rollback'),
  }
}

/** What a careful playbook does: pipelining, no facts, all hosts at once, rsync with hard links to the release before, a link, a clean-up. */
export async function ansibleTool({ world, fleet, repository, folder }: Job): Promise<DeployTool> {
  const root = join(fleet.place, 'ansible')
  const hosts = fleet.hosts.map((host) => {
    const { user, port, options } = host.target('')
    const login = options.flatMap((option) => ['-o', option]).join(' ')
    return `host-${port} ansible_host=127.0.0.1 ansible_port=${port} ansible_user=${user} ansible_ssh_common_args='${login}'`
  })
  const rsync = `rsync -a -e "ssh {{ ansible_ssh_common_args }} -p {{ ansible_port }}" --link-dest=${root}/current/ ${repository}/assets {{ ansible_user }}@127.0.0.1:${root}/releases/{{ release }}/`
  const tasks = [
    { file: { path: `${root}/releases/{{ release }}`, state: 'directory' } },
    { command: rsync, delegate_to: 'localhost', vars: { ansible_connection: 'local' } },
    { file: { src: `${root}/releases/{{ release }}`, dest: `${root}/current`, state: 'link' } },
    { shell: `cd ${root}/releases && ls -1t | tail -n +4 | xargs -r rm -rf` },
  ]
  await write(folder, {
    hosts: `${hosts.join('\n')}\n`,
    'ansible.cfg': [
      '[defaults]',
      'inventory = hosts',
      'forks = 10',
      'gathering = explicit',
      'interpreter_python = /usr/bin/python3',
      '[ssh_connection]',
      'pipelining = True',
      `control_path_dir = ${join(folder, 'control')}`,
      'ssh_args = -o ControlMaster=auto -o ControlPersist=2s\n',
    ].join('\n'),
    'deploy.yml': JSON.stringify([{ hosts: 'all', gather_facts: false, tasks }]),
  })
  let release = 0
  const env = { ...world.env, LC_ALL: 'C.UTF-8', ANSIBLE_LOCALHOST_WARNING: 'False' }
  return {
    name: 'Ansible with rsync',
    place: 'ansible',
    ready: async () => undefined,
    deploy: async () => {
      release++
      await world.run('ansible-playbook', ['deploy.yml', '-e', `release=${release}`], { cwd: folder, env })
    },
  }
}

function rubyOptions(host: SshServer): string {
  const { options } = host.target('')
  const value = (name: string): string =>
    options.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
  return `{ keys: ['${value('IdentityFile')}'], keys_only: true, user_known_hosts_file: '${value('UserKnownHostsFile')}', config: false, auth_methods: %w[publickey] }`
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}
