import { fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Stores } from '@haat/stores/stores'
import type { Devnet } from '../../devnet.ts'
import { type Environment, type Ports, portsFrom } from '../../environment.ts'
import { roster } from '../../roster.ts'

/** A marketplace whose logs lie in files under `dataDir`. */
export type Marketplace = Pick<Devnet, 'urls' | 'settle'> & {
  stores: Pick<Stores, 'urls'>
  prefix?: string
  retrySeconds: readonly number[]
  dataDir: string
  /** Ports where processes tell their figures. */
  adminPorts: number[]
  close(): Promise<void>
}

export type HostOptions = { dataDir: string; prefix: string; basePort: number; env: Record<string, Environment> }
export type FromHost = { kind: 'started'; urls: Devnet['urls']; stores: Stores['urls'] } | { kind: 'settled' }

export const HOST_RETRY_SECONDS = [1, 1, 1]
const telemetry = import.meta.resolve('@haat/kit/telemetry')

export const adminPortsOf = (ports: Ports): number[] => roster.map((member) => ports.of(member).admin)

/** Starts the whole marketplace in one process of its own: quick to start, and everything it writes goes to a file. */
export async function startHosted(options: HostOptions): Promise<Marketplace> {
  const folder = join(options.dataDir, 'log')
  mkdirSync(folder, { recursive: true })
  const logFile = openSync(join(folder, 'all.log'), 'a')
  const child = fork(fileURLToPath(new URL('./host.ts', import.meta.url)), [JSON.stringify(options)], {
    execArgv: ['--import', telemetry],
    env: { ...process.env, OTEL_SERVICE_NAME: 'haat', ...options.env['*'] },
    stdio: ['ignore', logFile, logFile, 'ipc'],
  })
  closeSync(logFile)
  const gone = once(child, 'exit')
  const heard = async (): Promise<FromHost> => {
    const ended = gone.then(([code]) => Promise.reject(new Error(`the marketplace ended with code ${code}`)))
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [FromHost]
    return message
  }
  const started = await heard()
  if (started.kind !== 'started') throw new Error('the marketplace did not start')
  return {
    urls: started.urls,
    stores: { urls: started.stores },
    prefix: options.prefix,
    retrySeconds: HOST_RETRY_SECONDS,
    dataDir: options.dataDir,
    adminPorts: adminPortsOf(portsFrom(options.basePort)),
    async settle() {
      child.send('settle')
      await heard()
    },
    async close() {
      child.send('close')
      await gone
    },
  }
}
