import { createHash } from 'node:crypto'
import type { Call, Context } from '../context.ts'
import { listPage, listShape } from '../http/listing.ts'
import { applyMetadata, list, metadata, required, text, type Values } from '../http/params.ts'
import { route } from '../http/route.ts'
import { invalidRequest, resourceMissing } from '../http/stripe-error.ts'
import type { WebhookTarget } from '../settings.ts'
import { newId, randomText } from '../store/new-id.ts'
import { hide, insert } from '../store/store.ts'

export type WebhookEndpoint = {
  id: string
  object: 'webhook_endpoint'
  api_version: null
  created: number
  description: string | null
  enabled_events: string[]
  livemode: false
  metadata: Record<string, string>
  status: 'enabled'
  url: string
}

const createShape = {
  api_version: text(),
  connect: text(),
  description: text(),
  enabled_events: required(list(text())),
  metadata: metadata(),
  url: required(text()),
}

export const webhookEndpointRoutes = [
  route('POST', '/v1/webhook_endpoints', createShape, create),
  route('GET', '/v1/webhook_endpoints', listShape, (ctx, params, call) =>
    listPage(ctx, call, 'webhookEndpoints', params),
  ),
  route('GET', '/v1/webhook_endpoints/:id', {}, (ctx, _params, call) => getEndpoint(ctx, call)),
  route('DELETE', '/v1/webhook_endpoints/:id', {}, (ctx, _params, call) => {
    const { id } = getEndpoint(ctx, call)
    ctx.store.tables.webhookEndpoints.delete(id)
    return { id, object: 'webhook_endpoint', deleted: true }
  }),
]

/** The id follows from the URL, so that deliveries left by an earlier run find their endpoint again. */
export function addEndpoint(ctx: Context, target: WebhookTarget): void {
  const id = `we_${createHash('sha256').update(target.url).digest('hex').slice(0, 24)}`
  insertEndpoint(ctx, id, target.url, [...(target.events ?? ['*'])])
  hide(ctx.store, id, { secret: target.secret, isConfigured: true })
}

/** Endpoints configured by an earlier run; those made through the API stay. */
export function dropConfiguredEndpoints(ctx: Context): void {
  for (const id of ctx.store.tables.webhookEndpoints.keys()) {
    if (ctx.store.hidden.get(id)?.isConfigured) ctx.store.tables.webhookEndpoints.delete(id)
  }
}

/** The secret is shown once, here. */
function create(ctx: Context, params: Values<typeof createShape>, _call: Call): object {
  if (!URL.canParse(params.url))
    throw invalidRequest('Invalid URL: an explicit scheme (such as https) must be provided.', { param: 'url' })
  const endpoint = insertEndpoint(ctx, newId('we'), params.url, params.enabled_events)
  endpoint.description = params.description ?? null
  endpoint.metadata = applyMetadata({}, params.metadata)
  const secret = `whsec_${randomText(32)}`
  hide(ctx.store, endpoint.id, { secret })
  return { ...endpoint, secret }
}

function insertEndpoint(ctx: Context, id: string, url: string, enabledEvents: string[]): WebhookEndpoint {
  return insert(ctx.store, 'webhookEndpoints', {
    id,
    object: 'webhook_endpoint',
    api_version: null,
    created: ctx.nowSeconds(),
    description: null,
    enabled_events: enabledEvents,
    livemode: false,
    metadata: {},
    status: 'enabled',
    url,
  })
}

function getEndpoint(ctx: Context, call: Call): WebhookEndpoint {
  const id = call.ids.id ?? ''
  const endpoint = ctx.store.tables.webhookEndpoints.get(id)
  if (!endpoint) throw resourceMissing('webhook endpoint', id)
  return endpoint
}
