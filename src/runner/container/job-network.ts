import { reportError } from '#core/errors.ts'
import { Stopped } from '../job-control.ts'
import type { JobNetwork, JobRun } from '../job-run.ts'
import { serviceEnvironment } from '../service/environment.ts'
import type { Docker } from './docker.ts'
import { labelArguments } from './labels.ts'

/**
 * The network of the job's containers. A job that has none gets one for the first action that runs in a container: in a network that nobody else
 * shares the artifact and cache services can listen for it. It carries the job's label and goes with the job.
 */
export async function networkOf(job: JobRun, docker: Docker): Promise<JobNetwork> {
  const name = job.containers?.network
  if (name !== undefined) return { name, address: job.serviceAddress ?? (await gatewayOf(job, docker, name)) }
  const { commons } = job
  commons.network ??= makeNetwork(job, docker).catch((error: unknown) => {
    commons.network = undefined
    throw error
  })
  return commons.network
}

async function makeNetwork(job: JobRun, docker: Docker): Promise<JobNetwork> {
  const name = `shipway_${job.mark.replace(/^shipway_/, '')}_${job.nextFileNumber()}`
  const args = ['network', 'create', ...labelArguments(job), name]
  const { exitCode, stderr } = await job.control.stoppable((stop) => docker.ask(args, { stop }))
  if (exitCode === 0) return { name, address: await gatewayOf(job, docker, name) }
  job.print([`The job gets no network of its own, and so no artifact and cache service in its containers: ${stderr}`])
  return { name: undefined, address: undefined }
}

/** This machine as the containers of a network reach it. */
export async function gatewayOf(job: JobRun, docker: Docker, network: string): Promise<string | undefined> {
  const args = ['network', 'inspect', '--format', '{{range .IPAM.Config}}{{.Gateway}} {{end}}', network]
  const answer = await job.control.stoppable((stop) => docker.ask(args, { stop }))
  return answer.stdout.split(' ').find((address) => address !== '' && !address.includes(':'))
}

/** Variables of the artifact and cache services; none where this machine cannot listen on the network, an engine in a virtual machine for example. */
export async function servicesIn(job: JobRun, { address }: JobNetwork): Promise<Readonly<Record<string, string>>> {
  if (address === undefined) return {}
  try {
    return await serviceEnvironment(job, address)
  } catch (error) {
    if (error instanceof Stopped) throw error
    job.print([`The artifact and cache services do not listen on ${address}: ${reportError(error).message}`])
    return {}
  }
}
