import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeTraces } from '@haat/testkit/remove-traces'
import { afterAll } from 'vitest'
import { type Devnet, startDevnet } from '../src/devnet.ts'
import { type Environment, portsFrom } from '../src/environment.ts'
import { roster } from '../src/roster.ts'

export type TestDevnet = Devnet & {
  /** First part of the names of its databases. */
  prefix: string
  /** The waiting times of its retry queues. */
  retrySeconds: readonly number[]
}

/** The whole marketplace for one test file, on the run's stores, with names and ports of its own; quiet and quick. */
export async function startTestDevnet(
  env: Record<string, Environment> = {},
  overrides: Record<string, object> = {},
  options: { stripeWebhookUrl?: string } = {},
): Promise<TestDevnet> {
  const dataDir = mkdtempSync(join(tmpdir(), 'haat-e2e-'))
  const prefix = `e2e${randomBytes(3).toString('hex')}`
  const devnet = await startDevnet({
    dataDir,
    durable: false,
    prefix,
    // Below the ephemeral ports, a block per process: files run side by side.
    ports: portsFrom(20_000 + (process.pid % 200) * 60),
    stripeWebhookRetryMs: [20, 50, 100, 500],
    overrides,
    ...options,
    env: {
      '*': { LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent', EVENT_RETRY_SECONDS: '1,1,1' },
      ...env,
      auth: { ARGON2_MEMORY_KIB: '64', ...env.auth },
      // Parcels move when the story says so.
      shipping: { SIMULATE_SCANS: 'false', ...env.shipping },
    },
    log: () => undefined,
  })
  afterAll(async () => {
    const objects = [...devnet.services.values()].map((service) => service.brokerObjects)
    await devnet.close()
    const databases = (store: 'postgres' | 'mongo') =>
      roster.filter(({ stores }) => stores.includes(store)).map(({ name }) => `${prefix}_haat_${name}`)
    await removeTraces({
      urls: devnet.stores.urls,
      postgres: databases('postgres'),
      mongo: databases('mongo'),
      queues: new Set(objects.flatMap(({ queues }) => queues)),
      exchanges: new Set(objects.flatMap(({ exchanges }) => exchanges)),
    })
    rmSync(dataDir, { recursive: true, force: true })
  }, 60_000)
  return { ...devnet, prefix, retrySeconds: [1] }
}

/** The mails a person got, oldest first. */
export async function mailsTo(devnet: Devnet, to: string): Promise<{ subject: string; text: string }[]> {
  const answer = await fetch(`${devnet.urls.mailbox}/mailbox.json?to=${encodeURIComponent(to)}`)
  const body = (await answer.json()) as { messages: { subject: string; text?: string; bodyText?: string }[] }
  return body.messages.map(({ subject, text, bodyText }) => ({ subject, text: text ?? bodyText ?? '' })).reverse()
}
