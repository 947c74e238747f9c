import { randomUUID } from 'node:crypto'
import { ok } from '@haat/client'
import { ADDRESS, pay, placeOrder } from '../../actors.ts'
import type { Devnet } from '../../devnet.ts'
import { ADMIN_LOGIN } from '../../environment.ts'
import { type Market, PASSWORD, take } from '../market.ts'
import { type Operation, readOperations, sample } from '../openapi.ts'

/** What a person is told of a request. */
export type Answer = {
  status: number
  code: string
  ms: number
  /** Null where there is none. */
  retryAfter: string | null
  /** Parts that the page says are missing. */
  degraded: string[]
  text: string
}

/** One request that is sent again and again, in calm and in outages. */
export type Probe = {
  name: string
  group: string
  /** When the API gives up. */
  deadlineMs: number
  send(): Promise<Answer>
}

/** What takes this long hangs, whatever the route says. */
const HANGS_MS = 30_000
/** Of a route that says nothing else. */
const DEADLINE_MS = 5_000

// They would end what the other probes live on.
const LEFT_OUT = /^(POST \/v1\/auth\/(logout|change-password)$|DELETE \/v1\/(me|cart|cart\/items\/\{sku\})$)/

/**
 * One probe for every route of the three APIs: reads ask for what is there, writes send what their schema accepts about
 * things that mostly do not exist, which only the stores can tell.
 */
export async function openSweep(devnet: Devnet, market: Market): Promise<Probe[]> {
  const { leaf } = market
  const buyer = await market.customer()
  const sku = `SWEEP-${randomUUID()}`
  const productId = await market.shelve(leaf, sku, 30_000, 1_000)
  await take(buyer, sku, 2)
  const { order, payment } = await placeOrder(buyer)
  await pay(devnet, payment!)
  await devnet.settle()
  await take(buyer, sku)
  const path = { vendorId: leaf.vendorId }
  const parts = await ok(leaf.vendor.GET('/v1/vendors/{vendorId}/orders', { params: { path, query: {} } }))
  const found = await ok(buyer.shop.GET('/v1/search', { params: { query: { q: sku } } }))
  const slug = found.items.find(({ id }) => id === productId)!.slug
  const page = await ok(buyer.shop.GET('/v1/products/{slug}', { params: { path: { slug } } }))
  const vendorSlug = page.vendor!.slug

  const known: Record<string, string> = {
    vendorId: leaf.vendorId,
    orderNo: order.orderNo,
    sku,
    'products.slug': slug,
    'vendors.slug': vendorSlug,
    'products.id': productId,
    'orders.id': parts.items[0]!.id,
    'vendors.id': leaf.vendorId,
    'users.id': buyer.userId,
    provider: 'stripe',
    carrier: 'table',
    role: 'staff',
  }
  const adminToken = await signIn(devnet.urls.admin, ADMIN_LOGIN)
  const tokens = { storefront: buyer.identity.token!, vendor: leaf.identity.token!, admin: adminToken }
  const bodies: Record<string, unknown> = {
    'POST /v1/cart/items': { sku, qty: 1 },
    'POST /v1/checkout/summary': { destination: { country: ADDRESS.country, postalCode: ADDRESS.postalCode } },
    'POST /v1/auth/login': { email: buyer.email, password: PASSWORD, session: 'token' },
    'POST /v1/cart/reorder': { orderNo: order.orderNo },
    'POST /v1/payments/intent': { orderNo: order.orderNo },
  }
  const deadlines = await readDeadlines([devnet.urls.storefront, devnet.urls.vendor, devnet.urls.admin])
  const operations = await Promise.all(
    (['storefront', 'vendor', 'admin'] as const).map((api) => readOperations(api, devnet.urls[api])),
  )
  const probes = operations.flat().flatMap((operation): Probe[] => {
    const { api, method, contentType, schema, parameters } = operation
    const name = `${method} ${operation.path}`
    if (LEFT_OUT.test(name) || (contentType && !schema && contentType !== 'application/json')) return []
    // A write that succeeds is different the second time; what it is about does not exist.
    const ids = method === 'GET' || operation.path.includes('/inventory/') ? known : { ...known, ...blanks() }
    const target = operation.path.replace(/\{(\w+)\}/g, (_all, parameter: string) => idFor(operation, parameter, ids))
    const query = parameters
      .filter(({ in: place, required }) => place === 'query' && required)
      .map((parameter) => `${parameter.name}=${encodeURIComponent(String(sample(parameter.schema, 'all')))}`)
    const url = `${devnet.urls[api as 'admin']}${target}${query.length ? `?${query.join('&')}` : ''}`
    const body = schema && method !== 'GET' ? (bodies[name] ?? sample(schema, 'required')) : undefined
    const hasKey = parameters.some((parameter) => parameter.in === 'header')
    return [
      {
        name: `${api} ${name}`,
        group: groupOf(operation),
        deadlineMs: deadlines.get(name) ?? DEADLINE_MS,
        send: () =>
          ask(
            url,
            method,
            {
              ...(operation.auth === 'public' && method === 'GET'
                ? {}
                : { authorization: `Bearer ${tokens[api as 'admin']}` }),
              ...(body === undefined ? {} : { 'content-type': 'application/json' }),
              ...(hasKey ? { 'idempotency-key': randomUUID() } : {}),
            },
            body,
          ),
      },
    ]
  })
  return [...probes, ...(await browserProbes(devnet, { email: buyer.email, password: PASSWORD }))]
}

/** The same person with a browser's session instead of a token. */
async function browserProbes(devnet: Devnet, person: { email: string; password: string }): Promise<Probe[]> {
  const { storefront } = devnet.urls
  const answer = await fetch(`${storefront}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: storefront },
    body: JSON.stringify({ ...person, session: 'cookie' }),
  })
  if (!answer.ok) throw new Error(`no browser session: ${answer.status} ${await answer.text()}`)
  const cookie = answer.headers
    .getSetCookie()
    .map((each) => each.split(';', 1)[0])
    .join('; ')
  return ['/v1/session', '/v1/me', '/v1/cart', '/v1/me/orders', '/v1/home'].map((path) => ({
    name: `storefront GET ${path} (browser session)`,
    group: path === '/v1/home' ? 'storefront: catalogue' : 'storefront: signed-in browser',
    deadlineMs: DEADLINE_MS,
    send: () => ask(`${storefront}${path}`, 'GET', { cookie }),
  }))
}

/** What the documents say of routes that may take longer than the others. */
async function readDeadlines(urls: string[]): Promise<Map<string, number>> {
  const deadlines = new Map<string, number>()
  for (const url of urls) {
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { 'x-timeout-ms'?: number }>>
    }
    for (const [path, methods] of Object.entries(paths))
      for (const [method, { 'x-timeout-ms': ms }] of Object.entries(methods))
        if (ms) deadlines.set(`${method.toUpperCase()} ${path}`, ms)
  }
  return deadlines
}

const blanks = () => ({
  orderNo: 'HAAT-22222-22222',
  'products.id': randomUUID(),
  'orders.id': randomUUID(),
  'vendors.id': randomUUID(),
  'users.id': randomUUID(),
})

/** The thing that a path parameter names; one that does not exist where we have none. */
function idFor({ path }: Operation, name: string, ids: Record<string, string>): string {
  const collection = path
    .slice(0, path.indexOf(`{${name}}`))
    .split('/')
    .at(-2)!
  return ids[`${collection}.${name}`] ?? ids[name] ?? randomUUID()
}

/** Routes that stand and fall together, by what they are for. */
function groupOf({ api, method, path, auth }: Operation): string {
  if (api !== 'storefront') return `${api}: ${method === 'GET' ? 'reads' : 'writes'}`
  if (/\/(cart|checkout)/.test(path))
    return path.includes('coupon') ? 'storefront: coupons' : 'storefront: cart and summary'
  if (/\/(auth|session)/.test(path)) return 'storefront: login and registration'
  if (/\/(orders|payments)/.test(path)) return 'storefront: orders and payment'
  if (auth === 'public' && method === 'GET') return 'storefront: catalogue'
  return `storefront: account and reviews, ${method === 'GET' ? 'reads' : 'writes'}`
}

async function ask(url: string, method: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
  const started = performance.now()
  try {
    const answer = await fetch(url, {
      method,
      headers,
      signal: AbortSignal.timeout(HANGS_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const json = text.startsWith('{') ? (JSON.parse(text) as { error?: { code: string }; degraded?: string[] }) : {}
    return {
      status: answer.status,
      code: json.error?.code ?? '',
      ms: performance.now() - started,
      retryAfter: answer.headers.get('retry-after'),
      degraded: json.degraded ?? [],
      text,
    }
  } catch (error) {
    const code = String((error as Error & { cause?: { code?: string } }).cause?.code ?? error)
    return { status: 0, code, ms: performance.now() - started, retryAfter: null, degraded: [], text: '' }
  }
}

async function signIn(url: string, person: { email: string; password: string }): Promise<string> {
  const { text } = await ask(
    `${url}/v1/auth/login`,
    'POST',
    { 'content-type': 'application/json' },
    { ...person, session: 'token' },
  )
  return (JSON.parse(text) as { accessToken: string }).accessToken
}
