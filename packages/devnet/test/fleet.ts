import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeTraces } from '@haat/testkit/remove-traces'
import { afterAll } from 'vitest'
import { type Fleet, startFleet } from '../src/drills/fleet.ts'
import { servicesWith } from '../src/drills/invariants/databases.ts'
import { listBrokerObjects } from '../src/drills/invariants/waiting.ts'
import { portsFrom } from '../src/environment.ts'

/** The whole marketplace as processes for one test file, on the run's stores, with names and ports of its own. */
export async function startTestFleet(options: { fronts?: boolean } = {}): Promise<Fleet> {
  const dataDir = mkdtempSync(join(tmpdir(), 'haat-fleet-'))
  const prefix = `fleet${randomBytes(3).toString('hex')}`
  const fleet = await startFleet({
    dataDir,
    durable: false,
    prefix,
    ports: portsFrom(20_000 + (process.pid % 200) * 60),
    env: { '*': { LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent' }, auth: { ARGON2_MEMORY_KIB: '64' } },
    ...options,
    log: () => undefined,
  })
  afterAll(async () => {
    await fleet.close()
    const databases = (store: 'postgres' | 'mongo') => servicesWith(store).map((name) => `${prefix}_haat_${name}`)
    await removeTraces({
      urls: fleet.stores.urls,
      postgres: databases('postgres'),
      mongo: databases('mongo'),
      ...(await listBrokerObjects(fleet)),
    })
    rmSync(dataDir, { recursive: true, force: true })
  }, 60_000)
  return fleet
}
