import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'
import { onTestFinished } from 'vitest'
import type { EmulatorOptions } from '../src/settings.ts'
import { type StripeEmulator, startStripeEmulator } from '../src/start-stripe-emulator.ts'

export const secret = 'whsec_test'
export const secretKey = 'sk_test_haat'
export const publishableKey = 'pk_test_haat'

export type Harness = { emulator: StripeEmulator; stripe: Stripe }

/** An emulator of its own and the official SDK pointed at it; both end with the test. */
export async function start(options: EmulatorOptions = {}): Promise<Harness> {
  const emulator = await startStripeEmulator({ retryScheduleMs: [1, 2, 4], ...options })
  onTestFinished(() => emulator.close())
  return { emulator, stripe: sdk(emulator) }
}

export function sdk({ host, port }: { host: string; port: number }, key = secretKey): Stripe {
  return new Stripe(key, {
    apiVersion: '2026-10-28.endive',
    host,
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })
}

export type Received = { body: string; signature: string; event: Stripe.Event }
export type Receiver = { url: string; received: Received[]; types: () => string[]; answers: number[]; secret: string }

/** A shop's webhook endpoint: verifies with `secret` as a shop does, answers the statuses in `answers` first and 200 after them. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const answers: number[] = []
  const receiver: Receiver = {
    url: '',
    received,
    types: () => received.map(({ event }) => event.type),
    answers,
    secret,
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const signature = String(request.headers['stripe-signature'])
    const event = new Stripe(secretKey).webhooks.constructEvent(body, signature, receiver.secret)
    received.push({ body, signature, event })
    response.writeHead(answers.shift() ?? 200).end()
  })
  receiver.url = `${await listening(server)}/webhooks/stripe`
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return receiver
}

/** What a call throws, as the SDK shows it. */
export async function problem(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  return call.then(
    () => {
      throw new Error('the call succeeded')
    },
    (error: unknown) => {
      if (error instanceof Stripe.errors.StripeError) return error
      throw error
    },
  )
}

export function pay(
  stripe: Stripe,
  amount = 10_000,
  options: Partial<Stripe.PaymentIntentCreateParams> = {},
  idempotencyKey?: string,
): Promise<Stripe.PaymentIntent> {
  const params = { amount, currency: 'usd', confirm: true, payment_method: 'pm_card_visa', ...options }
  return stripe.paymentIntents.create(params, idempotencyKey === undefined ? {} : { idempotencyKey })
}

export function vendorAccount(stripe: Stripe): Promise<Stripe.Account> {
  return stripe.accounts.create({ type: 'express', country: 'US', capabilities: { transfers: { requested: true } } })
}

/** An answer read without the SDK; tests look at the fields they name. */
export type JsonBody = { id?: string; error?: { code?: string; message?: string } }

export async function rawPost(
  emulator: StripeEmulator,
  path: string,
  body: string,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${emulator.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as JsonBody }
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
