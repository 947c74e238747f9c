// A whole marketplace in this one process; its starter says when to settle and when to close.
import { startDevnet } from '../../devnet.ts'
import { portsFrom } from '../../environment.ts'
import { type FromHost, HOST_RETRY_SECONDS, type HostOptions } from './marketplace.ts'

const { dataDir, prefix, basePort, env } = JSON.parse(process.argv[2]!) as HostOptions
const tell = (message: FromHost) => process.send!(message)

const devnet = await startDevnet({
  dataDir,
  durable: false,
  prefix,
  ports: portsFrom(basePort),
  stripeWebhookRetryMs: [20, 50, 100, 500],
  env: {
    ...env,
    '*': { EVENT_RETRY_SECONDS: HOST_RETRY_SECONDS.join(','), ...env['*'] },
    auth: { ARGON2_MEMORY_KIB: '64', ...env.auth },
    shipping: { SIMULATE_SCANS: 'false', ...env.shipping },
  },
  log: console.log,
})
tell({ kind: 'started', urls: devnet.urls, stores: devnet.stores.urls })

/** What jobs do within half a minute, now: earnings become eligible, mails are written and sent. */
async function settle(): Promise<void> {
  await devnet.settle()
  await devnet.services.get('vendor')!.runJob('make-earnings-eligible')
  for (const job of ['expand-notices', 'send-messages']) await devnet.services.get('notification')!.runJob(job)
  await devnet.settle()
}

process.on('message', async (message) => {
  if (message === 'settle') {
    await settle()
    tell({ kind: 'settled' })
    return
  }
  await devnet.close()
  process.exit(0)
})
// Whoever started it is gone.
process.on('disconnect', () => void devnet.close().finally(() => process.exit(1)))
