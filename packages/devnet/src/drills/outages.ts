import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Stores, storeNames, urlVariables, wipe } from '@haat/stores/stores'
import { startDevnet } from '../devnet.ts'
import { portsFrom } from '../environment.ts'
import { openMarket } from './market.ts'
import { outages, tableOf } from './outages/outages.ts'
import { killing, stopping } from './outages/own-stores.ts'

const RETRY_SECONDS = [1, 2, 5, 10, 20, 30]

/** `--seconds 10`; `--only redis` takes only the outages whose name has that word. */
export async function run(args: string[]): Promise<string[]> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '10' }, only: { type: 'string', default: '' } },
  })
  // What is killed and stopped here must be nobody else's.
  for (const name of storeNames) delete process.env[urlVariables[name]]
  const dataDir = mkdtempSync(join(tmpdir(), 'haat-outages-'))
  const devnet = await startDevnet({
    dataDir,
    ports: portsFrom(18_000),
    stripeWebhookRetryMs: [100, 250, 500, 1_000, 2_000, 5_000],
    env: {
      '*': {
        LOG_LEVEL: 'silent',
        EVENT_RETRY_SECONDS: RETRY_SECONDS.join(','),
        REDIS_TIMEOUT_MS: '500',
      },
      auth: { ARGON2_MEMORY_KIB: '64' },
      shipping: { SIMULATE_SCANS: 'false' },
    },
    log: (line) => console.log(line),
  })
  const restarted: Stores[] = []
  try {
    const market = await openMarket(devnet)
    const all = storeNames.flatMap((store) => [
      killing(dataDir, store, devnet.stores.urls[store], (stores) => restarted.push(stores)),
      stopping(dataDir, store),
    ])
    const figures = await outages(
      { ...devnet, retrySeconds: RETRY_SECONDS },
      market,
      all.filter(({ name }) => name.includes(values.only)),
      { seconds: Number(values.seconds), customers: 4, atOnce: 40, log: (line) => console.log(line) },
    )
    console.log(tableOf(figures))
    for (const { outage, refusals } of figures) console.log(`${outage}: customers were told`, refusals)
    return figures.flatMap(({ faults }) => faults)
  } finally {
    await devnet.close()
    for (const stores of restarted) await stores.close()
    // PostgreSQL may keep its data elsewhere.
    await wipe(dataDir)
  }
}
