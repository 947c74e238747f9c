import type { Call, Context } from '../context.ts'
import { listPage, listShape } from '../http/listing.ts'
import { list, text } from '../http/params.ts'
import { route } from '../http/route.ts'
import { resourceMissing } from '../http/stripe-error.ts'
import { newId } from '../store/new-id.ts'
import { findOwn, insert, ownedBy } from '../store/store.ts'

export const apiVersion = '2026-10-28.endive'

export type Event = {
  id: string
  object: 'event'
  api_version: string
  account?: string
  created: number
  data: { object: Record<string, unknown> & { id: string; object: string }; previous_attributes?: object }
  livemode: false
  pending_webhooks: number
  request: { id: string | null; idempotency_key: string | null }
  type: string
}

export const eventRoutes = [
  route('GET', '/v1/events/:id', {}, (ctx, _params, call) => getEvent(ctx, call)),
  route('GET', '/v1/events', { ...listShape, type: text(), types: list(text()) }, (ctx, params, call) =>
    listPage(
      ctx,
      call,
      'events',
      params,
      ({ type }) =>
        (params.type === undefined || matchesType(params.type, type)) && (params.types?.includes(type) ?? true),
    ),
  ),
]

/** `charge.*` and `*` stand for all that begin so. */
export function matchesType(wanted: string, type: string): boolean {
  return wanted === type || (wanted.endsWith('*') && type.startsWith(wanted.slice(0, -1)))
}

/** Records that something happened, with the object as it is now, and leaves it to be delivered. */
export function emit(
  ctx: Context,
  call: Call,
  type: string,
  subject: { id: string; object: string },
  previous?: object,
): void {
  const event: Event = {
    id: newId('evt'),
    object: 'event',
    api_version: apiVersion,
    ...(call.account === null ? {} : { account: call.account }),
    created: ctx.nowSeconds(),
    data: { object: structuredClone(subject), ...(previous ? { previous_attributes: previous } : {}) },
    livemode: false,
    pending_webhooks: 0,
    request: { id: call.requestId, idempotency_key: call.idempotencyKey },
    type,
  }
  insert(ctx.store, 'events', event, ownedBy(call.account))
  ctx.deliver(event.id)
}

function getEvent(ctx: Context, call: Call): Event {
  const id = call.ids.id ?? ''
  const event = findOwn(ctx.store, 'events', id, call.account)
  if (!event) throw resourceMissing('event', id)
  return event
}
