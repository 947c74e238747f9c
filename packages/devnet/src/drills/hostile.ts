import { openDeadLetters } from '@haat/kit/events/dead-letters'
import { createLog } from '@haat/kit/log'
import { guessPasswords, type LoginTimes, timeLogins } from './hostile/logins.ts'
import { fuzzRoutes } from './hostile/route-fuzz.ts'
import { type Fuzzed, fuzzRpcs } from './hostile/rpc-fuzz.ts'
import { KEY_SECRET, showForgedTokens, stealRefreshToken } from './hostile/tokens.ts'
import { uploadHostileFiles } from './hostile/uploads.ts'
import { CARRIER_SECRET, STRIPE_SECRET, sendFalseNotices } from './hostile/webhooks.ts'
import { onStage, type Stage, stageEnvironment } from './stage.ts'
import { type Named, onThrowaway } from './throwaway.ts'

/** The stage's marketplace with the limits it has in production, and secrets that the drill knows. */
export const hostileEnvironment = {
  ...stageEnvironment,
  auth: { ...stageEnvironment.auth, LOGIN_FAILURES_PER_ACCOUNT: '5', KEY_ENCRYPTION_SECRET: KEY_SECRET },
  payment: { WEBHOOK_SECRET_PREVIOUS: STRIPE_SECRET },
  shipping: {
    ...stageEnvironment.shipping,
    CARRIER_KEYS_JSON: JSON.stringify({ table: { webhookSecrets: [CARRIER_SECRET] } }),
  },
}

export type Hostilities = {
  tokens: Awaited<ReturnType<typeof showForgedTokens>>
  webhooks: Awaited<ReturnType<typeof sendFalseNotices>>
  uploads: Awaited<ReturnType<typeof uploadHostileFiles>>
  times: LoginTimes[]
  routes: Fuzzed
  rpcs: Fuzzed
  faults: string[]
}

/** Treats a marketplace as badly as anybody can over the network. */
export const beHostile = (
  devnet: Named,
  options: { seed: number; perRpc: number; perRoute: number; perToken: number; timedLogins: number },
  log: (line: string) => void = () => undefined,
): Promise<Hostilities> =>
  onStage(devnet, log, async (stage) => {
    const tokens = await showForgedTokens(stage, options)
    log(`${tokens.tokens} forged tokens shown ${tokens.shown} times`)
    const webhooks = await sendFalseNotices(stage)
    log(`${webhooks.sent} notifications of providers`)
    const uploads = await uploadHostileFiles(stage)
    log(`${uploads.files} files; the bomb took ${uploads.bombMiB} MiB`)
    const logins = [...(await stealRefreshToken(stage)), ...(await guessPasswords(stage))]
    const { times, faults: slow } = options.timedLogins
      ? await timeLogins(stage, options.timedLogins)
      : { times: [], faults: [] }
    const routes = await fuzzRoutes(stage, options)
    const rpcs = await fuzzRpcs(stage, options)
    const poisoned = await poisonedEvents(stage)
    const faults = [tokens, webhooks, uploads, routes, rpcs].flatMap((part) => part.faults)
    return { tokens, webhooks, uploads, times, routes, rpcs, faults: [...faults, ...logins, ...slow, ...poisoned] }
  })

/** What was let in must not break those who hear of it. */
async function poisonedEvents({ devnet }: Stage): Promise<string[]> {
  await devnet.settle()
  const letters = openDeadLetters({
    url: devnet.stores.urls.rabbitmq,
    log: createLog('drill', 'silent'),
    prefix: devnet.prefix,
  })
  const faults: string[] = []
  for (const service of devnet.services.values())
    for (const queue of service.brokerObjects.queues.filter((name) => name.endsWith('.dead'))) {
      const handler = queue.slice(devnet.prefix.length + 1, -'.dead'.length)
      for (const { type, errorMessage } of await letters.list(handler, 5))
        faults.push(`${handler} gave up on ${type}: ${errorMessage}`)
    }
  await letters.close()
  return faults
}

/** 200 requests for every route and every RPC, every forged token at every RPC, and passwords hashed as in production. */
export async function run(args: string[]): Promise<string[]> {
  const started = performance.now()
  const log = (line: string) =>
    console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${line}`)
  const seed = Number(args[0] ?? 1)
  const unhandled: string[] = []
  process.on('unhandledRejection', (reason) => unhandled.push(`unhandled rejection: ${(reason as Error)?.stack}`))
  const { ARGON2_MEMORY_KIB: _quick, ...auth } = hostileEnvironment.auth
  const { times, routes, rpcs, faults } = await onThrowaway({ ...hostileEnvironment, auth }, (devnet) =>
    beHostile(devnet, { seed, perRpc: 200, perRoute: 200, perToken: 1_000, timedLogins: 100 }, log),
  )
  for (const [name, { requests, statuses, repeated }] of Object.entries({ routes, RPCs: rpcs })) {
    console.log(`\n${name}: ${requests} requests; ${repeated} refused ones sent again, which wrote nothing`)
    for (const [status, count] of [...statuses].sort())
      console.log(`  ${status.padEnd(22)}${String(count).padStart(8)}`)
  }
  for (const { what, knownMs, unknownMs, factor } of times)
    console.log(`${what}: ${knownMs.toFixed(1)} ms known, ${unknownMs.toFixed(1)} ms unknown (${factor.toFixed(2)})`)
  return [...faults, ...unhandled]
}
