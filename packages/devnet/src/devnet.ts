import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Service } from '@haat/kit/service'
import { NOTICE_TYPES } from '@haat/payment/notice-types'
import { type Stores, startStores } from '@haat/stores/stores'
import { startStripeEmulator } from '@haat/stripe-emulator/start-stripe-emulator'
import { defaultPorts, type Environment, environmentOf, type Ports, STRIPE_KEYS, webhookSecret } from './environment.ts'
import { clearLeftovers, type RunningMember, requireFreePorts, startBehindFronts, startProcess } from './processes.ts'
import { type Member, roster } from './roster.ts'
import { openSecrets } from './secrets.ts'

export type Devnet = {
  stores: Stores
  ports: Ports
  stripe: Awaited<ReturnType<typeof startStripeEmulator>>
  /** Base URLs of the three APIs and of what a person looks at. */
  urls: { storefront: string; vendor: string; admin: string; mailbox: string; stripe: string }
  /** The services when they run in this process. */
  services: Map<string, Service>
  /** Secret of a process at auth; for internal tools in tests. */
  clientSecret(name: string): string
  /** Waits until no event, webhook or handler is on its way anywhere (one process only). */
  settle(): Promise<void>
  /** Stops one member and starts it again on the same stores, with `env` beside what it had; what the others send meanwhile waits. */
  restart(name: string, env?: Environment): Promise<void>
  /** Ends one member as a crash does (processes only). */
  kill(name: string): Promise<void>
  /** Starts a successor of one member, lets new connections go to it, then stops the member (behind fronts only). */
  replace(name: string): Promise<void>
  close(): Promise<void>
}

/**
 * Starts the whole marketplace: stores, Stripe emulator, all services and BFFs, over real gRPC; in this process, or with
 * `processes` in one process each.
 */
export async function startDevnet(options: {
  dataDir: string
  processes?: boolean
  /** Puts a front before every process, as a Service on a cluster, so that it can be replaced without a gap. */
  fronts?: boolean
  durable?: boolean
  /** Where everything listens; tests run beside a development installation. */
  ports?: Ports
  /** A name of its own on shared stores. */
  prefix?: string
  env?: Record<string, Environment>
  /** Parts of a service's context that a story replaces, such as its clock (one process only). */
  overrides?: Record<string, object>
  stripeWebhookRetryMs?: number[]
  /** Keeps the emulator's state in memory only: writing all of it down at every step is load that no provider makes. */
  stripeForgets?: boolean
  /** Where Stripe sends its notices; the storefront by default. */
  stripeWebhookUrl?: string
  log: (line: string) => void
}): Promise<Devnet> {
  const { dataDir, log } = options
  mkdirSync(dataDir, { recursive: true })
  const ports = options.ports ?? defaultPorts
  await clearLeftovers(dataDir, log)
  await requireFreePorts(portNames(ports))
  const starting = startStores({ dataDir, durable: options.durable ?? true, log })
  if (!options.processes) void loadAll()
  const stores = await starting
  for (const line of Object.values(stores.chosen)) log(line)
  const secrets = openSecrets(dataDir)
  const storefront = `http://127.0.0.1:${ports.of(roster.find((m) => m.name === 'bff-storefront')!).port}`
  const stripe = await startStripeEmulator({
    port: ports.stripe,
    secretKey: STRIPE_KEYS.secret,
    publishableKey: STRIPE_KEYS.publishable,
    webhook: [
      {
        url: options.stripeWebhookUrl ?? `${storefront}/v1/payments/webhook/stripe`,
        secret: webhookSecret(secrets),
        events: NOTICE_TYPES,
      },
    ],
    ...(options.stripeForgets ? {} : { stateFile: join(dataDir, 'stripe.json') }),
    ...(options.stripeWebhookRetryMs ? { retryScheduleMs: options.stripeWebhookRetryMs } : {}),
  })
  const environment = (member: Member, env: Environment) =>
    environmentOf(member, {
      stores,
      secrets,
      dataDir,
      ports,
      ...(options.prefix ? { prefix: options.prefix } : {}),
      extra: { ...options.env?.['*'], ...options.env?.[member.name], ...env },
    })

  const members = new Map<string, RunningMember>()
  const services = new Map<string, Service>()
  const start = async (member: Member, extra: Environment = {}) => {
    const env = await environment(member, extra)
    const launch = options.fronts ? startBehindFronts : startProcess
    if (options.processes) members.set(member.name, await launch(member, env, { dataDir, log }))
    else {
      const { loadConfig, start } = await member.load()
      const overrides = options.overrides?.[member.name]
      const running = await (overrides ? start(loadConfig(env), overrides) : start(loadConfig(env)))
      if (member.kind === 'service') services.set(member.name, running as Service)
      members.set(member.name, { stop: () => running.close() })
    }
    log(`started ${member.name}`)
  }
  const close = async () => {
    await Promise.all([...members.values()].map(({ stop }) => stop()))
    await stripe.close()
    await stores.close()
  }
  try {
    const [auth, ...others] = roster
    await start(auth!)
    // Each member waits only for its own stores; neighbours are called when there is something to ask.
    await Promise.all(others.filter((m) => m.kind === 'service').map((m) => start(m)))
    await Promise.all(others.filter((m) => m.kind === 'bff').map((m) => start(m)))
  } catch (error) {
    await close()
    throw error
  }
  const url = (name: string) => `http://127.0.0.1:${ports.of(roster.find((m) => m.name === name)!).port}`
  return {
    stores,
    ports,
    stripe,
    services,
    urls: {
      storefront: url('bff-storefront'),
      vendor: url('bff-vendor'),
      admin: url('bff-admin'),
      mailbox: `http://127.0.0.1:${ports.mailbox}`,
      stripe: stripe.url,
    },
    clientSecret: (name) => secrets.get(`client.${name}`),
    async settle() {
      const moved = () => [...services.values()].reduce((sum, service) => sum + service.moved, 0)
      for (let mark = -1; mark !== moved(); ) {
        mark = moved()
        await stripe.settle()
        for (const service of services.values()) await service.settle()
      }
    },
    async restart(name, env) {
      await members.get(name)?.stop()
      await start(roster.find((member) => member.name === name)!, env)
    },
    async kill(name) {
      const { kill } = members.get(name)!
      if (!kill) throw new Error('only a process of its own can be killed')
      await kill()
    },
    async replace(name) {
      const { replace } = members.get(name)!
      if (!replace) throw new Error('only what stands behind a front can be replaced')
      await replace()
    },
    close,
  }
}

const portNames = (ports: Ports): Map<number, string> =>
  new Map([
    [ports.stripe, 'Stripe emulator'],
    [ports.media, 'media'],
    [ports.mailbox, 'mailbox'],
    ...roster.flatMap((member): [number, string][] => {
      const { port, admin } = ports.of(member)
      return [
        [port, member.name],
        [admin, `${member.name}, admin`],
      ]
    }),
  ])

/** Loads the code while the stores boot, member by member so that they are not kept waiting; start() reports what fails. */
async function loadAll(): Promise<void> {
  for (const member of roster) {
    await new Promise((resolve) => setImmediate(resolve))
    await member.load().catch(() => undefined)
  }
}
