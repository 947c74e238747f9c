import { join } from 'node:path'
import { run, succeeds, which } from './commands.ts'
import { choosePort, releasePort } from './ports.ts'
import type { StoreName } from './stores.ts'

const composeFile = join(import.meta.dirname, '..', '..', '..', 'compose.yaml')
const containerPorts: Record<StoreName, number> = { postgres: 5432, mongo: 27017, redis: 6379, rabbitmq: 5672 }

/** A docker command without an engine behind it, or without compose, counts as no Docker. */
export const dockerAnswers = async (): Promise<boolean> =>
  which('docker') !== undefined &&
  (await succeeds('docker', ['info'], { timeoutMs: 3_000 })) &&
  (await succeeds('docker', ['compose', 'version'], { timeoutMs: 3_000 }))

export type DockerStores = { ports: Map<StoreName, number>; stop(): Promise<void> }

/** Brings the services up; those that ran before keep their port and keep running after `stop`. */
export async function startInDocker(
  project: string,
  names: StoreName[],
  wantedPorts: Record<StoreName, number>,
  log: (line: string) => void,
): Promise<DockerStores> {
  const compose = (args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> =>
    run('docker', ['compose', '--file', composeFile, '--project-name', project, ...args], { env, timeoutMs: 900_000 })
  const ports = new Map<StoreName, number>()
  const started: StoreName[] = []
  const env: NodeJS.ProcessEnv = {}
  for (const name of names) {
    const published = await compose(['port', name, String(containerPorts[name])]).catch(() => '')
    const runningOn = Number(published.trim().split(':').at(-1))
    const port = runningOn || (await choosePort(wantedPorts[name], name, log))
    if (!runningOn) started.push(name)
    ports.set(name, port)
    env[`${name.toUpperCase()}_PORT`] = String(port)
  }
  if (started.includes('rabbitmq'))
    env.RABBITMQ_MANAGEMENT_PORT = String(await choosePort(15672, 'rabbitmq (management)', log))
  if (started.length > 0) {
    log(`docker compose up: ${started.join(', ')} (the first time pulls the images)`)
    try {
      await compose(['up', '--detach', '--wait', ...started], env)
    } finally {
      for (const port of [...ports.values(), Number(env.RABBITMQ_MANAGEMENT_PORT)]) releasePort(port)
    }
  }
  return {
    ports,
    async stop() {
      if (started.length > 0) await compose(['stop', ...started], env)
    },
  }
}

export const removeFromDocker = (project: string): Promise<string> =>
  run('docker', ['compose', '--file', composeFile, '--project-name', project, 'down', '--volumes'])
