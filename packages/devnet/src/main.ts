import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { StoreError } from '@haat/stores/store-error'
import { wipe } from '@haat/stores/stores'
import { type Devnet, startDevnet } from './devnet.ts'
import { ADMIN_LOGIN, portsFrom } from './environment.ts'
import { clearLeftovers } from './processes.ts'
import { DEMO_PASSWORD, seed } from './seed/seed.ts'

const usage = `npm start [-- options]
  --reset       wipe .data/ first: all data, all secrets
  --processes   every service in a process of its own
  --no-seed     no demo marketplace
  --data-dir D  keep the data there instead of .data/
  --ports N     listen on the sixty ports from N on instead of the usual ones`

const { values } = parseArgs({
  options: {
    reset: { type: 'boolean', default: false },
    processes: { type: 'boolean', default: false },
    'no-seed': { type: 'boolean', default: false },
    'data-dir': { type: 'string' },
    ports: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const dataDir = values['data-dir'] ?? fileURLToPath(new URL('../../../.data/dev', import.meta.url))
/** A stop that takes longer is forced; a second one would not be quicker. */
const STOP_WITHIN_MS = 30_000
const started = performance.now()
const log = (line: string) => console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)}s  ${line}`)

let running: Devnet | undefined
let stopping = false
// `on`, not `once`: Ctrl-C arrives several times, from the terminal and from npm, and the repeats must not cut the stop short.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (stopping) return
    stopping = true
    log(`${signal}: stopping`)
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref()
    // Cut short while starting, the stores get their signal when the process leaves.
    if (!running) process.exit(1)
    running.close().then(
      () => process.exit(0),
      (error) => {
        console.error(error)
        process.exit(1)
      },
    )
  })

try {
  if (values.reset && existsSync(dataDir)) {
    log(`wiping ${dataDir}`)
    await clearLeftovers(dataDir, log)
    await wipe(dataDir)
    rmSync(dataDir, { recursive: true, force: true })
  }
  const devnet = await startDevnet({
    dataDir,
    processes: values.processes,
    ...(values.ports ? { ports: portsFrom(Number(values.ports)) } : {}),
    log,
  })
  running = devnet
  if (!values['no-seed']) await seed(devnet, { marker: join(dataDir, 'seeded.json'), log })
  const { urls } = devnet
  console.log(`
Haat is running.

  storefront API  ${urls.storefront}/docs
  vendor API      ${urls.vendor}/docs
  admin API       ${urls.admin}/docs
  mailbox         ${urls.mailbox}
  Stripe emulator ${urls.stripe}

  admin           ${ADMIN_LOGIN.email} / ${ADMIN_LOGIN.password}${
    values['no-seed']
      ? ''
      : `
  vendors         vendor1@haat.example … vendor8@haat.example / ${DEMO_PASSWORD}
  customers       customer1@haat.example … customer20@haat.example / ${DEMO_PASSWORD}`
  }

Ctrl-C stops everything; the data stays in ${dataDir}.`)
} catch (error) {
  // What fails because everything stops is no failure.
  if (!stopping) fail(error)
}

function fail(error: unknown): never {
  console.error(error instanceof StoreError ? error.message : error)
  process.exit(1)
}
