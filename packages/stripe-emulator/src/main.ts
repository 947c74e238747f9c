import type { EmulatorOptions } from './settings.ts'
import { startStripeEmulator } from './start-stripe-emulator.ts'

/**
 * PORT (12111), HOST (127.0.0.1), STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY, STATE_FILE, WEBHOOK_RETRY_MS (100,500,…),
 * and webhooks as WEBHOOK_URLS and STRIPE_WEBHOOK_SECRET: comma-separated, one secret for all or one for each.
 */
const emulator = await startStripeEmulator(optionsFrom(process.env))
console.log(JSON.stringify({ level: 'info', service: 'stripe-emulator', msg: 'ready', url: emulator.url }))

let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (isStopping) process.exit(1)
    isStopping = true
    void emulator.close()
  })
}

function optionsFrom(env: NodeJS.ProcessEnv): EmulatorOptions {
  const urls = splitList(env.WEBHOOK_URLS)
  const secrets = splitList(env.STRIPE_WEBHOOK_SECRET)
  if (urls.length > 0 && secrets.length !== 1 && secrets.length !== urls.length) {
    throw new Error('STRIPE_WEBHOOK_SECRET needs one secret, or one for each of WEBHOOK_URLS')
  }
  return {
    port: integer('PORT', env.PORT ?? '12111'),
    webhook: urls.map((url, index) => ({ url, secret: secrets[index] ?? secrets[0] ?? '' })),
    ...(env.HOST ? { host: env.HOST } : {}),
    ...(env.STRIPE_SECRET_KEY ? { secretKey: env.STRIPE_SECRET_KEY } : {}),
    ...(env.STRIPE_PUBLISHABLE_KEY ? { publishableKey: env.STRIPE_PUBLISHABLE_KEY } : {}),
    ...(env.STATE_FILE ? { stateFile: env.STATE_FILE } : {}),
    ...(env.WEBHOOK_RETRY_MS
      ? { retryScheduleMs: splitList(env.WEBHOOK_RETRY_MS).map((text) => integer('WEBHOOK_RETRY_MS', text)) }
      : {}),
  }
}

function splitList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function integer(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} is not a whole number: ${text}`)
  return Number(text)
}
