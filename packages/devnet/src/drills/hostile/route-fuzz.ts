import { each } from '../../each.ts'
import { createRandom, type Random } from '../../seed/random.ts'
import type { Identity } from '../authorization/identities.ts'
import { routeLines } from '../authorization/route-lines.ts'
import { type HttpAnswer, type RouteRequest, requestOf, sendRequest } from '../authorization/route-request.ts'
import { type Operation, readOperations } from '../openapi.ts'
import type { Stage } from '../stage.ts'
import { TEXTS } from './junk.ts'
import { repeatRefused } from './repeat-refused.ts'
import type { Fuzzed } from './rpc-fuzz.ts'

type Sent = { operation: Operation; request: RouteRequest }

// Called last: it ends the person that calls it.
const LAST = 'DELETE /v1/me'

/**
 * Sends every route requests that are nearly right: none may be answered as our mistake, every refusal has our shape, and what
 * is refused writes nothing.
 */
export async function fuzzRoutes(
  { devnet, worlds, residents, lines, admin, snapshots, log }: Stage,
  options: { seed: number; perRoute: number },
): Promise<Fuzzed> {
  const result: Fuzzed = { requests: 0, statuses: new Map(), repeated: 0, faults: [] }
  const words = [...TEXTS, ...Object.values(worlds.A), ...Object.values(worlds.B)]
  const as = (token: string, vendorId?: string) => ({ kind: 'person', who: { token }, vendorId }) as Identity
  const callers = {
    storefront: as(residents.A.buyer.identity.token!),
    vendor: as(residents.A.own.identity.token!, worlds.A.vendorId),
    admin: as(admin.token!),
  }
  const send = async ({ operation, request }: Sent): Promise<HttpAnswer> => {
    const answer = await sendRequest(devnet, operation, request)
    return isBusy(answer) ? sendRequest(devnet, operation, request) : answer
  }
  const note = ({ operation, request }: Sent, { status, code, text }: HttpAnswer) => {
    result.requests += 1
    result.statuses.set(String(status), (result.statuses.get(String(status)) ?? 0) + 1)
    const label = `${operation.api} ${operation.method} ${request.path.slice(0, 120)}?${request.query.slice(0, 120)} ${request.body?.slice(0, 300)}`
    if (status >= 500) result.faults.push(`${label}: ${status} ${text.slice(0, 200)}`)
    else if (status >= 400 && code === '') result.faults.push(`${label}: refused without a code: ${text.slice(0, 200)}`)
  }

  for (const api of ['storefront', 'vendor', 'admin'] as const) {
    const operations = await readOperations(api, devnet.urls[api])
    const requestsOf = (operation: Operation): Sent[] => {
      const name = `${operation.method} ${operation.path}`
      const random = createRandom(options.seed, api, name)
      const route = routeLines[api]![name]!
      return Array.from({ length: options.perRoute }, () => {
        const line = random.pick(lines.get(route.rpcs[0]!)!)
        const of = random.chance(0.8) ? worlds.A : worlds.B
        const right = requestOf({ operation, route, line, me: callers[api], of })
        return { operation, request: spoiledRequest(operation, right, random, words) }
      })
    }
    const isLast = ({ method, path }: Operation) => `${method} ${path}` === LAST
    const all = [...operations.filter((one) => !isLast(one)), ...operations.filter(isLast)].flatMap(requestsOf)
    const refused: Sent[] = []
    await each(all, 8, async (sent) => {
      const answer = await send(sent)
      note(sent, answer)
      if (answer.status >= 400) refused.push(sent)
    })
    const again = await repeatRefused(snapshots, refused, async (sent) => (await send(sent)).status >= 400)
    result.repeated += again.repeated
    for (const change of again.changes) result.faults.push(`refused requests of the ${api} API wrote ${change}`)
    log(`${api} API: ${result.requests} requests so far`)
  }
  return result
}

const isBusy = ({ status }: HttpAnswer) => status === 503 || status === 504

/** The request with one to three things about it made up. */
function spoiledRequest(
  operation: Operation,
  right: RouteRequest,
  random: Random,
  words: readonly string[],
): RouteRequest {
  const request = { ...right, headers: { ...right.headers } }
  // What a URL or a header cannot carry at all never leaves a client.
  const word = () => encodeURIComponent(random.pick(words).toWellFormed()).slice(0, 6_000)
  for (let times = random.int(1, 3); times > 0; times--) {
    const parts = [
      'query',
      'header',
      ...(operation.path.includes('{') ? ['path'] : []),
      ...(right.body ? ['body', 'body', 'body'] : []),
    ]
    switch (random.pick(parts)) {
      case 'query': {
        const { name } = random.pick([...operation.parameters.filter((one) => one.in === 'query'), { name: 'unknown' }])
        request.query += `${request.query ? '&' : ''}${name}=${word()}`
        break
      }
      case 'path':
        request.path = random.pick([
          `${request.path}/`,
          `${request.path}%00`,
          request.path.replace(/[^/]+$/, word() || 'x'),
        ])
        break
      case 'header':
        Object.assign(
          request.headers,
          random.pick([
            {
              'content-type': random.pick([
                'text/plain',
                'application/json; charset=utf-16',
                'multipart/form-data',
                'x',
              ]),
            },
            { 'content-encoding': 'gzip' },
            { authorization: random.pick(['Bearer', 'Bearer x', 'Basic YTpi', `Bearer ${'a'.repeat(8_000)}`]) },
            { cookie: `sid=${'A'.repeat(43)}; cart=${'b'.repeat(43)}` },
            { 'x-request-id': 'x'.repeat(500) },
            { 'x-forwarded-for': '127.0.0.1, ::ffff:1, nonsense' },
            { 'if-none-match': '*, W/"x", "' },
            { accept: 'application/x-nothing' },
            { 'idempotency-key': random.pick(['', ' ', 'k'.repeat(256)]) },
            { 'x-http-method-override': 'DELETE' },
            { 'stripe-signature': 't=1,v1=00' },
          ]),
        )
        break
      default:
        request.body = spoiledBody(request.body ?? '', random, words)
    }
  }
  if (operation.method === 'GET') request.body = undefined
  return request
}

function spoiledBody(body: string, random: Random, words: readonly string[]): string {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return random.pick([body.slice(0, random.int(0, body.length)), random.pick(words), `${body}${body}`])
  }
  if (random.chance(0.1)) return body.slice(0, random.int(0, body.length))
  if (random.chance(0.05)) return body.replace('{', '{"a":1,"a":2,')
  const junk = () =>
    random.pick<unknown>([
      null,
      true,
      [],
      {},
      [[[]]],
      0,
      -1,
      1.5,
      1e300,
      -(2 ** 63),
      2 ** 53,
      ...words,
      ...words,
      { $ne: 1 },
    ])
  const at = (node: unknown): unknown => {
    if (Array.isArray(node) && node.length && random.chance(0.8))
      return node.map((item, index) => (index === 0 ? at(item) : item))
    if (typeof node === 'object' && node !== null && random.chance(0.9)) {
      const keys = Object.keys(node)
      if (keys.length === 0 || random.chance(0.1)) return { ...node, [random.pick(words).slice(0, 50)]: junk() }
      const key = random.pick(keys)
      const { [key]: inner, ...rest } = node as Record<string, unknown>
      return random.chance(0.1) ? rest : { ...rest, [key]: at(inner) }
    }
    return junk()
  }
  return JSON.stringify(at(value))
}
