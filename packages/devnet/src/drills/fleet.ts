import { startStores } from '@haat/stores/stores'
import { type Devnet, startDevnet } from '../devnet.ts'
import type { Environment, Ports } from '../environment.ts'
import { type Front, openFront } from '../front.ts'
import type { Installation } from './invariants/databases.ts'
import { untilQuiet } from './invariants/waiting.ts'

/** Every member in a process of its own, and the wire between them and the broker within reach. */
export type Fleet = Devnet &
  Installation & {
    /** All connections to the broker go through it. */
    brokerWire: Front
  }

/** What is waited for elsewhere in minutes comes within seconds here, so that a drill sees the end of it. */
const RETRY_SECONDS = [1, 2, 5, 10, 20, 30]
const HASTE: Record<string, Environment> = {
  '*': { LOG_LEVEL: 'warn', EVENT_RETRY_SECONDS: RETRY_SECONDS.join(',') },
  order: { CHECKOUT_RECOVERY_SECONDS: '20' },
  payment: { RECONCILE_AFTER_SECONDS: '10' },
  shipping: { SIMULATE_SCANS: 'false' },
}

/** Starts the marketplace as a fleet of processes; the stores are the run's, or its own under `dataDir`. */
export async function startFleet(options: {
  dataDir: string
  ports: Ports
  prefix?: string
  durable: boolean
  fronts?: boolean
  env?: Record<string, Environment>
  log: (line: string) => void
}): Promise<Fleet> {
  const { dataDir, durable, log } = options
  const stores = await startStores({ dataDir, durable, log })
  const broker = new URL(stores.urls.rabbitmq)
  const brokerWire = await openFront(0, Number(broker.port || 5672))
  broker.hostname = '127.0.0.1'
  broker.port = String(brokerWire.port)
  const env = { ...HASTE, ...options.env }
  env['*'] = {
    ...HASTE['*'],
    ...options.env?.['*'],
    // Processes are replaced under the customers' hands, as in production.
    ...(options.fronts ? { DRAIN_SECONDS: '10' } : {}),
    RABBITMQ_URL: broker.href.replace(/\/$/, ''),
  }
  const closeStores = async () => {
    await brokerWire.close()
    await stores.close()
  }
  try {
    const devnet = await startDevnet({
      ...options,
      env,
      processes: true,
      stripeWebhookRetryMs: [100, 250, 500, 1_000, 2_000, 5_000],
    })
    const installation = { stores, retrySeconds: RETRY_SECONDS, ...(options.prefix ? { prefix: options.prefix } : {}) }
    return {
      ...devnet,
      ...installation,
      brokerWire,
      settle: () => untilQuiet(installation),
      async close() {
        await devnet.close()
        await closeStores()
      },
    }
  } catch (error) {
    await closeStores()
    throw error
  }
}
