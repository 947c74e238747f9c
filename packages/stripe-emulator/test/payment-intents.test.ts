import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { pay, problem, publishableKey, sdk, start } from './harness.ts'

describe('payment intents', () => {
  it('an intent waits for a payment method, then a confirmation pays it', async () => {
    const { stripe } = await start()
    const intent = await stripe.paymentIntents.create({
      amount: 12_345,
      currency: 'BDT',
      automatic_payment_methods: { enabled: true },
      metadata: { order: 'HT-1' },
    })
    expect(intent).toMatchObject({ status: 'requires_payment_method', currency: 'bdt', metadata: { order: 'HT-1' } })
    expect(intent.client_secret).toMatch(new RegExp(`^${intent.id}_secret_`))

    const paid = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 12_345 })
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'succeeded' })
  })

  it('the fee of a charge is known through its balance transaction', async () => {
    const { stripe } = await start()
    const { id } = await pay(stripe, 10_000)
    const intent = await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge.balance_transaction'] })
    const charge = intent.latest_charge as Stripe.Charge
    expect(charge).toMatchObject({ amount: 10_000, paid: true, payment_intent: id })
    expect(charge.balance_transaction).toMatchObject({ amount: 10_000, fee: 320, net: 9_680, type: 'charge' })
    expect((await stripe.balance.retrieve()).available).toMatchObject([{ amount: 9_680, currency: 'usd' }])
  })

  it.each([
    ['4000000000000002', 'card_declined', 'generic_decline'],
    ['4000000000009995', 'card_declined', 'insufficient_funds'],
    ['4000000000000069', 'expired_card', undefined],
    ['4000000000000127', 'incorrect_cvc', undefined],
    ['4111111111111111', 'card_declined', 'test_mode_live_card'],
  ])('card %s is refused as %s %s, with the intent in the error', async (number, code, declineCode) => {
    const { stripe, emulator } = await start()
    const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' })
    const card = { number, exp_month: 12, exp_year: 2034, cvc: '123' }
    const data = { type: 'card', card } as Stripe.PaymentIntentConfirmParams.PaymentMethodData
    const error = await problem(stripe.paymentIntents.confirm(intent.id, { payment_method_data: data }))

    expect(error).toMatchObject({ type: 'StripeCardError', statusCode: 402, code })
    expect(error.decline_code || undefined).toBe(declineCode)
    expect(error.payment_intent).toMatchObject({
      id: intent.id,
      status: 'requires_payment_method',
      payment_method: null,
    })
    expect(error.payment_intent?.last_payment_error).toMatchObject({ type: 'card_error', code })
    expect(emulator.state().balance.platform).toEqual({})
  })

  it('a customer whose card was declined pays the same intent with another', async () => {
    const { stripe, emulator } = await start()
    const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' })
    await problem(stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa_chargeDeclined' }))
    const paid = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_mastercard' })
    expect(paid).toMatchObject({ status: 'succeeded', last_payment_error: null })
    expect(emulator.state().charges.map((charge) => charge.status)).toEqual(['failed', 'succeeded'])
  })

  it('a browser confirms with the publishable key and the client secret, and sees nothing of the shop', async () => {
    const { stripe, emulator } = await start()
    const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd', metadata: { order: 'HT-1' } })
    const browser = sdk(emulator, publishableKey)
    const params = { payment_method: 'pm_card_visa', client_secret: intent.client_secret } as object

    const confirmed = await browser.paymentIntents.confirm(intent.id, params)
    expect(confirmed.status).toBe('succeeded')
    expect(confirmed).not.toHaveProperty('metadata')
  })

  it('a browser without the right client secret learns and does nothing', async () => {
    const { stripe, emulator } = await start()
    const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' })
    const browser = sdk(emulator, publishableKey)
    for (const client_secret of [undefined, 'pi_other_secret_x']) {
      const params = { payment_method: 'pm_card_visa', ...(client_secret ? { client_secret } : {}) } as object
      const error = await problem(browser.paymentIntents.confirm(intent.id, params))
      expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_invalid_parameter', param: 'client_secret' })
    }
    const refused = await problem(browser.refunds.create({ payment_intent: intent.id }))
    expect(refused).toMatchObject({ type: 'StripePermissionError', code: 'secret_key_required' })
    expect(emulator.state().charges).toEqual([])
  })

  it('3-D Secure asks the customer first; passing it pays', async () => {
    const { stripe, emulator } = await start()
    const intent = await pay(stripe, 1_000, {
      payment_method: 'pm_card_authenticationRequired',
      return_url: 'https://shop.example/done',
    })
    expect(intent.status).toBe('requires_action')
    expect(intent.next_action?.redirect_to_url?.url).toContain(`/_emulator/pay/${intent.id}`)
    expect(emulator.state().charges).toEqual([])

    emulator.authenticate(intent.id)
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'succeeded', next_action: null })
  })

  it('with manual confirmation the server confirms once more after 3-D Secure', async () => {
    const { stripe, emulator } = await start()
    const intent = await pay(stripe, 1_000, {
      payment_method: 'pm_card_authenticationRequired',
      confirmation_method: 'manual',
    })
    expect(emulator.authenticate(intent.id).status).toBe('requires_confirmation')
    expect((await stripe.paymentIntents.confirm(intent.id)).status).toBe('succeeded')
  })

  it('failing 3-D Secure moves nothing and asks for another payment method', async () => {
    const { stripe, emulator } = await start()
    const { id } = await pay(stripe, 1_000, { payment_method: 'pm_card_authenticationRequired' })
    emulator.authenticate(id, false)
    const intent = await stripe.paymentIntents.retrieve(id)
    expect(intent.status).toBe('requires_payment_method')
    expect(intent.last_payment_error?.code).toBe('payment_intent_authentication_failure')
    expect(emulator.state().charges).toEqual([])
  })

  it('a bank that answers days later leaves the intent processing until it does', async () => {
    const { stripe, emulator } = await start()
    const first = await pay(stripe, 1_000, { payment_method: 'pm_usBankAccount_processing' })
    const second = await pay(stripe, 1_000, { payment_method: 'pm_usBankAccount_processing' })
    expect(first.status).toBe('processing')
    expect(emulator.finishProcessing(first.id).status).toBe('succeeded')
    expect(emulator.finishProcessing(second.id, false).status).toBe('requires_payment_method')
    expect(emulator.state().balance.platform).toEqual({ usd: 1_000 - 59 })
  })

  it('a canceled intent is never paid, and a paid one never canceled', async () => {
    const { stripe } = await start()
    const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' })
    const canceled = await stripe.paymentIntents.cancel(intent.id, { cancellation_reason: 'abandoned' })
    expect(canceled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' })
    const late = await problem(stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }))
    expect(late).toMatchObject({ code: 'payment_intent_unexpected_state', payment_intent: { status: 'canceled' } })

    const paid = await pay(stripe)
    const tooLate = await problem(stripe.paymentIntents.cancel(paid.id))
    expect(tooLate).toMatchObject({ code: 'payment_intent_unexpected_state', payment_intent: { status: 'succeeded' } })
  })

  it('the amount changes until money moves; metadata for ever, and an empty value removes a key', async () => {
    const { stripe } = await start()
    const { id } = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd', metadata: { a: '1', b: '2' } })
    expect((await stripe.paymentIntents.update(id, { amount: 2_000 })).amount).toBe(2_000)
    await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' })
    expect((await stripe.paymentIntents.update(id, { metadata: { a: '', c: '3' } })).metadata).toEqual({
      b: '2',
      c: '3',
    })
    expect(await problem(stripe.paymentIntents.update(id, { amount: 1 }))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    })
  })

  it('confirming without a payment method is refused', async () => {
    const { stripe } = await start()
    const { id } = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' })
    expect(await problem(stripe.paymentIntents.confirm(id))).toMatchObject({ code: 'payment_intent_unexpected_state' })
  })

  it('a payment method made first pays like raw card data', async () => {
    const { stripe } = await start()
    const method = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
    expect(method.card).toMatchObject({ brand: 'visa', last4: '4242' })
    expect((await pay(stripe, 1_000, { payment_method: method.id })).status).toBe('succeeded')
  })
})
