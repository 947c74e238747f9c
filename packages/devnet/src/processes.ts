import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reclaim, startServer } from '@haat/stores/server-process'
import { StoreError } from '@haat/stores/store-error'
import type { Environment } from './environment.ts'
import { type Member, roster } from './roster.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const telemetry = import.meta.resolve('@haat/kit/telemetry')
/** What a process of ours takes over from our own environment; the stores' superusers are not among it. */
const INHERITED = /^(PATH|HOME|LANG|LC_.*|TZ|TMPDIR|NODE_.*|OTEL_.*|SSL_.*)$/

const readiness = async (adminPort: number) => {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
  if (!answer.ok) throw new Error(`not ready: ${answer.status}`)
}

/** Starts one member as a process of its own and waits until it is ready; answers how to stop it. */
export async function startProcess(
  member: Member,
  env: Environment,
  options: { dataDir: string; adminPort: number; log: (line: string) => void },
): Promise<() => Promise<void>> {
  const folder = join(options.dataDir, 'log')
  mkdirSync(folder, { recursive: true })
  const inherited = Object.keys(process.env).map((name) => [name, INHERITED.test(name) ? process.env[name] : undefined])
  const server = await startServer({
    name: member.name,
    dataDir: options.dataDir,
    command: process.execPath,
    args: ['--import', telemetry, join(root, member.main)],
    env: { OTEL_SERVICE_NAME: member.name, ...Object.fromEntries(inherited), ...env },
    port: options.adminPort,
    logFile: join(folder, `${member.name}.log`),
    chosen: 'a process of its own',
    probe: () => readiness(options.adminPort),
    log: options.log,
  })
  return server.stop
}

/** Stops processes that a killed start left behind; an error when the start that owns them still lives. */
export async function clearLeftovers(dataDir: string, log: (line: string) => void): Promise<void> {
  await Promise.all(
    roster.map(async ({ name }) => {
      const shared = await reclaim(dataDir, name, readiness, log)
      if (shared) throw new StoreError(`the marketplace of ${dataDir} is running already (${shared.chosen})`)
    }),
  )
}

/** An error that names every port somebody else has, before anything is started. */
export async function requireFreePorts(wanted: Map<number, string>): Promise<void> {
  const taken = await Promise.all(
    [...wanted].map(async ([port, name]) => ((await isFree(port)) ? [] : [`port ${port} (${name}) is taken`])),
  )
  if (taken.flat().length === 0) return
  throw new StoreError(
    `${taken.flat().join('\n')}\nIs Haat running already? Stop what listens there, or choose others: npm start -- --ports 21000`,
  )
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
