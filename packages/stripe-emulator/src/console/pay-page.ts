import type { Context } from '../context.ts'
import type { Api, Request, Response } from '../http/api.ts'
import { show } from '../resources/amounts.ts'
import type { PaymentIntent } from '../resources/payment-intent.ts'
import type { Controls } from './controls.ts'

/** What each button does: a test card to confirm with, or the customer's answer to the bank. */
const cards: Record<string, string> = {
  pay: 'pm_card_visa',
  authenticate_card: 'pm_card_authenticationRequired',
  decline: 'pm_card_visa_chargeDeclined',
  insufficient: 'pm_card_visa_chargeDeclinedInsufficientFunds',
}

type Options = { ctx: Context; api: Api; controls: Controls; save: () => Promise<void> }

/**
 * A page for a person with a browser, or curl: GET /_emulator/pay/:intent?client_secret=… shows the buttons, POST with
 * `action` presses one. It pays as a browser does, with the publishable key and the client secret.
 */
export function createPayPage({
  ctx,
  api,
  controls,
  save,
}: Options): (request: Request) => Promise<Response | 'reset'> {
  return async (request) => {
    const form = new URLSearchParams([...new URLSearchParams(request.query), ...new URLSearchParams(request.body)])
    const intent = ctx.store.tables.paymentIntents.get(request.path.split('/').at(-1) ?? '')
    if (!intent || intent.client_secret !== form.get('client_secret')) {
      return html(404, page('No such payment', '<p>The link does not belong to a payment.</p>'))
    }
    // Asked first: an outcome clears the address that the intent itself remembers.
    const back = returnUrl(intent, form)
    if (request.method === 'GET') return html(200, payPage(intent, back))
    if (request.method !== 'POST') return html(405, page('Payment', ''))

    const action = form.get('action') ?? 'pay'
    if (action === 'pass' || action === 'fail') {
      if (intent.status === 'requires_action') controls.authenticate(intent.id, action === 'pass')
      await save()
    } else {
      const confirmed = await confirm(intent, cards[action] ?? 'pm_card_visa', back)
      if (confirmed === 'reset') return 'reset'
    }
    return answer(request, intent, back)
  }

  function confirm(intent: PaymentIntent, card: string, back: string | undefined): Promise<Response | 'reset'> {
    const body = new URLSearchParams({
      client_secret: intent.client_secret,
      payment_method: card,
      ...(back === undefined ? {} : { return_url: back }),
    })
    return api.handle({
      method: 'POST',
      path: `/v1/payment_intents/${intent.id}/confirm`,
      query: '',
      headers: {
        authorization: `Bearer ${ctx.settings.publishableKey}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: body.toString(),
    })
  }
}

/** Back to the shop once there is an outcome; JSON for programs. */
function answer(request: Request, intent: PaymentIntent, back: string | undefined): Response {
  if (request.headers.accept?.includes('application/json')) {
    const { id, status, last_payment_error } = intent
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id, status, last_payment_error }),
    }
  }
  if (back !== undefined && (intent.status === 'succeeded' || intent.status === 'processing')) {
    const target = new URL(back)
    target.searchParams.set('payment_intent', intent.id)
    target.searchParams.set('payment_intent_client_secret', intent.client_secret)
    target.searchParams.set('redirect_status', intent.status === 'succeeded' ? 'succeeded' : 'pending')
    return { status: 303, headers: { location: target.href }, body: '' }
  }
  return html(200, payPage(intent, back))
}

function returnUrl(intent: PaymentIntent, form: URLSearchParams): string | undefined {
  const stored =
    intent.next_action?.type === 'redirect_to_url' ? intent.next_action.redirect_to_url.return_url : undefined
  const url = form.get('return_url') ?? stored
  return url !== undefined && /^https?:\/\//.test(url) && URL.canParse(url) ? url : undefined
}

function payPage(intent: PaymentIntent, back: string | undefined): string {
  const problem = (intent.last_payment_error as { message?: string } | null)?.message
  const buttons =
    intent.status === 'requires_action'
      ? button('pass', 'Complete authentication') + button('fail', 'Fail authentication')
      : intent.status === 'requires_payment_method' || intent.status === 'requires_confirmation'
        ? button('pay', 'Pay with 4242 4242 4242 4242') +
          button('authenticate_card', 'Pay with a card that asks for 3-D Secure') +
          button('decline', 'Decline') +
          button('insufficient', 'Decline: insufficient funds')
        : ''
  return page(
    `Pay ${show(intent.amount, intent.currency)}`,
    `<p>${escapeHtml(intent.id)} is <strong>${escapeHtml(intent.status)}</strong>.</p>
    ${problem === undefined ? '' : `<p role="alert">${escapeHtml(problem)}</p>`}
    <form method="post">
      <input type="hidden" name="client_secret" value="${escapeHtml(intent.client_secret)}">
      ${back === undefined ? '' : `<input type="hidden" name="return_url" value="${escapeHtml(back)}">`}
      ${buttons}
    </form>
    ${back === undefined ? '' : `<p><a href="${escapeHtml(back)}">Back to the shop</a></p>`}`,
  )
}

function button(action: string, label: string): string {
  return `<p><button name="action" value="${action}">${escapeHtml(label)}</button></p>`
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${escapeHtml(title)}</title>
    <style>body { font: 1rem/1.5 system-ui; margin: 3rem auto; max-width: 28rem; padding: 0 1rem } button { font: inherit; padding: .5rem 1rem; width: 100% }</style>
  </head>
  <body>
    <h1>${escapeHtml(title)}</h1>
    ${body}
    <p><small>An emulated payment page: no money moves.</small></p>
  </body>
</html>`
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replaceAll(/[&<>"']/g, (found) => entities[found] ?? found)
}

function html(status: number, body: string): Response {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body }
}
