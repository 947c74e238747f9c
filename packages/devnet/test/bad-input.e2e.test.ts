import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { ok } from '@haat/client'
import { afterAll, expect, test } from 'vitest'
import { ADDRESS, pay, placeOrder, type Seller, type Shopper } from '../src/actors.ts'
import { openMarket, take } from '../src/drills/market.ts'
import { contradictionsOf, type Operation, readOperations, type Spoiled, sample, spoil } from '../src/drills/openapi.ts'
import { changedSince, openSnapshots } from '../src/drills/snapshot.ts'
import { ADMIN_LOGIN } from '../src/environment.ts'
import { startTestDevnet } from './devnet.ts'

const PER_ROUTE = 24
const MEGABYTES_10 = 10 * 1024 * 1024

const devnet = await startTestDevnet()
const market = await openMarket(devnet)
const { leaf, cup } = market
const snapshots = await openSnapshots(devnet)
afterAll(() => snapshots.close())

// One of everything that has an id, owned by one customer and one vendor.
const productId = await market.shelve(leaf, 'TEA-1', 30_000, 100)
const mugId = await market.shelve(cup, 'MUG-1', 45_050, 100)
const owner = await market.customer()
const stranger = await market.customer('Somebody Else')
const ids = await fill(owner, leaf)
await devnet.settle()

const operations = (
  await Promise.all([
    readOperations('storefront', devnet.urls.storefront),
    readOperations('vendor', devnet.urls.vendor),
    readOperations('admin', devnet.urls.admin),
  ])
).flat()
const adminToken = await tokenOfAdmin()
const tokens = { storefront: owner.identity.token!, vendor: leaf.identity.token!, admin: adminToken }

type Sent = {
  what: string
  path?: Record<string, string>
  query?: string
  token?: string | undefined
  type?: string | undefined
  body?: string | Uint8Array
  /** Announces a body of ten megabytes, and sends it until it is answered. */
  isHuge?: true
  key?: string | undefined
}
type Answer = { status: number; text: string; error: { code: string; details: Record<string, unknown> } | undefined }

async function send(operation: Operation, sent: Sent): Promise<Answer> {
  const url = devnet.urls[operation.api as 'admin']
  const path = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) => sent.path?.[name] ?? idFor(operation, name))
  const headers: Record<string, string> = {}
  if (sent.token) headers.authorization = `Bearer ${sent.token}`
  if (sent.type) headers['content-type'] = sent.type
  const hasKey = operation.parameters.some((parameter) => parameter.in === 'header')
  if (hasKey && sent.key !== '') headers['idempotency-key'] = sent.key ?? randomUUID()
  const target = `${url}${path}${sent.query ? `?${sent.query}` : ''}`
  const { status, text } = sent.isHuge
    ? await sendHuge(target, operation.method, headers)
    : await fetch(target, {
        method: operation.method,
        headers,
        ...(sent.body === undefined ? {} : { body: sent.body as never }),
      }).then(async (answer) => ({ status: answer.status, text: await answer.text() }))
  const error = text.startsWith('{') ? (JSON.parse(text) as { error?: Answer['error'] }).error : undefined
  return { status, text, error }
}

/** As a program does that listens while it sends. */
function sendHuge(
  url: string,
  method: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sending = request(url, { method, headers: { ...headers, 'content-length': MEGABYTES_10 }, agent: false })
    const chunk = Buffer.alloc(64 * 1024, 'x')
    let left = MEGABYTES_10
    const more = () => {
      while (left > 0 && !sending.destroyed) {
        left -= chunk.length
        if (!sending.write(chunk)) {
          sending.once('drain', more)
          return
        }
      }
      sending.end()
    }
    sending.on('error', reject)
    sending.on('response', async (answer) => {
      left = 0
      const pieces: Buffer[] = []
      for await (const piece of answer) pieces.push(piece as Buffer)
      sending.destroy()
      resolve({ status: answer.statusCode!, text: Buffer.concat(pieces).toString() })
    })
    more()
  })
}

/** The object of ours that a path parameter names; one that does not exist where we have none. */
function idFor({ path }: Operation, name: string): string {
  if (name === 'vendorId') return leaf.vendorId
  const collection = path
    .slice(0, path.indexOf(`{${name}}`))
    .split('/')
    .at(-2)!
  const known: Record<string, string | undefined> = {
    ...ids,
    provider: 'stripe',
    carrier: 'table',
    role: 'staff',
    [`${collection}.${name}`]: ids[`${collection}.${name}`],
  }
  return known[`${collection}.${name}`] ?? known[name] ?? randomUUID()
}

/** Nothing but a refusal in our shape is right. */
function problemOf(answer: Answer): string | undefined {
  if (answer.status < 400 || answer.status >= 500) return `answered ${answer.status}`
  const { error } = answer
  if (!error || !/^[a-z0-9]+(_[a-z0-9]+)+$/.test(error.code)) return `no code: ${answer.text.slice(0, 200)}`
  if (error.code === 'request_invalid') {
    const fields = error.details.fields as { field: string; message: string }[] | undefined
    if (!fields?.length || !fields.every(({ field, message }) => field && message)) return 'names no fields'
  }
  return undefined
}

test('what the documents ask for can be sent', async () => {
  const { storefront, vendor, admin } = devnet.urls
  expect((await Promise.all([storefront, vendor, admin].map(contradictionsOf))).flat()).toEqual([])
})

test('whatever is wrong with a request, on every route, it is refused in our shape and nothing is written', async () => {
  const random = seeded(20_261_122)
  let requests = 0
  const problems: string[] = []
  const statuses = new Map<number, number>()
  let before = await snapshots.calm()
  for (const operation of operations) {
    const name = `${operation.api} ${operation.method} ${operation.path}`
    const all = badRequests(operation, random)
    for (let at = 0; at < all.length; at += 6)
      await Promise.all(
        all.slice(at, at + 6).map(async (sent) => {
          requests += 1
          const answer = await send(operation, sent).catch((error: Error) => error)
          if (answer instanceof Error) {
            problems.push(`${name} · ${sent.what}: ${answer.message} ${String(answer.cause)}`)
            return
          }
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          const problem = problemOf(answer)
          if (problem) problems.push(`${name} · ${sent.what}: ${problem}`)
        }),
      )
    const after = await snapshots.take()
    for (const change of changedSince(before, after)) problems.push(`${name} wrote ${change}`)
    before = after
  }
  console.log(`${operations.length} routes, ${requests} requests`, Object.fromEntries([...statuses].sort()))
  expect(problems).toEqual([])
}, 300_000)

/** What these bodies need besides what their schemas require. */
const NEEDED: Record<string, object> = {
  '/v1/vendors/{vendorId}/bank': { accountNo: '0123456789012' },
  '/v1/vendors/{vendorId}/inventory/{sku}/adjust': { delta: 1 },
}

test('what belongs to somebody else answers exactly like what does not exist, on every route with an id', async () => {
  const before = await snapshots.calm()
  const problems: string[] = []
  let compared = 0
  for (const operation of operations.filter(({ api, auth }) => api !== 'admin' && auth !== 'public')) {
    const { api, schema } = operation
    const names = operation.parameters.filter(({ in: place }) => place === 'path').map(({ name }) => name)
    const asStranger = { token: api === 'vendor' ? cup.identity.token : stranger.identity.token }
    const body = schema
      ? {
          type: 'application/json',
          body: JSON.stringify({ ...(sample(schema, 'required') as object), ...NEEDED[operation.path] }),
        }
      : operation.contentType
        ? { type: operation.contentType, body: '%PDF-1.4' }
        : {}
    const own: Record<string, string> = names.includes('vendorId') ? { vendorId: cup.vendorId } : {}
    for (const name of names) {
      const absent = name === 'orderNo' ? 'HAAT-22222-22222' : name === 'sku' ? 'NO-SUCH-SKU' : randomUUID()
      const foreign = idFor(operation, name)
      const paths = [foreign, absent].map((id) => ({ ...own, [name]: id }))
      const query = operation.parameters
        .filter(({ in: place, required }) => place === 'query' && required)
        .map((parameter) => `${parameter.name}=${String(sample(parameter.schema, 'all'))}`)
        .join('&')
      const [theirs, nothing] = await Promise.all(
        paths.map(async (path) => {
          const answer = await send(operation, { what: 'somebody else asks', path, query, ...asStranger, ...body })
          const said = answer.text.replace(/"requestId":"[^"]*"/, '').replaceAll(path[name]!, '{id}')
          return { status: answer.status, error: said.slice(0, 300) }
        }),
      )
      compared += 1
      const label = `${api} ${operation.method} ${operation.path} by ${name}`
      if (theirs!.status !== nothing!.status || theirs!.error !== nothing!.error)
        problems.push(`${label}: ${JSON.stringify(theirs)} is not ${JSON.stringify(nothing)}`)
      if (theirs!.status !== 404) problems.push(`${label}: ${theirs!.status} ${theirs!.error}`)
    }
  }
  console.log(`${compared} foreign objects compared with absent ones`)
  expect(problems).toEqual([])
  expect(changedSince(before, await snapshots.take())).toEqual([])
}, 120_000)

test('a vendor cannot count goods under a SKU that it does not sell, not even before its owner does', async () => {
  const claims = [
    { sku: 'TEA-1', productId: mugId },
    { sku: 'TEA-1', productId },
    { sku: 'NOBODYS-1', productId: mugId },
  ]
  for (const { sku, ...body } of claims)
    await expect(
      ok(
        cup.vendor.PATCH('/v1/vendors/{vendorId}/inventory/{sku}', {
          params: { path: { vendorId: cup.vendorId, sku } },
          body: { ...body, onHand: 5 },
        }),
      ),
    ).rejects.toMatchObject({ status: 404, code: 'stock_not_found' })
  expect(await market.available('TEA-1')).toBe(98)
})

/** Requests that no route may accept, the same ones at every run. */
function badRequests(operation: Operation, random: () => number): Sent[] {
  const { api, method, auth, contentType, schema, parameters } = operation
  const token = tokens[api as 'admin']
  const json = 'application/json'
  const good = schema ? { type: json, body: JSON.stringify(sample(schema, 'required')) } : {}
  const found: Sent[] = []
  if (auth !== 'public') {
    found.push({ what: 'nobody asks', ...good })
    found.push({ what: 'a forged token', token: `${token.slice(0, -8)}AAAAAAAA`, ...good })
  }
  if (auth === 'vendor' || auth === 'staff')
    found.push({ what: 'a customer asks', token: stranger.identity.token, ...good })
  if (auth === 'staff') found.push({ what: 'a seller asks', token: leaf.identity.token, ...good })
  if (parameters.some((parameter) => parameter.in === 'header')) {
    found.push({ what: 'without its key', token, key: '', ...good })
    found.push({ what: 'an endless key', token, key: 'k'.repeat(300), ...good })
  }
  const fixed = found.length

  for (const { name, in: place, schema: rule } of parameters) {
    if (place === 'path')
      for (const wrong of ['%00', '%ff', '%E0%A4%A', 'x'.repeat(4_000), '..%2f..%2fetc', "'%20or%201=1%20--"])
        found.push({ what: `path ${name}=${wrong.slice(0, 20)}`, token, path: { [name]: wrong }, ...good })
    if (place === 'query') {
      const wrong = [
        '%00',
        '%ff',
        ...(rule.type === 'string' && !rule.enum && !rule.format ? [] : ['nonsense', '-1e400']),
      ]
      if (name === 'page_token') wrong.push('nonsense', 'x'.repeat(4_000))
      if (rule.maxLength && rule.maxLength < 9_000) wrong.push('x'.repeat(rule.maxLength + 1))
      for (const value of wrong)
        found.push({ what: `query ${name}=${value.slice(0, 20)}`, token, query: `${name}=${value}`, ...good })
    }
  }
  const seen = found.splice(fixed)

  if (method !== 'GET') {
    const type = contentType ?? json
    // A catalogue file may be larger; what is wrong in it is reported line by line.
    if (contentType !== 'text/csv') found.push({ what: 'ten megabytes', token, type, isHuge: true })
    else found.push({ what: 'another table', token, type, body: 'colour,taste\nred,sweet\n' })
    found.push({ what: 'an unknown type', token, type: 'application/x-nonsense', body: 'x' })
    if (schema) {
      for (const [what, body] of [
        ['no body', undefined],
        ['half a body', '{"a":'],
        ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
        ['an endless nesting', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
        ['null', 'null'],
        ['a prototype', '{"__proto__":{"admin":true}}'],
      ] as const)
        found.push({ what, token, type: json, ...(body === undefined ? {} : { body }) })
      seen.push(
        ...spoil(schema).map(({ what, value }: Spoiled) => ({ what, token, type: json, body: JSON.stringify(value) })),
      )
    }
  }
  const room = Math.max(8, PER_ROUTE - found.length)
  return [...found, ...shuffled(seen, random).slice(0, room)]
}

const shuffled = <T>(items: T[], random: () => number): T[] =>
  items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)

/** Numbers in [0, 1), the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

async function tokenOfAdmin(): Promise<string> {
  const answer = await fetch(`${devnet.urls.admin}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...ADMIN_LOGIN, session: 'token' }),
  })
  return ((await answer.json()) as { accessToken: string }).accessToken
}

/** Makes one of everything that has an id; answers the ids by collection and parameter. */
async function fill(buyer: Shopper, own: Seller): Promise<Record<string, string>> {
  const path = { vendorId: own.vendorId }
  const address = await ok(buyer.shop.POST('/v1/me/addresses', { body: { label: 'Home', address: ADDRESS } as never }))
  await take(buyer, 'TEA-1', 2)
  await take(buyer, 'MUG-1')
  const { order, payment } = await placeOrder(buyer)
  await pay(devnet, payment!)
  await devnet.settle()
  const { items: parts } = await ok(own.vendor.GET('/v1/vendors/{vendorId}/orders', { params: { path, query: {} } }))
  const partId = parts[0]!.id
  await ok(own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/accept', { params: { path: { ...path, id: partId } } }))
  await devnet.settle()
  const parcel = await ok(
    own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/label', {
      params: { path: { ...path, id: partId } },
      body: {},
    }),
  )
  const coupon = await ok(
    own.vendor.POST('/v1/vendors/{vendorId}/coupons', {
      params: { path },
      body: { code: 'LEAF5', type: 'percent', percentBps: 500, isActive: true } as never,
    }),
  )
  const webhook = await ok(
    own.vendor.POST('/v1/vendors/{vendorId}/webhooks', {
      params: { path },
      body: { url: 'https://example.com/hook', eventTypes: ['order.paid'] } as never,
    }),
  )
  return {
    'addresses.id': address.id,
    orderNo: order.orderNo,
    sku: 'TEA-1',
    'products.id': productId,
    'orders.id': partId,
    'vendor-orders.id': partId,
    'shipments.id': parcel.id,
    trackingNo: parcel.trackingNo,
    'coupons.id': coupon.id,
    'webhooks.webhookId': webhook.webhook.id,
    'vendors.id': own.vendorId,
    'categories.id': market.categoryId,
    'users.id': buyer.userId,
    'sessions.id': randomUUID(),
  }
}
