import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startStripeEmulator } from '../src/start-stripe-emulator.ts'
import { pay, sdk, secret, startReceiver } from './harness.ts'

async function stateDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'stripe-emulator-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

describe('the state file', () => {
  it('a restart keeps intents, money and the answers kept under idempotency keys', async () => {
    const directory = await stateDirectory()
    const stateFile = join(directory, 'nested', 'stripe.json')
    const first = await startStripeEmulator({ stateFile })
    const intent = await pay(sdk(first), 1_000, {}, 'order-1')
    const before = first.state()
    await first.close()

    const second = await startStripeEmulator({ stateFile })
    onTestFinished(() => second.close())
    expect(second.state()).toMatchObject({ charges: before.charges, balance: before.balance, events: before.events })
    expect((await pay(sdk(second), 1_000, {}, 'order-1')).id).toBe(intent.id)
    expect(second.state().charges).toHaveLength(1)
    expect(await readdir(join(directory, 'nested'))).toEqual(['stripe.json'])
  })

  it('what was answered is on disk already: a process that just dies loses nothing', async () => {
    const stateFile = join(await stateDirectory(), 'stripe.json')
    const dying = await startStripeEmulator({ stateFile })
    onTestFinished(() => dying.close())
    const { id } = await pay(sdk(dying))

    const second = await startStripeEmulator({ stateFile })
    onTestFinished(() => second.close())
    expect((await sdk(second).paymentIntents.retrieve(id)).status).toBe('succeeded')
  })

  it('webhooks still owed when it stopped are delivered by the next run', async () => {
    const stateFile = join(await stateDirectory(), 'stripe.json')
    const receiver = await startReceiver()
    const webhook = [{ url: receiver.url, secret }]
    const first = await startStripeEmulator({ stateFile, webhook })
    first.faults.pauseWebhooks()
    await pay(sdk(first))
    await first.close()
    expect(receiver.received).toEqual([])

    const second = await startStripeEmulator({ stateFile, webhook })
    onTestFinished(() => second.close())
    await second.settle()
    expect(receiver.types()).toEqual(['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded'])
  })
})
