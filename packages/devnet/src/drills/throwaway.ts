import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeTraces } from '@haat/testkit/remove-traces'
import { type Devnet, startDevnet } from '../devnet.ts'
import { type Environment, portsFrom } from '../environment.ts'
import { roster } from '../roster.ts'

/** A marketplace with a name of its own on the stores it uses. */
export type Named = Devnet & {
  /** First part of the names of its databases. */
  prefix: string
}

/** Starts a marketplace for one drill, lets it work there, and takes everything away again. */
export async function onThrowaway<Result>(
  env: Record<string, Environment>,
  work: (devnet: Named) => Promise<Result>,
  options: { overrides?: Record<string, object>; stripeWebhookUrl?: string } = {},
): Promise<Result> {
  const dataDir = mkdtempSync(join(tmpdir(), 'haat-drill-'))
  const prefix = `drill${randomBytes(3).toString('hex')}`
  const devnet = await startDevnet({
    dataDir,
    durable: false,
    prefix,
    ports: portsFrom(8_000 + (process.pid % 150) * 60),
    stripeWebhookRetryMs: [20, 50, 100, 500],
    ...options,
    env,
    log: () => undefined,
  })
  try {
    return await work({ ...devnet, prefix })
  } finally {
    const objects = [...devnet.services.values()].map((service) => service.brokerObjects)
    const databases = (store: 'postgres' | 'mongo') =>
      roster.filter(({ stores }) => stores.includes(store)).map(({ name }) => `${prefix}_haat_${name}`)
    const { urls } = devnet.stores
    // Stores that were started for the drill end with it, and what is in them.
    const shared = Object.entries(urls).every(([name, url]) => process.env[`${name.toUpperCase()}_URL`] === url)
    await devnet.close()
    if (shared)
      await removeTraces({
        urls,
        postgres: databases('postgres'),
        mongo: databases('mongo'),
        queues: new Set(objects.flatMap(({ queues }) => queues)),
        exchanges: new Set(objects.flatMap(({ exchanges }) => exchanges)),
      })
    rmSync(dataDir, { recursive: true, force: true })
  }
}
