import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeTraces } from '@haat/testkit/remove-traces'
import { afterAll, expect, test } from 'vitest'
import { servicesWith } from '../src/drills/invariants/databases.ts'
import { listBrokerObjects } from '../src/drills/invariants/waiting.ts'
import { openCollector } from '../src/drills/personal-data/collector.ts'
import { startHosted } from '../src/drills/personal-data/marketplace.ts'
import { personalData } from '../src/drills/personal-data.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'haat-personal-'))
const prefix = `own${randomBytes(3).toString('hex')}`
const collector = await openCollector()
const place = await startHosted({
  dataDir,
  prefix,
  basePort: 20_000 + (process.pid % 200) * 60,
  env: { '*': { LOG_LEVEL: 'debug', ...collector.env } },
})
afterAll(async () => {
  await place.close()
  await collector.close()
  const databases = (store: 'postgres' | 'mongo') => servicesWith(store).map((name) => `${prefix}_haat_${name}`)
  await removeTraces({
    urls: place.stores.urls,
    postgres: databases('postgres'),
    mongo: databases('mongo'),
    ...(await listBrokerObjects(place)),
  })
  rmSync(dataDir, { recursive: true, force: true })
}, 60_000)

test('personal data is in no log, metric, trace, refusal, kept event or queue; who is forgotten is in no store, and no money moves', async () => {
  const { faults, ...figures } = await personalData(place, collector, () => undefined)
  expect(faults).toEqual([])
  // What was looked through is not nothing.
  expect(figures.planted).toBeGreaterThan(60)
  expect(Object.keys(figures.heldBy).length).toBeGreaterThan(10)
  expect(figures.events).toBeGreaterThan(40)
  expect(figures.logLines).toBeGreaterThan(300)
  expect(figures.spans).toBeGreaterThan(300)
  expect(figures.metricsBytes).toBeGreaterThan(10_000)
  expect(figures.refusals).toBeGreaterThan(10)
}, 180_000)
