import type { Request, Response } from '../http/api.ts'
import { type ApiFault, apiFaultKinds } from '../http/api-faults.ts'
import { matchPath } from '../http/route.ts'
import { invalidRequest, StripeError } from '../http/stripe-error.ts'
import type { WebhookFault } from '../webhooks/webhook-faults.ts'
import type { Controls } from './controls.ts'

type Body = Record<string, unknown>
type Ids = Record<string, string>
type Action = [method: string, pattern: string, act: (controls: Controls, body: Body, ids: Ids) => unknown]

const webhookFaultKinds = ['lose', 'double', 'reorder', 'delay', 'wrong-amount']

/** The controls over HTTP: JSON in, JSON out. */
const actions: Action[] = [
  ['GET', '/_emulator/health', () => ({ status: 'ok' })],
  ['GET', '/_emulator/state', (controls) => controls.state()],
  ['POST', '/_emulator/reset', (controls) => controls.reset()],
  ['POST', '/_emulator/faults/api', (controls, body) => addApiFault(controls, body)],
  ['POST', '/_emulator/faults/api/:id/release', (controls, _body, ids) => releaseFault(controls, ids.id ?? '')],
  ['POST', '/_emulator/faults/webhooks', (controls, body) => controls.faults.webhooks(webhookFault(body))],
  ['DELETE', '/_emulator/faults', (controls) => controls.faults.clear()],
  [
    'POST',
    '/_emulator/webhooks',
    (controls, { url, secret }) => controls.addWebhook({ url: text(url, 'url'), secret: text(secret, 'secret') }),
  ],
  ['POST', '/_emulator/webhooks/pause', (controls) => controls.faults.pauseWebhooks()],
  ['POST', '/_emulator/webhooks/resume', (controls) => controls.faults.resumeWebhooks()],
  ['POST', '/_emulator/webhooks/settle', (controls) => controls.settle()],
  [
    'POST',
    '/_emulator/payment_intents/:id/authenticate',
    (controls, { ok }, ids) => controls.authenticate(ids.id ?? '', ok !== false),
  ],
  [
    'POST',
    '/_emulator/payment_intents/:id/finish',
    (controls, { ok }, ids) => controls.finishProcessing(ids.id ?? '', ok !== false),
  ],
  ['POST', '/_emulator/refunds/:id/fail', (controls, _body, ids) => controls.failRefund(ids.id ?? '')],
  ['POST', '/_emulator/payouts/:id/fail', (controls, _body, ids) => controls.failPayout(ids.id ?? '')],
  ['POST', '/_emulator/charges/:id/dispute', (controls, _body, ids) => controls.openDispute(ids.id ?? '')],
  [
    'POST',
    '/_emulator/disputes/:id/close',
    (controls, { status }, ids) => controls.closeDispute(ids.id ?? '', status === 'won' ? 'won' : 'lost'),
  ],
]

export function createAdmin(controls: Controls, save: () => Promise<void>): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      const result = await dispatch(controls, request)
      if (request.method !== 'GET') await save()
      return json(200, result ?? { ok: true })
    } catch (error) {
      if (error instanceof StripeError) return json(error.status, error.body())
      return json(500, { error: { type: 'api_error', message: (error as Error).message } })
    }
  }
}

async function dispatch(controls: Controls, request: Request): Promise<unknown> {
  for (const [method, pattern, act] of actions) {
    const ids = method === request.method ? matchPath(pattern, request.path) : undefined
    if (ids) return act(controls, readBody(request.body), ids)
  }
  throw new StripeError(404, {
    type: 'invalid_request_error',
    message: `No such control: ${request.method} ${request.path}`,
  })
}

function addApiFault(controls: Controls, body: Body): { id: string } {
  const kind = apiFaultKinds.find((each) => each === body.kind)
  if (!kind) throw invalidRequest(`kind is one of ${apiFaultKinds.join(', ')}`, { param: 'kind' })
  const { id } = controls.faults.api({ ...body, kind, path: text(body.path, 'path') } as ApiFault)
  return { id }
}

function releaseFault(controls: Controls, id: string): void {
  if (controls.faults.release(id)) return
  throw new StripeError(404, { type: 'invalid_request_error', message: `No such fault: ${id}` })
}

function webhookFault(body: Body): WebhookFault {
  if (!webhookFaultKinds.includes(String(body.kind))) {
    throw invalidRequest(`kind is one of ${webhookFaultKinds.join(', ')}`, { param: 'kind' })
  }
  for (const name of ['count', 'delayMs', 'deltaMinor']) {
    if (body[name] !== undefined && !Number.isSafeInteger(body[name]))
      throw invalidRequest(`${name} is an integer`, { param: name })
  }
  if (body.kind === 'delay' && body.delayMs === undefined)
    throw invalidRequest('delayMs is missing', { param: 'delayMs' })
  if (body.kind === 'wrong-amount' && body.deltaMinor === undefined)
    throw invalidRequest('deltaMinor is missing', { param: 'deltaMinor' })
  return body as WebhookFault
}

function readBody(body: string): Body {
  if (body === '') return {}
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === 'object' && parsed !== null) return parsed as Body
  } catch {
    // Answered below, as any other body that is not an object.
  }
  throw invalidRequest('The body is a JSON object.')
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw invalidRequest(`${name} is missing`, { code: 'parameter_missing', param: name })
}

function json(status: number, body: unknown): Response {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body, null, 2) }
}
