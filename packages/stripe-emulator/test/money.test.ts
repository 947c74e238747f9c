import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { State } from '../src/state.ts'
import { pay, problem, start, vendorAccount } from './harness.ts'

/** Every object with money has its movement, and every balance is the sum of its movements. */
function expectBooksInOrder(state: State): void {
  const movementOf = (source: string) =>
    state.balanceTransactions.filter((row) => row.source === source).reduce((total, row) => total + row.amount, 0)
  for (const charge of state.charges) expect(movementOf(charge.id)).toBe(charge.paid ? charge.amount : 0)
  for (const refund of state.refunds)
    expect(movementOf(refund.id)).toBe(refund.status === 'succeeded' ? -refund.amount : 0)
  for (const transfer of state.transfers) {
    expect(movementOf(transfer.id)).toBe(-transfer.amount)
    expect(movementOf(transfer.destination_payment)).toBe(transfer.amount)
  }
  for (const charge of state.charges) {
    const refunded = state.refunds.filter((refund) => refund.charge === charge.id && refund.status === 'succeeded')
    expect(charge.amount_refunded).toBe(refunded.reduce((total, refund) => total + refund.amount, 0))
    expect(charge.amount_refunded).toBeLessThanOrEqual(charge.amount)
  }
  const total = state.balanceTransactions.filter((row) => row.account === null).reduce((sum, row) => sum + row.net, 0)
  expect(state.balance.platform.usd ?? 0).toBe(total)
}

describe('refunds', () => {
  it('partial refunds add up to a full one, and not a unit more', async () => {
    const { stripe } = await start()
    const intent = await pay(stripe, 1_000)
    const first = await stripe.refunds.create({ payment_intent: intent.id, amount: 300, metadata: { return: 'R-1' } })
    expect(first).toMatchObject({
      status: 'succeeded',
      amount: 300,
      metadata: { return: 'R-1' },
      payment_intent: intent.id,
    })

    const over = await problem(stripe.refunds.create({ payment_intent: intent.id, amount: 701 }))
    expect(over).toMatchObject({ type: 'StripeInvalidRequestError', param: 'amount' })
    expect(over.message).toBe('Refund amount ($7.01) is greater than unrefunded amount on charge ($7.00)')

    expect((await stripe.refunds.create({ payment_intent: intent.id })).amount).toBe(700)
    expect(await problem(stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({
      code: 'charge_already_refunded',
    })
    const charge = await stripe.charges.retrieve(String(intent.latest_charge))
    expect(charge).toMatchObject({ refunded: true, amount_refunded: 1_000 })
    expect((await stripe.refunds.list({ charge: charge.id })).data.map(({ amount }) => amount)).toEqual([700, 300])
  })

  it('the fee of a refunded charge is not given back', async () => {
    const { stripe, emulator } = await start()
    const intent = await pay(stripe, 1_000)
    await stripe.refunds.create({ payment_intent: intent.id })
    expect(emulator.state().balance.platform).toEqual({ usd: -59 })
  })

  it('an unpaid intent, and a request that names nothing, are refused', async () => {
    const { stripe } = await start()
    const { id } = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' })
    expect(await problem(stripe.refunds.create({ payment_intent: id }))).toMatchObject({ statusCode: 400 })
    expect(await problem(stripe.refunds.create({}))).toMatchObject({ code: 'parameter_missing' })
  })

  it('a refund that the bank sends back returns to the balance and may be made again', async () => {
    const { stripe, emulator } = await start()
    const intent = await pay(stripe, 1_000)
    const { id } = await stripe.refunds.create({ payment_intent: intent.id })
    expect(emulator.failRefund(id)).toMatchObject({ status: 'failed' })
    expect(emulator.state().balance.platform).toEqual({ usd: 941 })
    expect((await stripe.refunds.create({ payment_intent: intent.id })).amount).toBe(1_000)
    expectBooksInOrder(emulator.state())
  })
})

describe('connected accounts', () => {
  it('a transfer moves the platform’s money to the vendor, a reversal brings it back', async () => {
    const { stripe, emulator } = await start()
    await pay(stripe, 10_000)
    const vendor = await vendorAccount(stripe)
    expect(await stripe.accounts.retrieve(vendor.id)).toMatchObject({ type: 'express', payouts_enabled: true })

    const transfer = await stripe.transfers.create({
      amount: 4_000,
      currency: 'usd',
      destination: vendor.id,
      transfer_group: 'HT-1',
      metadata: { payout: 'P-1' },
    })
    expect(emulator.state().balance).toEqual({ platform: { usd: 5_680 }, accounts: { [vendor.id]: { usd: 4_000 } } })
    expect((await stripe.balance.retrieve({}, { stripeAccount: vendor.id })).available).toMatchObject([
      { amount: 4_000 },
    ])
    expect((await stripe.transfers.list({ transfer_group: 'HT-1' })).data.map(({ id }) => id)).toEqual([transfer.id])

    await stripe.transfers.createReversal(transfer.id, { amount: 1_000 })
    expect(await problem(stripe.transfers.createReversal(transfer.id, { amount: 3_001 }))).toMatchObject({
      param: 'amount',
    })
    await stripe.transfers.createReversal(transfer.id)
    expect(await stripe.transfers.retrieve(transfer.id)).toMatchObject({ reversed: true, amount_reversed: 4_000 })
    expect((await stripe.transfers.listReversals(transfer.id)).data).toHaveLength(2)
    expect(emulator.state().balance.accounts[vendor.id]).toEqual({ usd: 0 })
    expectBooksInOrder(emulator.state())
  })

  it('a transfer above the platform’s balance moves nothing', async () => {
    const { stripe, emulator } = await start()
    await pay(stripe, 1_000)
    const { id: destination } = await vendorAccount(stripe)
    const error = await problem(stripe.transfers.create({ amount: 942, currency: 'usd', destination }))
    expect(error).toMatchObject({ type: 'StripeInvalidRequestError', code: 'balance_insufficient', statusCode: 400 })
    expect(emulator.state().transfers).toEqual([])
  })

  it('an account without the transfers capability receives nothing', async () => {
    const { stripe } = await start()
    await pay(stripe, 1_000)
    const { id: destination } = await stripe.accounts.create({ type: 'custom', country: 'US' })
    const error = await problem(stripe.transfers.create({ amount: 1, currency: 'usd', destination }))
    expect(error.code).toBe('insufficient_capabilities_for_transfer')
  })

  it('transfers tied to a charge never exceed it', async () => {
    const { stripe } = await start()
    const charge = String((await pay(stripe, 1_000)).latest_charge)
    const { id: destination } = await vendorAccount(stripe)
    const transfer = (amount: number) =>
      stripe.transfers.create({ amount, currency: 'usd', destination, source_transaction: charge })
    await transfer(600)
    expect(await problem(transfer(401))).toMatchObject({ param: 'amount' })
    await transfer(400)
  })

  it('a vendor’s payout empties its balance, and a returned one fills it again', async () => {
    const { stripe, emulator } = await start()
    await pay(stripe, 10_000)
    const { id } = await vendorAccount(stripe)
    await stripe.transfers.create({ amount: 4_000, currency: 'usd', destination: id })
    const payout = await stripe.payouts.create({ amount: 4_000, currency: 'usd' }, { stripeAccount: id })
    expect(payout.status).toBe('paid')
    const second = stripe.payouts.create({ amount: 1, currency: 'usd' }, { stripeAccount: id })
    expect(await problem(second)).toMatchObject({ code: 'balance_insufficient' })
    emulator.failPayout(payout.id)
    expect(emulator.state().balance.accounts[id]).toEqual({ usd: 4_000 })
    expect(await problem(stripe.payouts.retrieve(payout.id))).toMatchObject({ code: 'resource_missing' })
  })

  it('an account that does not exist cannot be acted for', async () => {
    const { stripe } = await start()
    const error = await problem(stripe.balance.retrieve({}, { stripeAccount: 'acct_none' }))
    expect(error).toMatchObject({ type: 'StripePermissionError', code: 'account_invalid' })
  })
})

describe('disputes', () => {
  it('a chargeback takes the money and a fee, and winning it returns the money', async () => {
    const { stripe, emulator } = await start()
    const intent = await pay(stripe, 10_000, { payment_method: 'pm_card_createDispute' })
    const [dispute] = (await stripe.disputes.list({ payment_intent: intent.id })).data
    expect(dispute).toMatchObject({ amount: 10_000, status: 'needs_response', charge: intent.latest_charge })
    expect(emulator.state().balance.platform).toEqual({ usd: -320 - 1_500 })
    expect(await problem(stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({
      code: 'charge_disputed',
    })
    emulator.closeDispute(dispute?.id ?? '', 'won')
    expect(emulator.state().balance.platform).toEqual({ usd: 9_680 - 1_500 })
  })
})

describe('the books', () => {
  it('stay in order through any sequence of payments, refunds and transfers', async () => {
    const { stripe, emulator } = await start()
    const step = fc.record({
      verb: fc.constantFrom('pay', 'refund', 'transfer', 'reverse'),
      amount: fc.integer({ min: 50, max: 5_000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        emulator.reset()
        const { id: destination } = await vendorAccount(stripe)
        for (const { verb, amount } of steps) {
          const { charges, transfers } = emulator.state()
          const [charge, transfer] = [charges.at(-1), transfers.at(-1)]
          const ignoreRefusals = () => undefined
          if (verb === 'pay') await pay(stripe, amount)
          if (verb === 'refund' && charge)
            await stripe.refunds.create({ charge: charge.id, amount }).catch(ignoreRefusals)
          if (verb === 'transfer')
            await stripe.transfers.create({ amount, currency: 'usd', destination }).catch(ignoreRefusals)
          if (verb === 'reverse' && transfer)
            await stripe.transfers.createReversal(transfer.id, { amount }).catch(ignoreRefusals)
        }
        expectBooksInOrder(emulator.state())
        expect(emulator.state().balance.accounts[destination]?.usd ?? 0).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 40 },
    )
  })
})
