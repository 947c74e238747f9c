import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toolsDir } from './commands.ts'
import { type DebianTree, hasApt, unpackDebianPackages } from './debian-packages.ts'
import { dockerAnswers, removeFromDocker, startInDocker } from './docker.ts'
import { mongoUrl, startMongo } from './mongo.ts'
import { postgresFallbackPlace, postgresUrl, startPostgres } from './postgres.ts'
import { probes } from './probes.ts'
import { isAlive, type ProcessIdentity } from './process-identity.ts'
import { installedRabbitmq, rabbitmqUrl, startRabbitmq } from './rabbitmq.ts'
import { installedRedis, redisUrl, startRedis } from './redis.ts'
import { type ServerProcess, self, signalAll, stopRecorded } from './server-process.ts'
import { StoreError } from './store-error.ts'

export type StoreName = 'postgres' | 'mongo' | 'redis' | 'rabbitmq'

export type Stores = {
  /** Where the stores answer. `postgres` is the superuser's URL: the caller creates databases and roles. Empty for stores not in `only`. */
  urls: Record<StoreName, string>
  /** Per store one sentence for people: which path was chosen. */
  chosen: Record<StoreName, string>
  /** Stops what this start started; stores of the environment, of Docker before us, or of another process stay. */
  close(): Promise<void>
}

export type StoresOptions = {
  /** Identifies the data: a second start with the same folder finds what the first one wrote. */
  dataDir: string
  /** Default: all four. */
  only?: StoreName[]
  log?: (line: string) => void
  /** Ports to try first; a port somebody else has is replaced and logged. */
  ports?: Partial<Record<StoreName, number>>
  /** `false` gives up safety against a power cut for speed, for tests; a killed process still loses nothing. Default: true. */
  durable?: boolean
}

export const storeNames: StoreName[] = ['postgres', 'mongo', 'redis', 'rabbitmq']
export const urlVariables: Record<StoreName, string> = {
  postgres: 'POSTGRES_URL',
  mongo: 'MONGO_URL',
  redis: 'REDIS_URL',
  rabbitmq: 'RABBITMQ_URL',
}

// Out of the way of system servers and below the range of outgoing connections.
const defaultPorts: Record<StoreName, number> = { postgres: 17432, mongo: 17017, redis: 17379, rabbitmq: 17672 }
const urlOfPort: Record<StoreName, (port: number) => string> = {
  postgres: postgresUrl,
  mongo: mongoUrl,
  redis: redisUrl,
  rabbitmq: rabbitmqUrl,
}

/**
 * Brings up the stores, each from its URL in the environment, else from Docker if an engine answers, else as a private
 * local server under `dataDir`; the promise resolves when a driver has connected to every one of them.
 *
 * Two living processes with one `dataDir` share the local servers, which end with the process that started them. On SIGINT
 * and SIGTERM the servers are stopped here unless the caller handles the signal, who then calls `close()` when it is ready.
 * Throws `StoreError` when a store cannot be had, with the commands that would bring it.
 */
export async function startStores(options: StoresOptions): Promise<Stores> {
  const dataDir = resolve(options.dataDir)
  const log = options.log ?? (() => {})
  const names = options.only ?? storeNames
  mkdirSync(dataDir, { recursive: true })
  const unlock = await lock(dataDir, log)
  const stops: (() => Promise<void>)[] = []
  const stopAll = async (): Promise<void> => {
    await Promise.all(stops.splice(0).map((stop) => stop()))
  }
  const close = stopOnSignals(stopAll)
  try {
    const found = new Map<StoreName, { url: string; chosen: string }>()
    const missing: StoreName[] = []
    for (const name of names) {
      const url = process.env[urlVariables[name]]
      if (url) found.set(name, { url, chosen: `${urlVariables[name]} from the environment` })
      else missing.push(name)
    }
    await each([...found], async ([name, { url }]) => {
      await probes[name](url).catch((error: Error) => {
        throw new StoreError(`${name}: ${urlVariables[name]} is set, but the store does not answer: ${error.message}`)
      })
    })

    const wanted = { ...defaultPorts, ...options.ports }
    if (missing.length > 0 && (await dockerAnswers())) {
      try {
        const docker = await startInDocker(projectOf(dataDir), missing, wanted, log)
        stops.push(docker.stop)
        await each([...docker.ports], ([name, port]) =>
          answersWithin(30_000, () => probes[name](urlOfPort[name](port))),
        )
        for (const [name, port] of docker.ports)
          found.set(name, {
            url: urlOfPort[name](port),
            chosen: `Docker, compose project ${projectOf(dataDir)} on port ${port}`,
          })
      } catch (error) {
        await stopAll()
        log(
          `Docker does not bring the stores up, using local servers: ${error instanceof Error ? error.message : error}`,
        )
      }
    }

    const packages = debianPackages(missing, dataDir, log)
    await each(
      missing.filter((name) => !found.has(name)),
      async (name) => {
        const context = { dataDir, log, durable: options.durable ?? true, wantedPort: wanted[name] }
        const server = await startOne(name, context, packages)
        stops.push(server.stop)
        found.set(name, { url: urlOfPort[name](server.port), chosen: server.chosen })
      },
    )

    const of = <T>(value: (name: StoreName) => T): Record<StoreName, T> =>
      Object.fromEntries(storeNames.map((name) => [name, value(name)])) as Record<StoreName, T>
    return {
      urls: of((name) => found.get(name)?.url ?? ''),
      chosen: of((name) => found.get(name)?.chosen ?? 'not asked for'),
      close,
    }
  } catch (error) {
    await close()
    throw error
  } finally {
    unlock()
  }
}

/** Stops whatever runs on `dataDir` and deletes the data, wherever it lies. */
export async function wipe(dataDir: string): Promise<void> {
  const folder = resolve(dataDir)
  await Promise.all([...storeNames, 'epmd'].map((name) => stopRecorded(folder, name)))
  if (await dockerAnswers()) await removeFromDocker(projectOf(folder))
  for (const place of [folder, postgresFallbackPlace(folder)]) rmSync(place, { recursive: true, force: true })
}

type Packages = () => Promise<DebianTree>

function startOne(
  name: StoreName,
  context: Parameters<typeof startPostgres>[0],
  packages: Packages | undefined,
): Promise<ServerProcess> {
  switch (name) {
    case 'postgres':
      return startPostgres(context)
    case 'mongo':
      return startMongo(context)
    case 'redis':
      return startRedis(context, packages)
    case 'rabbitmq':
      return startRabbitmq(context, packages)
  }
}

/** Both servers come in one apt run, which starts when the first of them asks. */
function debianPackages(missing: StoreName[], dataDir: string, log: (line: string) => void): Packages | undefined {
  if (process.platform !== 'linux' || !hasApt()) return undefined
  const names = [
    missing.includes('redis') && !installedRedis() ? ['redis-server'] : [],
    missing.includes('rabbitmq') && !installedRabbitmq() ? ['rabbitmq-server'] : [],
  ].flat()
  let tree: Promise<DebianTree> | undefined
  return () => {
    tree ??= unpackDebianPackages(names, toolsDir(dataDir), log).catch((error: Error) => {
      throw new StoreError(
        `${error.message}\nInstall them by hand (sudo apt-get install ${names.join(' ')}), start Docker, or set ${missing.map((name) => urlVariables[name]).join(', ')}.`,
      )
    })
    return tree
  }
}

// All at once; every failure is waited for, so that what did start can be stopped.
async function each<T>(items: T[], action: (item: T) => Promise<void>): Promise<void> {
  const failed = (await Promise.allSettled(items.map(action))).flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  )
  if (failed.length === 0) return
  const messages = [...new Set(failed.map((error) => (error instanceof Error ? error.message : String(error))))]
  throw new StoreError(messages.join('\n'), { cause: failed[0] })
}

async function answersWithin(ms: number, probe: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + ms
  for (;;) {
    try {
      return await probe()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(200)
    }
  }
}

const projectOf = (dataDir: string): string =>
  dataDir === join(import.meta.dirname, '..', '..', '..', '.data')
    ? 'haat'
    : `haat-${createHash('sha256').update(dataDir).digest('hex').slice(0, 8)}`

function stopOnSignals(stopAll: () => Promise<void>): () => Promise<void> {
  const onSignal = (signal: NodeJS.Signals): void => {
    // Somebody who listens as well decides when the stores go; 'exit' stops them in any case.
    if (process.listenerCount(signal) > ownListeners) return
    void close().finally(() => {
      signalAll()
      process.kill(process.pid, signal)
    })
  }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= stopAll().finally(() => {
      ownListeners--
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
    })
    return closing
  }
  ownListeners++
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  return close
}
let ownListeners = 0

/** One start at a time per folder: the second finds the servers of the first instead of racing it. */
async function lock(dataDir: string, log: (line: string) => void): Promise<() => void> {
  const file = join(dataDir, 'starting')
  for (let waited = 0; ; waited++) {
    try {
      writeFileSync(file, JSON.stringify(self()), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = readHolder(file)
    if (holder && !isAlive(holder)) {
      rmSync(file, { force: true })
      continue
    }
    if (waited === 20) log(`waiting for process ${holder?.pid ?? '?'}, which is starting the same stores`)
    await sleep(100)
  }
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity
  } catch {
    return undefined
  }
}
