import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reclaim, type ServerProcess, startServer } from '@haat/stores/server-process'
import { StoreError } from '@haat/stores/store-error'
import type { Environment } from './environment.ts'
import { type Front, freePort, openFront } from './front.ts'
import { type Member, roster } from './roster.ts'

/** A member that was started: how it is ended, and what only processes can do. */
export type RunningMember = {
  stop(): Promise<void>
  /** Ends it as a crash does. */
  kill?(): Promise<void>
  /** Starts a successor, lets new connections go to it, and stops it. */
  replace?(): Promise<void>
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const telemetry = import.meta.resolve('@haat/kit/telemetry')
/** Compiled code, so that the next start takes half the time. */
const compiled = join(root, 'node_modules', '.cache', 'compiled')
/** What a process of ours takes over from our own environment; the stores' superusers are not among it. */
const INHERITED = /^(PATH|HOME|LANG|LC_.*|TZ|TMPDIR|NODE_.*|OTEL_.*|SSL_.*)$/

const readiness = async (adminPort: number) => {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
  if (!answer.ok) throw new Error(`not ready: ${answer.status}`)
}

/** Starts one member as a process of its own and waits until it is ready. */
export async function startProcess(
  member: Member,
  env: Environment,
  options: { dataDir: string; log: (line: string) => void; name?: string },
): Promise<ServerProcess> {
  const folder = join(options.dataDir, 'log')
  const adminPort = Number(env.ADMIN_PORT)
  mkdirSync(folder, { recursive: true })
  const inherited = Object.keys(process.env).map((name) => [name, INHERITED.test(name) ? process.env[name] : undefined])
  return startServer({
    name: options.name ?? member.name,
    dataDir: options.dataDir,
    command: process.execPath,
    args: ['--import', telemetry, join(root, member.main)],
    env: { OTEL_SERVICE_NAME: member.name, NODE_COMPILE_CACHE: compiled, ...Object.fromEntries(inherited), ...env },
    port: adminPort,
    logFile: join(folder, `${member.name}.log`),
    chosen: 'a process of its own',
    probe: () => readiness(adminPort),
    log: options.log,
  })
}

/** What a member listens on. */
const LISTENS = ['GRPC_PORT', 'HTTP_PORT', 'ADMIN_PORT', 'MEDIA_PORT', 'MAILBOX_PORT']
const successorOf = (name: string) => `${name}.successor`

/**
 * Starts one member as a process behind fronts: they own its ports, it has others. `replace` does what a rolling update does on
 * a cluster: the successor starts and becomes ready, new connections go to it, and only then its predecessor is told to stop.
 */
export async function startBehindFronts(
  member: Member,
  env: Environment,
  options: { dataDir: string; log: (line: string) => void },
): Promise<RunningMember> {
  const variables = LISTENS.filter((variable) => env[variable] !== undefined)
  const launch = async (name: string) => {
    const ports = new Map<string, number>()
    for (const variable of variables) ports.set(variable, await freePort())
    const inner = Object.fromEntries([...ports].map(([variable, port]) => [variable, String(port)]))
    return { name, ports, server: await startProcess(member, { ...env, ...inner }, { ...options, name }) }
  }
  let current = await launch(member.name)
  const fronts = new Map<string, Front>()
  for (const variable of variables)
    fronts.set(variable, await openFront(Number(env[variable]), current.ports.get(variable)!))
  return {
    async stop() {
      await current.server.stop()
      for (const front of fronts.values()) await front.close()
    },
    kill: () => current.server.kill(),
    async replace() {
      const old = current
      current = await launch(old.name === member.name ? successorOf(member.name) : member.name)
      for (const [variable, front] of fronts) front.pointTo(current.ports.get(variable)!)
      await old.server.stop()
    },
  }
}

/** Stops processes that a killed start left behind; an error when the start that owns them still lives. */
export async function clearLeftovers(dataDir: string, log: (line: string) => void): Promise<void> {
  await Promise.all(
    roster
      .flatMap(({ name }) => [name, successorOf(name)])
      .map(async (name) => {
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
